//! Bytes that must not be seen: keys and passwords.

use abi_stable::{std_types::RVec, StableAbi};
use zeroize::Zeroize;

/// Secret bytes. `Debug` shows only the length; the memory is overwritten when the value is dropped, by the library that
/// made it.
#[repr(C)]
#[derive(StableAbi)]
pub struct Secret {
    bytes: RVec<u8>,
    wipe: unsafe extern "C" fn(*mut u8, usize),
}

impl Secret {
    /// Takes the bytes over. The vector's memory is the secret's memory: no copy stays behind.
    pub fn new(bytes: Vec<u8>) -> Self {
        Secret { bytes: bytes.into(), wipe }
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes as UTF-8, if they are that.
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        Secret::new(self.bytes.to_vec())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret::new(text.into_bytes())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({} bytes)", self.bytes.len())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // SAFETY: `wipe` was set together with `bytes` by `new`; pointer and capacity describe this vector's memory.
        unsafe { (self.wipe)(self.bytes.as_mut_ptr(), self.bytes.capacity()) }
    }
}

unsafe extern "C" fn wipe(start: *mut u8, len: usize) {
    if len > 0 {
        // SAFETY: the caller passes the whole memory of a live vector; what is not initialised is only written to.
        unsafe { std::slice::from_raw_parts_mut(start.cast::<std::mem::MaybeUninit<u8>>(), len) }.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_byte() {
        assert_eq!(format!("{:?}", Secret::from("hunter2".to_owned())), "Secret(7 bytes)");
    }
}
