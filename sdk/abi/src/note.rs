//! Writing the manifest into the plugin's file, at compile time.

use crate::manifest::{KERNEL, MAGIC, NOTE_TYPE, OWNER};

/// The length of the descriptor for these parts.
pub const fn descriptor_len(parts: &[&str]) -> usize {
    let mut len = 4 + MAGIC.len() + 4;
    let mut i = 0;
    while i < parts.len() {
        len += parts[i].len();
        i += 1;
    }
    len
}

/// An ELF note with our manifest; goes into [`crate::manifest::SECTION`].
#[repr(C, align(4))]
pub struct Note<const N: usize> {
    name_len: u32,
    descriptor_len: u32,
    kind: u32,
    name: [u8; 12],
    descriptor: [u8; N],
}

impl<const N: usize> Note<N> {
    /// Makes the note of parts that are written one after the other. `N` must be [`descriptor_len`] of them.
    pub const fn new(parts: &[&str]) -> Self {
        let mut name = [0; 12];
        let mut i = 0;
        while i < OWNER.len() {
            name[i] = OWNER[i];
            i += 1;
        }
        let mut descriptor = [0; N];
        let mut at = put(&mut descriptor, 0, &((N - 4) as u32).to_le_bytes());
        at = put(&mut descriptor, at, MAGIC);
        at = put(&mut descriptor, at, &KERNEL.to_le_bytes());
        let mut i = 0;
        while i < parts.len() {
            at = put(&mut descriptor, at, parts[i].as_bytes());
            i += 1;
        }
        assert!(at == N, "the note's length does not fit its parts");
        Note { name_len: OWNER.len() as u32, descriptor_len: N as u32, kind: NOTE_TYPE, name, descriptor }
    }

    /// The descriptor, as a reader of the file sees it.
    pub const fn descriptor(&self) -> &[u8] {
        &self.descriptor
    }
}

const fn put<const N: usize>(into: &mut [u8; N], at: usize, bytes: &[u8]) -> usize {
    let mut i = 0;
    while i < bytes.len() {
        into[at + i] = bytes[i];
        i += 1;
    }
    at + bytes.len()
}
