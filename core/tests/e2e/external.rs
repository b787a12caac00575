//! Logins by certificate (SASL EXTERNAL) on every protocol, inside TLS of both kinds, with each TLS provider.

mod accounts;
mod book;
mod refused;
mod resumed;

use crate::{
    harness::{have, plugin_dir, run_ok, Client, Server, Setup, MAIL_CONFIG, PASSWORD, USER},
    tls::{Tls, HOST},
    users::{enter, person, Authority, User, Wanted, VERSIONS},
};
use data_encoding::BASE64;
use rustls::ClientConfig;
use std::{fs, process::Command, sync::Arc};

/// The listeners on which people log in.
const LISTENERS: [&str; 6] = ["submission", "submissions", "pop3", "pop3s", "imap", "imaps"];

/// [`MAIL_CONFIG`] with a provider, asking for certificates as `clients` says, with `accounts` in the directory's section.
fn config(provider: &str, clients: &str, accounts: &str, options: &str) -> String {
    let config = MAIL_CONFIG
        .replace("\"tls-rustls\": ()", &format!("\"tls\": (plugin: \"{provider}\")"))
        .replace("tls: Explicit)", &format!("tls: Explicit, client_certificates: {clients})"))
        .replace("tls: Implicit)", &format!("tls: Implicit, client_certificates: {clients})"))
        .replace("domains: [\"example.test\"]", &format!("domains: [\"example.test\"], {accounts}"))
        .replace("    listeners: {", &format!("    {options}\n    listeners: {{"));
    assert_eq!(config.matches("client_certificates").count(), 7);
    config
}

const OPTIONAL: &str = "(mode: Optional, anchors: [\"users/ca.pem\"], crls: [\"users/crl.pem\"])";
/// The section of `accounts-file` by which addresses in subjects count as well.
const SUBJECTS_TOO: &str = "certificate_logins: [Key, AlternativeName, Subject]";
/// Failures are answered at once and shut nobody out.
const PATIENT: &str = "login_blocking: (failures: 1000, delay_milliseconds: 0),";

/// The providers of this build: tls-openssl needs libssl and may not be there; in CI it is.
fn providers() -> Vec<&'static str> {
    let library = plugin_dir().join("libdovetail_tls_openssl.so");
    match library.exists() {
        true => vec!["tls-rustls", "tls-openssl"],
        false => {
            assert!(std::env::var_os("CI").is_none(), "{} is not built, and in CI nothing skips", library.display());
            eprintln!("SKIPPED for tls-openssl: {} is not built", library.display());
            vec!["tls-rustls"]
        }
    }
}

/// What a server with users needs before it starts.
fn setup(config: &str) -> (Setup, Authority) {
    let setup = Setup::new(config);
    let users = Authority::new(&setup, "users");
    users.list();
    setup.add_account(USER, PASSWORD);
    (setup, users)
}

/// What a session offers to log in with.
fn offered(client: &mut Client<Tls>, listener: &str) -> Vec<String> {
    let words = |line: &str, before: &str| -> Vec<String> {
        line.strip_prefix(before).into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect()
    };
    match listener.trim_end_matches('s') {
        "submission" => client.ehlo().iter().flat_map(|line| words(line, "AUTH ")).collect(),
        "pop3" => client.pop_lines("CAPA").iter().flat_map(|line| words(line, "SASL ")).collect(),
        _ => {
            let line = client.ask("c CAPABILITY");
            assert!(client.line().starts_with("c OK"));
            line.split_whitespace().filter_map(|word| word.strip_prefix("AUTH=")).map(str::to_owned).collect()
        }
    }
}

/// How a client says EXTERNAL.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// In one line.
    Initial,
    /// After an empty challenge.
    Challenge,
}

/// Logs in by certificate; gives the last line of the answer.
fn log_in(client: &mut Client<Tls>, listener: &str, act_as: &str, way: Way) -> String {
    let (command, mark) = match listener.trim_end_matches('s') {
        "imap" => ("a AUTHENTICATE EXTERNAL", "+ "),
        "pop3" => ("AUTH EXTERNAL", "+ "),
        _ => ("AUTH EXTERNAL", "334 "),
    };
    let response = BASE64.encode(act_as.as_bytes());
    match way {
        Way::Initial if response.is_empty() => client.ask(&format!("{command} =")),
        Way::Initial => client.ask(&format!("{command} {response}")),
        Way::Challenge => {
            client.send(format!("{command}\r\n"));
            let challenge = client.line();
            match challenge == mark {
                true => client.ask(&response),
                false => challenge,
            }
        }
    }
}

/// How a listener answers to those who are let in, to those who are not, and to a mechanism that it does not offer.
fn answers(listener: &str) -> [&'static str; 3] {
    match listener.trim_end_matches('s') {
        "submission" => ["235 2.7.0", "535 5.7.8", "504 5.5.4"],
        "pop3" => ["+OK 0 messages", "-ERR [AUTH]", "-ERR Mechanism"],
        _ => ["a OK [CAPABILITY", "a NO [AUTHENTICATIONFAILED]", "a NO [CANNOT]"],
    }
}

/// Enters as somebody whom TLS lets in, and says EHLO where that is needed.
#[track_caller]
fn inside(server: &Server, listener: &str, person: &Arc<ClientConfig>) -> (Client<Tls>, Vec<String>) {
    let mut client = enter(server, listener, person).unwrap_or_else(|error| panic!("{listener}: {error}"));
    let offered = offered(&mut client, listener);
    (client, offered)
}

fn has_external(offered: &[String]) -> bool {
    offered.iter().any(|name| name == "EXTERNAL")
}

/// `dovetail accounts add-certificate`.
fn add_certificate(setup: &Setup, account: &str, user: &User) {
    run_ok(setup.dovetail().args(["accounts", "add-certificate", account, "--cert"]).arg(&user.crt));
}

#[test]
fn everyone_whose_certificate_is_an_accounts_gets_in() {
    if !have("openssl") {
        return;
    }
    for provider in providers() {
        let (setup, users) = setup(&config(provider, OPTIONAL, SUBJECTS_TOO, PATIENT));
        setup.add_account("bob@example.test", PASSWORD);
        let bob = "bob@example.test";
        let by_key = users.issue("laptop");
        add_certificate(&setup, USER, &by_key);
        // The key goes before what the authority wrote, and alternative names before the subject.
        let by_both = users.issue_with("both", &Wanted { names: &[bob], ..Wanted::default() });
        add_certificate(&setup, USER, &by_both);
        let by_name = users.issue_with("name", &Wanted { names: &["x@elsewhere.test", bob], ..Wanted::default() });
        let by_subject =
            users.issue_with("subject", &Wanted { subject: Some("Bob@Example.test"), ..Wanted::default() });
        let server = setup.start();
        let people = [
            (&by_key, USER, "by its key"),
            (&by_both, USER, "by its key"),
            (&by_name, bob, "among its alternative names"),
            (&by_subject, bob, "in its subject"),
        ];
        for (user, account, reason) in people {
            for (at, listener) in LISTENERS.into_iter().enumerate() {
                let person = person(&server.setup, Some(user), VERSIONS[at % 2]);
                for (act_as, way) in [("", Way::Initial), ("", Way::Challenge), (account, Way::Initial)] {
                    let (mut client, offered) = inside(&server, listener, &person);
                    assert!(has_external(&offered), "{provider} {listener}: {offered:?}");
                    let said = log_in(&mut client, listener, act_as, way);
                    assert!(said.starts_with(answers(listener)[0]), "{provider} {listener} {way:?} {act_as}: {said}");
                }
            }
            let print = user.fingerprint();
            let line =
                server.wait_for_line(&print, |line| line.contains("mechanism=EXTERNAL") && line.contains(&print));
            assert!(line.contains(&format!("account={account}")) && line.contains(reason), "{line}");
        }
        // It is that account's session: bob may not send as ann.
        let (mut client, _) = inside(&server, "submissions", &person(&server.setup, Some(&by_name), VERSIONS[1]));
        assert!(log_in(&mut client, "submissions", "", Way::Initial).starts_with("235 "));
        assert!(client.ask(&format!("MAIL FROM:<{USER}>")).starts_with("5"));
        client.expect(&format!("MAIL FROM:<{bob}>"), "250 ");
        assert!(!server.log().contains("login refused"));
    }
}

#[test]
fn without_a_verified_certificate_it_is_not_offered() {
    if !have("openssl") {
        return;
    }
    let off = "(mode: Off)";
    for (clients, accounts) in [(OPTIONAL, ""), (off, ""), (OPTIONAL, "certificate_logins: []")] {
        let (setup, users) = setup(&config("tls-rustls", clients, accounts, PATIENT));
        let laptop = users.issue_with("laptop", &Wanted { names: &[USER], ..Wanted::default() });
        add_certificate(&setup, USER, &laptop);
        let server = setup.start();
        let shown =
            [None, Some(&laptop)].into_iter().filter(|shown| shown.is_none() || (clients, accounts) != (OPTIONAL, ""));
        for shown in shown {
            for listener in LISTENERS {
                let person = person(&server.setup, shown, VERSIONS[1]);
                let (mut client, offered) = inside(&server, listener, &person);
                assert!(
                    !has_external(&offered) && offered.iter().any(|name| name == "PLAIN"),
                    "{listener}: {offered:?}"
                );
                for act_as in ["", USER] {
                    let said = log_in(&mut client, listener, act_as, Way::Initial);
                    assert!(said.starts_with(answers(listener)[2]), "{listener} {clients} {accounts}: {said}");
                }
            }
        }
        // Before TLS there is nothing to be let in by.
        let mut client = server.connect("imap");
        client.line();
        assert!(!client.ask("a CAPABILITY").contains("EXTERNAL"));
        assert!(!server.log().contains("login account="));
    }
}

#[test]
fn curl_logs_in_by_certificate() {
    if !have("curl") || !have("openssl") {
        return;
    }
    for provider in providers() {
        let (setup, users) = setup(&config(provider, OPTIONAL, "", PATIENT));
        let laptop = users.issue("laptop");
        add_certificate(&setup, USER, &laptop);
        let server = setup.start();
        let letter = server.setup.dir.path().join("letter");
        fs::write(&letter, format!("From: {USER}\r\nSubject: by certificate\r\n\r\nHello\r\n")).unwrap();
        let curl = |scheme: &str, listener: &str, path: &str| {
            let port = server.port(listener);
            let mut command = Command::new("curl");
            command.args(["--silent", "--show-error", "--ssl-reqd", "--max-time", "60", "--cacert"]);
            command.arg(server.setup.crt(HOST)).arg("--cert").arg(&laptop.crt).arg("--key").arg(&laptop.key);
            command.args(["--resolve", &format!("{HOST}:{port}:127.0.0.1"), "--user", &format!("{USER}:")]);
            command.args(["--login-options", "AUTH=EXTERNAL", "--url", &format!("{scheme}://{HOST}:{port}/{path}")]);
            command
        };
        for (scheme, listener) in [("smtp", "submission"), ("smtps", "submissions")] {
            let mut send = curl(scheme, listener, "client.test");
            run_ok(send.args(["--mail-from", USER, "--mail-rcpt", USER, "--upload-file"]).arg(&letter));
        }
        for (scheme, listener, path) in [
            ("pop3", "pop3", "2"),
            ("pop3s", "pop3s", "1"),
            ("imap", "imap", "INBOX;UID=1"),
            ("imaps", "imaps", "INBOX;UID=2"),
        ] {
            let text = run_ok(&mut curl(scheme, listener, path));
            assert!(text.contains("Subject: by certificate"), "{provider} {listener}: {text}");
        }
        assert!(!server.log().contains("mechanism=PLAIN"));
    }
}
