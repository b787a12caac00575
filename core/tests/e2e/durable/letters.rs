//! Messages that can tell whether they are whole, and the account of what became of them.

use super::random::Random;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Mutex};

/// A message with an id, its size and a checksum in it.
#[derive(Clone)]
pub struct Letter {
    pub id: String,
    pub bytes: Vec<u8>,
}

impl Letter {
    /// A letter whose body has `size` octets or a line more; some lines begin with dots.
    pub fn new(id: impl Into<String>, size: usize) -> Letter {
        let id = id.into();
        let seed = Sha256::digest(&id);
        let mut random = Random::new(u64::from_be_bytes(seed[..8].try_into().unwrap()));
        let mut body = Vec::with_capacity(size + 80);
        while body.len() < size {
            if random.one_in(8) {
                body.extend_from_slice(b"..");
            }
            if !random.one_in(50) {
                (0..9).for_each(|_| body.extend(random.next().to_be_bytes().map(|octet| b' ' + octet % 95)));
            }
            body.extend_from_slice(b"\r\n");
        }
        let sum = HEXLOWER.encode(&Sha256::digest(&body));
        let head = format!("Subject: a letter\r\nX-Id: {id}\r\nX-Octets: {}\r\nX-Sha256: {sum}\r\n\r\n", body.len());
        Letter { id, bytes: [head.into_bytes(), body].concat() }
    }

    /// Of a size from 1 KiB to 600 KiB; small ones come more often.
    pub fn random(id: impl Into<String>, random: &mut Random) -> Letter {
        let most = 1024 << random.range(1, 11);
        Letter::new(id, random.range(1024, most.min(600 * 1024)) as usize)
    }

    /// As it goes over the wire: dots doubled, the final dot not yet there.
    pub fn wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.bytes.len() + 1024);
        for line in self.bytes.split_inclusive(|octet| *octet == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            wire.extend_from_slice(line);
        }
        wire
    }

    /// The id of a letter as it came back, if it is whole and has nothing in front of it but our two fields.
    pub fn check(received: &[u8]) -> Result<String, String> {
        let shown = || String::from_utf8_lossy(&received[..received.len().min(1000)]).into_owned();
        let fault = |what: &str| format!("{what} ({} octets):\n{}", received.len(), shown());
        let find = |what: &[u8]| received.windows(what.len()).position(|window| window == what);
        let start = find(b"Subject: a letter\r\n").ok_or_else(|| fault("no beginning"))?;
        let end = find(b"\r\n\r\n").ok_or_else(|| fault("no end of the head"))?;
        let trace = String::from_utf8_lossy(&received[..start]).into_owned();
        if !trace.starts_with("Return-Path: <") || trace.matches("Received: ").count() != 1 {
            return Err(fault("wrong fields in front"));
        }
        let head = String::from_utf8_lossy(&received[start..end]).into_owned();
        let field = |name: &str| {
            let line = head.split("\r\n").find_map(|line| line.strip_prefix(name));
            line.map(str::to_owned).ok_or_else(|| fault("a field is missing"))
        };
        let body = &received[end + 4..];
        if field("X-Octets: ")? != body.len().to_string() {
            return Err(fault("not whole"));
        }
        if field("X-Sha256: ")? != HEXLOWER.encode(&Sha256::digest(body)) {
            return Err(fault("changed"));
        }
        field("X-Id: ")
    }
}

/// What the sender of a letter knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// No answer came. It may have arrived, whole, or not.
    Unanswered,
    /// `250`: it must be there.
    Acknowledged,
    /// Refused for now. A crash may yet bring it back, whole.
    Refused(u16),
}

/// All letters of a test.
#[derive(Default)]
pub struct Ledger(Mutex<BTreeMap<String, (Vec<String>, Fate)>>);

impl Ledger {
    /// A letter is about to be sent.
    pub fn begin(&self, letter: &Letter, recipients: &[&str]) {
        let recipients = recipients.iter().map(ToString::to_string).collect();
        let before = self.0.lock().unwrap().insert(letter.id.clone(), (recipients, Fate::Unanswered));
        assert!(before.is_none(), "{} is not a new id", letter.id);
    }

    /// It was answered.
    pub fn answered(&self, letter: &Letter, code: u16) {
        let fate = if code == 250 { Fate::Acknowledged } else { Fate::Refused(code) };
        self.0.lock().unwrap().get_mut(&letter.id).unwrap().1 = fate;
    }

    /// Whether this letter may be in this account's mailbox.
    pub fn knows(&self, id: &str, account: &str) -> bool {
        self.0.lock().unwrap().get(id).is_some_and(|(recipients, _)| recipients.iter().any(|r| r == account))
    }

    /// Ids of what must be in an account's mailbox, unless it was deleted there.
    pub fn acknowledged(&self, account: &str) -> Vec<String> {
        let letters = self.0.lock().unwrap();
        let due = |(recipients, fate): &(Vec<String>, Fate)| {
            *fate == Fate::Acknowledged && recipients.iter().any(|recipient| recipient == account)
        };
        letters.iter().filter(|(_, letter)| due(letter)).map(|(id, _)| id.clone()).collect()
    }

    /// How many letters met a fate.
    pub fn count(&self, fate: impl Fn(Fate) -> bool) -> usize {
        self.0.lock().unwrap().values().filter(|(_, f)| fate(*f)).count()
    }
}

#[test]
fn a_letter_knows_whether_it_is_whole() {
    for size in [0, 1, 1024, 300_000] {
        let letter = Letter::new(format!("x{size}"), size);
        assert!(letter.bytes.ends_with(b"\r\n") && letter.bytes.len() > size);
        let mut received = b"Return-Path: <a@b>\r\nReceived: from x\r\n\tby y\r\n".to_vec();
        received.extend_from_slice(&letter.bytes);
        assert_eq!(Letter::check(&received), Ok(format!("x{size}")));
        assert!(Letter::check(&received[10..]).is_err());
        assert!(Letter::check(&received[..received.len() - 1]).is_err());
        received.extend_from_slice(b"x");
        assert!(Letter::check(&received).is_err());
    }
    let letter = Letter::new("y", 5000);
    let mut received = [b"Return-Path: <>\r\nReceived: x\r\n".to_vec(), letter.bytes].concat();
    *received.last_mut().unwrap() = b'x';
    assert!(Letter::check(&received).is_err());
}
