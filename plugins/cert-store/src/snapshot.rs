//! What the server can serve at one moment: an immutable set of identities, and which one a client gets.
//!
//! Choosing is pure: no lock, no file, a few look-ups by name. Names come from the certificates' alternative
//! names (RFC 6066 section 3 for server names, RFC 6125 section 6.4.3 for wildcards: one label, the leftmost).
//! Identifiers are never reused: one stands for one content of one identity's pairs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use time::OffsetDateTime;

use crate::further::KeyFamily;
use crate::identity::{Identity, Pair};
use crate::name::CertName;

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

    /// Its pairs: at least one. The TLS provider picks one that the client can verify.
    pub fn pairs(&self) -> &[Arc<Pair>] {
        &self.pairs
    }

    /// What is in them.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        self.pairs.iter().map(|pair| &pair.identity)
    }

    /// Whether it consists of exactly these.
    pub fn is_of(&self, pairs: &[Arc<Pair>]) -> bool {
        let has = |pair: &Arc<Pair>| self.pairs.iter().any(|own| Arc::ptr_eq(own, pair));
        self.pairs.len() == pairs.len() && pairs.iter().all(has)
    }
}

/// An immutable set of identities.
#[derive(Debug, Default)]
pub struct Snapshot {
    by_name: BTreeMap<CertName, Arc<IdentitySet>>,
    by_id: HashMap<u64, Arc<IdentitySet>>,
    /// Exact host names; of several sets for one name, the best first.
    exact: HashMap<String, Vec<Arc<IdentitySet>>>,
    /// What follows the `*.`.
    wildcards: HashMap<String, Vec<Arc<IdentitySet>>>,
    default: Option<Arc<IdentitySet>>,
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
    /// The set.
    pub set: &'a Arc<IdentitySet>,
    /// Why.
    pub why: Why,
    /// The name in the certificate that fits.
    pub fits: Option<String>,
    /// All sets with that name.
    pub offers: &'a [Arc<IdentitySet>],
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
        let mut this = Self::default();
        let mut ranked = sets;
        ranked.sort_by_cached_key(|set| (set.pairs.iter().map(|pair| rank(pair, now)).min(), set.name().clone()));
        for set in &ranked {
            for name in set.identities().flat_map(|identity| &identity.leaf().dns_names) {
                let (map, name) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut this.wildcards, parent),
                    None => (&mut this.exact, name.as_str()),
                };
                let offers = map.entry(name.to_owned()).or_default();
                if !offers.iter().any(|known| known.id == set.id) {
                    offers.push(set.clone());
                }
            }
        }
        this.by_id = retired.into_iter().map(|set| (set.id, set)).collect();
        for set in ranked {
            this.by_id.insert(set.id, set.clone());
            this.by_name.insert(set.name().clone(), set);
        }
        this.default = match default {
            Some(name) => this.named(name).cloned(),
            None => this.by_name.values().next().cloned(),
        };
        this
    }

    /// Which set a client gets, and why: by the name it asked for (exact, then a wildcard), else the listener's
    /// certificate, else the default. A listener whose certificate isn't there gets nothing rather than another
    /// one.
    pub fn resolve(&self, listener: Option<&str>, server_name: Option<&str>) -> Option<(u64, Why)> {
        self.choose(listener, server_name).map(|chosen| (chosen.set.id, chosen.why))
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
        let chosen = |set, why, offers| Chosen { set, why, fits: None, offers };
        let listener = listener.map(|name| CertName::new(name).map(|name| name.identity()));
        // A name that can't be a certificate's is one that isn't there.
        let own = listener.as_ref().and_then(|name| name.as_ref().ok());
        if let Some(asked) = server_name.map(normal) {
            if let Some(offers) = self.exact.get(&asked) {
                return best(offers, own).map(|set| chosen(set, Why::Exact, offers));
            }
            let parent = asked.split_once('.').map(|(_, parent)| parent);
            if let Some(offers) = parent.and_then(|parent| self.wildcards.get(parent)) {
                return best(offers, own).map(|set| chosen(set, Why::Wildcard, offers));
            }
        }
        match listener {
            Some(_) => Some(chosen(self.by_name.get(own?)?, Why::Listener, &[])),
            None => Some(chosen(self.default.as_ref()?, Why::Default, &[])),
        }
    }

    /// The set that an identifier stands for, of this snapshot or of the one before.
    pub fn get(&self, id: u64) -> Option<&Arc<IdentitySet>> {
        self.by_id.get(&id)
    }

    /// Every set that can be chosen, by name.
    pub fn sets(&self) -> impl Iterator<Item = &Arc<IdentitySet>> {
        self.by_name.values()
    }

    /// Every pair of them.
    pub fn pairs(&self) -> impl Iterator<Item = &Arc<Pair>> {
        self.sets().flat_map(|set| set.pairs())
    }

    /// The set of an identity, by its name or that of one of its pairs.
    pub fn named(&self, name: &CertName) -> Option<&Arc<IdentitySet>> {
        self.by_name.get(&name.identity())
    }

    /// A pair, by its name.
    pub fn pair(&self, name: &CertName) -> Option<&Arc<Pair>> {
        self.named(name)?.pairs().iter().find(|pair| pair.name() == name)
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
fn best<'a>(offers: &'a [Arc<IdentitySet>], listener: Option<&CertName>) -> Option<&'a Arc<IdentitySet>> {
    let own = listener.and_then(|name| offers.iter().find(|set| set.name() == name));
    own.or(offers.first())
}

/// Smaller is better: valid now, from an authority rather than self-signed, newest.
fn rank(pair: &Pair, now: OffsetDateTime) -> (bool, bool, Reverse<OffsetDateTime>) {
    let leaf = pair.identity.leaf();
    (!(leaf.not_before <= now && now <= leaf.not_after), leaf.self_issued, Reverse(leaf.not_before))
}

#[cfg(test)]
mod tests;
