//! What a client can do too much of.

use super::{client::Imap, server};
use crate::harness::{Client, Server, PASSWORD, USER};

#[test]
fn a_line_that_is_too_long_ends_the_session() {
    let server = server::start();
    // Before login. What was cut off may have announced a literal, so that nothing behind it may be taken for a command.
    let mut client = server.connect("imap");
    assert!(client.line().starts_with("* OK"));
    client.send(format!("a NOOP {} {{9+}}\r\nb LOGOUT\r\nc NOOP\r\n", "x".repeat(8192)));
    assert!(client.line().starts_with("* BYE [TOOBIG]"));
    assert!(client.rest().is_empty());
    // After it: long enough for what clients send, and no longer.
    let mut client = server.connect("imap");
    assert!(client.line().starts_with("* OK"));
    client.expect(&format!("b LOGIN {USER} \"{PASSWORD}\""), "b OK");
    client.expect(&format!("c UID FETCH {}1 UID", "1,".repeat(20_000)), "c BAD");
    client.expect("d SELECT INBOX", "* FLAGS");
    while !client.line().starts_with("d OK") {}
    client.expect(&format!("e UID FETCH {}1 UID", "1,".repeat(9_000)), "e OK");
    client.expect(&format!("f NOOP {}", "x".repeat(256 * 1024)), "* BYE [TOOBIG]");
}

#[test]
fn a_large_literal_is_thrown_away() {
    let server = server::start();
    let mut client = logged_in(&server);
    // Sent unasked, with what looks like commands inside.
    let mut command = b"a SELECT {300000+}\r\n".to_vec();
    command.extend_from_slice(&b"x LOGOUT\r\n".repeat(30_000));
    command.extend_from_slice(b"\r\nb NOOP\r\n");
    client.send(command);
    assert!(client.line().starts_with("a NO [TOOBIG]"));
    assert!(client.line().starts_with("b OK"));
    // Together they are too many.
    let mut command = b"c SEARCH".to_vec();
    for _ in 0..30 {
        command.extend_from_slice(b" SUBJECT {10000+}\r\n");
        command.extend_from_slice(&[b'x'; 10_000]);
    }
    command.extend_from_slice(b"\r\nd NOOP\r\n");
    client.send(command);
    assert!(client.line().starts_with("c NO [TOOBIG]"));
    assert!(client.line().starts_with("d OK"));
}

#[test]
fn deep_and_many_search_keys_are_refused() {
    let server = server::start();
    let mut imap = Imap::login(server.address("imap"), USER, PASSWORD);
    imap.command("SELECT INBOX").ok();
    let nested = |depth: usize| format!("SEARCH {}ALL{}", "(".repeat(depth), ")".repeat(depth));
    imap.command(&nested(32)).ok();
    for command in [
        nested(33),
        nested(100_000),
        format!("SEARCH {}ALL", "NOT ".repeat(50_000)),
        format!("SEARCH {}ALL{}", "OR ".repeat(10_000), " ALL".repeat(10_000)),
        format!("SEARCH{}", " ALL".repeat(1001)),
        format!("FETCH 1 ({}UID)", "FLAGS ".repeat(1000)),
        format!("LIST \"\" ({}b)", "a ".repeat(1000)),
        format!("SELECT {}", "x".repeat(2000)),
    ] {
        let answer = imap.command(&command);
        assert!(answer.status.starts_with("BAD"), "{}: {answer:?}", &command[..20]);
    }
    imap.command("NOOP").ok();
}

#[test]
fn who_errs_all_the_time_is_sent_away() {
    let server = server::start();
    let mut client = logged_in(&server);
    for n in 0..50 {
        client.expect(&format!("a{n} XYZZY"), &format!("a{n} BAD"));
    }
    client.expect("b XYZZY", "b BAD");
    let rest = String::from_utf8(client.rest()).unwrap();
    assert!(rest.starts_with("* BYE [CLIENTBUG]") && rest.lines().count() == 1, "{rest}");
}

#[test]
fn a_mailbox_has_so_many_keywords_and_no_more() {
    let server = server::start();
    let mut imap = Imap::login(server.address("imap"), USER, PASSWORD);
    imap.append("INBOX", "", b"x").ok();
    imap.command("SELECT INBOX").ok();
    let store = |n: usize| format!("STORE 1 +FLAGS.SILENT ($k{n})");
    let first_refused = (0..1000).find(|n| !imap.command(&store(*n)).status.starts_with("OK")).unwrap();
    assert!(first_refused >= 32, "{first_refused}");
    let refusal = imap.command(&store(first_refused));
    assert!(refusal.status.starts_with("NO [LIMIT]"), "{refusal:?}");
    imap.command(&store(first_refused - 1)).ok();
    let refusal = imap.append("INBOX", "$other", b"x");
    assert!(refusal.status.starts_with("NO [LIMIT]"), "{refusal:?}");
    assert_eq!(imap.command("SEARCH KEYWORD $k0 KEYWORD $k31").ok().texts(), ["* SEARCH 1"]);
}

fn logged_in(server: &Server) -> Client {
    let mut client = server.connect("imap");
    assert!(client.line().starts_with("* OK"));
    client.expect(&format!("in LOGIN {USER} \"{PASSWORD}\""), "in OK");
    client
}
