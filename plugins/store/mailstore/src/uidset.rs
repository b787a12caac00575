//! Sets of UIDs as sorted, disjoint, closed ranges. Bound: [`UidSet::MAX_RANGES`] when decoded.

/// A message's number in its mailbox, from 1; never reused (RFC 9051 section 2.3.1.1).
pub type Uid = u32;

/// A set of UIDs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UidSet {
    ranges: Vec<(Uid, Uid)>,
}

impl UidSet {
    /// The most ranges that a stored set may have.
    pub const MAX_RANGES: usize = 100_000;

    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every UID.
    pub fn all() -> Self {
        UidSet { ranges: vec![(1, Uid::MAX)] }
    }

    /// The UIDs from `first` to `last`, both included.
    pub fn range(first: Uid, last: Uid) -> Self {
        let mut set = Self::new();
        set.insert_range(first, last);
        set
    }

    /// Adds one UID. Cheapest in ascending order.
    pub fn insert(&mut self, uid: Uid) {
        self.insert_range(uid, uid);
    }

    /// Adds the UIDs from `first` to `last`; nothing if they are the wrong way round.
    pub fn insert_range(&mut self, first: Uid, last: Uid) {
        if first > last {
            return;
        }
        // What ends right before `first` or later may touch the new range; what starts right after `last` or earlier too.
        let from = self.ranges.partition_point(|r| r.1 < first.saturating_sub(1));
        let to = self.ranges.partition_point(|r| r.0 <= last.saturating_add(1));
        if from >= to {
            self.ranges.insert(from, (first, last));
            return;
        }
        let merged = (first.min(self.ranges[from].0), last.max(self.ranges[to - 1].1));
        self.ranges.splice(from..to, [merged]);
    }

    /// Whether `uid` is in the set.
    pub fn contains(&self, uid: Uid) -> bool {
        let at = self.ranges.partition_point(|r| r.1 < uid);
        self.ranges.get(at).is_some_and(|r| r.0 <= uid)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many UIDs are in the set.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|r| u64::from(r.1 - r.0) + 1).sum()
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[(Uid, Uid)] {
        &self.ranges
    }

    /// The UIDs, ascending. `all()` has four thousand million of them.
    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.ranges.iter().flat_map(|r| r.0..=r.1)
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(uids: I) -> Self {
        let mut set = Self::new();
        uids.into_iter().for_each(|uid| set.insert(uid));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_like_a_plain_set(ranges in prop::collection::vec((0u32..60, 0u32..12), 0..20)) {
            let mut set = UidSet::new();
            let mut plain = BTreeSet::new();
            for (first, extra) in ranges {
                set.insert_range(first, first + extra);
                plain.extend(first..=first + extra);
            }
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), plain.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(set.len(), plain.len() as u64);
            prop_assert!((0..80).all(|uid| set.contains(uid) == plain.contains(&uid)));
            prop_assert!(set.ranges().windows(2).all(|w| w[0].1 + 1 < w[1].0), "ranges touch: {:?}", set.ranges());
        }
    }

    #[test]
    fn the_largest_uid_fits() {
        let mut set = UidSet::range(Uid::MAX, Uid::MAX);
        set.insert_range(1, Uid::MAX);
        assert_eq!(set, UidSet::all());
        assert!(set.contains(Uid::MAX));
        assert_eq!(set.len(), u64::from(Uid::MAX));
    }
}
