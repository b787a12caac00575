//! A handle to a mailbox.

use crate::{
    bodies::{Octets, Reader},
    failure,
    messages::Held,
    world::gone,
    Shared,
};
use dovetail_sdk::store::{
    BodyReader, Copied, Expunged, FlagChange, FlagsChanged, MailboxProvider, MailboxState, MessageColumns, Pieces,
    Slice, StoreErrorCode, StoreFailure, UidRange,
};
use std::sync::{Arc, Mutex};

/// Octets and pieces of one answer. What is beyond is to be asked for again.
const MAX_OCTETS: u64 = 4 << 20;
const MAX_PIECES: usize = 10_000;

/// See the module.
pub struct Open {
    pub shared: Arc<Shared>,
    pub account: String,
    pub id: u32,
    pub uid_validity: u32,
}

impl Open {
    /// Looks at the mailbox; `None` when it has been deleted.
    fn look<T>(&self, look: impl FnOnce(Option<&mut Held>) -> T) -> Result<T, StoreFailure> {
        self.shared.with(|world| Ok(look(world.account(&self.account)?.by_id(self.id))))
    }

    fn change<T>(&self, work: impl FnOnce(&mut Held) -> Result<T, StoreFailure>) -> Result<T, StoreFailure> {
        self.shared.change(|world| work(world.account(&self.account)?.by_id(self.id).ok_or_else(gone)?))
    }

    /// The bodies of messages; `None` for those that are not there.
    fn bodies(&self, uids: impl Iterator<Item = u32>) -> Result<Vec<Option<Arc<Octets>>>, StoreFailure> {
        self.look(|mailbox| {
            let body = |uid| mailbox.as_ref()?.message(uid).map(|message| message.body.clone());
            uids.take(MAX_PIECES).map(body).collect()
        })
    }
}

impl MailboxProvider for Open {
    fn state(&self) -> Result<MailboxState, StoreFailure> {
        self.look(|mailbox| {
            let deleted = || MailboxState { gone: true, ..Held::new(self.id, self.uid_validity, 0).state() };
            mailbox.map_or_else(deleted, |mailbox| mailbox.state())
        })
    }

    fn uids(&self) -> Result<Vec<u32>, StoreFailure> {
        self.rows(vec![], 0, 0).map(|rows| rows.uids)
    }

    fn rows(&self, uids: Vec<UidRange>, since: u64, columns: u32) -> Result<MessageColumns, StoreFailure> {
        self.look(|mailbox| mailbox.map(|mailbox| mailbox.rows(&uids, since, columns)).unwrap_or_default())
    }

    async fn changed(&self, since: u64) -> Result<u64, StoreFailure> {
        // Listens before it looks, so that nothing happens in between.
        let mut news = self.shared.news.subscribe();
        loop {
            match self.look(|mailbox| mailbox.map(|mailbox| mailbox.modseq))? {
                None => return Ok(since.saturating_add(1)),
                Some(modseq) if modseq > since => return Ok(modseq),
                Some(_) => {
                    // The sender lives as long as this handle, so this never fails.
                    let _ = news.changed().await;
                }
            }
        }
    }

    fn recent(&self, claim: bool) -> Result<u32, StoreFailure> {
        self.look(|mailbox| {
            mailbox.map_or(1, |mailbox| match claim {
                true => std::mem::replace(&mut mailbox.recent_from, mailbox.uid_next),
                false => mailbox.recent_from,
            })
        })
    }

    async fn read(&self, uid: u32, offset: u64, length: u64) -> Result<BodyReader, StoreFailure> {
        let no_message = || failure(StoreErrorCode::NotFound, format!("there is no message with UID {uid}"));
        let octets = self.bodies(std::iter::once(uid))?.pop().flatten().ok_or_else(no_message)?;
        let (shared, end) = (self.shared.clone(), offset.saturating_add(length));
        Ok(BodyReader::new(Reader { shared, octets, end, at: Mutex::new(offset) }))
    }

    async fn read_slices(&self, slices: Vec<Slice>) -> Result<Pieces, StoreFailure> {
        let (mut octets, mut lengths) = (Vec::new(), vec![]);
        for (slice, body) in slices.iter().zip(self.bodies(slices.iter().map(|slice| slice.uid))?) {
            let piece = body.as_ref().map(|body| body.part(slice.offset, slice.length));
            let length = piece.map_or(0, |piece| piece.len() as u64);
            if length > MAX_OCTETS {
                return Err(failure(StoreErrorCode::Invalid, format!("a slice has more than {MAX_OCTETS} octets")));
            }
            if octets.len() as u64 + length > MAX_OCTETS {
                break;
            }
            octets.extend_from_slice(piece.unwrap_or_default());
            lengths.push(piece.map_or(Pieces::GONE, |_| length));
        }
        Ok(Pieces { octets: octets.into(), lengths })
    }

    async fn summaries(&self, uids: Vec<u32>) -> Result<Pieces, StoreFailure> {
        // None are kept: who asks makes them of the bodies.
        let lengths = |body: Option<Arc<Octets>>| body.map_or(Pieces::GONE, |_| 0);
        Ok(Pieces { lengths: self.bodies(uids.into_iter())?.into_iter().map(lengths).collect(), ..Pieces::default() })
    }

    async fn change_flags(&self, change: FlagChange) -> Result<FlagsChanged, StoreFailure> {
        self.change(|mailbox| mailbox.change_flags(&change))
    }

    async fn expunge(&self, uids: Vec<UidRange>, only_deleted: bool) -> Result<Expunged, StoreFailure> {
        self.change(|mailbox| Ok(mailbox.expunge(&uids, only_deleted)))
    }

    async fn copy(&self, uids: Vec<UidRange>, to: String, remove: bool) -> Result<Copied, StoreFailure> {
        self.shared.change(|world| world.account(&self.account)?.copy(self.id, &uids, &to, remove))
    }
}
