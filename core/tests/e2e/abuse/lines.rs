//! Lines that are none, commands that nobody knows, and bytes from nowhere.

use super::{assert_sound, garbage, greeted, hear_out, push, server};
use crate::{
    harness::{Client, PASSWORD, USER},
    starttls::assert_no_text,
};

/// A bad line, the beginning of its answer, and whether the session goes on.
type Case = (Vec<u8>, &'static str, bool);

fn smtp_cases() -> Vec<Case> {
    let padded = |len: usize| [b"NOOP ".as_slice(), &b"x".repeat(len - 5), b"\r\n"].concat();
    vec![
        (padded(4096), "250 ", true),
        (padded(4097), "500 5.5.6 ", true),
        (padded(100_000), "500 5.5.6 ", true),
        (b"NO\0OP\r\n".to_vec(), "500 5.5.2 ", true),
        (b"\0\0\0\0\r\n".to_vec(), "500 5.5.2 ", true),
        (b"NOOP\nNOOP\r\n".to_vec(), "500 5.5.2 ", false),
        (b"NOOP\n".to_vec(), "500 5.5.2 ", false),
        (b"NOOP\rNOOP\r\n".to_vec(), "500 5.5.2 ", false),
        (b"NOOP\r\r\n".to_vec(), "500 5.5.2 ", false),
        (b"\r\n".to_vec(), "500 ", true),
        (b"XYZZY\r\n".to_vec(), "500 ", true),
        (b"\xff\xfe\x80\r\n".to_vec(), "500 ", true),
        (b"MAIL FROM:<\xff@x>\r\n".to_vec(), "5", true),
        (b"RCPT TO:<x@y>\r\n".to_vec(), "503 ", true),
        (b"DATA\r\n".to_vec(), "503 ", true),
        (b"AUTH PLAIN =\r\n".to_vec(), "5", true),
    ]
}

fn pop3_cases() -> Vec<Case> {
    let long = |len: usize| [b"x".repeat(len), b"\r\n".to_vec()].concat();
    vec![
        (long(4097), "-ERR Line is too long", true),
        (long(100_000), "-ERR Line is too long", true),
        (b"US\0ER x\r\n".to_vec(), "-ERR NUL", true),
        (b"CAPA\nCAPA\r\n".to_vec(), "-ERR Bare", false),
        (b"CAPA\rCAPA\r\n".to_vec(), "-ERR Bare", false),
        (b"\n".to_vec(), "-ERR Bare", false),
        (b"\r\n".to_vec(), "-ERR", true),
        (b"XYZZY\r\n".to_vec(), "-ERR", true),
        (b"\xff\xfe\x80\r\n".to_vec(), "-ERR", true),
        (b"RETR 1\r\n".to_vec(), "-ERR", true),
        (b"DELE 18446744073709551616\r\n".to_vec(), "-ERR", true),
        (b"PASS x\r\n".to_vec(), "-ERR", true),
        (b"AUTH PLAIN =\r\n".to_vec(), "-ERR", true),
    ]
}

fn imap_cases() -> Vec<Case> {
    let long = |len: usize| [b"a NOOP ".as_slice(), &b"x".repeat(len - 7), b"\r\n"].concat();
    vec![
        (long(8192), "a BAD ", true),
        (long(8193), "* BYE [TOOBIG]", false),
        (long(100_000), "* BYE [TOOBIG]", false),
        (b"a NO\0OP\r\n".to_vec(), "* BYE [CLIENTBUG] NUL", false),
        (b"a NOOP\nb NOOP\r\n".to_vec(), "* BYE [CLIENTBUG]", false),
        (b"a NOOP\rb NOOP\r\n".to_vec(), "* BYE [CLIENTBUG]", false),
        (b"\n".to_vec(), "* BYE [CLIENTBUG]", false),
        (b"\r\n".to_vec(), "* BAD ", true),
        (b"a\r\n".to_vec(), "", true),
        (b"a XYZZY\r\n".to_vec(), "a BAD ", true),
        (b"+ NOOP\r\n".to_vec(), "* BAD ", true),
        (b"\xff\xfe\x80\r\n".to_vec(), "* BAD ", true),
        (b"a LOGIN \xff x\r\n".to_vec(), "a BAD ", true),
        (b"a FETCH 1 UID\r\n".to_vec(), "a BAD ", true),
        (b"a LOGIN {9000}\r\n".to_vec(), "a NO [TOOBIG]", true),
        (b"a AUTHENTICATE PLAIN ===\r\n".to_vec(), "a BAD ", true),
    ]
}

#[track_caller]
fn answered(mut client: Client, (line, answer, goes_on): Case, next: (&str, &str)) {
    let shown = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
    client.send(&line);
    let said = client.line();
    assert!(said.starts_with(answer), "{shown:?} was answered {said:?}");
    if goes_on {
        let said = client.ask(next.0);
        assert!(said.starts_with(next.1), "after {shown:?}: {said:?}");
    } else {
        assert_eq!(client.rest(), b"", "after {shown:?}");
    }
}

#[test]
fn bad_lines_are_answered_and_only_bare_newlines_end_it() {
    let server = server("");
    for case in smtp_cases() {
        answered(greeted(&server, "smtp"), case.clone(), ("NOOP", "250 "));
        answered(greeted(&server, "submission"), case, ("NOOP", "250 "));
    }
    for case in pop3_cases() {
        answered(greeted(&server, "pop3"), case, ("CAPA", "+OK"));
    }
    for case in imap_cases() {
        answered(greeted(&server, "imap"), case, ("n NOOP", "n OK"));
    }
    // Behind a login too.
    let cases: [Case; 3] = [
        (b"RETR 1\r\n".to_vec(), "-ERR", true),
        (b"TOP 0 -1\r\n".to_vec(), "-ERR", true),
        ([b"LIST ".as_slice(), &b"9".repeat(3000), b"\r\n"].concat(), "-ERR", true),
    ];
    for case in cases {
        let mut client = greeted(&server, "pop3");
        client.pop_login(USER, PASSWORD);
        answered(client, case, ("NOOP", "+OK"));
    }
    assert_sound(&server);
}

#[test]
fn bare_newlines_in_a_message_end_nothing_and_deliver_nothing() {
    let server = server("");
    for end in ["\n.\n", "\r\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "x\ny", "x\ry"] {
        let mut client = greeted(&server, "smtp");
        client.ehlo();
        client.expect("MAIL FROM:<x@remote.test>", "250");
        client.expect(&format!("RCPT TO:<{USER}>"), "250");
        client.expect("DATA", "354");
        let smuggled = format!("Subject: a{end}MAIL FROM:<smuggled@remote.test>\r\nRCPT TO:<{USER}>\r\nDATA\r\n.\r\n");
        push(&mut client, smuggled.as_bytes());
        let said = String::from_utf8_lossy(&hear_out(client)).into_owned();
        assert!(said.starts_with('5') && !said.contains("250 ") && !said.contains("354 "), "{end:?}: {said}");
    }
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 0);
    assert_sound(&server);
}

#[test]
fn too_many_errors_end_the_session() {
    let server = server("");
    let mut client = greeted(&server, "smtp");
    for _ in 0..20 {
        client.expect("XYZZY", "500 ");
    }
    client.send("XYZZY\r\nNOOP\r\n");
    let said = String::from_utf8(client.rest()).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].starts_with("500 ") && lines[1].starts_with("421 4.7.0 Too many errors"),
        "{said}"
    );

    let mut client = greeted(&server, "pop3");
    for _ in 0..20 {
        client.expect("XYZZY", "-ERR");
    }
    client.send("XYZZY\r\nCAPA\r\n");
    let said = String::from_utf8(client.rest()).unwrap();
    assert!(said.lines().count() == 1 && said.starts_with("-ERR"), "{said}");
    assert_sound(&server);
}

#[test]
fn failed_logins_end_the_session() {
    let server = super::server_with("", "login_blocking: (failures: 0, delay_milliseconds: 0),");
    let wrong = crate::mail::plain(USER, "wrong");
    let mut client = greeted(&server, "submission");
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {wrong}"), "535 ");
    client.expect(&format!("AUTH PLAIN {wrong}"), "535 ");
    client.send(format!("AUTH PLAIN {wrong}\r\n"));
    let said = String::from_utf8(client.rest()).unwrap();
    assert!(said.lines().last().unwrap_or_default().starts_with("421 4.7.0 Too many failed logins"), "{said}");
    let mut client = greeted(&server, "pop3");
    for _ in 0..2 {
        client.expect(&format!("USER {USER}"), "+OK");
        client.expect("PASS wrong", "-ERR [AUTH]");
    }
    client.expect(&format!("USER {USER}"), "+OK");
    client.send("PASS wrong\r\n");
    assert!(client.rest().starts_with(b"-ERR"));
    assert!(!server.log().contains("wrong\""), "a password in the log: {}", server.log());
    assert_sound(&server);
}

#[test]
fn binary_garbage() {
    let server = server("");
    for seed in 0..40 {
        for listener in ["smtp", "submission", "pop3", "imap", "submissions", "pop3s", "imaps"] {
            let mut client = server.connect(listener);
            push(&mut client, &garbage(seed, 1 << (seed % 14)));
            push(&mut client, b"\r\n");
            let said = hear_out(client);
            if listener.ends_with('s') {
                assert_no_text(&said);
                continue;
            }
            // Garbage may hold lines; none of them can be anything but refused.
            let text = String::from_utf8(said).unwrap();
            let refusals = ["500 ", "501 ", "502 ", "503 ", "421 ", "-ERR", "* BAD ", "* BYE ["];
            let fine = |line: &str| refusals.iter().any(|code| line.starts_with(code));
            assert!(text.lines().skip(1).all(fine), "{listener} {seed}: {text}");
        }
    }
    assert_sound(&server);
}

#[test]
fn one_octet_at_a_time() {
    let server = server("");
    let mut client = greeted(&server, "smtp");
    let dialogue = format!(
        "EHLO c.test\r\nMAIL FROM:<x@remote.test>\r\nRCPT TO:<{USER}>\r\nDATA\r\nSubject: slow\r\n\r\n..\r\nx\r\n.\r\nQUIT\r\n"
    );
    for octet in dialogue.as_bytes() {
        client.send([*octet]);
    }
    let said = String::from_utf8(client.rest()).unwrap();
    let last: Vec<&str> = said.lines().rev().take(2).collect();
    assert!(last[0].starts_with("221 ") && last[1].starts_with("250 2.0.0"), "{said}");
    let mut client = greeted(&server, "pop3");
    for octet in format!("USER {USER}\r\nPASS {PASSWORD}\r\nRETR 1\r\nQUIT\r\n").as_bytes() {
        client.send([*octet]);
    }
    let said = String::from_utf8(client.rest()).unwrap();
    assert!(said.ends_with("Subject: slow\r\n\r\n..\r\nx\r\n.\r\n+OK Bye\r\n"), "{said}");
    let mut client = greeted(&server, "imap");
    let login = format!("a LOGIN {{{}+}}\r\n{USER} \"{PASSWORD}\"\r\n", USER.len());
    let append = "c APPEND INBOX {5+}\r\nx\r\n\r\n\r\n";
    for octet in format!("{login}b SELECT INBOX\r\n{append}d FETCH 2 BODY[]\r\ne LOGOUT\r\n").as_bytes() {
        client.send([*octet]);
    }
    let said = String::from_utf8(client.rest()).unwrap();
    assert!(said.contains("* 2 FETCH (BODY[] {5}\r\nx\r\n\r\n") && said.contains("\r\ne OK"), "{said}");
    assert_sound(&server);
}
