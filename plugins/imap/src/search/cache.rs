//! Header fields of mailboxes that were searched, kept for the next search of any session.
//!
//! Bounds: [`crate::config::Config::search_memory`] in all; the mailbox that was not searched for longest goes first. A mailbox
//! that is larger than that alone is kept until the next one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dovetail_sdk::store::StoreFailure;

use super::fields::Fields;
use crate::fetch::summaries;
use crate::selected::Selected;

/// A mailbox: its account, its number there, its UIDVALIDITY.
type Key = (String, u32, u32);

/// The fields of mailboxes.
#[derive(Debug)]
pub struct SearchCache {
    limit: usize,
    mailboxes: Mutex<Mailboxes>,
}

#[derive(Debug, Default)]
struct Mailboxes {
    kept: HashMap<Key, (Arc<Fields>, u64)>,
    clock: u64,
}

impl SearchCache {
    /// Keeps about so many octets.
    pub fn new(limit: usize) -> Self {
        SearchCache { limit, mailboxes: Mutex::default() }
    }

    /// The fields of all messages that this session knows of, and perhaps of others.
    ///
    /// # Errors
    /// As the store gives them.
    pub async fn fields(&self, selected: &Selected) -> Result<Arc<Fields>, StoreFailure> {
        let key = (selected.account.clone(), selected.id(), selected.uid_validity);
        let kept = self.get(&key);
        let last_kept = kept.as_ref().and_then(|fields| fields.uids().last().copied()).unwrap_or(0);
        let known = &selected.uids;
        let new = known.get(known.partition_point(|uid| *uid <= last_kept)..).unwrap_or_default();
        let mostly_dead = kept.as_ref().is_some_and(|fields| fields.uids().len() > known.len() * 2 + 1024);
        let (mut fields, new) = match kept {
            Some(fields) if new.is_empty() && !mostly_dead => return Ok(fields),
            Some(fields) if !mostly_dead => ((*fields).clone(), new),
            _ => (Fields::default(), known.as_slice()),
        };
        for batch in new.chunks(BATCH) {
            let summaries = summaries::get(&selected.mailbox, batch).await?;
            for (uid, summary) in batch.iter().zip(&summaries) {
                fields.push(*uid, summary.as_ref());
            }
        }
        let fields = Arc::new(fields);
        self.put(key, fields.clone());
        Ok(fields)
    }

    fn get(&self, key: &Key) -> Option<Arc<Fields>> {
        let mut mailboxes = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
        mailboxes.clock += 1;
        let now = mailboxes.clock;
        let (fields, used) = mailboxes.kept.get_mut(key)?;
        *used = now;
        Some(fields.clone())
    }

    fn put(&self, key: Key, fields: Arc<Fields>) {
        let mut mailboxes = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let now = mailboxes.clock;
        mailboxes.kept.insert(key.clone(), (fields, now));
        let mut octets: usize = mailboxes.kept.values().map(|(fields, _)| fields.octets()).sum();
        while octets > self.limit {
            let others = mailboxes.kept.iter().filter(|(other, _)| **other != key);
            let Some(oldest) = others.min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone()) else { break };
            if let Some((fields, _)) = mailboxes.kept.remove(&oldest) {
                octets -= fields.octets();
            }
        }
    }
}

/// Summaries that are asked for at a time.
const BATCH: usize = 2000;
