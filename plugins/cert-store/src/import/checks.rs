//! What is wrong with a certificate that belongs to its key: some things refuse it, the others are told.

use time::OffsetDateTime;

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

/// Tells what some clients won't accept, or won't for long.
pub fn warn(leaf: &Certificate, key: &PrivateKey, now: OffsetDateTime) -> Vec<String> {
    let mut warnings = Vec::new();
    if leaf.not_after < now {
        warnings.push(format!("the certificate expired on {}", leaf.not_after.date()));
    }
    if leaf.not_before > now {
        warnings.push(format!("the certificate isn't valid before {}", leaf.not_before));
    }
    if leaf.dns_names.is_empty() && leaf.ip_addresses.is_empty() {
        warnings.push(
            "the certificate has no alternative names, only a common name: current clients won't accept it for any host"
                .to_owned(),
        );
    }
    if leaf.is_ca {
        warnings.push("the certificate is an authority's (CA:TRUE): strict clients refuse it for a server".to_owned());
    }
    if !leaf.for_servers {
        warnings.push("the certificate isn't meant for servers (no serverAuth): strict clients refuse it".to_owned());
    }
    if leaf.signed_with_sha1 {
        warnings.push("the certificate is signed with SHA-1: current clients refuse it".to_owned());
    }
    if key.kind() == KeyKind::Ed25519 {
        warnings
            .push("the key is Ed25519: Firefox, Thunderbird and other NSS clients refuse such certificates".to_owned());
    }
    warnings
}
