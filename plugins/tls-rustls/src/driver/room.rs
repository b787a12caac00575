//! Buffers that belong to a thread while nobody has something in them.

use std::cell::Cell;

/// A buffer larger than this is not kept.
const MAX_KEPT: usize = 256 << 10;

thread_local! {
    static INPUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static OUTPUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A buffer for the length of one poll.
pub(super) struct Room {
    // All of it is initialised; `len` of it is meant.
    octets: Vec<u8>,
    len: usize,
}

impl Room {
    /// A buffer of this length, with anything in it.
    pub(super) fn of(len: usize) -> Self {
        let mut octets = INPUT.take();
        if octets.len() < len {
            octets.resize(len, 0);
        }
        Room { octets, len }
    }

    /// The buffer.
    pub(super) fn octets(&mut self) -> &mut [u8] {
        self.octets.get_mut(..self.len).unwrap_or_default()
    }

    /// Appends octets.
    pub(super) fn push(&mut self, octets: &[u8]) {
        let end = self.len + octets.len();
        if self.octets.len() < end {
            self.octets.resize(end, 0);
        }
        if let Some(place) = self.octets.get_mut(self.len..end) {
            place.copy_from_slice(octets);
            self.len = end;
        }
    }

    /// Nothing is meant any more.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Whether nothing is meant.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        keep(&INPUT, std::mem::take(&mut self.octets));
    }
}

/// What is to be sent. While it is empty it holds no memory.
#[derive(Default)]
pub(super) struct Outgoing {
    // All of it is initialised; it is filled from `sent` to `filled`.
    octets: Vec<u8>,
    sent: usize,
    filled: usize,
}

impl Outgoing {
    /// What has not left yet.
    pub(super) fn filled(&self) -> &[u8] {
        self.octets.get(self.sent..self.filled).unwrap_or_default()
    }

    /// How much that is.
    pub(super) fn len(&self) -> usize {
        self.filled - self.sent
    }

    /// Whether all has left.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[cfg(test)]
    pub(super) fn is_bare(&self) -> bool {
        self.octets.capacity() == 0
    }

    /// So much has left.
    pub(super) fn consume(&mut self, count: usize) {
        self.sent = (self.sent + count).min(self.filled);
        if self.is_empty() {
            *self = {
                keep(&OUTPUT, std::mem::take(&mut self.octets));
                Outgoing::default()
            };
        }
    }

    /// Lets `write` put octets behind what is there, into room for `wanted` octets. It says how many it wrote, or how much
    /// room it needs; then it is asked again.
    pub(super) fn put(&mut self, wanted: usize, mut write: impl FnMut(&mut [u8]) -> Result<usize, usize>) {
        if self.octets.is_empty() {
            self.octets = OUTPUT.take();
        }
        let mut wanted = wanted;
        loop {
            if self.octets.len() < self.filled + wanted {
                self.octets.resize(self.filled + wanted, 0);
            }
            match write(self.octets.get_mut(self.filled..).unwrap_or_default()) {
                Ok(written) => {
                    self.filled += written;
                    break;
                }
                // It asks for more than it got, or nothing would help it.
                Err(needed) if needed > wanted => wanted = needed,
                Err(_) => break,
            }
        }
        if self.is_empty() {
            self.consume(0);
        }
    }
}

fn keep(place: &'static std::thread::LocalKey<Cell<Vec<u8>>>, octets: Vec<u8>) {
    if octets.capacity() <= MAX_KEPT {
        // A thread that ends has no place any more; then the buffer just goes.
        let _ = place.try_with(|place| place.set(octets));
    }
}
