//! NOOP and CHECK (RFC 9051 section 6.1.2, RFC 3501 section 6.4.1): the client hears what is new. There is nothing to
//! checkpoint: what was acknowledged is on disk.

use crate::answer::Answer;
use crate::completion::Completion;

/// Tells the news.
pub fn run() -> Answer {
    Completion::ok("Done").into()
}
