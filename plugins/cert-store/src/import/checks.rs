//! What is wrong with a certificate that belongs to its key, and with those above it: some things refuse it, the others are
//! told.

use time::{Date, OffsetDateTime};

use super::chain::{gap, Chain};
use super::roots::Roots;
use super::ImportError;
use crate::certificate::Certificate;
use crate::key::{KeyKind, PrivateKey};

/// Why no client accepts a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Anybody can forge it.
    #[error("it is signed with MD5, which nobody trusts any more: request a new certificate")]
    Md5,
    /// Older than everything that counts.
    #[error("it is an X.509 version 1 certificate without alternative names: request a new certificate")]
    Version1,
    /// Too small, or larger than clients calculate.
    #[error("its RSA key doesn't have 2048 to 8192 bits: create a new key")]
    RsaSize,
    /// Nobody knows it, and so everybody must refuse the certificate (RFC 5280 section 4.2).
    #[error(
        "its extension {oid} is marked as critical, and TLS programs, which don't know it, must refuse the certificate: \
         request one without it"
    )]
    UnknownCritical {
        /// Its identifier.
        oid: String,
    },
}

impl Refusal {
    /// The reason to refuse a certificate, if there is one.
    pub fn of(leaf: &Certificate) -> Option<Self> {
        let size_is_wrong = matches!(leaf.key_kind, Some(KeyKind::Rsa(bits)) if !(2048..=8192).contains(&bits));
        if leaf.signed_with_md5 {
            Some(Self::Md5)
        } else if leaf.version != 3 {
            Some(Self::Version1)
        } else if size_is_wrong {
            Some(Self::RsaSize)
        } else {
            leaf.unknown_critical.first().map(|oid| Self::UnknownCritical { oid: oid.clone() })
        }
    }
}

/// Refuses what no client accepts.
pub fn refuse(leaf: &Certificate) -> Result<(), ImportError> {
    match Refusal::of(leaf) {
        Some(reason) => Err(ImportError::Unacceptable { subject: leaf.subject.clone(), reason }),
        None => Ok(()),
    }
}

/// Something that some clients won't accept, or won't for long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// BoringSSL verifies nothing by it.
    #[error(
        "the key is on the curve P-521: Android's mail programs and others that use BoringSSL refuse such certificates"
    )]
    P521,
    /// Not everybody knows it, and whoever doesn't must refuse the certificate.
    #[error("the certificate has the extension {oid} {POLICY}")]
    PolicyCritical {
        /// Its identifier.
        oid: String,
    },
}

/// Says that an extension isn't known to all.
const POLICY: &str =
    "of policies, marked as critical: clients with rustls refuse it, and the plugin tls-rustls doesn't serve it";

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
        (key.kind() == KeyKind::EcdsaP521, Doubt::P521),
    ];
    let found = all.into_iter().filter_map(|(is_so, doubt)| is_so.then_some(doubt));
    found.chain(leaf.policy_critical.iter().map(|oid| Doubt::PolicyCritical { oid: oid.clone() })).collect()
}

/// What is wrong with a certificate above the leaf. Made to stand behind its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// It is over.
    #[error("expired on {on}")]
    Expired {
        /// Since when.
        on: Date,
    },
    /// It hasn't begun.
    #[error("isn't valid before {from}")]
    NotYetValid {
        /// From when on.
        from: OffsetDateTime,
    },
    /// It may not sign others (RFC 5280 section 6.1.4, k).
    #[error("isn't an authority's (no CA:TRUE): no client accepts what it has signed")]
    NoAuthority,
    /// Anybody can forge it.
    #[error("is signed with MD5: no client accepts it")]
    Md5,
    /// SHA-1 is broken.
    #[error("is signed with SHA-1: current clients refuse it")]
    Sha1,
    /// Its key can be found.
    #[error("has a key of {name}, which is too small: current clients refuse it")]
    SmallKey {
        /// What key it has.
        name: String,
    },
    /// Nobody knows it, and so everybody must refuse the certificate.
    #[error("has the extension {oid}, marked as critical, and TLS programs, which don't know it, must refuse it")]
    UnknownCritical {
        /// Its identifier.
        oid: String,
    },
    /// Not everybody knows it, and whoever doesn't must refuse the certificate.
    #[error("has the extension {oid} {POLICY}")]
    PolicyCritical {
        /// Its identifier.
        oid: String,
    },
}

/// All that is wrong with a certificate above the leaf.
pub fn flaws(above: &Certificate, now: OffsetDateTime) -> Vec<Flaw> {
    let all = [
        (above.not_after < now, Flaw::Expired { on: above.not_after.date() }),
        (above.not_before > now, Flaw::NotYetValid { from: above.not_before }),
        (!above.is_ca, Flaw::NoAuthority),
        (above.signed_with_md5, Flaw::Md5),
        (above.signed_with_sha1, Flaw::Sha1),
        (above.has_small_rsa(), Flaw::SmallKey { name: above.key_name.clone() }),
    ];
    let found = all.into_iter().filter_map(|(is_so, flaw)| is_so.then_some(flaw));
    let unknown = above.unknown_critical.iter().map(|oid| Flaw::UnknownCritical { oid: oid.clone() });
    let policies = above.policy_critical.iter().map(|oid| Flaw::PolicyCritical { oid: oid.clone() });
    found.chain(unknown).chain(policies).collect()
}

/// Tells what some clients won't accept, or won't for long: of the certificate, of those above it, and of what is missing.
pub fn warn(chain: &Chain, key: &PrivateKey, known: &Roots, now: OffsetDateTime) -> Vec<String> {
    let mut warnings = Vec::new();
    let [leaf, above @ ..] = chain.certificates.as_slice() else {
        return warnings;
    };
    warnings.extend(gap(&chain.certificates, chain.is_rooted, known).map(|top| {
        let whose = match above {
            [] => "its issuer".to_owned(),
            _ => format!("the issuer of \"{}\",", top.subject),
        };
        format!(
            "the certificate of {whose} \"{}\" isn't in the file, and isn't a root that this machine knows: if that is an \
             intermediate authority, clients won't trust this certificate without it; bring it along",
            top.issuer
        )
    }));
    warnings.extend(doubts(leaf, key, now).iter().map(ToString::to_string));
    for above in above {
        let flaws = flaws(above, now).into_iter();
        warnings.extend(
            flaws.map(|flaw| format!("\"{}\" of the chain {flaw}; bring the authority's new one", above.subject)),
        );
    }
    warnings
}
