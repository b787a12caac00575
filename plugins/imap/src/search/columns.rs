//! Keys that the view's columns answer.

use dovetail_imap_grammar::command::SearchKey;
use dovetail_imap_grammar::{Flag, RangeSet};
use dovetail_sdk::store::{column, flag, MessageColumns};

use crate::fetch::metadata::internal_date;
use crate::selected::Selected;

/// The columns that a key needs, keys within it included.
pub fn needed(key: &SearchKey) -> u32 {
    match key {
        SearchKey::And(keys) => keys.iter().map(needed).fold(0, |all, one| all | one),
        SearchKey::Or(left, right) => needed(left) | needed(right),
        SearchKey::Not(key) => needed(key),
        SearchKey::Flag(_) | SearchKey::NotFlag(_) | SearchKey::New => column::FLAGS,
        SearchKey::Before(_) | SearchKey::On(_) | SearchKey::Since(_) => column::DATES,
        SearchKey::Larger(_) | SearchKey::Smaller(_) => column::SIZES,
        SearchKey::Body(_) | SearchKey::Text(_) | SearchKey::Header { .. } => column::SIZES,
        _ => 0,
    }
}

/// What a message's row says to a key; `None` if the key is not one of those.
pub fn test(key: &SearchKey, selected: &Selected, rows: &MessageColumns, row: usize) -> Option<bool> {
    let uid = rows.uids.get(row).copied().unwrap_or(0);
    let flags = rows.flags.get(row).copied().unwrap_or(0);
    let size = rows.sizes.get(row).copied().unwrap_or(0);
    let day = || internal_date(rows, row).date();
    Some(match key {
        SearchKey::All => true,
        SearchKey::Flag(flag) => has(flag, flags, uid, selected),
        SearchKey::NotFlag(flag) => !has(flag, flags, uid, selected),
        SearchKey::Recent => selected.recent.has(uid),
        SearchKey::Old => !selected.recent.has(uid),
        SearchKey::New => selected.recent.has(uid) && flags & u64::from(flag::SEEN) == 0,
        SearchKey::Before(date) => day() < *date,
        SearchKey::On(date) => day() == *date,
        SearchKey::Since(date) => day() >= *date,
        SearchKey::Larger(octets) => size > *octets,
        SearchKey::Smaller(octets) => size < *octets,
        _ => return None,
    })
}

fn has(named: &Flag, flags: u64, uid: u32, selected: &Selected) -> bool {
    let bit = |bit: u32| flags & u64::from(bit) != 0;
    match named {
        Flag::Answered => bit(flag::ANSWERED),
        Flag::Flagged => bit(flag::FLAGGED),
        Flag::Deleted => bit(flag::DELETED),
        Flag::Seen => bit(flag::SEEN),
        Flag::Draft => bit(flag::DRAFT),
        Flag::Recent => selected.recent.has(uid),
        Flag::Keyword(word) => {
            let at = selected.keywords.iter().position(|known| known.eq_ignore_ascii_case(word));
            at.is_some_and(|at| flags >> flag::FIRST_KEYWORD & 1 << at != 0)
        }
        _ => false,
    }
}

/// The rows among `among` (ascending) whose UIDs are in a set. In time that grows with what is found, as a rule: most
/// searches find little.
pub fn rows_in(set: &RangeSet, rows: &MessageColumns, among: &[u32]) -> Vec<u32> {
    let mut found = Vec::new();
    let mut from = 0;
    for &(first, last) in set.as_slice() {
        let Some(rest) = rows.uids.get(from..) else { break };
        let start = from + rest.partition_point(|uid| *uid < first);
        from += rest.partition_point(|uid| *uid <= last);
        found.extend((start..from).filter_map(|row| u32::try_from(row).ok()));
    }
    if among.len() < rows.uids.len() {
        found.retain(|row| among.binary_search(row).is_ok());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_imap_grammar::{Command, Limits, Request};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_of_a_set_are_those_whose_uids_are_in_it(
            uids in prop::collection::btree_set(1u32..60, 0..40),
            set in prop::collection::btree_set(1u32..70, 0..40),
            skip in prop::collection::btree_set(0u32..40, 0..20),
        ) {
            let rows = MessageColumns { uids: uids.into_iter().collect(), ..MessageColumns::default() };
            let among: Vec<u32> = (0..rows.uids.len() as u32).filter(|row| !skip.contains(row)).collect();
            let expected: Vec<u32> =
                among.iter().copied().filter(|row| set.contains(&rows.uids[*row as usize])).collect();
            prop_assert_eq!(rows_in(&set.into_iter().collect(), &rows, &among), expected);
        }
    }

    #[test]
    fn keys_need_what_any_of_them_needs() {
        for (keys, columns) in [
            ("ALL", 0),
            ("1:* UID 3", 0),
            ("RECENT", 0),
            ("SEEN", column::FLAGS),
            ("NOT (OR KEYWORD x UNSEEN)", column::FLAGS),
            ("NEW", column::FLAGS),
            ("OR SINCE 1-Feb-2026 LARGER 5", column::DATES | column::SIZES),
            ("SUBJECT x", 0),
            ("BODY x SEEN", column::SIZES | column::FLAGS),
            ("HEADER X-A x", column::SIZES),
        ] {
            let request = Request::parse(format!("a SEARCH {keys}").as_bytes(), &Limits::default()).unwrap();
            let Command::Search(search) = request.command else { panic!("{keys}") };
            assert_eq!(needed(&search.key), columns, "{keys}");
        }
    }

    #[test]
    fn rows_are_picked_by_uid() {
        let rows = MessageColumns { uids: vec![3, 5, 8, 9], ..MessageColumns::default() };
        let set = RangeSet::from_unsorted(vec![(4, 8), (100, 200)]);
        assert_eq!(rows_in(&set, &rows, &[0, 1, 2, 3]), [1, 2]);
        assert_eq!(rows_in(&set, &rows, &[2, 3]), [2]);
    }
}
