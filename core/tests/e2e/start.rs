//! A server starts, says so, serves and stops.

use crate::harness::{run, Server, Setup, DEADLINE};
use std::process::Command;

#[test]
fn it_starts_serves_and_stops_with_exit_code_0() {
    let server = Setup::mail().start();
    let mut client = server.connect("smtp");
    assert!(client.line().starts_with("220 mail.example.test ESMTP"));
    let mut pop = server.connect("pop3");
    assert!(pop.line().starts_with("+OK"));
    let setup = server.stop();
    assert!(!setup.data_dir().join("run/control").exists());
}

#[test]
fn sessions_are_told_when_it_stops() {
    let server = Setup::mail().start();
    let mut client = server.connect("smtp");
    client.line();
    server.signal("TERM");
    assert!(client.line().starts_with("421"), "{}", server.log());
    server.stop_after_signal();
}

impl Server {
    fn stop_after_signal(mut self) {
        assert!(self.wait().success(), "{}", self.log());
    }
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let server = Setup::mail().start();
    let (status, _, stderr) = run(server.dovetail().arg("serve"));
    assert!(!status.success());
    assert!(stderr.contains("is in use by process"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Setup::mail().start();
    let mut client = server.connect("smtp");
    client.line();
    // A transaction that never ends keeps the drain waiting.
    for line in ["EHLO c.example", "MAIL FROM:<a@example.org>"] {
        client.send(format!("{line}\r\n"));
        client.reply();
    }
    server.signal("TERM");
    server.wait_for_log("stopping: no new connections");
    // Signals within a second of the first are the same wish; a later one ends it, long before the drain would.
    let asked = std::time::Instant::now();
    let status = loop {
        if let Some(status) = server.child.try_wait().unwrap() {
            break status;
        }
        assert!(asked.elapsed() < DEADLINE, "{}", server.log());
        // The process may have just ended.
        run(Command::new("kill").args(["-TERM", &server.child.id().to_string()]));
    };
    assert_eq!(status.code(), Some(130));
    assert!(asked.elapsed() >= std::time::Duration::from_millis(900), "{:?}", asked.elapsed());
}

#[test]
fn an_idle_administrator_does_not_keep_it_from_draining() {
    let server = Setup::mail().start();
    let _idle = std::os::unix::net::UnixStream::connect(server.setup.data_dir().join("run/control")).unwrap();
    let mut client = server.connect("smtp");
    client.line();
    server.signal("TERM");
    assert!(client.line().starts_with("421"), "{}", server.log());
    server.stop_after_signal();
}

#[test]
fn instances_see_the_listeners_when_they_start() {
    let server = Setup::new(
        r#"(
    hostname: "mail.example.test",
    data_dir: "data",
    plugins: { "echo": (), "hermit": () },
    listeners: {
        "one": (protocol: "echo", bind: ["127.0.0.1:0"]),
        "two": (protocol: "echo", bind: ["127.0.0.1:0"]),
    },
)"#,
    )
    .start();
    let log = server.log();
    let line = log.lines().find(|line| line.contains("hermit moves in")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("listeners=one,two") || line.contains("listeners=\"one,two\""), "{line}");
}
