//! Putting the certificates that came with a key in order: its own first, then who signed it, and so on.
//!
//! Duplicates go silently. The root goes with a warning (clients have it or don't trust it anyway), and so does
//! what has nothing to do with the chain. The order is found by names *and* signatures. Bound: [`MAX_CHAIN`].

use time::OffsetDateTime;

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
}

/// Finds the chain of `key`, whose own certificate is proved by signature.
pub fn assemble(found: Vec<Certificate>, key: &PrivateKey, now: OffsetDateTime) -> Result<Chain, ImportError> {
    let (Chain { certificates, mut warnings }, rooted) = walk(found, key, now, Proof::Signature)?;
    if let [only] = certificates.as_slice() {
        if !rooted && !only.self_signed() {
            warnings.push(format!(
                "the certificate of its issuer \"{}\" isn't in the file: if that is an intermediate authority, clients \
                 won't trust this certificate without it; bring it along",
                only.issuer
            ));
        }
    }
    Ok(Chain { certificates, warnings })
}

/// The same without asking whether something is missing, which a pair that is in service needn't be told again; a folder of
/// thousands is read in half the time then.
pub fn order(
    found: Vec<Certificate>,
    key: &PrivateKey,
    now: OffsetDateTime,
    proof: Proof,
) -> Result<Chain, ImportError> {
    walk(found, key, now, proof).map(|(chain, _)| chain)
}

/// The chain, and whether its root was left out.
fn walk(
    mut found: Vec<Certificate>,
    key: &PrivateKey,
    now: OffsetDateTime,
    proof: Proof,
) -> Result<(Chain, bool), ImportError> {
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
    let mut chain = vec![leaf];
    while chain.len() < MAX_CHAIN && !found.is_empty() {
        let last = &chain[chain.len() - 1];
        if last.self_signed() {
            break;
        }
        let Some(at) = issuer_of(last, &found, now) else {
            break;
        };
        chain.push(found.swap_remove(at));
    }
    // The certificate that ends the chain may be a root, which isn't sent.
    let rooted = chain.len() > 1 && chain[chain.len() - 1].self_signed();
    if rooted {
        if let Some(root) = chain.pop() {
            warnings.push(format!(
                "the root certificate \"{}\" was left out: clients have it already or don't trust it",
                root.subject
            ));
        }
    }
    for stranger in &found {
        warnings.push(format!("the certificate \"{}\" was left out: it isn't part of the chain", stranger.subject));
    }
    Ok((Chain { certificates: chain, warnings }, rooted))
}

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

/// Who signed `certificate`: of several, one that is valid now, that isn't a root (a longer chain reaches more
/// clients), and that lasts longest.
fn issuer_of(certificate: &Certificate, found: &[Certificate], now: OffsetDateTime) -> Option<usize> {
    found
        .iter()
        .enumerate()
        .filter(|(_, candidate)| certificate.signed_by(candidate) != Some(false))
        .max_by_key(|(_, candidate)| {
            (candidate.not_before <= now && now <= candidate.not_after, !candidate.self_issued, candidate.not_after)
        })
        .map(|(at, _)| at)
}
