//! curl, with the server's certificate checked.

use super::{fetches, sends, Way};
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
fn curl_is_told_that_the_password_is_wrong() {
    if !have("curl") {
        return;
    }
    let server = crate::harness::Setup::mail().start();
    let mut command = curl(&server, "pop3", "pop3s", "", Way::Implicit);
    let (status, _, stderr) = crate::harness::run(command.args(["--user", "ann@example.test:wrong"]));
    assert_eq!(status.code(), Some(67), "login denied: {stderr}");
}
