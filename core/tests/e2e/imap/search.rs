//! Searches of the same mailbox, again and again: what they keep between them never makes them wrong. What each key finds:
//! the dialogue `search`.

use super::{client::Imap, server};
use crate::harness::{PASSWORD, USER};

#[test]
fn what_came_and_what_went_is_known() {
    // With room for what is kept, and without any.
    for settings in ["", "search_memory: 0"] {
        let server = server::start_with(settings);
        let mut a = Imap::login(server.address("imap"), USER, PASSWORD);
        let mut b = Imap::login(server.address("imap"), USER, PASSWORD);
        append(&mut a, "apple");
        append(&mut a, "pear");
        a.command("SELECT INBOX").ok();
        b.command("SELECT INBOX").ok();
        assert_eq!(found(&mut a, "SUBJECT apple"), "* SEARCH 1");
        append(&mut b, "green apple");
        // Known to this session only with the next command that may tell of it.
        assert_eq!(found(&mut b, "SUBJECT apple"), "* SEARCH 1 3");
        assert_eq!(found(&mut a, "SUBJECT apple"), "* SEARCH 1");
        assert_eq!(found(&mut a, "SUBJECT apple"), "* SEARCH 1 3");
        b.command("STORE 1 +FLAGS.SILENT (\\Deleted)").ok();
        b.command("EXPUNGE").ok();
        assert_eq!(found(&mut b, "SUBJECT apple"), "* SEARCH 2");
        assert_eq!(found(&mut a, "SUBJECT apple"), "* SEARCH 3", "behind a ghost");
        assert_eq!(found(&mut a, "NOT SUBJECT apple"), "* SEARCH 2");
        a.command("NOOP").ok();
        assert_eq!(found(&mut a, "SUBJECT apple"), "* SEARCH 2");
    }
}

#[test]
fn a_mailbox_of_the_same_name_is_another() {
    let server = server::start();
    let mut imap = Imap::login(server.address("imap"), USER, PASSWORD);
    for (subject, number) in [("apple", "* SEARCH 1"), ("pear", "* SEARCH")] {
        imap.command("CREATE work").ok();
        imap.append("work", "", format!("Subject: {subject}\r\n\r\n").as_bytes()).ok();
        imap.command("SELECT work").ok();
        assert_eq!(found(&mut imap, "SUBJECT apple"), number);
        imap.command("UNSELECT").ok();
        imap.command("DELETE work").ok();
    }
}

#[test]
fn most_of_a_large_mailbox_may_go() {
    let server = server::start();
    let mut imap = Imap::login(server.address("imap"), USER, PASSWORD);
    append(&mut imap, "apple");
    imap.command("SELECT INBOX").ok();
    for _ in 0..11 {
        imap.command("COPY 1:* INBOX").ok();
    }
    append(&mut imap, "pear");
    assert_eq!(found(&mut imap, "RETURN (COUNT) SUBJECT apple"), "COUNT 2048");
    assert_eq!(found(&mut imap, "SUBJECT pear"), "* SEARCH 2049");
    imap.command("STORE 2:2047 +FLAGS.SILENT (\\Deleted)").ok();
    imap.command("EXPUNGE").ok();
    append(&mut imap, "red apple");
    assert_eq!(found(&mut imap, "SUBJECT apple"), "* SEARCH 1 2 4");
    assert_eq!(found(&mut imap, "SUBJECT pear"), "* SEARCH 3");
    assert_eq!(found(&mut imap, "UID 1:2048 SUBJECT apple"), "* SEARCH 1 2");
}

fn append(imap: &mut Imap, subject: &str) {
    imap.append("INBOX", "", format!("Subject: {subject}\r\n\r\n").as_bytes()).ok();
}

/// The answer to a search, without the tag that it repeats.
#[track_caller]
fn found(imap: &mut Imap, keys: &str) -> String {
    let answer = imap.command(&format!("SEARCH {keys}")).ok();
    let line = answer.untagged[0].text.clone();
    match line.split_once("\") ") {
        Some((_, extended)) => extended.to_owned(),
        None => line,
    }
}
