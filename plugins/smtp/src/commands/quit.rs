//! QUIT (RFC 5321 section 4.1.1.10): the polite end. A mail that was begun is forgotten.

use dovetail_mail::EnhancedStatus;

use crate::reply::Reply;
use crate::state::no_arguments;

/// `QUIT`.
#[derive(Debug, PartialEq, Eq)]
pub struct Quit;

impl Quit {
    /// Has no arguments.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        no_arguments(args).map(|()| Quit)
    }

    /// The last reply.
    pub fn run(self) -> Reply {
        Reply::new(221, EnhancedStatus::success(0, 0), "Bye")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_bye() {
        assert_eq!(Quit.run().code(), 221);
    }
}
