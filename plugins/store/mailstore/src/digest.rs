//! The digest that a message's row keeps of its body, to notice damage.

use std::hash::Hasher;

use twox_hash::XxHash3_64;

/// XXH3-64 of bytes that come piece by piece.
#[derive(Clone)]
pub struct Digest(XxHash3_64);

impl Digest {
    /// Of nothing yet.
    pub fn new() -> Self {
        Digest(XxHash3_64::new())
    }

    /// Adds bytes at the end.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// The digest of what was added so far.
    pub fn value(&self) -> u64 {
        self.0.finish()
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryBackend;
    use crate::{Options, Store};
    use std::sync::Arc;

    #[test]
    fn it_is_the_one_of_a_sealed_body_in_whatever_pieces_it_comes() {
        let store = Store::open(Arc::new(MemoryBackend::default()), Options::default()).unwrap();
        for size in [0, 1, 300, 5_000] {
            let bytes: Vec<u8> = (0..size).map(|n: usize| n as u8).collect();
            let mut sink = store.begin_body(0).unwrap();
            sink.write(&bytes).unwrap();
            let mut digest = Digest::new();
            bytes.chunks(77).for_each(|piece| digest.push(piece));
            assert_eq!(digest.value(), sink.seal().unwrap().digest());
        }
    }
}
