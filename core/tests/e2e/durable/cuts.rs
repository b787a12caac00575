//! Connections that end before their message does: nothing of it is delivered, whatever came before the cut.

use super::{
    assert_sound,
    letters::{Ledger, Letter},
    mailboxes,
    peers::Smtp,
    setup,
};
use crate::harness::{have, run_ok, Server, PASSWORD, USER};
use std::{collections::HashSet, io::Read, net::Shutdown, process::Command, time::Duration};

/// Waits for the server to notice each cut.
#[derive(Default)]
struct Discarded(HashSet<String>);

impl Discarded {
    #[track_caller]
    fn wait(&mut self, server: &Server) {
        let is_new = |line: &str| line.contains("message discarded") && !self.0.contains(line);
        let line = server.wait_for_line("another `message discarded`", is_new);
        self.0.insert(line);
    }
}

/// Nothing came, nothing is left over, and the next message arrives.
fn assert_nothing_but_the_next_arrives(server: &Server) {
    let (ledger, [mailbox, ..]) = (Ledger::default(), mailboxes());
    mailbox.visit(server.address("pop3"), &ledger, |_| false).unwrap();
    assert_eq!(mailbox.counts(), (0, 0));
    let large = std::fs::read_dir(server.setup.data_dir().join("store/bodies")).unwrap();
    let left: usize = large.map(|dir| std::fs::read_dir(dir.unwrap().path()).unwrap().count()).sum();
    assert_eq!(left, 0, "halves of large messages are left");
    let letter = Letter::new("next", 300_000);
    ledger.begin(&letter, &[USER]);
    let answer = Smtp::open(server.address("smtp")).unwrap().mail("", &[USER], &letter, || {}).unwrap();
    assert_eq!(answer.code, 250, "{}", answer.text);
    ledger.answered(&letter, 250);
    mailbox.check(server, &ledger);
    assert_eq!(mailbox.counts(), (1, 1));
    assert_sound(server);
}

/// What may stand before a cut: every part of an end but the whole, and halves of small and large messages.
fn beginnings() -> Vec<Vec<u8>> {
    let letter = |size| Letter::new("cut", size).wire();
    let with = |end: &str| [letter(2000), end.as_bytes().to_vec()].concat();
    let large = letter(600_000);
    vec![
        Vec::new(),
        b"Subject: only a head".to_vec(),
        with(""),
        with("."),
        with(".\r"),
        with("half a line"),
        with("half a line\r"),
        large[..299_999].to_vec(),
        [large, b".\r".to_vec()].concat(),
    ]
}

#[test]
fn an_end_in_the_middle_of_data_delivers_nothing() {
    let server = setup().start();
    let mut discarded = Discarded::default();
    for beginning in beginnings() {
        for reset in [false, true] {
            let mut smtp = Smtp::open(server.address("smtp")).unwrap();
            assert_eq!(smtp.offer("", &[USER]).unwrap().code, 354);
            smtp.0.send(&beginning).unwrap();
            let stream = smtp.0 .0.get_mut();
            if reset {
                socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).unwrap();
                drop(smtp);
            } else {
                stream.shutdown(Shutdown::Write).unwrap();
                let mut rest = String::new();
                stream.read_to_string(&mut rest).unwrap();
                assert!(!rest.contains("250"), "{rest}");
            }
            discarded.wait(&server);
        }
    }
    assert_nothing_but_the_next_arrives(&server);
}

/// Sends each beginning by TLS, then ends: `cut` without close_notify, `shut` with it. Prints what the server says.
const TLS_PEER: &str = r#"
import base64, socket, ssl, sys
port, way, end, account, password, file = sys.argv[1:]
def say(text, code):
    stream.sendall(text.encode())
    while True:
        line = reader.readline().decode()
        if line[3:4] != "-":
            break
    assert line.startswith(code), (text, line)
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
stream = socket.create_connection(("127.0.0.1", int(port)))
reader = stream.makefile("rb")
if way == "implicit":
    stream = context.wrap_socket(stream)
    reader = stream.makefile("rb")
    say("", "220")
else:
    say("", "220")
    say("EHLO c\r\n", "250")
    say("STARTTLS\r\n", "220")
    stream = context.wrap_socket(stream)
    reader = stream.makefile("rb")
say("EHLO c\r\n", "250")
say("AUTH PLAIN " + base64.b64encode(("\0" + account + "\0" + password).encode()).decode() + "\r\n", "235")
say("MAIL FROM:<" + account + ">\r\n", "250")
say("RCPT TO:<" + account + ">\r\n", "250")
say("DATA\r\n", "354")
stream.sendall(open(file, "rb").read())
if end == "shut":
    try:
        stream.unwrap()
    except (ssl.SSLError, OSError):
        pass
else:
    stream.shutdown(socket.SHUT_WR)
reader.close()
stream.close()
"#;

#[test]
fn a_truncated_tls_connection_delivers_nothing() {
    if !have("python3") {
        return;
    }
    let server = setup().start();
    let mut discarded = Discarded::default();
    let file = server.setup.dir.path().join("beginning");
    for (number, beginning) in beginnings().iter().enumerate() {
        std::fs::write(&file, beginning).unwrap();
        let (listener, way) = if number % 2 == 0 { ("submissions", "implicit") } else { ("submission", "explicit") };
        for end in ["cut", "shut"] {
            let port = server.port(listener).to_string();
            run_ok(Command::new("python3").args(["-c", TLS_PEER, &port, way, end, USER, PASSWORD]).arg(&file));
            discarded.wait(&server);
        }
    }
    assert_nothing_but_the_next_arrives(&server);
}
