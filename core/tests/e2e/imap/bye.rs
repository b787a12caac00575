//! How the server ends a session: it says so first (RFC 9051 section 7.1.5).

use super::{client::Imap, server};
use crate::harness::{PASSWORD, USER};
use std::net::Shutdown;

#[test]
fn a_server_that_stops_says_goodbye() {
    let mut server = server::start();
    let address = server.address("imap");
    let mut waits = Imap::login(address, USER, PASSWORD);
    let mut idles = Imap::login(address, USER, PASSWORD);
    idles.command("SELECT INBOX").ok();
    let _ = idles.send("IDLE");
    assert_eq!(idles.response().text, "+ Idling");
    let mut stranger = Imap::connect(address);
    server.signal("TERM");
    for session in [&mut waits, &mut idles, &mut stranger] {
        let last = session.response().text;
        assert!(last.starts_with("* BYE [UNAVAILABLE] "), "{last}");
    }
    assert!(server.wait().success());
}

#[test]
fn who_never_logs_in_is_sent_away() {
    let server = server::start_with("login_seconds: 1");
    let mut stays = Imap::login(server.address("imap"), USER, PASSWORD);
    let mut stranger = Imap::connect(server.address("imap"));
    assert_eq!(stranger.response().text, "* BYE [UNAVAILABLE] No login in time");
    // In the middle of a command too.
    for begun in ["a AUTHENTICATE PLAIN", "a LOGIN {3}"] {
        let mut client = server.connect("imap");
        client.line();
        client.expect(begun, "+ ");
        assert_eq!(client.rest(), b"* BYE [UNAVAILABLE] No login in time\r\n", "{begun}");
    }
    stays.command("NOOP").ok();
}

#[test]
fn who_idles_hears_something_now_and_then() {
    let server = server::start_with("idle_notify_seconds: 1");
    let mut imap = Imap::login(server.address("imap"), USER, PASSWORD);
    let tag = imap.send("IDLE");
    for line in ["+ Idling", "* OK Still here", "* OK Still here"] {
        assert_eq!(imap.response().text, line);
    }
    imap.raw(b"DONE\r\n");
    imap.answer(&tag).ok();
}

#[test]
fn who_leaves_in_the_middle_of_a_message_has_sent_none() {
    let server = server::start();
    let mut imap = Imap::login(server.address("imap"), USER, PASSWORD);
    for begun in ["", "Subject: x\r\n\r\nhalf a li"] {
        let mut client = server.connect("imap");
        client.line();
        client.expect(&format!("a LOGIN {USER} \"{PASSWORD}\""), "a OK");
        client.send(format!("b APPEND INBOX {{100+}}\r\n{begun}"));
        client.stream.get_ref().shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.rest(), b"");
        assert_eq!(imap.command("STATUS INBOX (MESSAGES)").ok().texts(), ["* STATUS INBOX (MESSAGES 0)"]);
    }
}

#[test]
fn who_is_silent_for_too_long_is_told_why() {
    let server = server::start_impatient();
    let mut silent = Imap::login(server.address("imap"), USER, PASSWORD);
    assert_eq!(silent.response().text, "* BYE [UNAVAILABLE] Silent for too long");
}
