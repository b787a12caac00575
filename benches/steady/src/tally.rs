//! What is known of the load so far: which builds serve, which sessions are open, what was sent, what went wrong.
//!
//! Time is counted in *eras*: an era begins when a swap has ended. While a swap goes on there is none, so a session that was
//! opened then is not asked which build it met.

use crate::PATIENCE;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// So many cases are kept in words.
pub const MAX_NOTES: usize = 20;

/// What serves in an era.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Builds {
    /// The build of the IMAP plugin.
    pub imap: String,
    /// The build of the TLS provider.
    pub tls: String,
}

/// What is spoken, and how TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// IMAP; else submission.
    pub imap: bool,
    /// From the first octet; else after STARTTLS.
    pub implicit: bool,
}

impl Kind {
    /// What a listener of this name speaks: `imap`, `imaps`, `submission`, `submissions`.
    pub fn named(listener: &str) -> Option<Kind> {
        let (imap, implicit) = match listener {
            "imap" => (true, false),
            "imaps" => (true, true),
            "submission" => (false, false),
            "submissions" => (false, true),
            _ => return None,
        };
        Some(Kind { imap, implicit })
    }
}

/// A session as the server tells of it. Connections to two ports may come from one address.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What it speaks.
    pub kind: Kind,
    /// The client's address.
    pub peer: SocketAddr,
    /// The build of the protocol plugin.
    pub served_by: Option<String>,
    /// The build of the TLS provider.
    pub tls_by: Option<String>,
}

/// What came of a load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Sessions that were opened.
    pub sessions: u64,
    /// Connections that were not taken, or not greeted, or without TLS.
    pub refused: u64,
    /// Sessions that the server ended, or that were told no.
    pub dropped: u64,
    /// Sessions that were held over all swaps.
    pub held: u64,
    /// Those of them that answered at the end.
    pub answered: u64,
    /// Sessions that had to meet a certain build, and said which by ID.
    pub told: u64,
    /// Sessions that the server's list was compared for, each once an era.
    pub listed: u64,
    /// Sessions that met another build or provider than they had to.
    pub wrong: u64,
    /// Messages that were accepted.
    pub accepted: u64,
    /// Those that were not there, or not whole.
    pub lost: u64,
    /// Those that were there more than once.
    pub doubled: u64,
    /// What went wrong, in words.
    pub notes: Vec<String>,
}

impl Outcome {
    /// Whether nothing was refused, dropped, lost, doubled or wrong, and all that was held answered.
    pub fn is_good(&self) -> bool {
        let bad = [self.refused, self.dropped, self.wrong, self.lost, self.doubled];
        let something = [self.held, self.told, self.listed, self.accepted];
        bad.iter().sum::<u64>() == 0 && self.answered == self.held && something.iter().all(|count| *count > 0)
    }
}

#[derive(Debug, Default)]
struct State {
    stopping: bool,
    /// By era.
    builds: Vec<Builds>,
    swapping: bool,
    /// The eras of those that are open.
    open: BTreeMap<(SocketAddr, Kind), usize>,
    /// Kinds that came about in this era.
    new: BTreeSet<Kind>,
    /// By recipient: messages that were accepted.
    accepted: BTreeMap<String, BTreeSet<String>>,
    outcome: Outcome,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Tally {
    state: Mutex<State>,
    news: Condvar,
}

impl Tally {
    pub fn new(builds: Builds) -> Self {
        let state = State { builds: vec![builds], ..State::default() };
        Tally { state: Mutex::new(state), news: Condvar::new() }
    }

    /// The era, unless a swap goes on.
    pub fn era(&self) -> Option<usize> {
        let state = self.lock();
        (!state.swapping).then(|| state.builds.len() - 1)
    }

    pub fn swapping(&self) {
        self.lock().swapping = true;
    }

    pub fn swapped(&self, builds: Builds) {
        let mut state = self.lock();
        state.builds.push(builds);
        state.new.clear();
        state.swapping = false;
    }

    /// A session was opened: from this address, begun in this era.
    pub fn opened(&self, kind: Kind, from: SocketAddr, begun: Option<usize>) -> Option<usize> {
        let mut state = self.lock();
        let now = (!state.swapping).then(|| state.builds.len() - 1);
        let era = begun.filter(|begun| Some(*begun) == now);
        state.outcome.sessions += 1;
        if let Some(era) = era {
            state.open.insert((from, kind), era);
            state.new.insert(kind);
            self.news.notify_all();
        }
        era
    }

    pub fn closed(&self, kind: Kind, from: SocketAddr) {
        self.lock().open.remove(&(from, kind));
    }

    /// A session of an era was told this build.
    pub fn told(&self, era: usize, build: Option<&str>) {
        let mut state = self.lock();
        let expected = state.builds.get(era).map(|builds| builds.imap.clone()).unwrap_or_default();
        state.outcome.told += 1;
        if build != Some(&expected) {
            state.outcome.wrong += 1;
            note(&mut state, format!("ID says {build:?} in a session of build {expected}"));
        }
    }

    pub fn refused(&self, why: String) {
        let mut state = self.lock();
        state.outcome.refused += 1;
        note(&mut state, why);
    }

    pub fn dropped(&self, why: String) {
        let mut state = self.lock();
        state.outcome.dropped += 1;
        note(&mut state, why);
    }

    pub fn held(&self) {
        self.lock().outcome.held += 1;
        self.news.notify_all();
    }

    pub fn answered(&self) {
        self.lock().outcome.answered += 1;
    }

    pub fn accepted(&self, recipient: &str, message: String) {
        let mut state = self.lock();
        state.outcome.accepted += 1;
        state.accepted.entry(recipient.to_owned()).or_default().insert(message);
    }

    /// What must be in a mailbox.
    pub fn messages(&self, recipient: &str) -> BTreeSet<String> {
        self.lock().accepted.get(recipient).cloned().unwrap_or_default()
    }

    pub fn lost(&self, count: u64, why: String) {
        let mut state = self.lock();
        state.outcome.lost += count;
        note(&mut state, why);
    }

    pub fn doubled(&self, why: String) {
        let mut state = self.lock();
        state.outcome.doubled += 1;
        note(&mut state, why);
    }

    /// Compares sessions that are open by both sides' account.
    pub fn compare(&self, seen: &[Seen]) {
        let mut state = self.lock();
        let mut wrong = Vec::new();
        let mut listed = 0;
        for session in seen {
            let Some(era) = state.open.get(&(session.peer, session.kind)) else { continue };
            // What is not there is not known yet: our side of a handshake ends first.
            let known = (state.builds.get(*era), &session.served_by, &session.tls_by);
            let (Some(builds), Some(served_by), Some(tls_by)) = known else { continue };
            listed += 1;
            if (session.kind.imap && *served_by != builds.imap) || *tls_by != builds.tls {
                wrong.push(format!("the server says {session:?} of a session that must have met {builds:?}"));
            }
        }
        state.outcome.listed += listed;
        state.outcome.wrong += wrong.len() as u64;
        for wrong in wrong {
            note(&mut state, wrong);
        }
    }

    pub fn wait_for_held(&self, count: usize) -> bool {
        self.wait(|state| state.outcome.held >= count as u64)
    }

    pub fn wait_for_new(&self) -> bool {
        self.wait(|state| state.new.len() == 4)
    }

    fn wait(&self, is_so: impl Fn(&State) -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        while !is_so(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    pub fn stop(&self) {
        self.lock().stopping = true;
        self.news.notify_all();
    }

    pub fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Waits for so long, or until the load ends; whether it goes on.
    pub fn pause(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut state = self.lock();
        while !state.stopping {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    pub fn notes(&self) -> Vec<String> {
        self.lock().outcome.notes.clone()
    }

    pub fn outcome(&self) -> Outcome {
        self.lock().outcome.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(state: &mut State, text: String) {
    if state.outcome.notes.len() < MAX_NOTES {
        state.outcome.notes.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind { imap: true, implicit: true };

    fn builds(imap: &str) -> Builds {
        Builds { imap: imap.into(), tls: "t".into() }
    }

    fn seen(peer: &str, build: &str) -> Seen {
        Seen { kind: KIND, peer: peer.parse().unwrap(), served_by: Some(build.into()), tls_by: Some("t".into()) }
    }

    #[test]
    fn a_session_must_have_met_the_build_of_its_era_for_as_long_as_it_lives() {
        let tally = Tally::new(builds("one"));
        let first: SocketAddr = "127.0.0.1:1".parse().unwrap();
        assert_eq!(tally.opened(KIND, first, tally.era()), Some(0));
        let begun = tally.era();
        tally.swapping();
        assert_eq!(tally.era(), None);
        tally.swapped(builds("two"));
        // It began before and was opened after: either build is right.
        assert_eq!(tally.opened(KIND, "127.0.0.1:2".parse().unwrap(), begun), None);
        let third = "127.0.0.1:3".parse().unwrap();
        assert_eq!(tally.opened(KIND, third, tally.era()), Some(1));
        tally.compare(&[seen("127.0.0.1:1", "one"), seen("127.0.0.1:2", "x"), seen("127.0.0.1:3", "two")]);
        assert_eq!((tally.outcome().listed, tally.outcome().wrong), (2, 0));
        tally.told(1, Some("two"));
        tally.told(0, Some("two"));
        tally.compare(&[seen("127.0.0.1:1", "two"), seen("127.0.0.1:3", "one")]);
        assert_eq!((tally.outcome().listed, tally.outcome().wrong, tally.outcome().told), (4, 3, 2));
        tally.closed(Kind { implicit: false, ..KIND }, first);
        tally.compare(&[seen("127.0.0.1:1", "one")]);
        assert_eq!(tally.outcome().listed, 5);
        tally.closed(KIND, first);
        tally.compare(&[seen("127.0.0.1:1", "two")]);
        assert_eq!(tally.outcome().listed, 5);
    }

    #[test]
    fn only_a_load_that_did_something_and_lost_nothing_is_good() {
        let good = Outcome { held: 2, answered: 2, told: 1, listed: 1, accepted: 3, ..Outcome::default() };
        assert!(good.is_good());
        assert!(!Outcome::default().is_good());
        assert!(!Outcome { answered: 1, ..good.clone() }.is_good());
        assert!(!Outcome { lost: 1, ..good.clone() }.is_good());
        assert!(!Outcome { refused: 1, ..good.clone() }.is_good());
        assert!(!Outcome { wrong: 1, ..good }.is_good());
    }
}
