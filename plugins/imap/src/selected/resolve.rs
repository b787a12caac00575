//! From what a client writes (`1,3:*`, `$`, numbers or UIDs) to the messages that it knows of.

use std::ops::Range;

use dovetail_imap_grammar::{NoSuchMessage, RangeSet, SequenceSet};
use dovetail_sdk::store::UidRange;

use super::Selected;

/// Messages by their places in [`Selected::uids`]: ascending, apart from each other, never empty ranges.
pub type Places = Vec<Range<usize>>;

impl Selected {
    /// The messages that a set means. UIDs that the client cannot know of mean nothing.
    ///
    /// # Errors
    /// A message number that there is not.
    pub fn places(&self, set: &SequenceSet, by_uid: bool) -> Result<Places, NoSuchMessage> {
        let mut places = if by_uid {
            self.places_of_uids(&set.uids(self.uids.last().copied().unwrap_or(0)))
        } else {
            let exists = u32::try_from(self.uids.len()).unwrap_or(u32::MAX);
            let numbers = set.messages(exists)?;
            numbers.as_slice().iter().map(|&(first, last)| first as usize - 1..last as usize).collect()
        };
        if set.saved {
            places.extend(self.places_of_uids(&self.saved));
            places = join(places);
        }
        Ok(places)
    }

    /// The places of those UIDs that are known.
    pub fn places_of_uids(&self, uids: &RangeSet) -> Places {
        let mut places = Vec::new();
        let mut at = 0;
        for &(first, last) in uids.as_slice() {
            let Some(rest) = self.uids.get(at..) else { break };
            let start = at + rest.partition_point(|uid| *uid < first);
            let end = at + rest.partition_point(|uid| *uid <= last);
            if start < end {
                places.push(start..end);
            }
            at = end;
        }
        join(places)
    }

    /// The UIDs at these places, as ranges for the store. Between two neighbours there is no message that the client does
    /// not know of, so a range covers nothing else.
    pub fn uid_ranges(&self, places: &Places) -> Vec<UidRange> {
        let ends = |range: &Range<usize>| {
            let (first, last) = (self.uids.get(range.start)?, self.uids.get(range.end.checked_sub(1)?)?);
            Some(UidRange { first: *first, last: *last })
        };
        places.iter().filter_map(ends).collect()
    }

    /// The UIDs at these places, one by one.
    pub fn uids_at(&self, places: &Places) -> Vec<u32> {
        places.iter().filter_map(|range| self.uids.get(range.clone())).flatten().copied().collect()
    }
}

/// How many messages these are.
pub fn count(places: &Places) -> usize {
    places.iter().map(Range::len).sum()
}

/// What of a set is left among `uids` (ascending).
pub fn retain(set: &RangeSet, uids: &[u32]) -> RangeSet {
    let mut left = RangeSet::new();
    for &(first, last) in set.as_slice() {
        let from = uids.partition_point(|uid| *uid < first);
        let to = uids.partition_point(|uid| *uid <= last);
        uids.get(from..to).into_iter().flatten().for_each(|uid| left.push(*uid));
    }
    left
}

/// The store's ranges as a set.
pub fn from_store(ranges: &[UidRange]) -> RangeSet {
    RangeSet::from_unsorted(ranges.iter().map(|range| (range.first, range.last)).collect())
}

/// Sorts and joins.
fn join(mut places: Places) -> Places {
    places.sort_unstable_by_key(|range| range.start);
    let mut joined: Places = Vec::with_capacity(places.len());
    for range in places {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_shrink_to_what_is_left() {
        let set = RangeSet::from_unsorted(vec![(1, 5), (9, 20)]);
        assert_eq!(retain(&set, &[2, 3, 7, 10]).as_slice(), [(2, 3), (10, 10)]);
        assert!(retain(&set, &[]).is_empty());
    }

    #[test]
    fn places_join() {
        assert_eq!(join(vec![4..6, 0..2, 1..4, 8..9]), [0..6, 8..9]);
        assert_eq!(count(&vec![0..2, 8..9]), 3);
    }
}
