//! The log: one line for each login and each message, for people and for programs, and never a password.

use crate::{
    harness::{Server, Setup, MAIL_CONFIG, PASSWORD, USER},
    mail::{after_trace, plain},
};
use data_encoding::BASE64;

const WRONG: &str = "zyzzyva quagmire";

fn config(log: &str) -> String {
    let start = MAIL_CONFIG.strip_prefix('(').unwrap();
    format!("(log: ({log}),{start}")
}

/// One message by submission, one by MX, one refused for its size, one login by POP3. Gives what the Received fields say
/// about the first.
fn traffic(server: &Server) -> String {
    let mut client = server.submit(USER, PASSWORD);
    assert!(client.mail(USER, &[USER], b"Subject: 1\r\n\r\nhello\r\n").starts_with("250 "));
    client.expect("QUIT", "221");
    let mut client = server.connect("smtp");
    client.line();
    client.ehlo();
    let to = [USER, "ann+tag@example.test"];
    assert!(client.mail("stranger@remote.test", &to, b"Subject: 2\r\n\r\n").starts_with("250 "));
    let circling = b"Received: x\r\n".repeat(150);
    assert!(client.mail("", &[USER], &circling).starts_with("554 "));
    client.expect("QUIT", "221");
    let mailbox = server.mailbox(USER, PASSWORD);
    assert_eq!(mailbox.len(), 2);
    let trace = &mailbox[0][..mailbox[0].len() - after_trace(&mailbox[0]).len()];
    String::from_utf8(trace.to_vec()).unwrap()
}

#[test]
fn text_lines_say_who_what_and_how() {
    let server = Setup::mail().start();
    let trace = traffic(&server);
    server.wait_for_line("the POP3 login", |line| line.contains(" pop3 ") && line.contains(": login "));
    let log = server.log();
    let lines = |what: &str| log.lines().filter(|line| line.contains(what)).collect::<Vec<_>>();

    let logins = lines(": login ");
    assert_eq!(logins.len(), 2, "{log}");
    assert!(logins[0].contains(" submission "), "{log}");
    assert!(logins[0].contains(&format!("account={USER} mechanism=PLAIN tls=\"TLSv1.3 TLS")), "{log}");
    assert!(logins[1].contains(&format!("account={USER} mechanism=USER tls=\"TLSv1.3 TLS")), "{log}");

    let messages = lines(": message ");
    assert_eq!(messages.len(), 3, "{log}");
    // `time level instance session: message ...`; the delivery's id begins with the session's.
    let session = messages[0].split_whitespace().nth(3).unwrap().trim_end_matches(':');
    let id = format!("{session}.1");
    assert!(logins[0].contains(&format!(" submission {session}: login ")), "login and message of one session: {log}");
    assert!(trace.contains(&format!(" id {id}\r\n\tfor <{USER}>;")), "{trace}");
    for part in [
        &format!("delivery={id} "),
        &format!("sender={USER} recipients={USER} account={USER} size=21 "),
        "tls=\"TLSv1.3 TLS",
        "verdict=250",
    ] {
        assert!(messages[0].contains(part), "{part} in {}", messages[0]);
    }
    let two = format!(
        "sender=stranger@remote.test recipients={USER},ann+tag@example.test account=\"\" size=14 tls=none verdict=250"
    );
    assert!(messages[1].contains(&two), "{two} in {}", messages[1]);
    assert!(messages[2].contains("sender=\"\" ") && messages[2].contains("verdict=554"), "{}", messages[2]);
}

#[test]
fn json_lines_say_the_same() {
    let server = Setup::mail_with(&config("format: Json")).start();
    traffic(&server);
    server.wait_for_line("the POP3 login", |line| line.contains(r#""mechanism":"USER""#));
    let records: Vec<serde_json::Value> =
        server.log().lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect();
    let all = |message: &str| records.iter().filter(|record| record["message"] == message).collect::<Vec<_>>();
    let (logins, messages) = (all("login"), all("message"));
    assert_eq!((logins.len(), messages.len()), (2, 3), "{}", server.log());
    for record in logins.iter().chain(&messages) {
        assert!(record["time"].as_str().unwrap().ends_with('Z') && record["level"] == "info", "{record}");
        assert!(!record["session"].as_str().unwrap().is_empty(), "{record}");
    }
    assert_eq!(logins[0]["plugin"], "submission");
    assert_eq!(logins[0]["account"], USER);
    assert_eq!(logins[1]["plugin"], "pop3");
    assert_eq!(messages[0]["session"], logins[0]["session"]);
    assert_eq!(messages[0]["delivery"], format!("{}.1", messages[0]["session"].as_str().unwrap()));
    for (field, value) in
        [("sender", USER), ("recipients", USER), ("account", USER), ("size", "21"), ("verdict", "250")]
    {
        assert_eq!(messages[0][field].to_string().trim_matches('"'), value, "{field}");
    }
    assert!(messages[0]["tls"].as_str().unwrap().starts_with("TLSv1.3 "));
    assert_eq!(messages[1]["tls"], "none");
    assert_eq!(messages[2]["verdict"].to_string().trim_matches('"'), "554");
}

#[test]
fn passwords_are_in_no_line_whatever_the_level() {
    for format in ["Text", "Json"] {
        let server = Setup::mail_with(&config(&format!("format: {format}, level: Trace"))).start();
        logins_of_all_kinds(&server);
        let log = server.log();
        assert!(log.lines().count() > 20 && log.contains("login refused"), "{log}");
        for password in [PASSWORD, WRONG] {
            let last_word = password.split(' ').next_back().unwrap();
            for secret in [last_word, &BASE64.encode(password.as_bytes()), &plain(USER, password)] {
                assert!(!log.contains(secret), "{secret} in {log}");
            }
        }
    }
}

/// Right and wrong passwords, in all ways that there are, and in places where they are not taken.
fn logins_of_all_kinds(server: &Server) {
    for password in [PASSWORD, WRONG] {
        let mut client = server.connect_tls("submissions");
        client.line();
        client.ehlo();
        client.ask(&format!("AUTH PLAIN {}", plain(USER, password)));
        let mut client = server.connect_tls("submissions");
        client.line();
        client.ehlo();
        client.expect("AUTH LOGIN", "334 ");
        client.expect(&BASE64.encode(USER.as_bytes()), "334 ");
        client.ask(&BASE64.encode(password.as_bytes()));
        let mut client = server.connect_tls("pop3s");
        client.line();
        client.ask(&format!("USER {USER}"));
        client.ask(&format!("PASS {password}"));
        let mut client = server.connect_tls("pop3s");
        client.line();
        client.ask(&format!("AUTH PLAIN {}", plain(USER, password)));

        let mut client = server.connect("submission");
        client.line();
        client.ehlo();
        client.ask(&format!("AUTH PLAIN {}", plain(USER, password)));
        // Lost, and sent as commands.
        client.ask(password);
        client.ask(&plain(USER, password));
        let mut client = server.connect("pop3");
        client.line();
        client.ask(&format!("PASS {password}"));
        let mut client = server.connect("pop3s");
        client.send(format!("PASS {password}\r\n"));
        client.rest();
    }
}
