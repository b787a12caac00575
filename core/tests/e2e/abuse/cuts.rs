//! Connections that end anywhere: at each octet of a good dialogue, in each way that a connection can end.

use super::{assert_sound, hear_out, push, server, settled};
use crate::{
    harness::{Client, PASSWORD, USER},
    starttls::assert_no_text,
    tls::{connection, HOST},
};
use std::time::Duration;

const ROOM: &str = ", max_connections_per_address: 5000";

/// How a peer goes away.
#[derive(Debug, Clone, Copy)]
enum End {
    /// It says that nothing more comes, and reads to the end.
    Half,
    /// It closes, having read nothing.
    Close,
    /// It resets the connection.
    Reset,
}

/// Goes away; gives what was heard.
fn leave(client: Client, end: End) -> Vec<u8> {
    match end {
        End::Half => return hear_out(client),
        End::Close => {}
        End::Reset => {
            socket2::SockRef::from(client.stream.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
        }
    }
    Vec::new()
}

#[test]
fn smtp_at_each_octet() {
    let server = server(ROOM);
    let begin = format!("EHLO c.test\r\nMAIL FROM:<x@r.test>\r\nRCPT TO:<{USER}>\r\nDATA\r\n");
    let dialogue = format!("{begin}Subject: cut\r\n\r\nbody\r\n.\r\nQUIT\r\n");
    let whole = dialogue.find(".\r\nQUIT").unwrap() + 3;
    let mut acknowledged = 0;
    for len in 0..=dialogue.len() {
        let mut client = server.connect("smtp");
        assert!(push(&mut client, &dialogue.as_bytes()[..len]));
        let said = String::from_utf8(leave(client, End::Half)).unwrap();
        assert!(said.starts_with("220 "), "{len}: {said}");
        let after_data = said.lines().skip_while(|line| !line.starts_with("354 ")).nth(1);
        let accepted = after_data.is_some_and(|line| line.starts_with("250 "));
        assert_eq!(accepted, len >= whole, "{len}: {said}");
        acknowledged += usize::from(accepted);
    }
    // Each acknowledged message is there, and no piece of another.
    let mailbox = server.mailbox(USER, PASSWORD);
    assert_eq!(mailbox.len(), acknowledged);
    assert!(mailbox.iter().all(|message| message.ends_with(b"Subject: cut\r\n\r\nbody\r\n")));

    for end in [End::Close, End::Reset] {
        for len in 0..=dialogue.len() {
            let mut client = server.connect("smtp");
            push(&mut client, &dialogue.as_bytes()[..len]);
            leave(client, end);
        }
    }
    settled(&server);
    let mailbox = server.mailbox(USER, PASSWORD);
    assert!(mailbox.len() <= acknowledged + 2 * (dialogue.len() + 1 - whole), "pieces were delivered");
    assert!(mailbox.iter().all(|message| message.ends_with(b"Subject: cut\r\n\r\nbody\r\n")));
    assert_sound(&server);
}

#[test]
fn pop3_at_each_octet() {
    let server = server(ROOM);
    server.leave(b"Subject: kept\r\n\r\n.\r\n");
    let dialogue =
        format!("CAPA\r\nUSER {USER}\r\nPASS {PASSWORD}\r\nSTAT\r\nRETR 1\r\nDELE 1\r\nNOOP\r\nRSET\r\nQUIT\r\n");
    for end in [End::Half, End::Close, End::Reset] {
        for len in 0..=dialogue.len() {
            let mut client = server.connect("pop3");
            push(&mut client, &dialogue.as_bytes()[..len]);
            let said = leave(client, end);
            assert!(!matches!(end, End::Half) || said.starts_with(b"+OK"), "{len}");
        }
    }
    settled(&server);
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 1, "only QUIT deletes");
    assert_sound(&server);
}

#[test]
fn imap_at_each_octet() {
    let server = server(ROOM);
    let begin = format!("a LOGIN {USER} \"{PASSWORD}\"\r\nb SELECT INBOX\r\nc APPEND INBOX (\\Seen) {{22+}}\r\n");
    let dialogue = format!("{begin}Subject: cut\r\n\r\nbody\r\n\r\nd FETCH * UID\r\ne LOGOUT\r\n");
    let whole = begin.len() + 24;
    let mut appended = 0;
    for end in [End::Half, End::Close, End::Reset] {
        for len in 0..=dialogue.len() {
            let mut client = server.connect("imap");
            push(&mut client, &dialogue.as_bytes()[..len]);
            let said = String::from_utf8(leave(client, end)).unwrap();
            if matches!(end, End::Half) {
                assert!(said.starts_with("* OK"), "{len}: {said}");
                assert_eq!(said.contains("c OK [APPENDUID "), len >= whole, "{len}: {said}");
                appended += usize::from(len >= whole);
            }
        }
    }
    settled(&server);
    let mailbox = server.mailbox(USER, PASSWORD);
    let most = appended * 3;
    assert!((appended..=most).contains(&mailbox.len()), "{} of {appended} to {most}", mailbox.len());
    assert!(mailbox.iter().all(|message| message == b"Subject: cut\r\n\r\nbody\r\n"), "pieces were kept");
    assert_sound(&server);
}

#[test]
fn submission_with_a_login_at_each_octet() {
    let server = server(ROOM);
    let login = crate::mail::plain(USER, PASSWORD);
    let dialogue = format!(
        "EHLO c.test\r\nAUTH PLAIN\r\n{login}\r\nMAIL FROM:<{USER}> BODY=8BITMIME SIZE=9\r\nRCPT TO:<{USER}>\r\nRSET\r\nQUIT\r\n"
    );
    for end in [End::Half, End::Close, End::Reset] {
        for len in 0..=dialogue.len() {
            let mut client = server.connect("submission");
            push(&mut client, &dialogue.as_bytes()[..len]);
            leave(client, end);
        }
    }
    settled(&server);
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 0);
    assert_sound(&server);
}

#[test]
fn a_tls_handshake_at_many_octets() {
    let server = server(ROOM);
    let mut hello = Vec::new();
    connection(&server.setup, HOST).write_tls(&mut hello).unwrap();
    let cuts: Vec<usize> = (0..20).chain((20..hello.len()).step_by(61)).chain([hello.len() - 1, hello.len()]).collect();
    for end in [End::Half, End::Close, End::Reset] {
        for &len in &cuts {
            for (listener, command) in [
                ("submissions", ""),
                ("pop3s", ""),
                ("imaps", ""),
                ("smtp", "STARTTLS"),
                ("pop3", "STLS"),
                ("imap", "a STARTTLS"),
            ] {
                let mut client = server.connect(listener);
                if !command.is_empty() {
                    client.line();
                    let go_ahead = client.ask(command);
                    assert!(["220 ", "+OK", "a OK"].iter().any(|words| go_ahead.starts_with(words)), "{go_ahead}");
                }
                push(&mut client, &hello[..len]);
                let said = leave(client, end);
                // To a whole hello the server answers with its handshake; to anything less with nothing or an alert.
                if len < hello.len() {
                    assert_no_text(&said);
                } else if matches!(end, End::Half) {
                    assert_eq!(said[0], 22, "{listener}");
                }
            }
        }
    }
    // A flight that is damaged rather than cut.
    for at in (0..hello.len()).step_by(29) {
        let mut damaged = hello.clone();
        damaged[at] ^= 0x55;
        let mut client = server.connect("submissions");
        push(&mut client, &damaged);
        let said = hear_out(client);
        assert!(said.is_empty() || said[0] == 21 || said[0] == 22, "{at}: {:?}", String::from_utf8_lossy(&said));
    }
    settled(&server);
    assert_sound(&server);
}
