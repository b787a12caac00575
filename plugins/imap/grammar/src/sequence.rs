//! Sequence sets: which messages a command is about (RFC 9051 section 9, `sequence-set`).
//!
//! A set is kept as it was sent, because `*` means something only for the mailbox as it is when the command runs.
//! [`SequenceSet::messages`] and [`SequenceSet::uids`] turn it into plain numbers then.

use crate::ranges::RangeSet;
use std::num::NonZeroU32;
use thiserror::Error;

/// Messages by number or UID, as the client wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequenceSet {
    /// The ranges in the order sent; a single number is a range with equal ends.
    pub ranges: Vec<SequenceRange>,
    /// Whether `$` stands in it: the result that the last `SEARCH RETURN (SAVE)` left (RFC 5182).
    pub saved: bool,
}

/// Two ends, in either order, and what lies between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceRange {
    /// The end written first.
    pub first: Bound,
    /// The other end.
    pub last: Bound,
}

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A message number or UID.
    Number(NonZeroU32),
    /// `*`: the largest in use.
    Largest,
}

/// A message number that the mailbox doesn't have: the answer is `BAD` (RFC 9051 section 9, `seq-number`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("No message has the number {number}: the mailbox holds {exists}")]
pub struct NoSuchMessage {
    /// The number asked for; 0 stands for `*` in an empty mailbox.
    pub number: u32,
    /// How many messages there are.
    pub exists: u32,
}

impl SequenceSet {
    /// The message numbers that are meant in a mailbox of so many messages. What `$` stands for is not among them.
    ///
    /// # Errors
    /// A number beyond `exists`; also `*` if the mailbox is empty.
    pub fn messages(&self, exists: u32) -> Result<RangeSet, NoSuchMessage> {
        for range in &self.ranges {
            for bound in [range.first, range.last] {
                let number = bound.resolve(exists);
                if number > exists || number == 0 {
                    return Err(NoSuchMessage { number, exists });
                }
            }
        }
        Ok(self.uids(exists))
    }

    /// The UIDs that are meant where `largest` is the mailbox's last one: `559:*` names that one even if it is smaller
    /// than 559. Not all of them need to exist. In an empty mailbox (0) `*` names nothing. Also for the message numbers
    /// of a search key, where `largest` is how many there are: those beyond it find nothing.
    pub fn uids(&self, largest: u32) -> RangeSet {
        let ends = self.ranges.iter().map(|range| {
            let (a, b) = (range.first.resolve(largest), range.last.resolve(largest));
            (a.min(b), a.max(b))
        });
        RangeSet::from_unsorted(ends.filter(|&(first, _)| first > 0).collect())
    }
}

impl Bound {
    fn resolve(self, largest: u32) -> u32 {
        match self {
            Bound::Number(number) => number.get(),
            Bound::Largest => largest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ranges: &[(u32, u32)]) -> SequenceSet {
        let bound = |n: u32| NonZeroU32::new(n).map_or(Bound::Largest, Bound::Number);
        let ranges = ranges.iter().map(|&(a, b)| SequenceRange { first: bound(a), last: bound(b) }).collect();
        SequenceSet { ranges, saved: false }
    }

    #[test]
    fn examples_of_the_rfc() {
        // "2,4:7,9,12:*" of 15; "*:4,5:7" of 10. 0 stands for `*` here.
        let one = set(&[(2, 2), (4, 7), (9, 9), (12, 0)]).messages(15).unwrap();
        assert_eq!(one.iter().collect::<Vec<_>>(), [2, 4, 5, 6, 7, 9, 12, 13, 14, 15]);
        let two = set(&[(0, 4), (5, 7)]).messages(10).unwrap();
        assert_eq!(two.iter().collect::<Vec<_>>(), [4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn a_star_is_the_last_uid_even_below_the_other_end() {
        assert_eq!(set(&[(3291, 0)]).uids(500).as_slice(), [(500, 3291)]);
        assert_eq!(set(&[(0, 0)]).uids(7).as_slice(), [(7, 7)]);
        assert!(set(&[(0, 0)]).uids(0).is_empty());
    }

    #[test]
    fn numbers_that_the_mailbox_lacks_are_refused() {
        assert_eq!(set(&[(1, 1), (4, 2)]).messages(3), Err(NoSuchMessage { number: 4, exists: 3 }));
        assert_eq!(set(&[(0, 0)]).messages(0), Err(NoSuchMessage { number: 0, exists: 0 }));
        assert!(set(&[(0, 0)]).messages(1).is_ok());
    }
}
