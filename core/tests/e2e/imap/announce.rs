//! Several sessions in one mailbox: what each is told of the others' doings, and when (RFC 9051 sections 5.2 and 7.5.1,
//! RFC 2180).

use super::{client::Imap, server};
use crate::harness::{Server, PASSWORD, USER};

#[test]
fn what_others_do_is_told_with_the_next_command() {
    let (_server, mut a, mut b) = two_sessions(2);
    b.append("INBOX", "", b"new").ok();
    told(&mut b, "STORE 1 +FLAGS (\\Flagged)");
    let news = ["* 2 FETCH (UID 2)", "* 3 EXISTS", "* 2 RECENT", "* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent))"];
    assert_eq!(told(&mut a, "FETCH 2 UID"), news);
    assert_eq!(told(&mut a, "NOOP"), NOTHING, "once is enough");
    // A keyword is made known before a message has it.
    told(&mut b, "STORE 2 +FLAGS ($Work)");
    let lines = told(&mut a, "NOOP");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)");
    assert!(lines[1].starts_with("* OK [PERMANENTFLAGS ("), "{lines:?}");
    assert_eq!(lines[2], "* 2 FETCH (UID 2 FLAGS (\\Recent $Work))");
    // What is told by SELECT is not told again.
    told(&mut b, "STORE 1 +FLAGS (\\Seen)");
    a.command("SELECT INBOX").ok();
    assert_eq!(told(&mut a, "NOOP"), NOTHING);
}

#[test]
fn no_number_slips_during_fetch_store_or_search() {
    let (_server, mut a, mut b) = two_sessions(4);
    expunge(&mut b, "2");
    assert_eq!(told(&mut a, "FETCH 3 UID"), ["* 3 FETCH (UID 3)"]);
    assert_eq!(told(&mut a, "SEARCH ALL"), ["* SEARCH 1 3 4"]);
    assert_eq!(told(&mut a, "STORE 4 +FLAGS (\\Seen)"), ["* 4 FETCH (UID 4 FLAGS (\\Seen \\Recent))"]);
    assert_eq!(told(&mut a, "STORE 3 +FLAGS.SILENT (\\Seen)"), NOTHING);
    // What came meanwhile has the number behind all that the client knows of, the ghost among them.
    b.append("INBOX", "", b"new").ok();
    assert_eq!(told(&mut a, "FETCH 1 UID"), ["* 1 FETCH (UID 1)", "* 5 EXISTS", "* 4 RECENT"]);
    assert_eq!(told(&mut a, "FETCH 5 UID"), ["* 5 FETCH (UID 5)"]);
    assert_eq!(told(&mut a, "NOOP"), ["* 2 EXPUNGE"]);
    assert_eq!(told(&mut a, "FETCH 4 UID"), ["* 4 FETCH (UID 5)"]);
}

#[test]
fn a_ghost_is_told_of_by_the_answer() {
    let (_server, mut a, mut b) = two_sessions(3);
    expunge(&mut b, "2");
    let answer = a.command("FETCH 1:3 (UID BODY.PEEK[HEADER])");
    assert!(answer.status.starts_with("NO [EXPUNGEISSUED]"), "{answer:?}");
    assert_eq!(answer.texts(), ["* 1 FETCH (UID 1 BODY[HEADER] {})", "* 3 FETCH (UID 3 BODY[HEADER] {})",]);
    let answer = a.command("FETCH 2 FLAGS");
    assert!(answer.status.starts_with("NO [EXPUNGEISSUED]") && answer.untagged.is_empty(), "{answer:?}");
    let answer = a.command("STORE 1:2 +FLAGS (\\Flagged)");
    assert!(answer.status.starts_with("OK [EXPUNGEISSUED]"), "{answer:?}");
    assert_eq!(answer.texts(), ["* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent))"]);
    // UIDs that are gone are no error, and here the numbers may slip.
    assert_eq!(told(&mut a, "UID FETCH 2 FLAGS"), ["* 2 EXPUNGE"]);
    assert_eq!(told(&mut a, "FETCH 2 UID"), ["* 2 FETCH (UID 3)"]);
}

#[test]
fn ghosts_are_not_copied() {
    let (_server, mut a, mut b) = two_sessions(3);
    expunge(&mut b, "2");
    let answer = a.command("COPY 2 Trash");
    assert!(answer.status.starts_with("OK [EXPUNGEISSUED]"), "{answer:?}");
    assert_eq!(answer.texts(), ["* 2 EXPUNGE"]);
    expunge(&mut b, "1");
    let answer = a.command("COPY 1:2 Trash");
    assert!(answer.status.starts_with("OK [COPYUID ") && answer.status.contains(" 3 1]"), "{answer:?}");
    assert_eq!(answer.texts(), ["* 1 EXPUNGE"]);
    expunge(&mut b, "1");
    let answer = a.command("MOVE 1 Trash").ok();
    assert!(answer.status.starts_with("OK [EXPUNGEISSUED]"), "{answer:?}");
    assert_eq!(answer.texts(), ["* 1 EXPUNGE"]);
}

#[test]
fn two_may_expunge_the_same() {
    let (_server, mut a, mut b) = two_sessions(3);
    told(&mut a, "STORE 1:2 +FLAGS.SILENT (\\Deleted)");
    assert_eq!(told(&mut b, "EXPUNGE").last().unwrap(), "* 1 EXPUNGE");
    assert_eq!(told(&mut a, "EXPUNGE"), ["* 2 EXPUNGE", "* 1 EXPUNGE"]);
    assert_eq!(told(&mut a, "NOOP"), NOTHING);
    assert_eq!(told(&mut b, "NOOP"), NOTHING);
}

#[test]
fn a_silent_store_is_silent_here_only() {
    let (_server, mut a, mut b) = two_sessions(2);
    assert_eq!(told(&mut a, "STORE 1 +FLAGS.SILENT (\\Seen)"), NOTHING);
    assert_eq!(told(&mut b, "NOOP"), ["* 1 FETCH (UID 1 FLAGS (\\Seen))"]);
    assert_eq!(told(&mut a, "NOOP"), NOTHING);
    // Somebody else's change comes between: what the client believes would be wrong.
    told(&mut b, "STORE 1 +FLAGS.SILENT (\\Flagged)");
    let flags = "* 1 FETCH (UID 1 FLAGS (\\Answered \\Flagged \\Seen \\Recent))";
    assert_eq!(told(&mut a, "STORE 1 +FLAGS.SILENT (\\Answered)"), [flags]);
    // What others do to other messages is told, and nothing else.
    told(&mut b, "STORE 2 +FLAGS.SILENT (\\Flagged)");
    b.append("INBOX", "", b"new").ok();
    let news = ["* 3 EXISTS", "* 2 RECENT", "* 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent))"];
    assert_eq!(told(&mut a, "STORE 1 +FLAGS.SILENT (\\Draft)"), news);
    told(&mut b, "STORE 2 -FLAGS.SILENT (\\Flagged)");
    let news = ["* 2 FETCH (UID 2 FLAGS (\\Draft \\Recent))"];
    assert_eq!(told(&mut a, "STORE 1:2 +FLAGS.SILENT (\\Draft)"), news);
    told(&mut a, "STORE 2 -FLAGS.SILENT (\\Draft)");
    // Told by the answer, it is not told again.
    assert_eq!(told(&mut a, "STORE 2 +FLAGS (\\Seen)"), ["* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent))"]);
    assert_eq!(told(&mut a, "NOOP"), NOTHING);
}

#[test]
fn recent_is_a_message_in_one_session_only() {
    let (server, mut a, mut b) = two_sessions(0);
    let mut c = Imap::login(server.address("imap"), USER, PASSWORD);
    c.append("INBOX", "", b"new").ok();
    assert_eq!(told(&mut a, "NOOP"), ["* 1 EXISTS", "* 1 RECENT"]);
    assert_eq!(told(&mut b, "NOOP"), ["* 1 EXISTS", "* 0 RECENT"]);
    assert_eq!(told(&mut a, "FETCH 1 FLAGS"), ["* 1 FETCH (FLAGS (\\Recent))"]);
    assert_eq!(told(&mut b, "FETCH 1 FLAGS"), ["* 1 FETCH (FLAGS ())"]);
    assert_eq!(told(&mut a, "SEARCH NEW"), ["* SEARCH 1"]);
    assert_eq!(told(&mut b, "SEARCH OLD"), ["* SEARCH 1"]);
    // Who only looks takes nothing away.
    c.append("INBOX", "", b"newer").ok();
    let examined = c.command("EXAMINE INBOX").ok();
    assert!(examined.texts().contains(&"* 1 RECENT"), "{examined:?}");
    assert_eq!(told(&mut b, "NOOP"), ["* 2 EXISTS", "* 1 RECENT"]);
    assert_eq!(told(&mut a, "NOOP"), ["* 2 EXISTS", "* 1 RECENT"]);
    assert_eq!(told(&mut a, "FETCH 2 FLAGS"), ["* 2 FETCH (FLAGS ())"]);
}

#[test]
fn idle_hears_what_happens_when_it_happens() {
    let (server, mut a, mut b) = two_sessions(2);
    let tag = a.send("IDLE");
    assert_eq!(a.response().text, "+ Idling");
    let mut c = Imap::login(server.address("imap"), USER, PASSWORD);
    c.append("INBOX", "", b"new").ok();
    hears(&mut a, &["* 3 EXISTS", "* 3 RECENT"]);
    told(&mut b, "STORE 2 +FLAGS (\\Seen)");
    hears(&mut a, &["* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent))"]);
    told(&mut b, "STORE 1 +FLAGS.SILENT (\\Deleted)");
    hears(&mut a, &["* 1 FETCH (UID 1 FLAGS (\\Deleted \\Recent))"]);
    told(&mut b, "EXPUNGE");
    hears(&mut a, &["* 1 EXPUNGE"]);
    let mut smtp = server.connect("smtp");
    smtp.line();
    smtp.ehlo();
    assert!(smtp.mail("stranger@remote.test", &[USER], b"Subject: x\r\n\r\n").starts_with("250 "));
    hears(&mut a, &["* 3 EXISTS", "* 3 RECENT"]);
    a.raw(b"DONE\r\n");
    assert_eq!(a.answer(&tag).ok().texts(), NOTHING);
    // With nothing selected there is nothing to hear, and DONE ends it all the same.
    told(&mut a, "UNSELECT");
    let tag = a.send("IDLE");
    assert_eq!(a.response().text, "+ Idling");
    told(&mut b, "STORE 1 +FLAGS (\\Flagged)");
    a.raw(b"DONE\r\n");
    assert_eq!(a.answer(&tag).ok().texts(), NOTHING);
}

#[test]
fn a_mailbox_that_somebody_deletes_is_empty_from_then_on() {
    let (_server, mut a, mut b) = two_sessions(0);
    told(&mut b, "CREATE work");
    for _ in 0..2 {
        b.append("work", "", b"new").ok();
    }
    told(&mut a, "SELECT work");
    let validity = told(&mut b, "STATUS work (UIDVALIDITY)");
    told(&mut b, "DELETE work");
    let answer = a.command("FETCH 1 BODY.PEEK[]");
    assert!(answer.status.starts_with("NO [") && answer.untagged.is_empty(), "{answer:?}");
    assert_eq!(told(&mut a, "NOOP"), ["* 2 EXPUNGE", "* 1 EXPUNGE"]);
    // One of the same name is another one.
    told(&mut b, "CREATE work");
    b.append("work", "\\Deleted", b"other").ok();
    assert_eq!(told(&mut a, "NOOP"), NOTHING);
    assert_ne!(told(&mut b, "STATUS work (UIDVALIDITY)"), validity);
    told(&mut a, "CLOSE");
    let select = told(&mut a, "SELECT work");
    assert!(select.contains(&"* 1 EXISTS".to_owned()), "CLOSE has expunged the wrong one: {select:?}");
    // One that idles would wait for ever.
    let _ = a.send("IDLE");
    assert_eq!(a.response().text, "+ Idling");
    told(&mut b, "DELETE work");
    hears(&mut a, &["* 1 EXPUNGE"]);
    assert!(a.response().text.starts_with("* BYE [NONEXISTENT]"));
}

#[test]
fn a_mailbox_that_somebody_renames_stays_open() {
    let (_server, mut a, mut b) = two_sessions(0);
    told(&mut b, "CREATE work");
    b.append("work", "", b"new").ok();
    told(&mut a, "SELECT work");
    told(&mut b, "RENAME work play");
    assert_eq!(told(&mut a, "FETCH 1 UID"), ["* 1 FETCH (UID 1)"]);
    b.append("play", "", b"newer").ok();
    assert_eq!(told(&mut a, "NOOP"), ["* 2 EXISTS", "* 2 RECENT"]);
    assert!(a.command("STATUS work (MESSAGES)").status.starts_with("NO [NONEXISTENT]"));
}

/// A server, and two sessions that have its INBOX with so many messages selected. All are recent in the first.
fn two_sessions(messages: usize) -> (Server, Imap, Imap) {
    let server = server::start();
    let mut sessions = [(); 2].map(|()| Imap::login(server.address("imap"), USER, PASSWORD));
    for _ in 0..messages {
        sessions[0].append("INBOX", "", b"Subject: x\r\n\r\ntext\r\n").ok();
    }
    for session in &mut sessions {
        session.command("SELECT INBOX").ok();
    }
    let [a, b] = sessions;
    (server, a, b)
}

/// The untagged lines of a command that is answered with OK.
#[track_caller]
fn told(imap: &mut Imap, command: &str) -> Vec<String> {
    imap.command(command).ok().texts().into_iter().map(str::to_owned).collect()
}

/// The next lines that come by themselves.
#[track_caller]
fn hears(imap: &mut Imap, lines: &[&str]) {
    for line in lines {
        assert_eq!(imap.response().text, *line);
    }
}

/// Removes messages, by their numbers.
#[track_caller]
fn expunge(imap: &mut Imap, numbers: &str) {
    told(imap, &format!("STORE {numbers} +FLAGS.SILENT (\\Deleted)"));
    told(imap, "EXPUNGE");
}

const NOTHING: [&str; 0] = [];
