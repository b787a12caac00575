//! What a certificate says that can lead to an account: its key, and the mail addresses in it (RFC 5280).
//!
//! Nothing is verified here: TLS has done that before anybody asks, against the trust anchors of the listener.
//!
//! The address in a subject counts only if the operator chooses so (`Subject`). TLS keeps the bounds of issuers for alternative names;
//! for subjects they are looked for here, and only in the chain that TLS gives: the client's certificate and the issuers up to the
//! trust anchor, but not always the anchor itself, whose bounds are then not seen.
//!
//! **Fails** with a [`CertificateError`]. **Bounds**: a file of [`MAX_FILE`] octets, a chain of [`MAX_CHAIN`] certificates,
//! [`MAX_NAMES`] addresses of each kind; a subject is shown in [`MAX_SUBJECT`] characters.

use crate::fingerprint::Fingerprint;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, oid_registry::OID_X509_EXT_NAME_CONSTRAINTS,
    parse_x509_certificate, pem::Pem,
};

/// Longest file that a certificate is read from.
pub const MAX_FILE: usize = 1 << 20;
/// Most certificates of a chain.
pub const MAX_CHAIN: usize = 32;
/// Most addresses of each kind in a certificate.
pub const MAX_NAMES: usize = 100;
/// As much of a subject is shown.
pub const MAX_SUBJECT: usize = 120;

/// What was read of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Of the whole certificate.
    pub fingerprint: Fingerprint,
    /// Of its public key.
    pub key: Fingerprint,
    /// Whose it is, for people; no control characters.
    pub subject: String,
    /// Mail addresses among its alternative names (`rfc822Name`, section 4.2.1.6).
    pub alternative_names: Vec<String>,
    /// Mail addresses in its subject (`emailAddress`, section 4.1.2.6), where they may be believed: if there are none among the
    /// alternative names, and if no issuer in the chain is bound to certain names. Such bounds (`nameConstraints`, section 4.2.1.10)
    /// are kept for alternative names by every TLS provider, for subjects not by all; those of the anchor itself may not be seen.
    pub subject_names: Vec<String>,
}

/// Why there is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No certificate was shown.
    #[error("there is no certificate")]
    None,
    /// Not an X.509 certificate, or one with something after it.
    #[error("the certificate cannot be read")]
    Unreadable,
    /// Its alternative names cannot be read or are there twice.
    #[error("the certificate's alternative names cannot be read")]
    Names,
    /// More than a limit.
    #[error("the chain has more than {MAX_CHAIN} certificates, or a certificate more than {MAX_NAMES} mail addresses of a kind")]
    TooMany,
    /// A file that is too big to be a certificate.
    #[error("it has more than {MAX_FILE} bytes, too many for a certificate")]
    TooBig,
    /// A file of something else.
    #[error("there is no certificate in it (a PEM block that begins with BEGIN CERTIFICATE, or DER)")]
    NoFile,
}

/// Reads a chain as TLS gives it: the client's certificate, then those above it.
///
/// # Errors
/// [`CertificateError`].
pub fn of_chain(chain: &[Vec<u8>]) -> Result<Certificate, CertificateError> {
    let (leaf, issuers) = chain.split_first().ok_or(CertificateError::None)?;
    if chain.len() > MAX_CHAIN {
        return Err(CertificateError::TooMany);
    }
    let mut certificate = read(leaf)?;
    // What cannot be read may hold anything.
    if !certificate.alternative_names.is_empty() || issuers.iter().any(|der| whole(der).is_none_or(is_constrained)) {
        certificate.subject_names.clear();
    }
    Ok(certificate)
}

/// Reads the first certificate of a file, PEM or DER.
///
/// # Errors
/// [`CertificateError`].
pub fn of_file(bytes: &[u8]) -> Result<Certificate, CertificateError> {
    if bytes.len() > MAX_FILE {
        return Err(CertificateError::TooBig);
    }
    if whole(bytes).is_some() {
        return read(bytes);
    }
    let block = Pem::iter_from_buffer(bytes).map_while(Result::ok).find(|block| block.label == "CERTIFICATE");
    read(&block.ok_or(CertificateError::NoFile)?.contents)
}

fn read(der: &[u8]) -> Result<Certificate, CertificateError> {
    let x509 = whole(der).ok_or(CertificateError::Unreadable)?;
    let alternative = x509.subject_alternative_name().map_err(|_| CertificateError::Names)?;
    let all = alternative.iter().flat_map(|names| &names.value.general_names);
    let alternative_names = limited(all.filter_map(|name| match name {
        GeneralName::RFC822Name(name) => Some((*name).to_owned()),
        _ => None,
    }))?;
    // One that is no text names nobody.
    let subject_names = x509.subject().iter_email().filter_map(|name| name.as_str().ok().map(str::to_owned));
    Ok(Certificate {
        fingerprint: Fingerprint::of(der),
        key: Fingerprint::of(x509.public_key().raw),
        subject: shown(&x509.subject().to_string()),
        alternative_names,
        subject_names: limited(subject_names)?,
    })
}

/// The certificate, if it is all there is.
fn whole(der: &[u8]) -> Option<X509Certificate<'_>> {
    parse_x509_certificate(der).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, x509)| x509)
}

/// By the extension's number: one that cannot be read binds all the same.
fn is_constrained(issuer: X509Certificate<'_>) -> bool {
    issuer.extensions().iter().any(|extension| extension.oid == OID_X509_EXT_NAME_CONSTRAINTS)
}

fn limited(names: impl Iterator<Item = String>) -> Result<Vec<String>, CertificateError> {
    let names: Vec<String> = names.take(MAX_NAMES + 1).collect();
    (names.len() <= MAX_NAMES).then_some(names).ok_or(CertificateError::TooMany)
}

/// A text as it may be shown and kept.
pub fn shown(text: &str) -> String {
    let clean = text.chars().map(|letter| if letter.is_control() { '?' } else { letter });
    clean.take(MAX_SUBJECT).collect()
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
pub mod tests;
