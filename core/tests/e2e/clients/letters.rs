//! An INBOX of messages that are hard to keep, each for a reason of its own, and what a client must read there.

use super::LOCAL;
use crate::{
    harness::{run_ok, Server, Setup, MAIL_CONFIG, PASSWORD, USER},
    imap::client::Imap,
    mail::{after_trace, assert_same, hard_message},
};
use data_encoding::BASE64_MIME;
use std::path::{Path, PathBuf};

/// A server, and what is in its account's INBOX, with UIDs from 1.
pub struct Inbox {
    /// The server. For clients that can't be told where a name leads, it has a certificate for [`LOCAL`] too.
    pub server: Server,
    /// The messages with our trace, to the octet.
    pub stored: Vec<Vec<u8>>,
}

impl Inbox {
    /// Starts a server and leaves the messages by SMTP; the last one, which SMTP could not bring, by IMAP.
    pub fn new() -> Inbox {
        let plain = r#""plain": (protocol: "imap", bind: ["127.0.0.1:0"], insecure_auth: true),"#;
        let server = Setup::mail_with(&MAIL_CONFIG.replace("listeners: {", &format!("listeners: {{ {plain}"))).start();
        run_ok(server.dovetail().args(["certs", "create", "--name", LOCAL, "--san", LOCAL]));
        let letters = letters();
        for letter in &letters {
            server.leave(letter);
        }
        let stored = server.mailbox(USER, PASSWORD);
        assert_eq!(stored.len(), letters.len());
        for (stored, letter) in stored.iter().zip(&letters) {
            assert_same(after_trace(stored), letter, "what SMTP brought");
        }
        let mut inbox = Inbox { server, stored };
        inbox.imap().append("INBOX", "", NO_NEWLINE).ok();
        inbox.stored.push(NO_NEWLINE.to_vec());
        inbox
    }

    /// An IMAP session of our own, logged in: in the clear, for a look at what the clients have done.
    pub fn imap(&self) -> Imap {
        Imap::login(self.server.address("plain"), USER, PASSWORD)
    }

    /// The certificate that clients of [`LOCAL`] trust.
    pub fn ca(&self) -> PathBuf {
        self.server.setup.crt(LOCAL)
    }

    /// An empty folder of this name beside the data directory.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.server.setup.dir.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// These are all the messages, each `as_kept` by the client, in any order.
    #[track_caller]
    pub fn assert_all(&self, mut got: Vec<Vec<u8>>, as_kept: impl Fn(&[u8]) -> Vec<u8>, what: &str) {
        let mut want: Vec<Vec<u8>> = self.stored.iter().map(|message| as_kept(message)).collect();
        got.sort();
        want.sort();
        for (got, want) in got.iter().zip(&want) {
            assert_same(got, want, what);
        }
        assert_eq!(got.len(), want.len(), "{what}: {}", self.server.log());
    }
}

/// A message as files of mail have it: its lines end in LF.
pub fn with_lf(message: &[u8]) -> Vec<u8> {
    message.iter().copied().filter(|&octet| octet != b'\r').collect()
}

/// A message without the header lines of these names.
pub fn without(message: &[u8], names: &[&str]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(message.len());
    let mut in_header = true;
    for line in message.split_inclusive(|&octet| octet == b'\n') {
        in_header = in_header && line != b"\n" && line != b"\r\n";
        if !in_header || !names.iter().any(|name| line.starts_with(name.as_bytes())) {
            kept.extend_from_slice(line);
        }
    }
    kept
}

/// The files of a folder, in the order of their names.
pub fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

const NO_NEWLINE: &[u8] =
    b"From: ann@example.test\r\nSubject: no newline\r\nMessage-ID: <no-newline@example.test>\r\n\r\n\
    first line\r\nthe last line has no end";

fn letters() -> Vec<Vec<u8>> {
    let head = |subject: &str| {
        let id = subject.replace(' ', "-");
        format!("From: {USER}\r\nTo: {USER}\r\nSubject: {subject}\r\nMessage-ID: <{id}@example.test>\r\n").into_bytes()
    };
    let letter = |subject: &str, body: &[u8]| [head(subject).as_slice(), b"\r\n", body].concat();
    let high: Vec<u8> = (0x80..=0xff_u8).collect();
    let eight_bit: Vec<u8> = high.chunks(16).flat_map(|line| [line, b"\r\n"].concat()).collect();
    let long_lines = [b"x".repeat(998), b"\r\n".to_vec(), b"long ".repeat(4000), b"\r\nshort\r\n".to_vec()].concat();
    let utf8 = "From: Jürgen Groß <ann@example.test>\r\nTo: 山田 <ann@example.test>\r\nSubject: Käse, ❤, 🧀\r\n\
        Message-ID: <utf-8@example.test>\r\nX-Encoded: =?utf-8?Q?K=C3=A4se?= =?iso-8859-1?B?5Pb8?=\r\n\r\ngrüße\r\n";
    vec![
        hard_message("all at once"),
        letter("8-bit", &eight_bit),
        letter("long lines", &long_lines),
        letter("dots", b".\r\n..\r\n.. \r\n.x\r\n\r\n.\r\n"),
        letter("empty body", b""),
        letter("empty lines", b"\r\n\r\n\r\n"),
        [head("attachments"), attachments()].concat(),
        utf8.as_bytes().to_vec(),
        letter("big", &b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n".repeat(1 << 14)),
    ]
}

/// A text, a file of all octets, and a message in a message.
fn attachments() -> Vec<u8> {
    let octets: Vec<u8> = (0..=255).cycle().take(40_000).collect();
    let file = BASE64_MIME.encode(&octets);
    format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\nfor old programs\r\n\
         --=_outer\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\ngrüße\r\n\
         --=_outer\r\nContent-Type: application/octet-stream; name=\"octets.bin\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename*=utf-8''octets%20%E2%9D%A4.bin\r\n\r\n{file}\r\n\
         --=_outer\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n--=_outer is here\r\n\
         --=_outer--\r\nbehind all\r\n"
    )
    .into_bytes()
}
