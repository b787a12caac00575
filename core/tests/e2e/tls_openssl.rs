//! The other TLS provider: a whole server on the system's OpenSSL, by one word of the config.
//!
//! Its library is no dependency of core, since it needs libssl; `cargo test --workspace` builds it. Where it is not there these
//! tests say that they skip, and fail in CI.

use crate::{
    harness::{have, plugin_dir, run_ok, Server, Setup, MAIL_CONFIG, PASSWORD, USER},
    mail::{after_trace, assert_same, hard_message},
    starttls::assert_no_text,
    tls::HOST,
};
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// A mail server on it, if there is its library.
fn server() -> Option<Server> {
    let library = plugin_dir().join("libdovetail_tls_openssl.so");
    if !library.exists() {
        assert!(std::env::var_os("CI").is_none(), "{} is not built, and in CI nothing skips", library.display());
        eprintln!("SKIPPED: {} is not built; `cargo test --workspace` builds it", library.display());
        return None;
    }
    let config = MAIL_CONFIG.replace("\"tls-rustls\": ()", "\"tls\": (plugin: \"tls-openssl\")");
    assert!(config.contains("tls-openssl"));
    Some(Setup::mail_with(&config).start())
}

/// Each listener with what `openssl s_client` calls its way to TLS.
const LISTENERS: [(&str, &[&str], &str); 7] = [
    ("smtp", &["-starttls", "smtp"], "221 "),
    ("submission", &["-starttls", "smtp"], "221 "),
    ("submissions", &[], "221 "),
    ("pop3", &["-starttls", "pop3"], "+OK"),
    ("pop3s", &[], "+OK"),
    ("imap", &["-starttls", "imap"], "* BYE"),
    ("imaps", &[], "* BYE"),
];

/// What s_client tells of a session that ends at once.
fn session(server: &Server, listener: &str, more: &[&str]) -> String {
    let mut command = Command::new("timeout");
    command.args([
        "60",
        "openssl",
        "s_client",
        "-ign_eof",
        "-verify_return_error",
        "-verify_hostname",
        HOST,
        "-CAfile",
    ]);
    command.arg(server.setup.crt(HOST)).args(["-servername", HOST, "-connect", &server.address(listener).to_string()]);
    let mut client =
        command.args(more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let end: &[u8] = if listener.starts_with("imap") { b"a LOGOUT\r\n" } else { b"QUIT\r\n" };
    client.stdin.take().unwrap().write_all(end).unwrap();
    String::from_utf8_lossy(&client.wait_with_output().unwrap().stdout).into_owned()
}

#[test]
fn every_listener_speaks_both_versions() {
    if !have("openssl") {
        return;
    }
    let Some(server) = server() else { return };
    for (listener, starttls, end) in LISTENERS {
        for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
            let said = session(&server, listener, &[starttls, &[version]].concat());
            assert!(said.contains("Verify return code: 0 (ok)"), "{listener} {version}: {said}");
            assert!(said.contains(&format!("New, {name}, Cipher is ")), "{listener} {version}: {said}");
            assert!(said.contains(end), "{listener} {version}: {said}");
        }
    }
}

#[test]
fn a_session_is_resumed_on_another_listener() {
    if !have("openssl") {
        return;
    }
    let Some(server) = server() else { return };
    let kept = server.setup.dir.path().join("session");
    let kept = kept.to_str().unwrap();
    for version in ["-tls1_2", "-tls1_3"] {
        let first = session(&server, "pop3s", &[version, "-sess_out", kept]);
        assert!(first.contains("New, TLSv1."), "{first}");
        let second = session(&server, "submissions", &[version, "-sess_in", kept]);
        assert!(second.contains("Reused, TLSv1.") && second.contains("221 "), "{second}");
    }
}

/// Sends by each way and reads back by each.
#[test]
fn curl_sends_and_reads() {
    if !have("curl") {
        return;
    }
    let Some(server) = server() else { return };
    let curl = |scheme: &str, listener: &str, path: &str| {
        let port = server.port(listener);
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--ssl-reqd", "--max-time", "60", "--cacert"])
            .arg(server.setup.crt(HOST))
            .args(["--resolve", &format!("{HOST}:{port}:127.0.0.1"), "--user", &format!("{USER}:{PASSWORD}")])
            .args(["--url", &format!("{scheme}://{HOST}:{port}/{path}")]);
        command
    };
    let file = server.setup.dir.path().join("message");
    for (at, (scheme, listener)) in [("smtp", "submission"), ("smtps", "submissions")].into_iter().enumerate() {
        let message = hard_message(listener);
        std::fs::write(&file, &message).unwrap();
        let mut send = curl(scheme, listener, "client.test");
        run_ok(send.args(["--mail-from", USER, "--mail-rcpt", USER, "--upload-file"]).arg(&file));
        for (scheme, listener, path) in [
            ("pop3", "pop3", (at + 1).to_string()),
            ("pop3s", "pop3s", (at + 1).to_string()),
            ("imap", "imap", format!("INBOX;UID={}", at + 1)),
            ("imaps", "imaps", format!("INBOX;UID={}", at + 1)),
        ] {
            let output = curl(scheme, listener, &path).stderr(Stdio::inherit()).output().unwrap();
            assert!(output.status.success(), "{listener}");
            assert_same(after_trace(&output.stdout), &message, listener);
        }
    }
}

#[test]
fn plain_text_on_a_tls_port_gets_no_text_back_and_a_line_in_the_log() {
    let Some(server) = server() else { return };
    for (listener, said, looks_like) in [
        ("submissions", "EHLO client.test\r\n".to_owned(), "it looks like SMTP"),
        ("pop3s", format!("USER {USER}\r\nPASS {PASSWORD}\r\n"), "it looks like POP3"),
        ("imaps", format!("a1 LOGIN {USER} \"{PASSWORD}\"\r\n"), "it looks like IMAP"),
    ] {
        let mut client = server.connect(listener);
        client.send(&said);
        assert_no_text(&client.rest());
        let line = server.wait_for_line(looks_like, |line| line.contains(looks_like) && line.contains(listener));
        assert!(line.contains("plain text on a port that speaks TLS from the first byte"), "{line}");
    }
    assert!(!server.log().contains(PASSWORD));
}
