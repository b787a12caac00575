//! What the server can serve at one moment: an immutable set of identities, and which one a client gets.
//!
//! Choosing is pure: no lock, no file, a few look-ups by name. Names come from the certificates' alternative
//! names (RFC 6066 section 3 for server names, RFC 6125 section 6.4.3 for wildcards: one label, the leftmost).
//! Identifiers are never reused: one stands for one content of one pair.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use time::OffsetDateTime;

use crate::folder::Stamp;
use crate::identity::Identity;
use crate::name::CertName;

/// Everything that is served under one name. One chain now; one for each kind of key when a name can have several.
#[derive(Debug)]
pub struct IdentitySet {
    /// Stands for exactly this content, in this process, for ever.
    pub id: u64,
    /// The chains; the TLS provider picks one that the client can verify.
    pub identities: Vec<Identity>,
    pub(crate) stamp: Stamp,
}

impl IdentitySet {
    /// The pair's name.
    pub fn name(&self) -> &CertName {
        &self.identities[0].name
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

impl Snapshot {
    /// Builds the look-ups. `default` names the pair for clients that ask for nothing we have; without it, the
    /// first by name is taken. Sets in `retired` can still be loaded by identifier, but are never chosen.
    pub fn new(
        sets: Vec<Arc<IdentitySet>>,
        retired: impl IntoIterator<Item = Arc<IdentitySet>>,
        default: Option<&CertName>,
        now: OffsetDateTime,
    ) -> Self {
        let mut this = Self::default();
        let mut ranked = sets;
        ranked.sort_by_cached_key(|set| rank(set, now));
        for set in &ranked {
            for name in set.identities.iter().flat_map(|identity| &identity.leaf().dns_names) {
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
            Some(name) => this.by_name.get(name).cloned(),
            None => this.by_name.values().next().cloned(),
        };
        this
    }

    /// Which set a client gets, and why: by the name it asked for (exact, then a wildcard), else the listener's
    /// certificate, else the default. A listener whose certificate isn't there gets nothing rather than another
    /// one.
    pub fn resolve(&self, listener: Option<&str>, server_name: Option<&str>) -> Option<(u64, Why)> {
        if let Some(asked) = server_name {
            let asked = asked.strip_suffix('.').unwrap_or(asked).to_ascii_lowercase();
            if let Some(set) = best(self.exact.get(&asked), listener) {
                return Some((set.id, Why::Exact));
            }
            let parent = asked.split_once('.').map(|(_, parent)| parent);
            if let Some(set) = best(parent.and_then(|parent| self.wildcards.get(parent)), listener) {
                return Some((set.id, Why::Wildcard));
            }
        }
        match listener {
            Some(name) => {
                let set = self.by_name.get(&CertName::new(name).ok()?)?;
                Some((set.id, Why::Listener))
            }
            None => self.default.as_ref().map(|set| (set.id, Why::Default)),
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

    /// The set of a pair.
    pub fn named(&self, name: &CertName) -> Option<&Arc<IdentitySet>> {
        self.by_name.get(name)
    }

    /// Whether there is nothing to serve.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

/// Of several sets for one host name: the listener's own, else the best.
fn best<'a>(offers: Option<&'a Vec<Arc<IdentitySet>>>, listener: Option<&str>) -> Option<&'a Arc<IdentitySet>> {
    let offers = offers?;
    let own = listener.and_then(|name| offers.iter().find(|set| set.name().as_str() == name));
    own.or(offers.first())
}

/// Smaller is better: valid now, from an authority rather than self-signed, newest, then by name.
fn rank(set: &IdentitySet, now: OffsetDateTime) -> (bool, bool, std::cmp::Reverse<OffsetDateTime>, CertName) {
    let leaf = set.identities[0].leaf();
    (
        !(leaf.not_before <= now && now <= leaf.not_after),
        leaf.self_issued,
        std::cmp::Reverse(leaf.not_before),
        set.name().clone(),
    )
}

#[cfg(test)]
mod tests;
