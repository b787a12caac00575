//! A whole POP3 session, and what stays when it ends in another way.

use crate::{
    harness::{Setup, PASSWORD, USER},
    mail::{after_trace, assert_same, hard_message},
};

#[test]
fn a_whole_session() {
    let server = Setup::mail().start();
    let messages = [hard_message("one"), b"Subject: two\r\n\r\na\r\n.b\r\nc\r\n".to_vec(), hard_message("three")];
    for message in &messages {
        server.leave(message);
    }
    let stored = server.mailbox(USER, PASSWORD);
    let sizes: Vec<usize> = stored.iter().map(Vec::len).collect();
    assert_eq!(sizes.len(), 3);

    let mut pop = server.connect_tls("pop3s");
    assert!(pop.line().starts_with("+OK"));
    let capabilities = pop.pop_lines("CAPA");
    for wanted in ["USER", "UIDL", "TOP", "SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN", "PIPELINING", "RESP-CODES"] {
        assert!(capabilities.iter().any(|line| line == wanted), "{wanted} in {capabilities:?}");
    }
    pop.expect("STAT", "-ERR");
    pop.pop_login(USER, PASSWORD);

    assert_eq!(pop.ask("STAT"), format!("+OK 3 {}", sizes.iter().sum::<usize>()));
    let listed: Vec<String> = sizes.iter().enumerate().map(|(i, size)| format!("{} {size}", i + 1)).collect();
    assert_eq!(pop.pop_lines("LIST"), listed);
    assert_eq!(pop.ask("LIST 2"), format!("+OK {}", listed[1]));
    pop.expect("LIST 4", "-ERR");
    let ids = pop.pop_lines("UIDL");
    assert_eq!(ids.len(), 3);
    assert_eq!(pop.ask("UIDL 3"), format!("+OK {}", ids[2]));

    let top = pop.pop_body("TOP 2 2");
    assert_same(after_trace(&top), b"Subject: two\r\n\r\na\r\n.b\r\n", "TOP 2 2");
    assert_same(after_trace(&pop.pop_body("TOP 2 0")), b"Subject: two\r\n\r\n", "TOP 2 0");
    assert_same(after_trace(&pop.pop_body("TOP 2 99")), &messages[1], "TOP 2 99");

    pop.expect("DELE 2", "+OK");
    pop.expect("DELE 2", "-ERR");
    pop.expect("RETR 2", "-ERR");
    pop.expect("LIST 2", "-ERR");
    assert_eq!(pop.ask("STAT"), format!("+OK 2 {}", sizes[0] + sizes[2]));
    assert_eq!(pop.pop_lines("LIST"), [listed[0].clone(), listed[2].clone()]);
    pop.expect("RSET", "+OK");
    assert_eq!(pop.pop_lines("LIST"), listed);
    pop.expect("NOOP", "+OK");

    pop.expect("DELE 1", "+OK");
    pop.expect("DELE 2", "+OK");
    pop.expect("QUIT", "+OK");
    assert_eq!(pop.rest(), b"");

    let mut pop = server.pop(USER, PASSWORD);
    assert_eq!(pop.ask("STAT"), format!("+OK 1 {}", sizes[2]));
    // The unique id is the message's, whatever its number.
    let (_, id) = ids[2].split_once(' ').unwrap();
    assert_eq!(pop.pop_lines("UIDL"), [format!("1 {id}")]);
    assert_same(after_trace(&pop.pop_body("RETR 1")), &messages[2], "what is left");
}

#[test]
fn a_session_that_is_cut_deletes_nothing() {
    let server = Setup::mail().start();
    server.leave(b"Subject: stays\r\n\r\n");
    let mut pop = server.pop(USER, PASSWORD);
    pop.expect("DELE 1", "+OK");
    // Not even a TLS goodbye.
    drop(pop);
    let mut pop = server.pop(USER, PASSWORD);
    assert!(pop.ask("STAT").starts_with("+OK 1 "));
    pop.expect("DELE 1", "+OK");
    pop.expect("QUIT", "+OK");
    let setup = server.stop();
    let server = setup.start();
    assert!(server.mailbox(USER, PASSWORD).is_empty(), "QUIT deletes for good");
}

#[test]
fn mail_survives_a_restart_with_its_unique_id() {
    let server = Setup::mail().start();
    server.leave(&hard_message("over the restart"));
    let before = server.pop(USER, PASSWORD).pop_lines("UIDL");
    let server = server.stop().start();
    let mut pop = server.pop(USER, PASSWORD);
    assert_eq!(pop.pop_lines("UIDL"), before);
    assert_same(after_trace(&pop.pop_body("RETR 1")), &hard_message("over the restart"), "after a restart");
}
