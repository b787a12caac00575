//! What the server can serve at one moment: an immutable set of identities, and which one a client gets.
//!
//! Choosing is pure: no lock, no file, a few look-ups by name. Names come from the certificates' alternative
//! names (RFC 6066 section 3 for server names, RFC 6125 section 6.4.3 for wildcards: one label, the leftmost).
//! Identifiers are never reused: one stands for one content of one identity's pairs, and for those of them that a client is
//! shown ([`Part`]).
//!
//! Of several for one name the order is made beforehand, and holds until a certificate begins or ends
//! ([`Snapshot::turn`]); then whoever holds the snapshot makes another one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use time::OffsetDateTime;

use crate::further::KeyFamily;
use crate::identity::{Identity, Pair};
use crate::name::CertName;
use crate::turn;

/// Everything that is served under one name: a pair for each family of keys.
#[derive(Debug)]
pub struct IdentitySet {
    /// Stands for exactly this content, in this process, for ever.
    pub id: u64,
    name: CertName,
    pairs: Vec<Arc<Pair>>,
}

impl IdentitySet {
    /// The set of these pairs, which are all of one identity; `None` without any.
    pub fn new(id: u64, mut pairs: Vec<Arc<Pair>>, now: OffsetDateTime) -> Option<Self> {
        let name = pairs.first()?.name().identity();
        // Of two with keys of one family, which only a wrong name makes, the provider takes the first.
        pairs.sort_by_cached_key(|pair| (KeyFamily::from(pair.identity.key.kind()), rank(pair, now)));
        Some(Self { id, name, pairs })
    }

    /// The identity's name.
    pub fn name(&self) -> &CertName {
        &self.name
    }

    /// Its pairs: at least one, whether clients are shown it or not.
    pub fn pairs(&self) -> &[Arc<Pair>] {
        &self.pairs
    }

    /// What is in them.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        self.pairs.iter().map(|pair| &pair.identity)
    }

    /// Whether it consists of exactly these, in this order.
    pub fn is_of(&self, pairs: &[Arc<Pair>]) -> bool {
        self.pairs.len() == pairs.len() && self.pairs.iter().zip(pairs).all(|(own, pair)| Arc::ptr_eq(own, pair))
    }
}

/// The pairs of a set that a client is shown: at least one. The TLS provider picks by the kinds of key that the client knows.
#[derive(Debug, Clone)]
pub struct Part {
    /// The whole set.
    pub set: Arc<IdentitySet>,
    /// Which of its pairs, a bit for each.
    shown: u8,
}

impl Part {
    /// Those for this name as it stands in certificates, or for no certain one. As long as there are others, none is shown that
    /// doesn't have the name, then none that isn't valid now, then none that is self-signed: its client would refuse what it
    /// could have verified.
    fn of(set: &Arc<IdentitySet>, name: Option<&str>, now: OffsetDateTime) -> Self {
        let mut shown: Vec<usize> = (0..set.pairs.len().min(u8::BITS as usize)).collect();
        let mut keep = |is_good: &dyn Fn(&Pair) -> bool| {
            let good: Vec<usize> = shown.iter().copied().filter(|at| is_good(&set.pairs[*at])).collect();
            if !good.is_empty() {
                shown = good;
            }
        };
        keep(&|pair| name.is_none_or(|name| pair.identity.leaf().dns_names.iter().any(|own| own == name)));
        keep(&|pair| is_valid(pair, now));
        keep(&|pair| !pair.identity.leaf().self_issued);
        Self { set: set.clone(), shown: shown.into_iter().fold(0, |mask, at| mask | 1 << at) }
    }

    /// Stands for exactly this content, in this process, for ever.
    pub fn id(&self) -> u64 {
        self.set.id << u8::BITS | u64::from(self.shown)
    }

    /// The pairs.
    pub fn pairs(&self) -> impl Iterator<Item = &Arc<Pair>> {
        self.set.pairs.iter().enumerate().filter(|(at, _)| self.shown >> at & 1 == 1).map(|(_, pair)| pair)
    }

    /// What is in them.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        self.pairs().map(|pair| &pair.identity)
    }

    fn rank(&self, now: OffsetDateTime) -> Option<Rank> {
        self.pairs().map(|pair| rank(pair, now)).min()
    }
}

/// An immutable set of identities.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// What clients are shown that ask for no name that there is.
    by_name: BTreeMap<CertName, Part>,
    by_id: HashMap<u64, Arc<IdentitySet>>,
    /// Exact host names; of several sets for one name, the best first.
    exact: HashMap<String, Vec<Part>>,
    /// What follows the `*.`.
    wildcards: HashMap<String, Vec<Part>>,
    default: Option<Part>,
    /// When the order was made, and until when it holds.
    made: Option<OffsetDateTime>,
    turn: Option<OffsetDateTime>,
}

/// Why a client gets what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It asked for exactly this name.
    Exact,
    /// Its name fits a wildcard.
    Wildcard,
    /// The listener names it.
    Listener,
    /// It is the default.
    Default,
}

/// What a client gets.
#[derive(Debug, Clone)]
pub struct Chosen<'a> {
    /// What of which set.
    pub part: &'a Part,
    /// Why.
    pub why: Why,
    /// The name in the certificate that fits.
    pub fits: Option<String>,
    /// The same of all sets with that name.
    pub offers: &'a [Part],
}

impl Snapshot {
    /// Builds the look-ups. `default` names the identity for clients that ask for nothing we have; without it, the
    /// first by name is taken. Sets in `retired` can still be loaded by identifier, but are never chosen.
    pub fn new(
        sets: Vec<Arc<IdentitySet>>,
        retired: impl IntoIterator<Item = Arc<IdentitySet>>,
        default: Option<&CertName>,
        now: OffsetDateTime,
    ) -> Self {
        let mut this = Self { made: Some(now), ..Self::default() };
        let identities = || sets.iter().flat_map(|set| set.identities());
        let chains = identities().filter_map(|identity| identity.chain_turn).filter(|turn| *turn > now);
        this.turn =
            turn::next(identities().map(|identity| turn::span(identity.leaf())), now).into_iter().chain(chains).min();
        for set in &sets {
            for name in set.identities().flat_map(|identity| &identity.leaf().dns_names) {
                let (map, key) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut this.wildcards, parent),
                    None => (&mut this.exact, name.as_str()),
                };
                let offers = map.entry(key.to_owned()).or_default();
                if !offers.iter().any(|known| known.set.id == set.id) {
                    offers.push(Part::of(set, Some(name), now));
                }
            }
        }
        for offers in this.exact.values_mut().chain(this.wildcards.values_mut()) {
            offers.sort_by_cached_key(|part| (part.rank(now), part.set.name().clone()));
        }
        this.by_id = retired.into_iter().map(|set| (set.id, set)).collect();
        for set in sets {
            this.by_name.insert(set.name().clone(), Part::of(&set, None, now));
            this.by_id.insert(set.id, set);
        }
        this.default = match default {
            Some(name) => this.by_name.get(&name.identity()).cloned(),
            None => this.by_name.values().next().cloned(),
        };
        this
    }

    /// What a client gets, and why: by the name it asked for (exact, then a wildcard), else the listener's
    /// certificate, else the default. A listener whose certificate isn't there gets nothing rather than another
    /// one.
    pub fn resolve(&self, listener: Option<&str>, server_name: Option<&str>) -> Option<(u64, Why)> {
        self.choose(listener, server_name).map(|chosen| (chosen.part.id(), chosen.why))
    }

    /// The same, with all that was considered.
    pub fn explain(&self, listener: Option<&str>, server_name: Option<&str>) -> Option<Chosen<'_>> {
        let chosen = self.choose(listener, server_name)?;
        let asked = server_name.map(normal).unwrap_or_default();
        let fits = match chosen.why {
            Why::Exact => Some(asked),
            Why::Wildcard => asked.split_once('.').map(|(_, parent)| format!("*.{parent}")),
            Why::Listener | Why::Default => None,
        };
        Some(Chosen { fits, ..chosen })
    }

    /// What is chosen, but for the name that fits.
    fn choose(&self, listener: Option<&str>, server_name: Option<&str>) -> Option<Chosen<'_>> {
        let chosen = |part, why, offers| Chosen { part, why, fits: None, offers };
        let listener = listener.map(|name| CertName::new(name).map(|name| name.identity()));
        // A name that can't be a certificate's is one that isn't there.
        let own = listener.as_ref().and_then(|name| name.as_ref().ok());
        if let Some(asked) = server_name.map(normal) {
            if let Some(offers) = self.exact.get(&asked) {
                return best(offers, own).map(|part| chosen(part, Why::Exact, offers));
            }
            let parent = asked.split_once('.').map(|(_, parent)| parent);
            if let Some(offers) = parent.and_then(|parent| self.wildcards.get(parent)) {
                return best(offers, own).map(|part| chosen(part, Why::Wildcard, offers));
            }
        }
        match listener {
            Some(_) => Some(chosen(self.by_name.get(own?)?, Why::Listener, &[])),
            None => Some(chosen(self.default.as_ref()?, Why::Default, &[])),
        }
    }

    /// What an identifier stands for, of this snapshot or of the one before.
    pub fn get(&self, id: u64) -> Option<Part> {
        let set = self.by_id.get(&(id >> u8::BITS))?.clone();
        // The lowest bits, and nothing else.
        Some(Part { set, shown: id as u8 })
    }

    /// Every set that can be chosen, by name.
    pub fn sets(&self) -> impl Iterator<Item = &Arc<IdentitySet>> {
        self.by_name.values().map(|part| &part.set)
    }

    /// All that any client is shown.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.by_name.values().chain(self.exact.values().flatten()).chain(self.wildcards.values().flatten())
    }

    /// Every pair of them.
    pub fn pairs(&self) -> impl Iterator<Item = &Arc<Pair>> {
        self.sets().flat_map(|set| set.pairs())
    }

    /// The set of an identity, by its name or that of one of its pairs.
    pub fn named(&self, name: &CertName) -> Option<&Arc<IdentitySet>> {
        self.by_name.get(&name.identity()).map(|part| &part.set)
    }

    /// A pair, by its name.
    pub fn pair(&self, name: &CertName) -> Option<&Arc<Pair>> {
        self.named(name)?.pairs().iter().find(|pair| pair.name() == name)
    }

    /// When a certificate begins or ends next, and others may have to be served.
    pub fn turn(&self) -> Option<OffsetDateTime> {
        self.turn
    }

    /// Whether that has come, or the clock was set back.
    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        self.turn.is_some_and(|turn| turn <= now) || self.made.is_some_and(|made| now < made)
    }

    /// Whether every client gets the same from both.
    pub fn chooses_like(&self, other: &Self) -> bool {
        let ids = |parts: &[Part]| parts.iter().map(Part::id).collect::<Vec<_>>();
        let same = |one: &HashMap<String, Vec<_>>, two: &HashMap<String, Vec<_>>| {
            one.len() == two.len()
                && one.iter().all(|(name, sets)| two.get(name).is_some_and(|own| ids(own) == ids(sets)))
        };
        let names = self.by_name.values().map(Part::id).eq(other.by_name.values().map(Part::id));
        names && same(&self.exact, &other.exact) && same(&self.wildcards, &other.wildcards)
    }

    /// This one, holding as long as `other`, which [chooses like](Self::chooses_like) it.
    pub fn until_turn_of(&self, other: &Self) -> Self {
        Self { made: other.made, turn: other.turn, ..self.clone() }
    }

    /// Whether there is nothing to serve.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

/// A server name as it is looked up.
fn normal(asked: &str) -> String {
    asked.strip_suffix('.').unwrap_or(asked).to_ascii_lowercase()
}

/// Of several sets for one host name: the listener's own, else the best.
fn best<'a>(offers: &'a [Part], listener: Option<&CertName>) -> Option<&'a Part> {
    let own = listener.and_then(|name| offers.iter().find(|part| part.set.name() == name));
    own.or(offers.first())
}

fn is_valid(pair: &Pair, now: OffsetDateTime) -> bool {
    let leaf = pair.identity.leaf();
    leaf.not_before <= now && now <= leaf.not_after
}

/// Smaller is better: valid now, from an authority rather than self-signed, newest.
type Rank = (bool, bool, Reverse<OffsetDateTime>);

fn rank(pair: &Pair, now: OffsetDateTime) -> Rank {
    let leaf = pair.identity.leaf();
    (!is_valid(pair, now), leaf.self_issued, Reverse(leaf.not_before))
}

#[cfg(test)]
mod tests;
