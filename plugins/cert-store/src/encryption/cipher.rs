//! Decrypting with a block cipher in CBC mode, or RC4: what is found in old and new key files.
//!
//! `None` is padding that isn't padding: almost always a wrong password.

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use cbc::Decryptor;
use des::{Des, TdesEde2, TdesEde3};
use rc2::Rc2;
use zeroize::Zeroizing;

/// A cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// DES in CBC mode.
    Des,
    /// DES with three keys, in CBC mode.
    TripleDes,
    /// DES with two keys, in CBC mode.
    TwoKeyTripleDes,
    /// AES in CBC mode, with a key of so many bytes: 16, 24 or 32.
    Aes(usize),
    /// RC2 in CBC mode (RFC 2268).
    Rc2 {
        /// The key's length, in bytes.
        key: usize,
        /// How many bits of it count.
        effective_bits: usize,
    },
    /// RC4, with a key of so many bytes.
    Rc4(usize),
}

impl Cipher {
    /// The length of its key, in bytes.
    pub fn key_len(self) -> usize {
        match self {
            Self::Des => 8,
            Self::TripleDes => 24,
            Self::TwoKeyTripleDes => 16,
            Self::Aes(key) | Self::Rc2 { key, .. } | Self::Rc4(key) => key,
        }
    }

    /// The length of its initial vector, which is that of a block; 0 for RC4, which has neither.
    pub fn block_len(self) -> usize {
        match self {
            Self::Aes(_) => 16,
            Self::Rc4(_) => 0,
            _ => 8,
        }
    }

    /// Whether a ciphertext can have this length.
    pub fn fits(self, len: usize) -> bool {
        len > 0 && (self.block_len() == 0 || len.is_multiple_of(self.block_len()))
    }

    /// Decrypts and takes the padding away.
    pub fn open(self, key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Des => keyed(Des::new_from_slice(key).ok()?, iv, ciphertext),
            Self::TripleDes => keyed(TdesEde3::new_from_slice(key).ok()?, iv, ciphertext),
            Self::TwoKeyTripleDes => keyed(TdesEde2::new_from_slice(key).ok()?, iv, ciphertext),
            Self::Aes(16) => keyed(Aes128::new_from_slice(key).ok()?, iv, ciphertext),
            Self::Aes(24) => keyed(Aes192::new_from_slice(key).ok()?, iv, ciphertext),
            Self::Aes(_) => keyed(Aes256::new_from_slice(key).ok()?, iv, ciphertext),
            Self::Rc2 { effective_bits, .. } => {
                // Outside these bounds the cipher would panic.
                if key.is_empty() || key.len() > 128 || !(1..=1024).contains(&effective_bits) {
                    return None;
                }
                keyed(Rc2::new_with_eff_key_len(key, effective_bits), iv, ciphertext)
            }
            Self::Rc4(_) => Some(rc4(key, ciphertext)),
        }
    }
}

fn keyed<C: BlockCipherDecrypt>(cipher: C, iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let mode = Decryptor::inner_iv_slice_init(cipher, iv).ok()?;
    let len = mode.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
    buffer.truncate(len);
    Some(buffer)
}

/// RC4 (RFC 6229 has its vectors). The key isn't empty.
fn rc4(key: &[u8], ciphertext: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut state = Zeroizing::new([0u8; 256]);
    for (place, number) in state.iter_mut().zip(0..=255) {
        *place = number;
    }
    let mut j = 0u8;
    for (i, &byte) in (0..=255u8).zip(key.iter().cycle()) {
        j = j.wrapping_add(state[usize::from(i)]).wrapping_add(byte);
        state.swap(usize::from(i), usize::from(j));
    }
    let (mut i, mut j) = (0u8, 0u8);
    let next = |&byte: &u8| {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        byte ^ state[usize::from(state[usize::from(i)].wrapping_add(state[usize::from(j)]))]
    };
    Zeroizing::new(ciphertext.iter().map(next).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rc4_gives_the_stream_of_rfc_6229() {
        // Keys of 40 and 128 bits, offset 0.
        let stream = rc4(&[1, 2, 3, 4, 5], &[0; 16]);
        assert_eq!(stream[..], *b"\xb2\x39\x63\x05\xf0\x3d\xc0\x27\xcc\xc3\x52\x4a\x0a\x11\x18\xa8");
        let key: Vec<u8> = (1..=16).collect();
        let stream = rc4(&key, &[0; 16]);
        assert_eq!(stream[..], *b"\x9a\xc7\xcc\x9a\x60\x9d\x1e\xf7\xb2\x93\x28\x99\xcd\xe4\x1b\x97");
    }

    #[test]
    fn unfit_lengths_are_known_before() {
        assert!(Cipher::Aes(16).fits(32) && !Cipher::Aes(16).fits(24) && !Cipher::Aes(16).fits(0));
        assert!(Cipher::Des.fits(24) && !Cipher::Des.fits(23));
        assert!(Cipher::Rc4(5).fits(1) && !Cipher::Rc4(5).fits(0));
    }

    #[test]
    fn keys_and_vectors_of_a_wrong_length_open_nothing() {
        for cipher in [
            Cipher::Des,
            Cipher::TripleDes,
            Cipher::TwoKeyTripleDes,
            Cipher::Aes(16),
            Cipher::Aes(24),
            Cipher::Aes(32),
            Cipher::Rc2 { key: 5, effective_bits: 2000 },
        ] {
            assert!(cipher.open(b"123", &vec![0; cipher.block_len()], &[0; 32]).is_none(), "{cipher:?}");
            assert!(cipher.open(&vec![1; cipher.key_len()], b"123", &[0; 32]).is_none(), "{cipher:?}");
        }
    }
}
