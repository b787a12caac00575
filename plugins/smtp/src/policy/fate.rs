//! What was decided about a mail that is not refused.

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// It goes to the mailbox for junk.
    pub junk: bool,
    /// It is taken and thrown away.
    pub discard: bool,
}

impl Fate {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Fate) -> Fate {
        Fate { junk: self.junk || other.junk, discard: self.discard || other.discard }
    }
}
