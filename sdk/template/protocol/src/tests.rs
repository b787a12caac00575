use super::{{Name}};
use dovetail_testkit::{Script, TestHost, TestSession};

/// Plays a dialogue of `dialogues/` against the plugin.
async fn play(script: &str) {
    let host = TestHost::new();
    let plugin = host.start::<{{Name}}>("(greeting: \"hello\")", []).await.unwrap();
    let (mut client, served) = plugin.serve(TestSession::new());
    Script::parse("dialogue", script).unwrap().play(&mut client).await.unwrap();
    drop(client);
    served.await.unwrap().unwrap();
    assert!(host.panics().is_empty());
}

#[tokio::test]
async fn counts() {
    play(include_str!("../dialogues/counts.txt")).await;
}

#[tokio::test]
async fn a_line_without_end_is_refused() {
    let long = "x".repeat(1001);
    play(&format!("S: hello\nC: {long}\nS: error: *\nC: QUIT\nS: bye\nS!\n")).await;
}

#[test]
fn the_section_is_checked() {
    let host = TestHost::new();
    assert!(host.check::<{{Name}}>("(greeting: \"fine\")").unwrap().is_empty());
    for wrong in ["(greetings: \"x\")", "(greeting: \"two\\nlines\")"] {
        assert!(host.check::<{{Name}}>(wrong).is_err(), "{wrong}");
    }
}
