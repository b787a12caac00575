//! Test messages: unique id, a checksum of the body in a header, and bodies cut from one pool of text.
use crate::args::{parse_size, Args};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub struct Rng(pub u64);
impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            0
        } else {
            (self.next() >> 11) % n
        }
    }
}

#[derive(Clone)]
enum Sizes {
    Fixed(usize),
    /// (cumulative per mille, size)
    Mix(Vec<(u64, usize)>),
}

pub struct Maker {
    pool: Vec<u8>,
    sizes: Sizes,
    run: String,
    next: AtomicU64,
}

const LINE: usize = 78; // 76 characters and CRLF

impl Maker {
    pub fn from_args(a: &Args) -> Result<Maker, String> {
        let sizes = match a.str("size", "8k").as_str() {
            // mean about 31 KiB
            "mix" => Sizes::Mix(vec![
                (280, 2 << 10),
                (480, 4 << 10),
                (640, 8 << 10),
                (770, 16 << 10),
                (870, 32 << 10),
                (940, 64 << 10),
                (975, 128 << 10),
                (993, 256 << 10),
                (1000, 1 << 20),
            ]),
            s => Sizes::Fixed(parse_size(s)? as usize),
        };
        let mut r = Rng::new(42);
        let words: Vec<String> =
            (0..2000).map(|_| (0..2 + r.below(8)).map(|_| (b'a' + r.below(26) as u8) as char).collect()).collect();
        let mut pool = Vec::with_capacity(3 << 20);
        let mut line = Vec::new();
        let mut k = 0u64;
        while pool.len() < 3 << 20 {
            line.clear();
            // Now and then a line that needs dot-stuffing on the wire ("..x" here, ".x" in the mailbox).
            if k % 97 == 13 {
                line.extend_from_slice(b"..");
            }
            while line.len() < LINE - 2 {
                line.extend_from_slice(words[r.below(2000) as usize].as_bytes());
                line.push(b' ');
            }
            line.truncate(LINE - 3);
            line.push(b'-');
            line.extend_from_slice(b"\r\n");
            pool.extend_from_slice(&line);
            k += 1;
        }
        let ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        Ok(Maker { pool, sizes, run: format!("{ms:x}.{:x}", std::process::id()), next: AtomicU64::new(0) })
    }
    pub fn size(&self, r: &mut Rng) -> usize {
        match &self.sizes {
            Sizes::Fixed(n) => *n,
            Sizes::Mix(v) => {
                let x = r.below(1000);
                v.iter().find(|(p, _)| x < *p).map(|(_, s)| *s).unwrap_or(8192)
            }
        }
    }
    /// Fills `out` with one message of about the wanted size; gives its id. `dots`: dot-stuffed for SMTP.
    pub fn make(&self, r: &mut Rng, rcpt: &str, dots: bool, out: &mut Vec<u8>) -> String {
        let size = self.size(r);
        let id = format!("{}.{}", self.run, self.next.fetch_add(1, Ordering::Relaxed));
        let head_len = 330;
        let lines = size.saturating_sub(head_len).div_ceil(LINE).max(1).min(self.pool.len() / LINE - 1);
        let from = r.below((self.pool.len() / LINE - lines) as u64) as usize;
        let body = &self.pool[from * LINE..(from + lines) * LINE];
        out.clear();
        let plain = undot(body);
        out.extend_from_slice(
            format!(
                "From: Bench Sender <sender@bench.test>\r\nTo: <{rcpt}>\r\nSubject: bench {} run\r\n\
                 Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nMessage-ID: <{id}@mailbench.test>\r\nMIME-Version: 1.0\r\n\
                 Content-Type: text/plain; charset=us-ascii\r\nX-Bench-Id: {id}\r\nX-Bench-Sum: {:016x}\r\n\r\n",
                id.rsplit('.').next().unwrap_or(""),
                sum(&plain)
            )
            .as_bytes(),
        );
        out.extend_from_slice(if dots { body } else { &plain });
        id
    }
}

fn undot(b: &[u8]) -> Vec<u8> {
    let mut o = Vec::with_capacity(b.len());
    for l in b.chunks(LINE) {
        o.extend_from_slice(if l[0] == b'.' { &l[1..] } else { l });
    }
    o
}

/// A fast 64-bit checksum (eight bytes a step, multiply and rotate).
pub fn sum(b: &[u8]) -> u64 {
    let mut h = 0x243f_6a88_85a3_08d3u64 ^ b.len() as u64;
    let mut it = b.chunks_exact(8);
    for c in &mut it {
        h = (h ^ u64::from_le_bytes(c.try_into().unwrap())).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    for c in it.remainder() {
        h = (h ^ *c as u64).wrapping_mul(0x0000_0100_0000_01b3);
    }
    h ^ (h >> 31)
}
