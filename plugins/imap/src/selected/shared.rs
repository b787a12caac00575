//! Lists of UIDs, shared by the sessions that have the same one: ten clients in one mailbox keep one list, and a thousand
//! sessions that wait in IDLE keep no more than their mailboxes hold.
//!
//! Bounds: lists live as long as a session has them; the table forgets them when it has grown to twice its living entries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A mailbox: its account and its number there.
type Key = (String, u32);

/// The lists in use.
#[derive(Debug, Default)]
pub struct SharedLists {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    lists: HashMap<Key, Weak<Vec<u32>>>,
    sweep_at: usize,
}

impl SharedLists {
    /// The list that others have, if it is the same; else `list` for others to share.
    pub fn share(&self, account: &str, mailbox: u32, list: Arc<Vec<u32>>) -> Arc<Vec<u32>> {
        if list.len() < WORTH_SHARING {
            return list;
        }
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account.to_owned(), mailbox);
        if let Some(known) = table.lists.get(&key).and_then(Weak::upgrade) {
            if *known == *list {
                return known;
            }
        }
        if table.lists.len() >= table.sweep_at {
            table.lists.retain(|_, list| list.strong_count() > 0);
            table.sweep_at = (table.lists.len() * 2).max(64);
        }
        table.lists.insert(key, Arc::downgrade(&list));
        list
    }
}

/// Shorter lists cost less than their entry in the table.
const WORTH_SHARING: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lists_become_one() {
        let shared = SharedLists::default();
        let list = || Arc::new((1..=100).collect::<Vec<u32>>());
        let first = shared.share("ann", 1, list());
        let second = shared.share("ann", 1, list());
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &shared.share("ann", 2, list())), "another mailbox");
        let longer = shared.share("ann", 1, Arc::new((1..=101).collect()));
        assert_eq!((first.len(), longer.len()), (100, 101));
    }

    #[test]
    fn lists_that_nobody_has_are_forgotten() {
        let shared = SharedLists::default();
        for mailbox in 0..1000 {
            shared.share("ann", mailbox, Arc::new((1..=100).collect()));
        }
        assert!(shared.table.lock().unwrap().lists.len() <= 64);
    }
}
