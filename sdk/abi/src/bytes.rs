//! Octets that cross the boundary as they are.

use crate::wire_as_is;
use abi_stable::{std_types::RVec, StableAbi};
use std::{fmt, ops::Deref};

/// Owned octets that are read where they were made: unlike a `Vec<u8>`, which whoever gets it from another library has to copy
/// into memory of its own. For bodies of messages, of which there are many.
#[repr(transparent)]
#[derive(Clone, Default, PartialEq, Eq, StableAbi)]
pub struct Bytes(RVec<u8>);
wire_as_is!(Bytes);

impl Bytes {
    /// As a vector of one's own; a copy, if they were made elsewhere.
    pub fn into_vec(self) -> Vec<u8> {
        self.0.into_vec()
    }
}

impl From<Vec<u8>> for Bytes {
    /// Without a copy.
    fn from(octets: Vec<u8>) -> Self {
        Bytes(octets.into())
    }
}

impl From<&[u8]> for Bytes {
    fn from(octets: &[u8]) -> Self {
        octets.to_vec().into()
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    /// Only how many: what is in a message belongs into no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Wire;

    #[test]
    fn octets_stay_where_they_are() {
        let octets = vec![1, 2, 3];
        let place = octets.as_ptr();
        let crossed = Bytes::from_abi(Bytes::from(octets).into_abi());
        assert_eq!((crossed.as_ptr(), &*crossed), (place, [1, 2, 3].as_slice()));
        assert_eq!(format!("{crossed:?}"), "Bytes(3)");
        assert_eq!(crossed.into_vec(), [1, 2, 3]);
    }
}
