//! The mailbox as this session sees it: a snapshot taken at login (RFC 1939 section 3, "message-number").
//!
//! Numbers and sizes never change during a session, whatever arrives or goes. A deletion is a mark until QUIT.
//!
//! Bounds: 16 octets a message.

/// One message of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Octets, as the store has them.
    pub size: u64,
    /// The store's UID.
    pub uid: u32,
    deleted: bool,
}

/// The snapshot.
#[derive(Debug)]
pub struct Maildrop {
    account: String,
    uid_validity: u32,
    entries: Vec<Entry>,
    live: usize,
    octets: u64,
}

/// A number that names no message, or one that is marked as deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchMessage;

impl Maildrop {
    /// An empty one.
    pub fn new(account: String, uid_validity: u32) -> Self {
        Maildrop { account, uid_validity, entries: Vec::new(), live: 0, octets: 0 }
    }

    /// Whose it is.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The UIDVALIDITY of its mailbox.
    pub fn uid_validity(&self) -> u32 {
        self.uid_validity
    }

    /// The UID of its last message.
    pub fn last_uid(&self) -> Option<u32> {
        self.entries.last().map(|entry| entry.uid)
    }

    /// Adds the next message in order of UIDs.
    pub fn push(&mut self, uid: u32, size: u64) {
        self.entries.push(Entry { size, uid, deleted: false });
        self.live += 1;
        self.octets = self.octets.saturating_add(size);
    }

    /// Messages and octets that are not marked.
    pub fn totals(&self) -> (usize, u64) {
        (self.live, self.octets)
    }

    /// The message with this number, from 1.
    ///
    /// # Errors
    /// [`NoSuchMessage`] also for one that is marked.
    pub fn get(&self, number: usize) -> Result<Entry, NoSuchMessage> {
        let entry = number.checked_sub(1).and_then(|index| self.entries.get(index)).ok_or(NoSuchMessage)?;
        if entry.deleted {
            return Err(NoSuchMessage);
        }
        Ok(*entry)
    }

    /// Marks a message as deleted.
    ///
    /// # Errors
    /// [`NoSuchMessage`] also for one that is marked already.
    pub fn delete(&mut self, number: usize) -> Result<(), NoSuchMessage> {
        let entry = self.get(number)?;
        self.entries[number - 1].deleted = true;
        self.live -= 1;
        self.octets = self.octets.saturating_sub(entry.size);
        Ok(())
    }

    /// Takes all marks away.
    pub fn reset(&mut self) {
        let mut octets = 0_u64;
        for entry in &mut self.entries {
            entry.deleted = false;
            octets = octets.saturating_add(entry.size);
        }
        self.live = self.entries.len();
        self.octets = octets;
    }

    /// Numbers and messages that are not marked, from `number` on.
    pub fn live_from(&self, number: usize) -> impl Iterator<Item = (usize, Entry)> + '_ {
        let skip = number.saturating_sub(1);
        self.entries.iter().enumerate().skip(skip).filter(|(_, e)| !e.deleted).map(|(i, e)| (i + 1, *e))
    }

    /// UIDs of the marked messages, in order.
    pub fn marked(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().filter(|entry| entry.deleted).map(|entry| entry.uid)
    }

    /// The unique-id of a message: it must never mean another message (RFC 1939 section 7, UIDL), so UIDVALIDITY is in it.
    pub fn unique_id(&self, entry: &Entry) -> String {
        format!("{}.{}", self.uid_validity, entry.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maildrop() -> Maildrop {
        let mut maildrop = Maildrop::new("ann".to_owned(), 7);
        for (uid, size) in [(3, 100), (5, 20), (9, 3)] {
            maildrop.push(uid, size);
        }
        maildrop
    }

    #[test]
    fn numbers_stay_while_messages_are_marked() {
        let mut drop = maildrop();
        assert_eq!(drop.totals(), (3, 123));
        assert_eq!(drop.delete(2), Ok(()));
        assert_eq!(drop.delete(2), Err(NoSuchMessage));
        assert_eq!(drop.get(2), Err(NoSuchMessage));
        assert_eq!(drop.get(3).unwrap().uid, 9);
        assert_eq!(drop.totals(), (2, 103));
        assert_eq!(drop.entries.len(), 3);
        assert_eq!(drop.marked().collect::<Vec<_>>(), [5]);
        let live: Vec<_> = drop.live_from(1).map(|(n, e)| (n, e.uid)).collect();
        assert_eq!(live, [(1, 3), (3, 9)]);
        assert_eq!(drop.live_from(2).map(|(n, _)| n).collect::<Vec<_>>(), [3]);
        drop.reset();
        assert_eq!(drop.totals(), (3, 123));
        assert_eq!(drop.marked().count(), 0);
        assert!(drop.get(2).is_ok());
    }

    #[test]
    fn numbers_outside_are_nobody() {
        let mut drop = maildrop();
        for number in [0, 4, usize::MAX] {
            assert_eq!(drop.get(number), Err(NoSuchMessage));
            assert_eq!(drop.delete(number), Err(NoSuchMessage));
        }
    }

    #[test]
    fn unique_ids_have_the_validity() {
        let drop = maildrop();
        assert_eq!(drop.unique_id(&drop.get(1).unwrap()), "7.3");
    }

    #[test]
    fn an_entry_is_small() {
        assert_eq!(std::mem::size_of::<Entry>(), 16);
    }
}
