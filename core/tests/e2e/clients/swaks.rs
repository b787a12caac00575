//! swaks, with the server's certificate checked.

use super::{sends, Way};
use crate::{
    harness::{have_by, run_ok, PASSWORD, USER},
    tls::HOST,
};
use std::process::Command;

#[test]
fn swaks_sends() {
    if !have_by("swaks with Net::SSLeay", "command -v swaks && perl -MNet::SSLeay -e1") {
        return;
    }
    sends(|server, way, message| {
        let file = server.setup.dir.path().join("message");
        // swaks wants the message with dots doubled and the end, when it is not to touch it.
        std::fs::write(&file, crate::mail::stuffed(message)).unwrap();
        let mut command = Command::new("swaks");
        command
            .args(["--server", "127.0.0.1", "--port", &server.port(way.submission()).to_string()])
            .args(["--helo", "client.test", "--from", USER, "--to", USER, "--timeout", "60"])
            .args(["--auth", "LOGIN", "--auth-user", USER, "--auth-password", PASSWORD])
            .args(["--no-data-fixup", "--data"])
            .arg(format!("@{}", file.display()))
            .args(["--tls-verify", "--tls-sni", HOST, "--tls-ca-path"])
            .arg(server.setup.crt(HOST))
            .arg(match way {
                Way::Explicit => "--tls",
                Way::Implicit => "--tls-on-connect",
            });
        let said = run_ok(&mut command);
        assert!(said.contains("<~  235 2.7.0") && said.contains("<~  250 2.0.0 Delivered as"), "{said}");
    });
}
