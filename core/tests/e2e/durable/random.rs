//! Random numbers that can be had again: the seed is printed, and taken from `DOVETAIL_TEST_SEED` if that is set.

use std::time::{SystemTime, UNIX_EPOCH};

/// A sequence of numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    /// A sequence for a test; tells its seed.
    pub fn of_test(test: &str) -> Random {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = super::number("DOVETAIL_TEST_SEED", now);
        eprintln!("{test}: DOVETAIL_TEST_SEED={seed}");
        Random::new(seed)
    }

    /// The sequence of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from `from` to `to`, `to` not included.
    pub fn range(&mut self, from: u64, to: u64) -> u64 {
        from + (self.next() >> 11) % (to - from)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.range(0, n) == 0
    }
}
