//! curl, with the server's certificate checked.

use super::{fetches, reads_all, sends, Way};
use crate::{
    harness::{have, Server, PASSWORD, USER},
    tls::HOST,
};
use std::process::{Command, Stdio};

/// curl for a listener.
fn curl(server: &Server, scheme: &str, listener: &str, path: &str, way: Way) -> Command {
    let port = server.port(listener);
    let scheme = if way == Way::Implicit { format!("{scheme}s") } else { scheme.to_owned() };
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--ssl-reqd", "--max-time", "60", "--cacert"])
        .arg(server.setup.crt(HOST))
        .args(["--resolve", &format!("{HOST}:{port}:127.0.0.1")])
        .args(["--user", &format!("{USER}:{PASSWORD}")])
        .args(["--url", &format!("{scheme}://{HOST}:{port}/{path}")]);
    command
}

#[test]
fn curl_sends() {
    if !have("curl") {
        return;
    }
    sends(|server, way, message| {
        let file = server.setup.dir.path().join("message");
        std::fs::write(&file, message).unwrap();
        let mut command = curl(server, "smtp", way.submission(), "client.test", way);
        command.args(["--mail-from", USER, "--mail-rcpt", USER, "--upload-file"]).arg(&file);
        crate::harness::run_ok(&mut command);
    });
}

#[test]
fn curl_fetches() {
    if !have("curl") {
        return;
    }
    fetches(|server, way| {
        let output = curl(server, "pop3", way.pop3(), "1", way).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success());
        output.stdout
    });
}

#[test]
fn curl_reads_every_message_by_imap() {
    if !have("curl") {
        return;
    }
    reads_all(|inbox, way| {
        let read = |uid: usize| {
            let mut command = curl(&inbox.server, "imap", way.imap(), &format!("INBOX;UID={uid}"), way);
            let output = command.stderr(Stdio::inherit()).output().unwrap();
            assert!(output.status.success());
            output.stdout
        };
        (1..=inbox.stored.len()).map(read).collect()
    });
}

#[test]
fn curl_appends_by_imap() {
    if !have("curl") {
        return;
    }
    let server = crate::harness::Setup::mail().start();
    let file = server.setup.dir.path().join("message");
    for (at, way) in Way::BOTH.into_iter().enumerate() {
        let message = crate::mail::hard_message(&format!("{way:?}"));
        std::fs::write(&file, &message).unwrap();
        crate::harness::run_ok(curl(&server, "imap", way.imap(), "INBOX", way).arg("--upload-file").arg(&file));
        let mailbox = server.mailbox(USER, PASSWORD);
        crate::mail::assert_same(&mailbox[at], &message, &format!("appended {way:?}"));
        let found = crate::harness::run_ok(
            curl(&server, "imap", way.imap(), "INBOX", way).args(["--request", &format!("SEARCH SUBJECT {way:?}")]),
        );
        assert_eq!(found, format!("* SEARCH {}\r\n", at + 1));
    }
}

#[test]
fn curl_is_told_that_the_password_is_wrong() {
    if !have("curl") {
        return;
    }
    let server = crate::harness::Setup::mail().start();
    let mut command = curl(&server, "pop3", "pop3s", "", Way::Implicit);
    let (status, _, stderr) = crate::harness::run(command.args(["--user", "ann@example.test:wrong"]));
    assert_eq!(status.code(), Some(67), "login denied: {stderr}");
    let mut command = curl(&server, "imap", "imaps", "", Way::Implicit);
    let (status, _, stderr) = crate::harness::run(command.args(["--user", "ann@example.test:wrong"]));
    assert_eq!(status.code(), Some(67), "login denied: {stderr}");
}
