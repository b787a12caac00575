//! Which messages are `\Recent` here: those of which this session is the first to be told (RFC 3501 section 2.3.2; RFC 9051
//! has done away with it).
//!
//! Bounds: a range for each time that messages came in several sessions' turns; neighbours are joined.

/// Ascending ranges of UIDs, both ends included.
#[derive(Clone, Debug, Default)]
pub struct Recent(Vec<(u32, u32)>);

impl Recent {
    /// These are recent here.
    pub fn add(&mut self, first: u32, last: u32) {
        if first == 0 || first > last {
            return;
        }
        match self.0.last_mut() {
            Some((_, end)) if *end >= last => {}
            Some((_, end)) if first <= end.saturating_add(1) => *end = last,
            _ => self.0.push((first, last)),
        }
    }

    /// Whether a message is recent.
    pub fn has(&self, uid: u32) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= uid);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, last)| uid <= *last)
    }

    /// How many of these (ascending) are.
    pub fn count(&self, uids: &[u32]) -> usize {
        let below = |limit: u32| uids.partition_point(|uid| *uid < limit);
        let to = |last: u32| uids.partition_point(|uid| *uid <= last);
        self.0.iter().map(|(first, last)| to(*last).saturating_sub(below(*first))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_grow_and_count() {
        let mut recent = Recent::default();
        recent.add(3, 5);
        recent.add(6, 6);
        recent.add(9, 10);
        recent.add(9, 10);
        recent.add(0, 4);
        recent.add(12, 11);
        assert_eq!(recent.0, [(3, 6), (9, 10)]);
        assert!(
            !recent.has(2) && recent.has(3) && recent.has(6) && !recent.has(7) && recent.has(10) && !recent.has(11)
        );
        assert_eq!(recent.count(&[1, 3, 6, 7, 8, 10, 20]), 3);
        assert_eq!(Recent::default().count(&[1, 2]), 0);
    }
}
