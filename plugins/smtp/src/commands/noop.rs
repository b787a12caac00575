//! NOOP (RFC 5321 section 4.1.1.9): does nothing, whatever its argument.

use crate::reply::Reply;

/// `NOOP [anything]`.
#[derive(Debug, PartialEq, Eq)]
pub struct Noop;

impl Noop {
    /// Says that it was heard.
    pub fn run(self) -> Reply {
        Reply::ok(0, 0, "Ok")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_heard() {
        assert_eq!(Noop.run().code(), 250);
    }
}
