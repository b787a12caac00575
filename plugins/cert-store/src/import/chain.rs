//! Putting the certificates that came with a key in order: its own first, then who signed it, and so on.
//!
//! Duplicates go silently. The root goes with a warning (clients have it or don't trust it anyway), and so does
//! what has nothing to do with the chain. The order is found by names *and* signatures; where a signature can't be verified
//! here, as those of some rare kinds can't, by names alone. Bound: [`MAX_CHAIN`].

use time::OffsetDateTime;

use super::roots::Roots;
use super::ImportError;
use crate::certificate::Certificate;
use crate::key::PrivateKey;
use crate::prove::{Mismatch, Proof};

/// The longest chain. Public authorities have two or three certificates, private ones rarely five.
pub const MAX_CHAIN: usize = 10;
/// The most certificates that are looked at.
pub const MAX_CERTIFICATES: usize = 64;

/// A key's chain, leaf first, and what should be told about it.
#[derive(Debug)]
pub struct Chain {
    /// The key's own certificate, then its issuers without the root.
    pub certificates: Vec<Certificate>,
    /// Sentences for people.
    pub warnings: Vec<String>,
    /// Whether its root was there, and was left out.
    pub is_rooted: bool,
}

/// The certificate whose issuer is missing, if one is: it was neither there, as `is_rooted` says, nor is it a root that this
/// machine knows.
pub fn gap<'a>(chain: &'a [Certificate], is_rooted: bool, known: &Roots) -> Option<&'a Certificate> {
    chain.last().filter(|top| !is_rooted && !top.self_signed() && !known.have(&top.raw_issuer))
}

/// Finds the chain of `key`, whose own certificate is proved like this.
pub fn order(
    mut found: Vec<Certificate>,
    key: &PrivateKey,
    now: OffsetDateTime,
    proof: Proof,
) -> Result<Chain, ImportError> {
    if found.len() > MAX_CERTIFICATES {
        return Err(ImportError::TooManyCertificates);
    }
    let mut warnings = Vec::new();
    let mut seen = Vec::new();
    found.retain(|certificate| {
        let new = !seen.contains(&certificate.fingerprint);
        seen.push(certificate.fingerprint);
        new
    });
    let leaf = take_leaf(&mut found, key, proof, &mut warnings)?;
    let pool: Vec<&Certificate> = found.iter().collect();
    let issuers: Vec<Certificate> = issuers(&leaf, &pool, pool.len(), now).into_iter().cloned().collect();
    found.retain(|certificate| issuers.iter().all(|issuer| issuer.fingerprint != certificate.fingerprint));
    let mut certificates = vec![leaf];
    certificates.extend(issuers);
    // The certificate that ends the chain may be a root, which isn't sent.
    let is_rooted = certificates.len() > 1 && certificates[certificates.len() - 1].self_signed();
    if is_rooted {
        if let Some(root) = certificates.pop() {
            warnings.push(format!(
                "the root certificate \"{}\" was left out: clients have it already or don't trust it",
                root.subject
            ));
        }
    }
    for stranger in &found {
        warnings.push(format!("the certificate \"{}\" was left out: it isn't part of the chain", stranger.subject));
    }
    Ok(Chain { certificates, warnings, is_rooted })
}

/// Who signed `leaf`, who signed that, and so on to the root, as far as they are in `pool`; the first `near` of which came
/// with the leaf.
pub fn issuers<'a>(
    leaf: &Certificate,
    pool: &[&'a Certificate],
    near: usize,
    now: OffsetDateTime,
) -> Vec<&'a Certificate> {
    let mut chain: Vec<&'a Certificate> = Vec::new();
    while chain.len() + 1 < MAX_CHAIN {
        let last = chain.last().copied().unwrap_or(leaf);
        if last.self_signed() {
            break;
        }
        let is_new = |candidate: &Certificate| {
            candidate.fingerprint != leaf.fingerprint
                && chain.iter().all(|known| known.fingerprint != candidate.fingerprint)
        };
        let candidates = pool.iter().enumerate().filter(|(_, candidate)| is_new(candidate));
        let ranked =
            candidates.filter_map(|(at, &candidate)| Some((rank(last, candidate, at < near, now)?, candidate)));
        let Some((_, issuer)) = ranked.max_by_key(|(rank, _)| *rank) else {
            break;
        };
        chain.push(issuer);
    }
    chain
}

/// How good `candidate` is as the issuer of `certificate`, if it may have signed it: of several that one is taken whose
/// signature can be verified, that is valid now, that may sign others, and that isn't signed in a way that nobody trusts;
/// then one that came with the leaf, that isn't a root (a longer chain reaches more clients), and that lasts longest.
fn rank(certificate: &Certificate, candidate: &Certificate, is_near: bool, now: OffsetDateTime) -> Option<Rank> {
    let is_verified = match certificate.signed_by(candidate) {
        Some(false) => return None,
        Some(true) => true,
        None => false,
    };
    let is_valid = candidate.not_before <= now && now <= candidate.not_after;
    let is_sound = candidate.self_issued || !(candidate.signed_with_md5 || candidate.signed_with_sha1);
    Some((is_verified, is_valid, candidate.is_ca, is_sound, is_near, !candidate.self_issued, candidate.not_after))
}

type Rank = (bool, bool, bool, bool, bool, bool, OffsetDateTime);

/// Takes the certificate that `key` proves; of several, the newest.
fn take_leaf(
    found: &mut Vec<Certificate>,
    key: &PrivateKey,
    proof: Proof,
    warnings: &mut Vec<String>,
) -> Result<Certificate, ImportError> {
    let mut mismatch: Option<Mismatch> = None;
    let mut leaves = Vec::new();
    for (at, certificate) in found.iter().enumerate() {
        match proof.find(key, certificate) {
            Ok(()) => leaves.push(at),
            // The first certificate is the one that the user means.
            Err(error) => mismatch = mismatch.or(Some(error)),
        }
    }
    let newest = leaves.iter().copied().max_by_key(|&at| (found[at].not_before, found[at].not_after));
    let Some(newest) = newest else {
        return Err(mismatch.map_or(ImportError::NoCertificate { seen: String::new() }, ImportError::Mismatch));
    };
    let leaf = found[newest].clone();
    if leaves.len() > 1 {
        warnings.push(format!(
            "there are {} certificates for this key: the newest was taken, valid from {}",
            leaves.len(),
            leaf.not_before.date()
        ));
    }
    let mut at = 0;
    found.retain(|_| {
        at += 1;
        !leaves.contains(&(at - 1))
    });
    Ok(leaf)
}
