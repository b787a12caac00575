//! VRFY (RFC 5321 sections 4.1.1.6 and 7.3): answers so that nobody learns who has a mailbox here.

use dovetail_mail::EnhancedStatus;

use crate::reply::Reply;

/// `VRFY user`.
#[derive(Debug, PartialEq, Eq)]
pub struct Vrfy;

impl Vrfy {
    /// Wants an argument, and doesn't look at it.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        if args.is_empty() {
            return Err(Reply::refuse(501, 5, 4, "Syntax: VRFY user"));
        }
        Ok(Vrfy)
    }

    /// `252` whoever is asked for.
    pub fn run(self) -> Reply {
        Reply::new(252, EnhancedStatus::success(5, 0), "Cannot verify; send the mail and see")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_nothing() {
        assert_eq!(Vrfy::parse(b"").unwrap_err().code(), 501);
        assert_eq!(Vrfy::parse(b"ann").unwrap().run().code(), 252);
    }
}
