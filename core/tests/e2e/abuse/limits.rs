//! Too many connections, and addresses that guess passwords.

use super::{assert_sound, connect_from, greeted, server, server_with, GREETINGS};
use crate::{
    harness::{Client, Server, DEADLINE, PASSWORD, USER},
    mail::plain,
};
use std::time::{Duration, Instant};

const TRY_LATER: [(&str, &str); 4] = [
    ("smtp", "421 4.3.2 Too busy, try again later\r\n"),
    ("submission", "421 4.3.2 Too busy, try again later\r\n"),
    ("pop3", "-ERR [SYS/TEMP] Too busy, try again later\r\n"),
    ("imap", "* BYE [UNAVAILABLE] Too busy, try again later\r\n"),
];

/// Is turned away in the words of the protocol; on an implicit port without any.
#[track_caller]
fn turned_away(mut client: Client, words: &str) {
    assert_eq!(String::from_utf8_lossy(&client.rest()), words);
}

/// Comes in as soon as there is room.
#[track_caller]
fn comes_in(server: &Server, listener: &str) -> Client {
    let begun = Instant::now();
    loop {
        let mut client = server.connect(listener);
        let line = client.line();
        if GREETINGS.iter().any(|words| line.starts_with(words)) {
            return client;
        }
        assert!(begun.elapsed() < DEADLINE, "{line}");
    }
}

#[test]
fn max_connections() {
    let server = server(", max_connections: 2");
    for (listener, words) in TRY_LATER {
        let mut first = greeted(&server, listener);
        let second = greeted(&server, listener);
        turned_away(server.connect(listener), words);
        // From another address just as well, and whoever is in goes on.
        turned_away(connect_from(2, server.address(listener)), words);
        assert!(!first.ask("NOOP").is_empty());
        drop(second);
        comes_in(&server, listener);
    }
    // Without TLS nothing is said on a TLS port.
    let first = server.connect_tls("submissions");
    let _second = server.connect_tls("submissions");
    turned_away(server.connect("submissions"), "");
    drop(first);
    server.wait_for_log("the listener has its `max_connections`");
    assert!(super::greeted(&server, "smtp").ask("NOOP").starts_with("250"), "each listener counts for itself");
}

#[test]
fn max_connections_per_address() {
    let server = server(", max_connections_per_address: 2");
    for (listener, words) in TRY_LATER {
        let _first = greeted(&server, listener);
        let second = greeted(&server, listener);
        turned_away(server.connect(listener), words);
        let mut other = connect_from(2, server.address(listener));
        assert!(!other.line().starts_with("421") && !other.ask("NOOP").is_empty());
        drop(second);
        comes_in(&server, listener);
    }
    let _first = server.connect_tls("pop3s");
    let _second = server.connect_tls("pop3s");
    turned_away(server.connect("pop3s"), "");
    let _first = server.connect_tls("imaps");
    let _second = server.connect_tls("imaps");
    turned_away(server.connect("imaps"), "");
    server.wait_for_log("the client has its `max_connections_per_address`");
}

#[test]
fn a_crowd_is_turned_away_and_the_server_goes_on() {
    let server = server(", max_connections_per_address: 3");
    let inside: Vec<Client> = (0..3).map(|_| greeted(&server, "smtp")).collect();
    let crowd: Vec<Client> = (0..300).map(|_| server.connect("smtp")).collect();
    for mut client in crowd {
        let said = String::from_utf8(client.rest()).unwrap();
        // More than can be told at a time are closed without a word.
        assert!(said.is_empty() || said == TRY_LATER[0].1, "{said}");
    }
    drop(inside);
    comes_in(&server, "smtp");
    assert_sound(&server);
}

const BLOCKING: &str = "login_blocking: (failures: 3, window_seconds: 600, block_seconds: 600, delay_milliseconds: 0),";

#[test]
fn an_address_that_guesses_is_shut_out_on_all_listeners() {
    let server = server_with("", BLOCKING);
    let mut guest = greeted(&server, "pop3");
    let mut beside = greeted(&server, "smtp");
    for _ in 0..2 {
        guest.expect(&format!("USER {USER}"), "+OK");
        guest.expect("PASS guess", "-ERR [AUTH]");
    }
    // Not yet.
    let mut client = greeted(&server, "submission");
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {}", plain("nobody@example.test", "guess")), "535 ");
    server.wait_for_log("too many failed logins: the address is shut out for a time");
    for (listener, words) in TRY_LATER {
        turned_away(server.connect(listener), words);
    }
    turned_away(server.connect("pop3s"), "");
    turned_away(server.connect("submissions"), "");
    turned_away(server.connect("imaps"), "");
    server.wait_for_log("the address failed to log in too often");
    // Sessions that stand go on, and so do other addresses.
    assert!(beside.ask("NOOP").starts_with("250 "));
    let mut other = connect_from(2, server.address("pop3"));
    assert!(other.line().starts_with("+OK"));
    other.pop_login(USER, PASSWORD);
    assert!(!server.log().contains("guess\""), "{}", server.log());
}

#[test]
fn the_time_out_ends_and_good_logins_do_not_count() {
    let server = server_with("", &BLOCKING.replace("block_seconds: 600", "block_seconds: 2"));
    for _ in 0..5 {
        let mut client = greeted(&server, "pop3");
        client.pop_login(USER, PASSWORD);
        client.expect("QUIT", "+OK");
    }
    let mut client = greeted(&server, "pop3");
    for _ in 0..2 {
        client.expect(&format!("USER {USER}"), "+OK");
        client.expect("PASS guess", "-ERR [AUTH]");
    }
    client.expect(&format!("USER {USER}"), "+OK");
    let begun = Instant::now();
    client.expect("PASS guess", "-ERR");
    turned_away(server.connect("pop3"), TRY_LATER[2].1);
    comes_in(&server, "pop3");
    assert!(begun.elapsed() >= Duration::from_millis(1900), "{:?}", begun.elapsed());
    assert_sound(&server);
}

#[test]
fn a_listener_may_leave_failures_uncounted_and_answers_to_them_come_late() {
    let blocking =
        BLOCKING.replace("delay_milliseconds: 0", "delay_milliseconds: 300").replace("failures: 3", "failures: 1");
    let server = server_with(", block_failed_logins: false", &blocking);
    let mut client = greeted(&server, "pop3");
    client.expect(&format!("USER {USER}"), "+OK");
    client.expect("PASS guess", "-ERR [AUTH]");
    greeted(&server, "pop3");

    let server = server_with("", &blocking);
    let mut client = greeted(&server, "pop3");
    client.expect(&format!("USER {USER}"), "+OK");
    let begun = Instant::now();
    client.expect("PASS guess", "-ERR [AUTH]");
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    turned_away(server.connect("pop3"), TRY_LATER[2].1);
}
