use super::*;
use crate::TestSession;
use dovetail_sdk::{
    abi::CallFailure,
    net,
    operations::{FieldValue, OperationFailure, Operations, OperationsProvider, Progress, Report},
    protocol::{ProtocolProvider, ProtocolTraits, Session, SessionFailure},
    task, time, About, Context, Problems, Purpose, Secret, Service, StartFailure,
};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    limit: u32,
}

/// Uses all that the host offers.
struct Busy {
    limit: u32,
    other: Service<Operations>,
}

impl Plugin for Busy {
    type Config = Config;

    fn validate(config: &Config, about: &About, problems: &mut Problems) {
        if config.limit == 0 {
            problems.error("limit is 0", "give at least 1");
        }
        if config.limit > 100 {
            problems.warning(format!("limit is high for {}", about.instance), "lower it");
        }
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        if config.limit == 13 {
            return Err(StartFailure::new("13 brings no luck"));
        }
        tracing::info!(name = %context.about.instance, "busy starts");
        dovetail_sdk::notice("look here");
        dovetail_sdk::secret_notice("the password", Secret::from("x".to_owned()), "first-password")?;
        Ok(Busy { limit: config.limit, other: context.service()? })
    }

    async fn stop(&self) {
        tracing::debug!("busy stops");
    }
}

impl ProtocolProvider for Busy {
    fn traits(&self) -> ProtocolTraits {
        ProtocolTraits { alpn: vec!["busy".into()], try_later: Vec::new() }
    }
    async fn serve(&self, mut session: Session) -> Result<(), SessionFailure> {
        tracing::info!("serving");
        session.stream.queue(b"hello\r\n");
        session.stream.close().await?;
        Ok(())
    }
}

impl OperationsProvider for Busy {
    async fn run(&self, name: String, _: Vec<FieldValue>, progress: Progress) -> Result<Report, OperationFailure> {
        match name.as_str() {
            "ask" => self.other.get()?.run("answer".into(), Vec::new(), progress).await,
            "limit" => Ok(Report::line(self.limit.to_string())),
            _ => panic!("no operation {name}"),
        }
    }
}

struct Other;
impl OperationsProvider for Other {
    async fn run(&self, name: String, _: Vec<FieldValue>, _: Progress) -> Result<Report, OperationFailure> {
        Ok(Report::line(name))
    }
}

async fn busy(host: &TestHost) -> Started<Busy> {
    host.start("(limit: 5)", [bound(Operations::new(Other))]).await.unwrap()
}

#[tokio::test]
async fn a_plugin_starts_serves_and_stops_and_the_host_sees_it() {
    let host = TestHost::new().instance("bee");
    let started = busy(&host).await;
    assert_eq!(started.plugin().limit, 5);
    assert_eq!(started.protocol().traits().unwrap().alpn, ["busy"]);
    let (mut client, served) = started.serve(TestSession::new().id("s9"));
    let mut seen = String::new();
    client.read_to_string(&mut seen).await.unwrap();
    assert_eq!(seen, "hello\r\n");
    served.await.unwrap().unwrap();
    assert_eq!(started.operate("ask", Vec::new()).await.unwrap().lines, ["answer"]);
    assert_eq!(
        started.query::<Operations>().run("limit".into(), vec![], Progress::new(Quiet)).await.unwrap().lines,
        ["5"]
    );
    started.stop().await.unwrap();

    let log = host.log();
    let find = |text| log.iter().find(|record| record.message() == text).unwrap_or_else(|| panic!("{text}: {log:?}"));
    assert_eq!(find("busy starts").fields().next().map(|(_, value)| value), Some("bee"));
    assert_eq!(find("serving").session(), Some("s9"));
    assert_eq!(find("busy stops").session(), None);
    assert!(host.logged("bee") && !host.logged("wasp"));
    assert_eq!(host.notices(), ["look here"]);
    assert_eq!(host.secrets()[0].file_name, "first-password");
    assert!(host.panics().is_empty());
}

struct Quiet;
impl dovetail_sdk::abi::operations_v1::ProgressProvider for Quiet {
    fn step(&self, _: String) -> Result<(), CallFailure> {
        Ok(())
    }
}

#[tokio::test]
async fn sections_are_checked_as_in_a_server() {
    let host = TestHost::new();
    assert!(host.check::<Busy>("(limit: 1)").unwrap().is_empty());
    assert_eq!(host.check::<Busy>("(limit: 101)").unwrap()[0].message, "limit is high for test");
    assert_eq!(host.check::<Busy>("(limit: 0)").unwrap_err()[0].help, "give at least 1");
    let wrong = host.start::<Busy>("(\n  limt: 1)", []).await.err().unwrap();
    assert!(wrong.to_string().contains("test.ron:2:"), "{wrong}");
    let unlucky = host.start::<Busy>("(limit: 13)", []).await.err().unwrap();
    assert_eq!(unlucky, StartError::Start("13 brings no luck".into()));
    let lacking = host.start::<Busy>("(limit: 1)", []).await.err().unwrap();
    assert!(lacking.to_string().contains("dovetail.operations/1"), "{lacking}");
}

#[tokio::test]
async fn a_slot_is_bound_late() {
    let (host, slot) = (TestHost::new(), TestSlot::<Operations>::empty());
    let started = host.start::<Busy>("(limit: 1)", [slot.bound()]).await.unwrap();
    let absent = started.operate("ask", Vec::new()).await.unwrap_err();
    assert_eq!(absent.message, CallFailure::Unavailable.to_string());
    slot.put(Operations::new(Other));
    assert!(started.operate("ask", Vec::new()).await.is_ok());
    slot.clear();
    assert!(started.operate("ask", Vec::new()).await.is_err());
}

#[tokio::test]
async fn new_work_waits_for_a_held_slot_and_old_work_is_finished() {
    let (host, slot) = (TestHost::new(), TestSlot::<Operations>::empty());
    let started = host.start::<Busy>("(limit: 1)", [slot.bound()]).await.unwrap();
    let service = &started.plugin().other;
    slot.put(Operations::new(Other));
    slot.hold();
    assert!(service.get().is_ok() && service.finishing().await.is_ok(), "the old one");
    let next = async {
        slot.put(Operations::new(Other));
    };
    let mut waiting = std::pin::pin!(service.ready());
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("it did not wait"),
        () = next => {}
    }
    assert!(waiting.await.is_ok());
    slot.hold();
    slot.clear();
    assert_eq!(service.ready().await.err(), Some(CallFailure::Unavailable));
}

#[tokio::test]
async fn a_panic_is_contained_and_told() {
    let host = TestHost::new();
    let started = busy(&host).await;
    let failed = started.operate("dance", Vec::new()).await.unwrap_err();
    assert_eq!(failed.message, CallFailure::Panicked.to_string());
    assert_eq!(host.panics()[0].message, "no operation dance");
    assert!(started.operate("limit", Vec::new()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn timers_and_the_clock_are_those_of_the_test() {
    let host = TestHost::new();
    host.set_unix_milliseconds(1_000_000);
    let slept = host.run(async {
        time::sleep(Duration::from_secs(7200)).await;
        time::unix_milliseconds()
    });
    assert_eq!(slept.await, 1_000_000 + 7_200_000);
    let late = host.run(time::timeout(Duration::from_secs(5), std::future::pending::<()>())).await;
    assert_eq!(late, Err(time::Elapsed));
}

#[tokio::test]
async fn the_clock_shows_the_time_of_the_system_unless_told() {
    // 2020-01-01.
    assert!(TestHost::new().enter(time::unix_milliseconds) > 1_577_836_800_000);
}

#[tokio::test]
async fn tasks_threads_and_blocking_work_run_in_the_scope() {
    let host = TestHost::new();
    host.run_in_session("s3", async {
        assert_eq!(task::spawn(async { 1 }).await, Ok(1));
        assert_eq!(task::spawn_blocking(|| 2).await, Ok(2));
        let (done, result) = oneshot::channel();
        let from_thread = move || {
            tracing::info!("on a thread");
            let _ = done.send(task::spawn(async { 3 }));
        };
        task::thread("t", from_thread).unwrap();
        assert_eq!(result.await.unwrap().await, Ok(3));
        assert_eq!(task::spawn(async { panic!("in a task") }).await, Err::<(), _>(task::JoinError));
        let hung = task::spawn(std::future::pending::<()>());
        hung.abort();
        assert_eq!(hung.await, Err(task::JoinError));
    })
    .await;
    assert_eq!(host.log()[0].session(), Some("s3"));
    let panic = &host.panics()[0];
    assert_eq!((panic.message.as_str(), panic.session.as_deref()), ("in a task", Some("s3")));
    assert!(panic.place.contains("tests.rs"), "{}", panic.place);
}

#[tokio::test]
async fn tasks_end_with_the_host() {
    let host = TestHost::new();
    let task = host.enter(|| task::spawn(std::future::pending::<()>()));
    drop(host);
    assert_eq!(task.await, Err(task::JoinError));
}

#[tokio::test]
async fn connections_are_real() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let host = TestHost::new();
    let limit = Duration::from_secs(10);
    let mut stream = host.run(net::connect("127.0.0.1", address.port(), limit)).await.unwrap();
    let (mut far, _) = listener.accept().await.unwrap();
    stream.write_all(b"x").await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), b'x');
    drop(listener);
    let refused = host.run(net::connect("127.0.0.1", address.port(), limit)).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let found = host.run(net::lookup("127.0.0.1")).await.unwrap();
    assert_eq!(found, [std::net::IpAddr::from([127, 0, 0, 1])]);
}

#[tokio::test]
async fn the_instance_stands_where_the_test_says() {
    struct Place(About);
    impl Plugin for Place {
        type Config = ();
        async fn start(_: (), context: Context) -> Result<Self, StartFailure> {
            Ok(Place(context.about))
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let host = TestHost::new().hostname("h.example").directory(folder.path()).purpose(Purpose::Standalone);
    let started = host.start::<Place>("()", []).await.unwrap();
    let about = &started.plugin().0;
    assert_eq!((about.hostname.as_str(), about.purpose), ("h.example", Purpose::Standalone));
    assert_eq!((about.data_dir.as_path(), about.config_dir.as_path()), (folder.path(), folder.path()));
}

#[test]
fn figures_are_counted_by_name_and_labels() {
    use dovetail_sdk::metrics::{counter, gauge, histogram, SECONDS};
    let host = TestHost::new();
    let (counted, again, shown, spread) = host.enter(|| {
        let counted = || counter("x_total", "h", &[("outcome", "good"), ("why", "none")]);
        (counted(), counted(), gauge("y", "h", &[]), histogram("z_seconds", "h", &[], SECONDS))
    });
    // Outside of the scope the handles go on.
    counted.inc();
    again.add(4);
    shown.set(7);
    shown.set(u64::MAX);
    spread.observe_time(Duration::from_millis(3));
    assert_eq!(host.metric("x_total{outcome=\"good\",why=\"none\"}"), Some(5));
    assert_eq!(host.metric("y"), Some(i64::MAX));
    assert_eq!(host.metric("z_seconds"), Some(1));
    assert_eq!(host.metric("x_total"), None);
    // Where there is no host nobody counts, and nothing breaks.
    counter("x_total", "h", &[]).inc();
}
