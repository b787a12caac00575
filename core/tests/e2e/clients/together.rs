//! POP3 and IMAP on one mailbox at the same time, while SMTP delivers into it.

use super::{imaplib::imaplib, letters::Inbox, python::python, Way};
use crate::{
    harness::{have, PASSWORD, USER},
    mail::{after_trace, assert_same},
};
use std::process::{Command, Stdio};

#[test]
fn what_one_does_the_other_sees_and_numbers_stay_put() {
    let inbox = Inbox::new();
    let server = &inbox.server;
    let count = inbox.stored.len();
    let mut imap = inbox.imap();
    imap.command("SELECT INBOX").ok();
    let mut pop = server.pop(USER, PASSWORD);
    let ids = pop.pop_lines("UIDL");
    assert_eq!(ids.len(), count);

    // IMAP takes one away under POP3: its numbers stay, and the one is no more.
    imap.command("STORE 2 +FLAGS.SILENT (\\Deleted)").ok();
    assert_eq!(imap.command("EXPUNGE").ok().texts(), ["* 2 EXPUNGE"]);
    assert!(pop.ask("STAT").starts_with(&format!("+OK {count} ")));
    pop.expect("RETR 2", "-ERR");
    for number in [1, 3, 9] {
        assert_same(&pop.pop_body(&format!("RETR {number}")), &inbox.stored[number - 1], "by POP3");
    }
    // Reading by POP3 is no reading by IMAP.
    assert_eq!(imap.command("SEARCH SEEN").ok().texts(), ["* SEARCH"]);

    // POP3 takes some away under IMAP, the gone one among them; only QUIT does it.
    pop.expect("DELE 3", "+OK");
    pop.expect("DELE 1", "+OK");
    assert_eq!(imap.command("NOOP").ok().texts(), [""; 0]);
    let tag = imap.send("IDLE");
    assert_eq!(imap.response().text, "+ Idling");
    pop.expect("QUIT", "+OK");
    // Number 3 is the second by now; either may be told first.
    let mut told = [imap.response().text, imap.response().text];
    told.sort();
    assert!(told == ["* 1 EXPUNGE", "* 2 EXPUNGE"] || told == ["* 1 EXPUNGE", "* 1 EXPUNGE"], "{told:?}");
    server.leave(b"Subject: meanwhile\r\n\r\n");
    assert_eq!(imap.response().text, format!("* {} EXISTS", count - 2));
    assert!(imap.response().text.ends_with(" RECENT"));
    imap.raw(b"DONE\r\n");
    imap.answer(&tag).ok();

    // Who comes now sees the same by either.
    let by_imap: Vec<Vec<u8>> = (imap.command("FETCH 1:* BODY.PEEK[]").ok().untagged.into_iter())
        .map(|mut response| response.literals.pop().unwrap())
        .collect();
    let by_pop = server.mailbox(USER, PASSWORD);
    assert_eq!((by_imap.len(), by_pop.len()), (count - 2, count - 2));
    for (one, other) in by_imap.iter().zip(&by_pop) {
        // POP3 ends every message with a line's end.
        assert_same(other.strip_suffix(b"\r\n").filter(|_| !one.ends_with(b"\r\n")).unwrap_or(other), one, "by both");
    }
    // Unique ids are what they were.
    let of = |lines: &[String]| lines.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>();
    let left = of(&server.pop(USER, PASSWORD).pop_lines("UIDL"));
    assert_eq!(left[..left.len() - 1], of(&ids)[3..]);
}

/// So many messages, numbered: of three in a row one is taken by POP3, one is moved by IMAP, one stays.
const MESSAGES: usize = 90;

fn numbered(number: usize) -> Vec<u8> {
    let body = format!("line {number}\r\n.\r\n").repeat(number * 7 % 1000);
    let sum: u64 = body.bytes().map(u64::from).sum();
    format!("Subject: {number}\r\nX-Sum: {} {sum}\r\n\r\n{body}", body.len()).into_bytes()
}

/// For both scripts: the number of a message, which must be whole.
const NUMBER: &str = r#"
def number(message):
    head, body = message.split(b"\r\n\r\n", 1)
    head = dict(line.split(b": ", 1) for line in head.split(b"\r\n") if line[:1] != b"\t")
    assert head[b"X-Sum"] == b"%d %d" % (len(body), sum(body)), head
    return int(head[b"Subject"])
"#;

const TAKE_BY_POP: &str = r#"
taken = set()
while len(taken) < 30:
    client = pop()
    client.user(user)
    client.pass_(password)
    for at in range(1, client.stat()[0] + 1):
        try:
            lines = client.retr(at)[1]
        except poplib.error_proto:
            # IMAP has moved it meanwhile.
            break
        found = number(b"".join(line + b"\r\n" for line in lines))
        if found % 3 == 0:
            assert found not in taken, found
            client.dele(at)
            taken.add(found)
    client.quit()
assert taken == set(range(0, 90, 3)), taken
"#;

const MOVE_BY_IMAP: &str = r#"
moved = set()
client = imap()
client.login(user, password)
ok(client.select())
while len(moved) < 30:
    ok(client.noop())
    for item in ok(client.uid("FETCH", "1:*", "(UID BODY.PEEK[])")):
        if isinstance(item, tuple):
            found = number(item[1])
            if found % 3 == 1:
                assert found not in moved, found
                uid = re.search(rb"UID (\d+)", item[0])[1].decode()
                ok(client.uid("MOVE", uid, "Archive"))
                moved.add(found)
assert moved == set(range(1, 90, 3)), moved
client.logout()
"#;

#[test]
fn pop3_and_imap_empty_a_mailbox_that_smtp_fills() {
    if !have("python3") {
        return;
    }
    let server = crate::harness::Setup::mail().start();
    let folder = server.setup.dir.path();
    let start = |command: &mut Command| {
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        std::thread::spawn(move || child.wait_with_output().unwrap())
    };
    let clients = [
        start(&mut python(&server, &format!("{NUMBER}{TAKE_BY_POP}"), Way::Implicit, "pop3s")),
        start(&mut imaplib(&server, &format!("{NUMBER}{MOVE_BY_IMAP}"), Way::Explicit, folder)),
    ];
    let mut submission = server.submit(USER, PASSWORD);
    for number in 0..MESSAGES {
        assert!(submission.mail(USER, &[USER], &numbered(number)).starts_with("250 "));
    }
    for client in clients {
        let output = client.join().unwrap();
        assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), server.log());
    }
    let left = server.mailbox(USER, PASSWORD);
    assert_eq!(left.len(), MESSAGES / 3);
    for (message, number) in left.iter().zip((2..).step_by(3)) {
        assert_same(after_trace(message), &numbered(number), "what stays");
    }
}
