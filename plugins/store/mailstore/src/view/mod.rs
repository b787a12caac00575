//! Open mailboxes in memory: one [`View`] for all who look at the same mailbox, brought up to date by the committer
//! before a change is acknowledged, so that looking never waits for the disk.
//!
//! **How it stays true.** A view is registered first and loaded then, by its opener's thread, while commits go on. Every
//! commit to its mailbox raises a count; a load during which the count or the mailbox's MODSEQ has changed is thrown
//! away. After [`TRIES`] of them the committer's own thread loads, and nothing changes meanwhile. A change whose MODSEQ
//! the loaded mailbox has reached is in it already. After a commit that failed, or one that another writer got ahead
//! of, nobody knows what is on the disk: the account's views are loaded again.
//!
//! **How it fails**: opening says why. A view that can't be loaded again stays as it is until the next change or the
//! next opening. **Bounds**: about [`Columns`]' 58 octets a message; views that nobody holds are kept until all have
//! more than [`crate::Options::view_messages`] messages, then those opened longest ago are dropped. Views that somebody
//! holds are never dropped.

mod columns;
mod registry;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::Notify;

use crate::backend::Backend;
use crate::codec;
use crate::error::StoreError;
use crate::plan::MailboxChange;
use crate::types::{BodyId, MailboxId, MailboxRow, ModSeq};
use crate::uidset::Uid;

pub use columns::{gather, gather_into, Columns};
pub(crate) use registry::Views;

/// Loads beside the committer before it has to do it itself.
const TRIES: usize = 3;

/// A mailbox in memory.
pub struct View {
    account: String,
    mailbox: MailboxId,
    inner: RwLock<Inner>,
    /// Held by the one who loads.
    loading: Mutex<()>,
    told: Notify,
}

/// What is known about the mailbox as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewState {
    /// Its UIDVALIDITY.
    pub uid_validity: u32,
    /// The UID that the next message gets at least.
    pub uid_next: Uid,
    /// The highest modification sequence in it.
    pub highest_modseq: ModSeq,
    /// The modification sequence at which messages were last seen to go; 0 if none were since the view was loaded.
    pub last_expunge: ModSeq,
    /// Messages without `\Seen`.
    pub unseen: u32,
    /// The first UID that nobody was told of as recent.
    pub recent_from: Uid,
    /// The keywords used in it; the nth has bit `Flags::FIRST_KEYWORD + n`.
    pub keywords: Vec<String>,
    /// It was deleted.
    pub gone: bool,
}

/// Where a message's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyOf {
    /// The body.
    pub body: BodyId,
    /// Its size.
    pub size: u32,
    /// XXH3-64 of it.
    pub digest: u64,
}

#[derive(Default)]
struct Inner {
    state: ViewState,
    columns: Columns,
    /// Commits that a load begun before them may not have seen.
    missed: u64,
    loaded: bool,
    /// Whether it is as the last commit left it.
    current: bool,
    /// Messages were claimed as recent, and no commit has been told.
    unsaved_claim: bool,
}

impl View {
    fn new(account: &str, mailbox: MailboxId) -> Self {
        View {
            account: account.to_owned(),
            mailbox,
            inner: RwLock::default(),
            loading: Mutex::default(),
            told: Notify::new(),
        }
    }

    /// Whose mailbox it is.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The mailbox's number.
    pub fn mailbox(&self) -> MailboxId {
        self.mailbox
    }

    /// Lets `look` see everything at one instant. Commits to the mailbox wait meanwhile: copy, then think.
    pub fn look<T>(&self, look: impl FnOnce(&ViewState, &Columns) -> T) -> T {
        let inner = self.read();
        look(&inner.state, &inner.columns)
    }

    /// Waits until the highest MODSEQ is greater than `since` or the mailbox is gone; gives that MODSEQ. May be given up
    /// at any time; several changes may come as one.
    pub async fn changed(&self, since: ModSeq) -> ModSeq {
        loop {
            let mut told = std::pin::pin!(self.told.notified());
            // Before the look: what comes after it is heard of.
            told.as_mut().enable();
            let (highest, gone) = self.look(|state, _| (state.highest_modseq, state.gone));
            if gone || highest > since {
                return highest;
            }
            told.await;
        }
    }

    /// The first UID that is recent for the caller. With `claim`, nothing that is here is recent for the next one, which
    /// [`View::unsaved_claim`] is to be asked about in the end.
    pub fn recent(&self, claim: bool) -> Uid {
        let first = self.look(|state, _| (state.recent_from, state.uid_next));
        if !claim || first.0 >= first.1 {
            return first.0;
        }
        let inner = &mut *self.write();
        let first = inner.state.recent_from;
        inner.state.recent_from = first.max(inner.state.uid_next);
        inner.unsaved_claim = true;
        first
    }

    /// A claim that is not on the disk, to be remembered by [`crate::MailOp::Claim`]. It is given out once.
    pub fn unsaved_claim(&self) -> Option<Uid> {
        if !self.read().unsaved_claim {
            return None;
        }
        let inner = &mut *self.write();
        std::mem::take(&mut inner.unsaved_claim).then_some(inner.state.recent_from)
    }

    /// The bodies of messages; `None` for those that are not there.
    pub fn bodies(&self, uids: impl IntoIterator<Item = Uid>) -> Vec<Option<BodyOf>> {
        let inner = self.read();
        let columns = &inner.columns;
        let body = |at: usize| BodyOf {
            body: BodyId(columns.bodies[at]),
            size: columns.sizes[at],
            digest: columns.digests[at],
        };
        uids.into_iter().map(|uid| columns.find(uid).map(body)).collect()
    }

    /// Reads the mailbox from the back end; `false` if it changed meanwhile.
    fn load(&self, backend: &dyn Backend) -> Result<bool, StoreError> {
        let missed = self.read().missed;
        let Some((row, columns)) = read(backend, &self.account, self.mailbox)? else {
            return Ok(false);
        };
        let mut inner = self.write();
        if inner.missed != missed {
            return Ok(false);
        }
        let before = std::mem::take(&mut inner.state);
        if inner.loaded && before.highest_modseq < row.highest_modseq {
            // What went is not known, but something may have.
            inner.state.last_expunge = row.highest_modseq;
        } else {
            inner.state.last_expunge = before.last_expunge;
        }
        inner.state.recent_from = before.recent_from;
        inner.state.take_over(row);
        let old = std::mem::replace(&mut inner.columns, columns);
        (inner.loaded, inner.current) = (true, true);
        drop(inner);
        drop(old);
        self.told.notify_waiters();
        Ok(true)
    }

    /// Takes over what a commit did. `false` if the mailbox must be loaded again.
    fn apply(&self, change: &MailboxChange) -> bool {
        let applied = self.take_over(change);
        self.told.notify_waiters();
        applied
    }

    fn take_over(&self, change: &MailboxChange) -> bool {
        let mut inner = self.write();
        let inner = &mut *inner;
        let Some(row) = &change.row else {
            inner.missed += 1;
            inner.columns = Columns::default();
            inner.state = ViewState {
                gone: true,
                last_expunge: inner.state.highest_modseq + 1,
                highest_modseq: inner.state.highest_modseq + 1,
                uid_validity: inner.state.uid_validity,
                uid_next: inner.state.uid_next,
                ..ViewState::default()
            };
            return true;
        };
        if !inner.current {
            inner.missed += 1;
            return !inner.loaded;
        }
        let known = inner.state.highest_modseq;
        if row.highest_modseq < known {
            return true;
        }
        if row.highest_modseq > known {
            let fits = inner.columns.upsert(&change.upserts);
            if inner.columns.remove(&change.expunged) {
                inner.state.last_expunge = row.highest_modseq;
            }
            if !fits {
                tracing::error!(
                    account = self.account,
                    mailbox = self.mailbox,
                    "the mailbox in memory is not the one on the disk; it is read again"
                );
                inner.current = false;
                return false;
            }
        }
        inner.state.take_over(row.clone());
        true
    }

    /// Something may have happened to the mailbox: what is being loaded is not to be used. Whether it was current.
    fn miss(&self) -> bool {
        let mut inner = self.write();
        inner.missed += 1;
        inner.current
    }

    /// The mailbox may be different from what is here, and could not be read.
    fn distrust(&self) {
        self.write().current = false;
    }

    fn is_current(&self) -> bool {
        self.read().current
    }

    /// How much of the budget it takes, in messages: an empty one takes something too.
    fn weight(&self) -> usize {
        self.read().columns.uids.len() + 16
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("account", &self.account).field("mailbox", &self.mailbox).finish_non_exhaustive()
    }
}

impl ViewState {
    fn take_over(&mut self, row: MailboxRow) {
        self.uid_validity = row.uid_validity;
        self.uid_next = row.uid_next;
        self.highest_modseq = row.highest_modseq;
        self.unseen = row.unseen;
        // A claim may be on its way to the disk.
        self.recent_from = self.recent_from.max(row.recent_from);
        // They only ever grow at their end; a row from before a load may have fewer.
        if row.keywords.len() >= self.keywords.len() {
            self.keywords = row.keywords;
        }
    }
}

/// The mailbox at one instant; `None` if it changed between the reads.
fn read(backend: &dyn Backend, account: &str, mailbox: MailboxId) -> Result<Option<(MailboxRow, Columns)>, StoreError> {
    let row = || match backend.get(account, &codec::mailbox_key(mailbox))? {
        Some(row) => Ok(codec::read_mailbox(mailbox, &row)?),
        None => Err(StoreError::NoSuchMailbox { name: format!("number {mailbox}") }),
    };
    let before: MailboxRow = row()?;
    let mut columns = Columns::with_capacity(usize::try_from(before.messages).unwrap_or(0).min(MOST_EXPECTED));
    let (from, to) = (codec::message_key(mailbox, 0), codec::message_end(mailbox, Uid::MAX));
    backend.scan(account, &from, &to, usize::MAX, &mut |key, row| {
        columns.push(&codec::read_message(codec::read_message_key(key)?.1, row)?);
        Ok(())
    })?;
    Ok(Some((row()?, columns)).filter(|(after, _)| after.highest_modseq == before.highest_modseq))
}

/// A damaged count must not cost more memory than this many messages.
const MOST_EXPECTED: usize = 1_000_000;
