//! What is wrong with a certificate that belongs to its key: some things refuse it, the others are told.

use time::{Date, OffsetDateTime};

use super::ImportError;
use crate::certificate::Certificate;
use crate::key::{KeyKind, PrivateKey};

/// Refuses what no client accepts.
pub fn refuse(leaf: &Certificate) -> Result<(), ImportError> {
    let reason = if leaf.signed_with_md5 {
        "it is signed with MD5, which nobody trusts any more: request a new certificate"
    } else if leaf.version != 3 {
        "it is an X.509 version 1 certificate without alternative names: request a new certificate"
    } else if leaf.rsa_bits.is_some_and(|bits| !(2048..=8192).contains(&bits)) {
        "its RSA key doesn't have 2048 to 8192 bits: create a new key"
    } else {
        return Ok(());
    };
    Err(ImportError::Unacceptable { subject: leaf.subject.clone(), reason })
}

/// Something that some clients won't accept, or won't for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// It is over.
    #[error("the certificate expired on {on}")]
    Expired {
        /// Since when.
        on: Date,
    },
    /// It hasn't begun.
    #[error("the certificate isn't valid before {from}")]
    NotYetValid {
        /// From when on.
        from: OffsetDateTime,
    },
    /// Only a common name, which nobody looks at any more (RFC 9525 section 2).
    #[error(
        "the certificate has no alternative names, only a common name: current clients won't accept it for any host"
    )]
    NoNames,
    /// It may sign others.
    #[error("the certificate is an authority's (CA:TRUE): strict clients refuse it for a server")]
    Authority,
    /// Its extended key usage leaves servers out.
    #[error("the certificate isn't meant for servers (no serverAuth): strict clients refuse it")]
    NotForServers,
    /// SHA-1 is broken.
    #[error("the certificate is signed with SHA-1: current clients refuse it")]
    Sha1,
    /// NSS has no such certificates.
    #[error("the key is Ed25519: Firefox, Thunderbird and other NSS clients refuse such certificates")]
    Ed25519,
}

/// All doubts about a certificate.
pub fn doubts(leaf: &Certificate, key: &PrivateKey, now: OffsetDateTime) -> Vec<Doubt> {
    let all = [
        (leaf.not_after < now, Doubt::Expired { on: leaf.not_after.date() }),
        (leaf.not_before > now, Doubt::NotYetValid { from: leaf.not_before }),
        (leaf.dns_names.is_empty() && leaf.ip_addresses.is_empty(), Doubt::NoNames),
        (leaf.is_ca, Doubt::Authority),
        (!leaf.for_servers, Doubt::NotForServers),
        (leaf.signed_with_sha1, Doubt::Sha1),
        (key.kind() == KeyKind::Ed25519, Doubt::Ed25519),
    ];
    all.into_iter().filter_map(|(is_so, doubt)| is_so.then_some(doubt)).collect()
}

/// Tells what some clients won't accept, or won't for long.
pub fn warn(leaf: &Certificate, key: &PrivateKey, now: OffsetDateTime) -> Vec<String> {
    doubts(leaf, key, now).iter().map(ToString::to_string).collect()
}
