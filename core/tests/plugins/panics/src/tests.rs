use super::*;
use dovetail_sdk::{
    abi::CallFailure,
    tls::{TlsError, TlsErrorCode},
};
use dovetail_testkit::{Script, Started, TestHost, TestSession};
use std::{
    panic::{catch_unwind, AssertUnwindSafe},
    pin::Pin,
    task::{Context as TaskContext, Waker},
};
use tokio::io::AsyncWrite;

async fn started(host: &TestHost, panic_in: &str) -> Started<Panics> {
    host.start(&format!("(panic_in: {panic_in:?})"), []).await.unwrap()
}

fn told(host: &TestHost, what: &str) -> bool {
    let text = format!("panic in {what} (on purpose)");
    host.panics().iter().any(|panic| panic.message == text && panic.place.contains("panics/src/"))
}

/// Plays a dialogue; gives how the session ended.
async fn talk(host: &TestHost, script: &str) -> Result<(), SessionFailure> {
    let panics = started(host, "").await;
    let (mut client, served) = panics.serve(TestSession::new().id("s1"));
    Script::parse("talk", script).unwrap().play(&mut client).await.unwrap();
    drop(client);
    served.await.unwrap()
}

#[tokio::test]
async fn each_place_of_an_instances_life_panics_alone() {
    let host = TestHost::new();
    let refused = host.check::<Panics>("(panic_in: \"prepare\")").unwrap_err();
    assert!(refused[0].message.contains("panic in prepare (on purpose)"), "{refused:?}");
    assert!(host.start::<Panics>("(panic_in: \"start\")", []).await.is_err());
    assert!(told(&host, "start"));
    let panics = started(&host, "traits").await;
    assert!(panics.protocol().traits().is_err());
    assert_eq!(panics.operate("fine", vec![]).await.unwrap().lines, ["fine"]);
    assert_eq!(started(&host, "stop").await.stop().await, Err(CallFailure::Panicked));
    drop(started(&host, "instance drop").await);
    assert!(told(&host, "traits") && told(&host, "stop") && told(&host, "instance drop"));
}

#[tokio::test]
async fn an_unknown_place_is_refused_and_none_is_fine() {
    let host = TestHost::new();
    let refused = host.check::<Panics>("(panic_in: \"nowhere\")").unwrap_err();
    assert!(refused[0].help.contains("instance drop"), "{refused:?}");
    assert!(host.check::<Panics>("()").unwrap().is_empty());
    started(&host, "").await.stop().await.unwrap();
    assert!(host.panics().is_empty());
}

#[tokio::test]
async fn the_operation_panics_and_the_instance_lives() {
    let host = TestHost::new();
    let panics = started(&host, "").await;
    assert!(panics.operate("boom", vec![]).await.is_err());
    assert!(told(&host, "operation"));
    assert!(panics.operate("fine", vec![]).await.is_ok());
    assert_eq!(Panics::operations().len(), 2);
}

#[tokio::test]
async fn a_session_without_a_panic_is_ordinary() {
    let host = TestHost::new();
    talk(&host, "S: ready\nC: ECHO a b\nS: a b\nC: ECHO\nS: unknown\nC> x\\0\\r\\n\nS: *NUL*\nC: QUIT\nS: bye\nS!")
        .await
        .unwrap();
    assert!(host.panics().is_empty());
}

#[tokio::test]
async fn what_a_session_holds_runs_until_it_ends() {
    let host = TestHost::new();
    talk(&host, "S: ready\nC: HOLD\nS: held\nC: ECHO on\nS: on\nC: QUIT\nS: bye\nS!").await.unwrap();
    assert!(host.panics().is_empty());
}

#[tokio::test]
async fn a_file_keeps_it_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(folder.path());
    assert!(host.start::<Panics>("(stay_away: \"no\")", []).await.is_ok());
    std::fs::write(folder.path().join("no"), "").unwrap();
    let refused = host.start::<Panics>("(stay_away: \"no\")", []).await.err().unwrap();
    assert!(refused.to_string().contains("no is in the way"), "{refused}");
}

#[tokio::test]
async fn the_directory_knows_one_account() {
    let host = TestHost::new();
    let panics = started(&host, "").await;
    let directory = panics.query::<Directory>();
    let known = directory.resolve(directory::ACCOUNT.into()).await.unwrap();
    assert_eq!(known.accounts, [directory::ACCOUNT]);
    assert!(directory.resolve("bob@example.test".into()).await.unwrap().accounts.is_empty());
    assert_eq!(directory.may_send_as("a".into(), "b".into()).await, Ok(false));
}

#[tokio::test]
async fn a_panic_in_serve_ends_the_session() {
    let host = TestHost::new();
    talk(&host, "S: ready\nC: SERVE\nS!").await.unwrap_err();
    assert!(told(&host, "serve"));
    assert_eq!(host.panics()[0].session.as_deref(), Some("s1"));
}

#[tokio::test]
async fn a_session_outlives_panics_beside_it() {
    for (line, what) in
        [("TASK", "task"), ("BLOCKING", "blocking work"), ("THREAD", "thread"), ("TASKDROP", "task drop")]
    {
        let host = TestHost::new();
        let script = format!("S: ready\nC: {line}\nS: survived: *\nC: ECHO on\nS: on\nC: QUIT\nS: bye\nS!");
        talk(&host, &script).await.unwrap();
        assert!(told(&host, what), "{line}: {:?}", host.panics());
    }
}

#[tokio::test]
async fn a_stream_handed_over_panics_in_poll_or_drop() {
    let host = TestHost::new();
    let panics = started(&host, "").await;
    let error = TlsError { code: TlsErrorCode::Truncated, message: "no handshake".into() };
    let (mut client, served) = panics.serve(TestSession::new().explicit_tls(true).failing_tls(error));
    // The test's handshake never polls; it drops the stream.
    Script::parse("drop", "S: ready\nC: OBJECTDROP").unwrap().play(&mut client).await.unwrap();
    assert!(client.start_tls().await.is_err());
    Script::parse("on", "S: survived: no handshake\nC: QUIT\nS: bye\nS!").unwrap().play(&mut client).await.unwrap();
    served.await.unwrap().unwrap();
    assert!(told(&host, "object drop"), "{:?}", host.panics());

    let mut stream = host.enter(|| dovetail_sdk::Stream::new(bombs::PollBomb));
    assert!(tokio::io::AsyncReadExt::read_u8(&mut stream).await.is_err());
    assert!(told(&host, "stream poll"));
}

#[tokio::test]
async fn the_future_panics_when_it_is_dropped() {
    let host = TestHost::new();
    let panics = started(&host, "").await;
    let (mut client, served) = panics.serve(TestSession::new());
    Script::parse("hang", "S: ready\nC: FUTUREDROP\nS: hanging").unwrap().play(&mut client).await.unwrap();
    served.abort();
    assert!(served.await.unwrap_err().is_cancelled());
    assert!(told(&host, "future drop"));
}

#[tokio::test]
async fn a_waker_panics_and_the_session_goes_on() {
    let host = TestHost::new();
    let panics = started(&host, "").await;
    let (mut client, served) = panics.serve(TestSession::new());
    Script::parse("wait", "S: ready\nC: WAKE\nS: waiting").unwrap().play(&mut client).await.unwrap();
    // Here both ends are one library, so that the panic reaches the writer; between libraries it is contained.
    let write = || Pin::new(&mut client).poll_write(&mut TaskContext::from_waker(Waker::noop()), b"ECHO on\r\n");
    catch_unwind(AssertUnwindSafe(write)).unwrap_err();
    Script::parse("on", "S: on\nC: QUIT\nS: bye\nS!").unwrap().play(&mut client).await.unwrap();
    served.await.unwrap().unwrap();
    assert!(told(&host, "wake"), "{:?}", host.panics());
}
