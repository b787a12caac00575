//! Session ids: short, unique for the life of the data directory, increasing.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Makes session ids.
#[derive(Debug)]
pub struct SessionIds(AtomicU64);

impl Default for SessionIds {
    /// Starts at the time, in microseconds, so that a restart does not repeat an id.
    fn default() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        SessionIds(AtomicU64::new(u64::try_from(since.as_micros()).unwrap_or_default()))
    }
}

impl SessionIds {
    /// A new id.
    pub fn next(&self) -> String {
        let mut number = self.0.fetch_add(1, Ordering::Relaxed);
        let mut digits = [b'0'; 11];
        for digit in digits.iter_mut().rev() {
            *digit = ALPHABET[(number % 32) as usize];
            number /= 32;
        }
        digits.iter().map(|&digit| char::from(digit)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_increase() {
        let ids = SessionIds::default();
        let (first, second) = (ids.next(), ids.next());
        assert!(first < second, "{first} {second}");
        assert_eq!(first.len(), 11);
    }
}
