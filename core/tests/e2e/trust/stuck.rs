//! What does not go on: starts, stops, work and threads.

use super::session;
use crate::harness::{run, Setup, DEADLINE};
use std::{
    process::{Command, Stdio},
    time::Instant,
};

/// A server with an instance `fine` of the test plugin on a listener, and these instances beside it.
fn setup(beside: &str) -> Setup {
    Setup::new(&format!(
        r#"(
    hostname: "mail.example.test",
    data_dir: "data",
    drain_seconds: 1,
    plugins: {{
        "fine": (plugin: "panics"),
        {beside}
    }},
    listeners: {{"fine": (protocol: "fine", bind: ["127.0.0.1:0"])}},
)"#
    ))
}

fn misdeed(name: &str, does: &str) -> String {
    format!("\"{name}\": (plugin: \"panics\", config: (does: {does})),")
}

#[test]
fn a_start_that_hangs_is_given_up_by_a_reload_and_nothing_changes() {
    let server = setup("").start();
    let mut open = session(&server, "fine");
    let text = std::fs::read_to_string(&server.setup.config).unwrap();
    let fine = "\"fine\": (plugin: \"panics\"),";
    std::fs::write(&server.setup.config, text.replace(fine, &(fine.to_owned() + &misdeed("hangs", "NeverStarts"))))
        .unwrap();
    let reload = server.dovetail().arg("reload").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    server.wait_for_log("panics is about to hang");
    // Meanwhile everybody is served.
    assert_eq!((open.ask("ECHO on").as_str(), session(&server, "fine").ask("ECHO new").as_str()), ("on", "new"));
    let told = reload.wait_with_output().unwrap();
    let stderr = String::from_utf8(told.stderr).unwrap();
    assert_eq!((told.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.contains("`hangs` did not start: it did not start within 60 s"), "{stderr}");
    assert_eq!((open.ask("ECHO on").as_str(), session(&server, "fine").ask("ECHO new").as_str()), ("on", "new"));
}

/// At the first start there is nobody else to serve: it waits, as long as the operator or the service manager does.
#[test]
fn a_server_whose_start_hangs_is_ended_by_a_second_signal() {
    let mut server = setup(&misdeed("hangs", "NeverStarts")).spawn();
    server.wait_for_log("panics is about to hang");
    let asked = Instant::now();
    let status = loop {
        if let Some(status) = server.child.try_wait().unwrap() {
            break status;
        }
        assert!(asked.elapsed() < DEADLINE, "{}", server.log());
        // The process may have just ended.
        run(Command::new("kill").args(["-TERM", &server.child.id().to_string()]));
    };
    assert_eq!(status.code(), Some(130), "{}", server.log());
}

#[test]
fn what_hangs_or_stays_at_a_stop_does_not_keep_the_server() {
    let beside = misdeed("never", "NeverStops") + &misdeed("thread", "LeavesThread") + &misdeed("work", "LeavesWork");
    let mut server = setup(&beside).start();
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    let log = server.log();
    for (told, whose) in [
        ("the instance does not stop; going on without it", "plugin=never"),
        ("tasks of the instance do not end; stopping without them", "plugin=work"),
    ] {
        assert!(log.lines().any(|line| line.contains(told) && line.contains(whose)), "{told}: {log}");
    }
    assert!(log.contains(" core: stopped"), "{log}");
}

/// It takes one of the runtime's threads for good. The others go on, if there are any, and the server can be stopped.
#[test]
fn a_session_that_blocks_its_thread_takes_that_thread_only() {
    // Fewer processors, fewer threads.
    if std::thread::available_parallelism().is_ok_and(|threads| threads.get() < 2) {
        return;
    }
    let mut server = setup("").start();
    let mut open = session(&server, "fine");
    let mut blocking = session(&server, "fine");
    assert_eq!(blocking.ask("BLOCK"), "blocking");
    assert_eq!((open.ask("ECHO on").as_str(), session(&server, "fine").ask("ECHO new").as_str()), ("on", "new"));
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
}
