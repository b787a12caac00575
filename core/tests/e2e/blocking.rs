//! Failed logins shut an address out: over all protocols together, for a time, and nobody else.

use crate::{
    abuse::{connect_from, greeted, hear_out, push, server_with},
    harness::{run, run_ok, Client, Server, DEADLINE, PASSWORD, USER},
    mail::plain,
    tls::{connection, HOST},
};
use std::time::{Duration, Instant};

/// Three failures shut an address out.
const BLOCKING: &str = "login_blocking: (failures: 3, block_seconds: 600, delay_milliseconds: 0),";
const TRUSTED: &str = ", proxy: (trusted: [\"127.0.0.8/30\"])";

/// A guess at POP3, on a session of its own.
#[track_caller]
fn guess_pop3(mut client: Client) {
    assert!(client.line().starts_with("+OK"));
    client.expect(&format!("USER {USER}"), "+OK");
    client.expect("PASS guess", "-ERR");
}

/// A guess at SMTP.
#[track_caller]
fn guess_smtp(mut client: Client) {
    assert!(client.line().starts_with("220 "));
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {}", plain(USER, "guess")), "535 ");
}

/// A guess at IMAP.
#[track_caller]
fn guess_imap(mut client: Client) {
    assert!(client.line().starts_with("* OK"));
    client.expect(&format!("a LOGIN {USER} guess"), "a NO [AUTHENTICATIONFAILED]");
}

fn from(server: &Server, last: u8, listener: &str) -> Client {
    connect_from(last, server.address(listener))
}

/// A client that the proxy 127.0.0.9 brings.
fn brought(server: &Server, listener: &str, client: &str) -> Client {
    let mut connection = from(server, 9, listener);
    let family = if client.contains(':') { "6 ADDR ::1" } else { "4 ADDR 127.0.0.1" };
    connection.send(format!("PROXY TCP{} 4711 25\r\n", family.replace("ADDR", client)));
    connection
}

/// Turned away in the words of the protocol, or without any where text cannot be said.
#[track_caller]
fn assert_shut_out(mut client: Client, listener: &str) {
    let said = String::from_utf8(client.rest()).unwrap();
    let words = match listener {
        "smtp" | "submission" => "421 4.3.2 ",
        "pop3" => "-ERR [SYS/TEMP] ",
        "imap" => "* BYE [UNAVAILABLE] ",
        _ => "",
    };
    assert!(said.starts_with(words) && said.is_empty() == words.is_empty(), "{listener}: {said}");
}

const LISTENERS: [&str; 7] = ["smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps"];

fn blocked(server: &Server) -> Vec<serde_json::Value> {
    let list: serde_json::Value = serde_json::from_str(&run_ok(server.dovetail().args(["blocked", "--json"]))).unwrap();
    list.as_array().unwrap().clone()
}

#[test]
fn failures_at_all_protocols_add_up() {
    let server = server_with("", BLOCKING);
    guess_pop3(from(&server, 3, "pop3"));
    guess_smtp(from(&server, 3, "submission"));
    // Not yet, and what others do changes nothing; nor does a good login.
    for _ in 0..2 {
        guess_pop3(from(&server, 4, "pop3"));
    }
    let mut good = from(&server, 3, "pop3");
    assert!(good.line().starts_with("+OK"));
    good.pop_login(USER, PASSWORD);
    guess_imap(from(&server, 3, "imap"));
    for listener in LISTENERS {
        assert_shut_out(from(&server, 3, listener), listener);
    }
    // The session that stands goes on; others come in, and so does the same user from elsewhere.
    good.expect("STAT", "+OK");
    for last in [1, 4] {
        let mut other = from(&server, last, "pop3");
        assert!(other.line().starts_with("+OK"));
        other.pop_login(USER, PASSWORD);
    }
    server.leave(b"Subject: as ever\r\n\r\n");
}

#[test]
fn no_handshake_is_paid_for() {
    let server = server_with("", &BLOCKING.replace("failures: 3", "failures: 1"));
    guess_pop3(from(&server, 3, "pop3"));
    let mut hello = Vec::new();
    connection(&server.setup, HOST).write_tls(&mut hello).unwrap();
    for listener in ["submissions", "pop3s", "imaps"] {
        let mut client = from(&server, 3, listener);
        // It may be closed already.
        push(&mut client, &hello);
        assert_eq!(hear_out(client), b"", "neither a handshake nor an alert");
    }
    assert!(!server.log().contains("TLS"), "{}", server.log());
}

#[test]
fn it_ends_after_its_time() {
    let server = server_with("", &BLOCKING.replace("failures: 3, block_seconds: 600", "failures: 2, block_seconds: 2"));
    guess_pop3(from(&server, 3, "pop3"));
    let since = Instant::now();
    guess_smtp(from(&server, 3, "submission"));
    assert_shut_out(from(&server, 3, "submission"), "submission");
    let mut client = loop {
        let mut client = from(&server, 3, "submission");
        if client.line().starts_with("220 ") {
            break client;
        }
        assert!(since.elapsed() < DEADLINE, "it does not end");
    };
    assert!(since.elapsed() >= Duration::from_millis(1950), "{:?}", since.elapsed());
    assert!(blocked(&server).is_empty());
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {}", plain(USER, PASSWORD)), "235 ");
    // The count has begun anew.
    guess_pop3(from(&server, 3, "pop3"));
    assert!(from(&server, 3, "pop3").line().starts_with("+OK"));
}

#[test]
fn a_listener_may_be_exempt() {
    let mut config = crate::harness::MAIL_CONFIG
        .replace("tls: Explicit", "tls: Explicit, insecure_auth: true")
        .replace("data_dir: \"data\",", &format!("data_dir: \"data\", {BLOCKING}"));
    config =
        config.replace("\"pop3\": (protocol: \"pop3\",", "\"pop3\": (protocol: \"pop3\", block_failed_logins: false,");
    let server = crate::harness::Setup::mail_with(&config).start();
    for _ in 0..5 {
        guess_pop3(from(&server, 3, "pop3"));
    }
    for _ in 0..3 {
        guess_smtp(from(&server, 3, "submission"));
    }
    // Neither did these five count before, nor is the address turned away here now.
    assert_shut_out(from(&server, 3, "submission"), "submission");
    let mut client = from(&server, 3, "pop3");
    assert!(client.line().starts_with("+OK"));
    client.pop_login(USER, PASSWORD);
}

#[test]
fn clients_behind_a_proxy_are_shut_out_and_the_proxy_never_is() {
    let server = server_with(TRUSTED, BLOCKING);
    guess_pop3(brought(&server, "pop3", "203.0.113.7"));
    guess_smtp(brought(&server, "submission", "203.0.113.7"));
    guess_imap(brought(&server, "imap", "203.0.113.7"));
    for listener in LISTENERS {
        assert_shut_out(brought(&server, listener, "203.0.113.7"), listener);
    }
    // Others behind the same proxy come in.
    assert!(brought(&server, "pop3", "203.0.113.8").line().starts_with("+OK"));
    // IPv6 counts by the /64.
    for host in ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:3"] {
        guess_pop3(brought(&server, "pop3", host));
    }
    assert_shut_out(brought(&server, "submission", "2001:db8::4"), "submission");
    assert!(brought(&server, "submission", "2001:db8:0:1::4").line().starts_with("220 "));
    // Who guesses without a name of its own shuts nobody out.
    for _ in 0..5 {
        let mut nobody = from(&server, 9, "pop3");
        nobody.send("PROXY UNKNOWN\r\n");
        guess_pop3(nobody);
    }
    assert!(brought(&server, "pop3", "203.0.113.8").line().starts_with("+OK"));
    let mut shut_out: Vec<String> =
        blocked(&server).iter().map(|one| one["address"].as_str().unwrap().to_owned()).collect();
    shut_out.sort();
    assert_eq!(shut_out, ["2001:db8::", "203.0.113.7"]);
}

#[test]
fn an_operator_sees_and_forgives() {
    let server = server_with(TRUSTED, BLOCKING);
    assert_eq!(run_ok(server.dovetail().arg("blocked")), "no address is shut out\n");
    for client in ["203.0.113.7", "2001:db8::1"] {
        for _ in 0..3 {
            guess_pop3(brought(&server, "pop3", client));
        }
    }
    let list = blocked(&server);
    assert_eq!(list.len(), 2, "{list:?}");
    assert!(list.iter().all(|one| (590..=600).contains(&one["seconds_left"].as_u64().unwrap())), "{list:?}");
    let shown = run_ok(server.dovetail().arg("blocked"));
    assert!(shown.contains("address") && shown.contains("203.0.113.7 ") && shown.contains("2001:db8::/64 "), "{shown}");

    assert_eq!(run_ok(server.dovetail().args(["unblock", "203.0.113.7"])), "203.0.113.7 may connect again\n");
    guess_pop3(brought(&server, "pop3", "203.0.113.7"));
    assert!(brought(&server, "pop3", "203.0.113.7").line().starts_with("+OK"), "the count has begun anew");
    assert_shut_out(brought(&server, "pop3", "2001:db8::1"), "pop3");
    let said = run_ok(server.dovetail().args(["unblock", "2001:db8::/64", "--json"]));
    assert_eq!(said, "{\"unblocked\":\"2001:db8::\"}\n");
    assert!(brought(&server, "pop3", "2001:db8::1").line().starts_with("+OK"));
    assert!(blocked(&server).is_empty());
    server.wait_for_log("operation unblock address=203.0.113.7 was_blocked=true");

    let (status, _, stderr) = run(server.dovetail().args(["unblock", "203.0.113.7"]));
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("203.0.113.7 is not shut out"), "{stderr}");
    let (status, _, stderr) = run(server.dovetail().args(["unblock", "somebody"]));
    assert_eq!(status.code(), Some(2));
    assert!(stderr.contains("is no address"), "{stderr}");
    let setup = server.stop();
    let (status, _, stderr) = run(setup.dovetail().arg("blocked"));
    assert!(!status.success() && stderr.contains("no server runs on"), "{stderr}");
}

#[test]
fn a_guess_is_a_guess_by_whatever_words() {
    let server = server_with("", BLOCKING);
    let mut client = greeted(&server, "submission");
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {}", plain(USER, "guess")), "535 ");
    client.expect(&format!("AUTH PLAIN {}", plain("nobody@example.test", PASSWORD)), "535 ");
    let mut pop = greeted(&server, "pop3");
    pop.expect(&format!("AUTH PLAIN {}", plain(USER, "guess")), "-ERR");
    assert_shut_out(server.connect("pop3"), "pop3");
}
