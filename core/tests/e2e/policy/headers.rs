//! Header fields that policies add and remove, as mail programs see them afterwards.

use super::{greeted, messages, rules, setup, LETTER};
use crate::{
    harness::{PASSWORD, USER},
    mail::{after_trace, assert_same, hard_message},
};

#[test]
fn what_imap_and_pop3_show() {
    let first = rules(
        "first",
        "(stage: EndOfMessage, says: Accept, add: [(\"X-First\", \"1\"), (\"X-Spam\", \"no\")], remove: [\"X-Old\"])",
    );
    // The second sees what the first has done.
    let long = "very much so ".repeat(20);
    let second = rules(
        "second",
        &format!(
            "(stage: EndOfMessage, text: \"X-Spam: no\\r\\nX-First: 1\\r\\nSubject\", says: Accept, \
             add: [(\"X-Verdict\", \"yes, {}\")], remove: [\"x-spam\"])",
            long.trim_end()
        ),
    );
    let spool = "\"spool\": (config: (memory_kib: 0)),";
    let server = setup("(instance: \"first\"), (instance: \"second\")", &(first + &second + spool)).start();
    let mut client = greeted(&server);
    assert!(client.mail("x@remote.test", &[USER], LETTER).starts_with("250 2.0.0 Delivered as "));
    let shown = messages(&server, "INBOX");
    assert_same(&server.mailbox(USER, PASSWORD)[0], shown[0].as_bytes(), "POP3 shows what IMAP shows");
    let rest = after_trace(shown[0].as_bytes());
    let rest = String::from_utf8_lossy(rest).into_owned();
    let (header, body) = rest.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "Hello.\r\n");
    assert!(header.lines().all(|line| line.len() <= 78), "{header}");
    let unfolded = header.replace("\r\n ", " ");
    let fields: Vec<&str> = unfolded.lines().collect();
    assert_eq!(fields.len(), 3, "{header}");
    assert!(fields[0].starts_with("X-Verdict: yes, very much so very"), "{header}");
    assert_eq!(fields[1..], ["X-First: 1", "Subject: a letter"]);
    assert!(header.lines().count() > 3, "it was folded: {header}");
}

#[test]
fn a_message_comes_out_of_the_spool_as_it_went_in() {
    let nothing = rules("p", "(stage: EndOfMessage, text: \"not in any message\", says: Reject)");
    for memory in [0, 1000] {
        let spool = format!("\"spool\": (config: (memory_kib: {memory})),");
        let server = setup("(instance: \"p\")", &(nothing.clone() + &spool)).start();
        let mut large = hard_message("large");
        while large.len() < 700_000 {
            large.extend_from_slice(&hard_message("again"));
        }
        let mut sent = vec![hard_message("one"), large, b"no header and no end".to_vec()];
        sent[2].extend_from_slice(b"\r\n");
        let mut client = greeted(&server);
        for message in &sent {
            assert!(client.mail("x@remote.test", &[USER], message).starts_with("250 2.0.0 Delivered as "));
        }
        let got = server.mailbox(USER, PASSWORD);
        assert_eq!(got.len(), 3);
        for (got, sent) in got.iter().zip(&sent) {
            assert_same(after_trace(got), sent, "a message from the spool");
        }
    }
}

#[test]
fn what_would_be_another_field_is_a_failure_of_the_policy() {
    for (add, remove) in [
        ("(\"X\", \"a\\r\\nBcc: evil@x.test\")", ""),
        ("(\"X\\r\\nBcc\", \"evil\")", ""),
        ("(\"Received\", \"from nowhere\")", ""),
        ("(\"X\", \"fine\")", "\"Received\""),
    ] {
        let rule = format!("(stage: EndOfMessage, says: Accept, add: [{add}], remove: [{remove}])");
        let server = setup("(instance: \"p\", on_error: Accept)", &(rules("p", &rule) + "\"spool\": (),")).start();
        let mut client = greeted(&server);
        assert!(client.mail("x@remote.test", &[USER], LETTER).starts_with("250 2.0.0 "));
        assert_same(after_trace(messages(&server, "INBOX")[0].as_bytes()), LETTER, "unchanged");
        server.wait_for_log("policy failed");
    }
}
