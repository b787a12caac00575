//! What the greylist remembers, in `dovetail.kv/1`, and how it changes.
//!
//! A triplet's way: nothing, `waiting since`, `passed`, and nothing again when its time is over. Every step is a `swap`: two
//! sessions that see the same triplet at the same time can both read that it is new, and one of them writes it. The other one
//! is told so, reads again and finds what the first one wrote; so a triplet has one beginning, and is counted once for its
//! network.
//!
//! **How it fails**: [`MemoryError`], when the memory does not answer or somebody changes a triplet again and again. What only
//! makes it easier for later mails (counting for the network, lasting longer) may fail without that: it is logged.
//!
//! **Bounds**: [`TRIES`] readings for one question; how much there is in all is limited by `kv`.

use dovetail_sdk::kv::{Kv, KvEntry, KvFailure, KvSwap};
use dovetail_sdk::{CallFailure, Service};

use crate::config::Config;
use crate::record::{Known, Returns};
use crate::triplet::{Network, Triplet};

/// Another session changed the same entry: it is read again, so often.
const TRIES: usize = 16;
/// What is used again is written again when an eighth of its time is over, not for every mail: each change costs a write to
/// disk. So it may be forgotten an eighth early.
const REFRESHED_AFTER_PART: u64 = 8;

/// Nobody can tell now.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// There is no `kv`.
    #[error("the memory is not there: {0}; look whether the plugin that provides dovetail.kv/1 runs")]
    Unavailable(#[from] CallFailure),
    /// It failed.
    #[error("the memory failed: {0}; look for the cause in the lines of the plugin that provides dovetail.kv/1")]
    Failed(#[from] KvFailure),
    /// Nobody let us finish.
    #[error("the entry `{0}` was changed by others each of {TRIES} times that it was read")]
    Contended(String),
}

/// What is known of a mail now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was never seen.
    New,
    /// It is to wait for so many seconds more.
    Early(u64),
    /// It has waited, just now.
    Returned,
    /// It is known.
    Known,
    /// Its network is.
    KnownNetwork,
}

/// The memory of one instance.
#[derive(Debug)]
pub struct Memory {
    /// Where it is.
    pub kv: Service<Kv>,
    /// The instance's name: two greylists do not meet.
    pub namespace: String,
    /// Times and counts.
    pub config: Config,
}

impl Memory {
    /// What is known of a triplet at this second since 1970, and what follows for the next time.
    pub async fn meet(&self, triplet: &Triplet, transaction: &str, now: u64) -> Result<Standing, MemoryError> {
        // For each question anew: at a reload another provider may stand there, and meanwhile this waits for it.
        let kv = self.kv.ready().await?;
        if self.is_known_network(&kv, &triplet.network, now).await? {
            return Ok(Standing::KnownNetwork);
        }
        let key = triplet.key();
        for _ in 0..TRIES {
            let entry = kv.get(self.namespace.clone(), key.clone()).await?;
            let known = entry.as_ref().and_then(|entry| Known::read(&entry.value));
            // What began in the future began under another clock: it begins now.
            let known = known.filter(|known| !matches!(known, Known::WaitingSince(first) if *first > now));
            let (standing, next, seconds) = match known {
                None => (Standing::New, Known::WaitingSince(now), self.config.retry_window_seconds),
                Some(Known::WaitingSince(first)) => {
                    let left = self.config.delay_seconds.saturating_sub(now.saturating_sub(first));
                    if left > 0 {
                        return Ok(Standing::Early(left));
                    }
                    (Standing::Returned, Known::Passed, self.config.remember_seconds)
                }
                Some(Known::Passed) => {
                    if let Some(entry) = entry {
                        self.refresh(&kv, entry, now).await;
                    }
                    return Ok(Standing::Known);
                }
            };
            if self.change(&kv, &key, entry, next.write(), seconds).await? {
                if standing == Standing::Returned {
                    not_noted(self.count(&kv, &triplet.network, transaction).await);
                }
                return Ok(standing);
            }
        }
        Err(MemoryError::Contended(String::from_utf8_lossy(&key).into_owned()))
    }

    /// Whether so many mails of a network have come back that it passes as a whole.
    async fn is_known_network(&self, kv: &Kv, network: &Network, now: u64) -> Result<bool, MemoryError> {
        if self.config.network_passes_after == 0 {
            return Ok(false);
        }
        let Some(entry) = kv.get(self.namespace.clone(), network.key()).await? else { return Ok(false) };
        let known = Returns::read(&entry.value).is_some_and(|seen| seen.count >= self.config.network_passes_after);
        if known {
            self.refresh(kv, entry, now).await;
        }
        Ok(known)
    }

    /// Counts a mail that came back, once for all its recipients.
    async fn count(&self, kv: &Kv, network: &Network, transaction: &str) -> Result<(), MemoryError> {
        if self.config.network_passes_after == 0 {
            return Ok(());
        }
        let key = network.key();
        for _ in 0..TRIES {
            let entry = kv.get(self.namespace.clone(), key.clone()).await?;
            let seen = entry.as_ref().and_then(|entry| Returns::read(&entry.value)).unwrap_or_default();
            if seen.count > 0 && seen.last == transaction {
                return Ok(());
            }
            let next = Returns { count: seen.count.saturating_add(1), last: transaction.to_owned() };
            if self.change(kv, &key, entry, next.write(), self.config.remember_seconds).await? {
                return Ok(());
            }
        }
        Err(MemoryError::Contended(String::from_utf8_lossy(&key).into_owned()))
    }

    /// Lets what is in use last for its whole time again. That another session did so first is as good.
    async fn refresh(&self, kv: &Kv, entry: KvEntry, now: u64) {
        let whole = self.config.remember_seconds;
        let left = entry.expires_at.unwrap_or_default().saturating_sub(now);
        if left <= whole - whole.div_ceil(REFRESHED_AFTER_PART) {
            let (key, value) = (entry.key.clone(), entry.value.clone());
            not_noted(self.change(kv, &key, Some(entry), value, whole).await.map(drop));
        }
    }

    /// Changes an entry if it still is what it was; tells whether it was.
    async fn change(
        &self,
        kv: &Kv,
        key: &[u8],
        was: Option<KvEntry>,
        value: Vec<u8>,
        seconds: u64,
    ) -> Result<bool, MemoryError> {
        let change = KvSwap {
            key: key.to_vec(),
            expected: was.map(|entry| entry.value),
            value: Some(value),
            ttl_seconds: Some(seconds),
        };
        Ok(kv.swap(self.namespace.clone(), change).await?)
    }
}

/// What is decided already does not depend on whether it can be noted for another time: no mail is refused for that.
fn not_noted(noted: Result<(), MemoryError>) {
    if let Err(error) = noted {
        tracing::warn!(%error, "a mail passed, and that could not be noted: the next one may have to wait again");
    }
}
