//! Plain sets of message numbers or UIDs: sorted ranges that don't touch each other.

/// A set of numbers, kept as ranges. It grows at its end, is searched in logarithmic time, and writes as `1:3,5`
/// ([`crate::encode::set`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeSet(Vec<(u32, u32)>);

impl RangeSet {
    /// A set of nothing.
    pub const fn new() -> Self {
        RangeSet(Vec::new())
    }

    /// Sorts and joins ranges. Both ends belong to a range; one with its larger end first holds nothing.
    pub fn from_unsorted(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.retain(|&(first, last)| first <= last);
        ranges.sort_unstable();
        let mut set = RangeSet(Vec::with_capacity(ranges.len()));
        for (first, last) in ranges {
            match set.0.last_mut() {
                Some(end) if first <= end.1.saturating_add(1) => end.1 = end.1.max(last),
                _ => set.0.push((first, last)),
            }
        }
        set
    }

    /// Adds a number that is larger than all before; others are put in their place, slowly.
    pub fn push(&mut self, number: u32) {
        match self.0.last_mut() {
            Some(end) if number > end.1 && number - end.1 == 1 => end.1 = number,
            Some(end) if (end.0..=end.1).contains(&number) => {}
            Some(end) if number < end.0 => {
                self.0.push((number, number));
                *self = Self::from_unsorted(std::mem::take(&mut self.0));
            }
            _ => self.0.push((number, number)),
        }
    }

    /// What is in either.
    pub fn union(&self, other: &RangeSet) -> RangeSet {
        Self::from_unsorted(self.0.iter().chain(&other.0).copied().collect())
    }

    /// What is in both, in time that grows with the number of ranges.
    pub fn intersection(&self, other: &RangeSet) -> RangeSet {
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut common = Vec::new();
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            let (first, last) = (a.0.max(b.0), a.1.min(b.1));
            if first <= last {
                common.push((first, last));
            }
            if a.1 < b.1 {
                mine.next();
            } else {
                theirs.next();
            }
        }
        RangeSet(common)
    }

    /// Whether the number is in it.
    pub fn contains(&self, number: u32) -> bool {
        let after = self.0.partition_point(|&(first, _)| first <= number);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|&(_, last)| number <= last)
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers are in it.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|&(first, last)| u64::from(last - first) + 1).sum()
    }

    /// The smallest number.
    pub fn min(&self) -> Option<u32> {
        self.0.first().map(|&(first, _)| first)
    }

    /// The largest number.
    pub fn max(&self) -> Option<u32> {
        self.0.last().map(|&(_, last)| last)
    }

    /// The ranges: ascending, apart from each other by at least one number.
    pub fn as_slice(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// The numbers, ascending. A client's `1:*` may stand for four billion: go through the mailbox instead, and ask
    /// [`RangeSet::contains`], unless the set was made from what is there.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|&(first, last)| first..=last)
    }
}

impl FromIterator<u32> for RangeSet {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        Self::from_unsorted(numbers.into_iter().map(|n| (n, n)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn neighbours_join() {
        let set: RangeSet = [5, 1, 2, 3, 3].into_iter().collect();
        assert_eq!(set.as_slice(), [(1, 3), (5, 5)]);
        assert_eq!((set.count(), set.min(), set.max()), (4, Some(1), Some(5)));
        let ends = RangeSet::from_unsorted(vec![(u32::MAX, u32::MAX), (1, u32::MAX), (9, 3)]);
        assert_eq!(ends.as_slice(), [(1, u32::MAX)]);
    }

    fn numbers() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec(prop_oneof![1u32..60, (u32::MAX - 5)..=u32::MAX], 0..40)
    }

    proptest! {
        #[test]
        fn behaves_like_a_set(a in numbers(), b in numbers()) {
            let (left, right): (BTreeSet<u32>, BTreeSet<u32>) = (a.iter().copied().collect(), b.iter().copied().collect());
            let mut set = RangeSet::new();
            a.iter().for_each(|&n| set.push(n));
            prop_assert_eq!(&set, &a.iter().copied().collect::<RangeSet>());
            prop_assert!(set.iter().eq(left.iter().copied()));
            prop_assert!(set.as_slice().windows(2).all(|w| w[0].1 + 1 < w[1].0));
            for n in (0..62).chain([u32::MAX]) {
                prop_assert_eq!(set.contains(n), left.contains(&n));
            }
            let other: RangeSet = b.iter().copied().collect();
            prop_assert!(set.union(&other).iter().eq(left.union(&right).copied()));
            prop_assert!(set.intersection(&other).iter().eq(left.intersection(&right).copied()));
        }
    }
}
