//! `gnutls-cli`.

use super::{converse, for_each, Lab, Port, OTHER, PORTS};
use crate::{harness::have, tls::HOST};
use std::process::Command;

fn client(lab: &Lab, port: &Port, version: &str, name: &str) -> (bool, String) {
    let priority = format!("NORMAL:-VERS-ALL:+VERS-{}", version.replace("TLSv", "TLS"));
    let mut command = Command::new("timeout");
    command.args(["60", "gnutls-cli", "--crlf", "--x509cafile"]).arg(&lab.ca);
    command.args(["--sni-hostname", name, "--verify-hostname", name, "--priority", &priority]);
    if port.explicit {
        command.args(["--starttls-proto", port.protocol]);
    }
    command.args(["--port", &lab.port(port), "127.0.0.1"]);
    converse(&mut command, &format!("{}\n", port.farewell()))
}

pub fn gnutls(lab: &Lab) {
    if !have("gnutls-cli") {
        return;
    }
    for_each(
        |_| true,
        |port, version| {
            let (content, said) = client(lab, port, version, HOST);
            assert!(content && said.contains("The certificate is trusted."), "{}: {said}", port.listener);
            let version = version.replace("TLSv", "TLS");
            assert!(said.contains(&format!("Description: ({version}-X.509)")), "{}: {said}", port.listener);
            assert!(said.contains(port.answer()), "{}: {said}", port.listener);
            assert!(!said.contains("not properly terminated"), "no close_notify: {}: {said}", port.listener);
        },
    );
    let (content, said) = client(lab, &PORTS[6], "TLSv1.3", OTHER);
    assert!(!content && said.contains("name in the certificate does not match the expected"), "{said}");
}
