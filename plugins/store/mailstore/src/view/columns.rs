//! The messages of a mailbox in columns: what is asked for is copied in long runs, and nothing else is touched.
//!
//! Bound: 58 octets a message. All columns have the same length; UIDs ascend.

use std::ops::Range;

use crate::types::{MessageRow, ModSeq};
use crate::uidset::{Uid, UidSet};

/// Messages by ascending UID; the nth entries of all columns belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// UIDs.
    pub uids: Vec<Uid>,
    /// Flag words.
    pub flags: Vec<u64>,
    /// Modification sequences.
    pub modseqs: Vec<ModSeq>,
    /// Sizes in bytes.
    pub sizes: Vec<u32>,
    /// Internal dates, milliseconds since 1970 in UTC.
    pub dates: Vec<i64>,
    /// The internal dates' offsets from UTC in minutes.
    pub zones: Vec<i16>,
    /// When they came into the mailbox, seconds since 1970.
    pub save_dates: Vec<i64>,
    /// Numbers of their bodies.
    pub bodies: Vec<u64>,
    /// XXH3-64 of their bodies.
    pub digests: Vec<u64>,
}

impl Columns {
    pub(super) fn with_capacity(messages: usize) -> Self {
        Columns {
            uids: Vec::with_capacity(messages),
            flags: Vec::with_capacity(messages),
            modseqs: Vec::with_capacity(messages),
            sizes: Vec::with_capacity(messages),
            dates: Vec::with_capacity(messages),
            zones: Vec::with_capacity(messages),
            save_dates: Vec::with_capacity(messages),
            bodies: Vec::with_capacity(messages),
            digests: Vec::with_capacity(messages),
        }
    }

    /// Where a message is in the columns.
    pub fn find(&self, uid: Uid) -> Option<usize> {
        self.uids.binary_search(&uid).ok()
    }

    /// Where the messages are whose UIDs are in `uids` (all if there are no ranges; others must ascend) and that were
    /// changed after `since` (0: all of them), as runs of places, ascending.
    pub fn select(&self, uids: &[(Uid, Uid)], since: ModSeq) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        let mut add = |run: Range<usize>| match since {
            0 if run.is_empty() => {}
            0 => runs.push(run),
            _ => changed_after(&self.modseqs, run, since, &mut runs),
        };
        if uids.is_empty() {
            add(0..self.uids.len());
        }
        let mut at = 0;
        for &(first, last) in uids {
            let start = seek(&self.uids, at, first);
            at = match last.checked_add(1) {
                Some(after) => seek(&self.uids, start, after),
                None => self.uids.len(),
            };
            add(start..at);
        }
        runs
    }

    pub(super) fn push(&mut self, row: &MessageRow) {
        self.uids.push(row.uid);
        self.flags.push(row.flags.0);
        self.modseqs.push(row.modseq);
        self.sizes.push(row.size);
        self.dates.push(row.internal_date.milliseconds);
        self.zones.push(row.internal_date.offset);
        self.save_dates.push(row.save_date);
        self.bodies.push(row.body.0);
        self.digests.push(row.digest);
    }

    /// Takes over new and changed messages, ascending; what changes in a message are its flags. `false` if a message
    /// should be there and isn't: then the columns are not what the changes were made to.
    pub(super) fn upsert(&mut self, rows: &[MessageRow]) -> bool {
        let mut at = 0;
        for row in rows {
            if self.uids.last().is_none_or(|last| *last < row.uid) {
                self.push(row);
                continue;
            }
            at = seek(&self.uids, at, row.uid);
            if self.uids.get(at) != Some(&row.uid) {
                return false;
            }
            self.flags[at] = row.flags.0;
            self.modseqs[at] = row.modseq;
        }
        true
    }

    /// Removes messages; says whether there were any.
    pub(super) fn remove(&mut self, gone: &UidSet) -> bool {
        let kept = self.complement(gone);
        if kept.iter().map(ExactSizeIterator::len).sum::<usize>() == self.uids.len() {
            return false;
        }
        compact(&mut self.uids, &kept);
        compact(&mut self.flags, &kept);
        compact(&mut self.modseqs, &kept);
        compact(&mut self.sizes, &kept);
        compact(&mut self.dates, &kept);
        compact(&mut self.zones, &kept);
        compact(&mut self.save_dates, &kept);
        compact(&mut self.bodies, &kept);
        compact(&mut self.digests, &kept);
        true
    }

    /// The places of messages that are not in `uids`, as runs.
    fn complement(&self, uids: &UidSet) -> Vec<Range<usize>> {
        let mut kept = Vec::new();
        let mut start = 0;
        for run in self.select(uids.ranges(), 0).into_iter().filter(|_| !uids.is_empty()) {
            if start < run.start {
                kept.push(start..run.start);
            }
            start = run.end;
        }
        if start < self.uids.len() {
            kept.push(start..self.uids.len());
        }
        kept
    }
}

/// Copies the entries at `runs` out of a column.
pub fn gather<T: Copy>(column: &[T], runs: &[Range<usize>]) -> Vec<T> {
    let mut found = Vec::with_capacity(runs.iter().map(ExactSizeIterator::len).sum());
    for run in runs {
        found.extend_from_slice(column.get(run.clone()).unwrap_or_default());
    }
    found
}

/// Like [`gather`], into a wider type.
pub fn gather_into<T: Copy + Into<U>, U>(column: &[T], runs: &[Range<usize>]) -> Vec<U> {
    let mut found = Vec::with_capacity(runs.iter().map(ExactSizeIterator::len).sum());
    for run in runs {
        found.extend(column.get(run.clone()).unwrap_or_default().iter().map(|entry| (*entry).into()));
    }
    found
}

/// The first place from `at` on whose UID is not less than `uid`: in doubling steps, since what is looked for in turn is
/// mostly near.
fn seek(uids: &[Uid], at: usize, uid: Uid) -> usize {
    let rest = uids.get(at..).unwrap_or_default();
    let mut step = 1;
    while rest.get(step - 1).is_some_and(|found| *found < uid) {
        step *= 2;
    }
    let (from, to) = (step / 2, step.min(rest.len()));
    at + from + rest[from..to].partition_point(|found| *found < uid)
}

fn changed_after(modseqs: &[ModSeq], within: Range<usize>, since: ModSeq, runs: &mut Vec<Range<usize>>) {
    let mut start = None;
    let mut at = within.start;
    for chunk in modseqs.get(within.clone()).unwrap_or_default().chunks(CHUNK) {
        // Mostly nothing has changed, which is seen much faster than where.
        if start.is_some() || chunk.iter().fold(0, |highest, modseq| highest.max(*modseq)) > since {
            for (place, modseq) in (at..).zip(chunk) {
                match (start, *modseq > since) {
                    (None, true) => start = Some(place),
                    (Some(first), false) => {
                        runs.push(first..place);
                        start = None;
                    }
                    _ => {}
                }
            }
        }
        at += chunk.len();
    }
    runs.extend(start.map(|first| first..within.end));
}

/// Entries that are looked at together.
const CHUNK: usize = 32;

/// Keeps only the entries at `kept`, which ascend.
fn compact<T: Copy>(column: &mut Vec<T>, kept: &[Range<usize>]) {
    let mut end = 0;
    for run in kept {
        column.copy_within(run.clone(), end);
        end += run.len();
    }
    column.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{BodyId, DateTime, Flags};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn row(uid: Uid, modseq: ModSeq) -> MessageRow {
        MessageRow {
            uid,
            modseq,
            flags: Flags(modseq % 32),
            size: uid * 3,
            internal_date: DateTime { milliseconds: i64::from(uid), offset: 60 },
            save_date: i64::from(uid) + 1,
            body: BodyId(u64::from(uid) + 2),
            digest: u64::from(uid) + 3,
            thread: 0,
        }
    }

    fn columns<'a>(rows: impl IntoIterator<Item = &'a MessageRow>) -> Columns {
        let mut columns = Columns::default();
        rows.into_iter().for_each(|row| columns.push(row));
        columns
    }

    proptest! {
        #[test]
        fn columns_are_what_a_map_of_rows_is(
            uids in prop::collection::btree_set(1u32..80, 0..40),
            modseqs in prop::collection::vec(1u64..20, 80),
            changed in prop::collection::btree_set(1u32..120, 0..40),
            gone in prop::collection::btree_set(1u32..120, 0..40),
            ranges in prop::collection::vec((1u32..40, 0u32..5), 0..5),
            since in 0u64..20,
        ) {
            let mut map: BTreeMap<Uid, MessageRow> =
                uids.iter().map(|uid| (*uid, row(*uid, modseqs[*uid as usize]))).collect();
            let mut mine = columns(map.values());
            // Known ones change, and those after the last are new.
            let last = uids.last().copied().unwrap_or(0);
            let rows: Vec<MessageRow> = changed
                .iter()
                .filter(|uid| uids.contains(uid) || **uid > last)
                .map(|uid| MessageRow { modseq: 30, flags: Flags(9), ..row(*uid, 30) })
                .collect();
            prop_assert!(mine.upsert(&rows));
            map.extend(rows.into_iter().map(|row| (row.uid, row)));
            prop_assert_eq!(&mine, &columns(map.values()));
            let gone: UidSet = gone.into_iter().collect();
            prop_assert_eq!(mine.remove(&gone), map.keys().any(|uid| gone.contains(*uid)));
            map.retain(|uid, _| !gone.contains(*uid));
            prop_assert_eq!(&mine, &columns(map.values()));
            let mut ascending = UidSet::new();
            ranges.iter().for_each(|(first, more)| ascending.insert_range(*first, first + more));
            let wanted = |row: &&MessageRow| {
                (ascending.is_empty() || ascending.contains(row.uid)) && row.modseq > since
            };
            let runs = mine.select(ascending.ranges(), since);
            prop_assert_eq!(
                gather(&mine.uids, &runs),
                map.values().filter(wanted).map(|row| row.uid).collect::<Vec<_>>()
            );
            prop_assert_eq!(
                gather_into::<_, u64>(&mine.sizes, &runs),
                map.values().filter(wanted).map(|row| u64::from(row.size)).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_change_to_what_is_not_there_is_noticed() {
        let mut mine = columns(&[row(1, 1), row(3, 1)]);
        assert!(!mine.upsert(&[row(2, 5)]));
        assert!(mine.upsert(&[row(3, 5), row(4, 5)]));
        assert_eq!(mine.uids, [1, 3, 4]);
        assert_eq!((mine.find(3), mine.find(2)), (Some(1), None));
    }

    #[test]
    fn ranges_reach_to_the_last_uid() {
        let mine = columns(&[row(1, 1), row(1_000_000_000, 1)]);
        assert_eq!(gather(&mine.uids, &mine.select(&[(2, Uid::MAX)], 0)), [1_000_000_000]);
        assert_eq!(mine.select(&[(Uid::MAX, Uid::MAX)], 0), []);
    }
}
