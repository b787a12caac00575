//! How many messages there are and how many octets they have, against the limits. What is taken is given back by dropping it.

use std::sync::{Arc, Mutex, PoisonError};

use dovetail_sdk::metrics::{counter, gauge, Counter, Gauge};
use dovetail_sdk::spool::{SpoolErrorCode, SpoolFailure};

use crate::config::Config;

/// The books of one spool.
#[derive(Debug)]
pub struct Ledger {
    max_message_size: u64,
    max_messages: usize,
    max_octets: u64,
    used: Mutex<Used>,
    figures: Figures,
}

#[derive(Debug, Default)]
struct Used {
    messages: usize,
    octets: u64,
}

#[derive(Debug)]
struct Figures {
    messages: Gauge,
    octets: Gauge,
    refused: Counter,
}

impl Ledger {
    /// Nothing is used.
    pub fn new(config: &Config) -> Arc<Self> {
        Arc::new(Ledger {
            max_message_size: config.max_message_size,
            max_messages: config.max_messages,
            max_octets: config.max_octets,
            used: Mutex::default(),
            figures: Figures {
                messages: gauge("spool_messages", "Messages in the spool now", &[]),
                octets: gauge("spool_octets", "Octets of the messages in the spool now", &[]),
                refused: counter("spool_refused_total", "Messages that the spool had no room for", &[]),
            },
        })
    }

    /// Lets a message of about `size` octets begin, if it may.
    pub fn open(self: &Arc<Self>, size: u64) -> Result<Ticket, SpoolFailure> {
        if size > self.max_message_size {
            return Err(self.too_large());
        }
        self.change(|used| {
            if used.messages >= self.max_messages {
                return Err(format!("the spool holds {} messages, as many as max_messages allows", used.messages));
            }
            if used.octets.saturating_add(size) > self.max_octets {
                return Err(self.no_octets(used, size));
            }
            used.messages += 1;
            Ok(())
        })?;
        Ok(Ticket(self.clone()))
    }

    fn take(self: &Arc<Self>, octets: u64) -> Result<Octets, SpoolFailure> {
        self.change(|used| {
            if used.octets.saturating_add(octets) > self.max_octets {
                return Err(self.no_octets(used, octets));
            }
            used.octets += octets;
            Ok(())
        })?;
        Ok(Octets { ledger: self.clone(), count: octets })
    }

    fn change(&self, change: impl FnOnce(&mut Used) -> Result<(), String>) -> Result<(), SpoolFailure> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut used);
        self.figures.messages.set(used.messages as u64);
        self.figures.octets.set(used.octets);
        changed.map_err(|message| {
            self.figures.refused.inc();
            SpoolFailure { code: SpoolErrorCode::Full, message }
        })
    }

    fn give_back(&self, messages: usize, octets: u64) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.messages = used.messages.saturating_sub(messages);
        used.octets = used.octets.saturating_sub(octets);
        self.figures.messages.set(used.messages as u64);
        self.figures.octets.set(used.octets);
    }

    fn no_octets(&self, used: &Used, more: u64) -> String {
        format!("the spool holds {} octets, and {more} more are beyond max_octets ({})", used.octets, self.max_octets)
    }

    fn too_large(&self) -> SpoolFailure {
        SpoolFailure {
            code: SpoolErrorCode::TooLarge,
            message: format!(
                "the message has more octets than max_message_size ({}) of the spool",
                self.max_message_size
            ),
        }
    }
}

/// A message's place. It lasts as long as anything that was made of the message.
#[derive(Debug)]
pub struct Ticket(Arc<Ledger>);

impl Ticket {
    /// Takes octets that no message's limit counts, such as those of an edited header.
    pub fn take(&self, octets: u64) -> Result<Octets, SpoolFailure> {
        self.0.take(octets)
    }

    /// Takes more octets for a message that has some already.
    pub fn take_more(&self, had: &mut Option<Octets>, octets: u64) -> Result<(), SpoolFailure> {
        let before = had.as_ref().map_or(0, |had| had.count);
        if before.saturating_add(octets) > self.0.max_message_size {
            return Err(self.0.too_large());
        }
        let mut more = self.0.take(octets)?;
        match had {
            Some(had) => had.count += std::mem::take(&mut more.count),
            None => *had = Some(more),
        }
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.give_back(1, 0);
    }
}

/// Octets that are taken.
#[derive(Debug)]
pub struct Octets {
    ledger: Arc<Ledger>,
    count: u64,
}

impl Drop for Octets {
    fn drop(&mut self) {
        self.ledger.give_back(0, self.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Arc<Ledger> {
        Ledger::new(&Config { max_message_size: 10, max_messages: 2, max_octets: 15, ..Config::default() })
    }

    fn code<T>(result: Result<T, SpoolFailure>) -> Option<SpoolErrorCode> {
        result.err().map(|failure| failure.code)
    }

    #[test]
    fn messages_and_octets_are_given_back() {
        let ledger = ledger();
        let (first, _second) = (ledger.open(0).unwrap(), ledger.open(10).unwrap());
        assert_eq!(code(ledger.open(0)), Some(SpoolErrorCode::Full));
        let mut had = None;
        first.take_more(&mut had, 6).unwrap();
        first.take_more(&mut had, 4).unwrap();
        assert_eq!(code(first.take_more(&mut had, 1)), Some(SpoolErrorCode::TooLarge));
        let more = first.take(5).unwrap();
        assert_eq!(code(first.take(1)), Some(SpoolErrorCode::Full));
        drop(more);
        drop(first.take(5).unwrap());
        drop((had, first));
        let third = ledger.open(10).unwrap();
        assert_eq!(code(third.take(16)), Some(SpoolErrorCode::Full));
        drop(third.take(15).unwrap());
    }

    #[test]
    fn what_could_never_fit_is_told_apart_from_what_does_not_fit_now() {
        let ledger = ledger();
        assert_eq!(code(ledger.open(11)), Some(SpoolErrorCode::TooLarge));
        let first = ledger.open(0).unwrap();
        let _octets = first.take(6).unwrap();
        assert_eq!(code(ledger.open(10)), Some(SpoolErrorCode::Full));
        assert_eq!(code(ledger.open(9)), None);
    }
}
