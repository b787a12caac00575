//! What a certificate says, taken out of its DER once (RFC 5280).
//!
//! Fails on DER that isn't one X.509 certificate, whole and nothing behind it. Bounds: [`MAX_DER`] bytes,
//! [`MAX_NAMES`] names.

use std::net::IpAddr;

use aws_lc_rs::signature;
use time::OffsetDateTime;
use x509_parser::der_parser::asn1_rs::FromDer;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::X509Certificate;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::signature_algorithm::SignatureAlgorithm;

use crate::fingerprint::Fingerprint;
use crate::key::{bits_of, KeyKind};

/// The largest certificate.
pub const MAX_DER: usize = 256 * 1024;
/// The most subject alternative names that are looked at.
pub const MAX_NAMES: usize = 10_000;

/// A certificate: its DER, and the facts that choosing, warning and showing need.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The whole certificate.
    pub der: Vec<u8>,
    /// Subject, as text.
    pub subject: String,
    /// Issuer, as text.
    pub issuer: String,
    /// Serial number, in hex with colons.
    pub serial: String,
    /// First moment of validity.
    pub not_before: OffsetDateTime,
    /// Last moment of validity.
    pub not_after: OffsetDateTime,
    /// DNS names, in lower case.
    pub dns_names: Vec<String>,
    /// IP addresses.
    pub ip_addresses: Vec<IpAddr>,
    /// Mail addresses.
    pub emails: Vec<String>,
    /// What kind of key is in it, as text: "RSA 2048", "ECDSA P-256", "DSA".
    pub key_name: String,
    /// The same, if a private key could be of that kind here. RSA is, whatever its size.
    pub key_kind: Option<KeyKind>,
    /// What it is signed with, as text.
    pub signature_name: String,
    /// Whether the signature rests on MD2, MD4 or MD5.
    pub signed_with_md5: bool,
    /// Whether the signature rests on SHA-1.
    pub signed_with_sha1: bool,
    /// X.509 version: 3 for everything current.
    pub version: u32,
    /// Basic constraints say that it may sign certificates.
    pub is_ca: bool,
    /// Extended key usage is absent, any, or includes server authentication.
    pub for_servers: bool,
    /// Extensions that whoever doesn't know them must refuse it for, and that no TLS program knows: their identifiers.
    pub unknown_critical: Vec<String>,
    /// The same of those that some know: those of policies.
    pub policy_critical: Vec<String>,
    /// Subject and issuer are the same name.
    pub self_issued: bool,
    /// Subject's DER, to match issuers by.
    pub raw_subject: Vec<u8>,
    /// Issuer's DER.
    pub raw_issuer: Vec<u8>,
    /// The public key as it stands in the bit string.
    pub public_key: Vec<u8>,
    /// SHA-256 of the certificate.
    pub fingerprint: Fingerprint,
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub key_fingerprint: Fingerprint,
}

/// Why bytes aren't a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not parsable as one.
    #[error("the certificate is damaged: {reason}")]
    Damaged {
        /// What the parser said.
        reason: String,
    },
    /// Larger than [`MAX_DER`].
    #[error("the certificate has more than 256 KiB")]
    TooLarge,
}

impl Certificate {
    /// Parses one certificate with nothing behind it.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, this) = Self::from_der_prefix(der)?;
        if rest.is_empty() {
            return Ok(this);
        }
        Err(CertificateError::Damaged { reason: format!("{} bytes follow it", rest.len()) })
    }

    /// Parses a certificate that something may follow, as in OpenSSL's `TRUSTED CERTIFICATE`.
    pub fn from_der_prefix(der: &[u8]) -> Result<(&[u8], Self), CertificateError> {
        let (rest, parsed) = parse(der)?;
        let whole = &der[..der.len() - rest.len()];
        if whole.len() > MAX_DER {
            return Err(CertificateError::TooLarge);
        }
        Ok((rest, facts(whole, &parsed)))
    }

    /// Whether `issuer` signed this certificate: `None` if its signature algorithm can't be checked here, and the names of the
    /// keys don't say that another key of the issuer's did.
    pub fn signed_by(&self, issuer: &Certificate) -> Option<bool> {
        if self.raw_issuer != issuer.raw_subject {
            return Some(false);
        }
        let (_, mine) = parse(&self.der).ok()?;
        let (_, theirs) = parse(&issuer.der).ok()?;
        let verified = match mine.verify_signature(Some(theirs.public_key())) {
            Ok(()) => Some(true),
            Err(x509_parser::error::X509Error::SignatureUnsupportedAlgorithm) => None,
            // The library refuses small keys whatever they have signed.
            Err(_) if issuer.has_small_rsa() => signed_by_small_rsa(&mine, &issuer.public_key),
            // The library checks PSS with salts of the hash's length alone; others are good, too.
            Err(_) if mine.signature_algorithm.algorithm.to_id_string() == RSA_PSS => None,
            Err(_) => Some(false),
        };
        let is_anothers = || matches!((issuer_key(&mine), own_key(&theirs)), (Some(one), Some(other)) if one != other);
        verified.or_else(|| is_anothers().then_some(false))
    }

    /// Whether its key is RSA of fewer than 2048 bits.
    pub fn has_small_rsa(&self) -> bool {
        matches!(self.key_kind, Some(KeyKind::Rsa(..2048)))
    }

    /// Whether it is signed with its own key.
    pub fn self_signed(&self) -> bool {
        self.self_issued && self.signed_by(self) != Some(false)
    }

    /// Every name a client could ask for or compare with, in one list.
    pub fn alternative_names(&self) -> Vec<String> {
        let ips = self.ip_addresses.iter().map(IpAddr::to_string);
        let dns = self.dns_names.iter().cloned();
        dns.chain(ips).chain(self.emails.iter().cloned()).collect()
    }
}

fn parse(der: &[u8]) -> Result<(&[u8], X509Certificate<'_>), CertificateError> {
    X509Certificate::from_der(der).map_err(|error| CertificateError::Damaged {
        reason: match error {
            x509_parser::nom::Err::Incomplete(_) => "it is cut off".to_owned(),
            x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error.to_string(),
        },
    })
}

fn facts(der: &[u8], parsed: &X509Certificate<'_>) -> Certificate {
    let (mut dns_names, mut ip_addresses, mut emails) = (Vec::new(), Vec::new(), Vec::new());
    if let Ok(Some(extension)) = parsed.subject_alternative_name() {
        for name in extension.value.general_names.iter().take(MAX_NAMES) {
            match name {
                GeneralName::DNSName(name) => dns_names.push(name.to_ascii_lowercase()),
                GeneralName::IPAddress(bytes) => ip_addresses.extend(ip(bytes)),
                GeneralName::RFC822Name(address) => emails.push((*address).to_owned()),
                _ => {}
            }
        }
    }
    let signed_with = parsed.signature_algorithm.algorithm.to_id_string();
    // RSA-PSS names its hash in parameters, and means SHA-1 without (RFC 4055 section 3.1). Of others the parser isn't asked:
    // a debug build of it writes about those that it doesn't know to standard error.
    let pss = (signed_with == RSA_PSS).then(|| SignatureAlgorithm::try_from(&parsed.signature_algorithm));
    let hash = match pss {
        Some(Ok(SignatureAlgorithm::RSASSA_PSS(pss))) => pss.hash_algorithm_oid().to_id_string(),
        _ => String::new(),
    };
    let (key_name, key_kind) = key_facts(parsed);
    let (policy_critical, unknown_critical) = unusual_critical(parsed);
    Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        serial: parsed.raw_serial_as_string(),
        not_before: parsed.validity().not_before.to_datetime(),
        not_after: parsed.validity().not_after.to_datetime(),
        dns_names,
        ip_addresses,
        emails,
        key_name,
        key_kind,
        signature_name: signature_name(&signed_with),
        signed_with_md5: MD5_SIGNATURES.contains(&signed_with.as_str()) || hash == MD5,
        signed_with_sha1: SHA1_SIGNATURES.contains(&signed_with.as_str()) || hash == SHA1,
        version: parsed.version().0.saturating_add(1),
        is_ca: matches!(parsed.basic_constraints(), Ok(Some(c)) if c.value.ca),
        for_servers: match parsed.extended_key_usage() {
            Ok(Some(usage)) => usage.value.server_auth || usage.value.any,
            Ok(None) => true,
            Err(_) => false,
        },
        unknown_critical,
        policy_critical,
        self_issued: parsed.subject().as_raw() == parsed.issuer().as_raw(),
        raw_subject: parsed.subject().as_raw().to_vec(),
        raw_issuer: parsed.issuer().as_raw().to_vec(),
        public_key: parsed.public_key().subject_public_key.data.to_vec(),
        fingerprint: Fingerprint::of(der),
        key_fingerprint: Fingerprint::of(parsed.public_key().raw),
        der: der.to_vec(),
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

fn key_facts(parsed: &X509Certificate<'_>) -> (String, Option<KeyKind>) {
    let info = parsed.public_key();
    let curve = || {
        let parameters = info.algorithm.parameters.as_ref()?;
        Some(parameters.as_oid().ok()?.to_id_string())
    };
    let kind = match info.parsed() {
        Ok(PublicKey::RSA(RSAPublicKey { modulus, .. })) => Ok(KeyKind::Rsa(bits_of(modulus))),
        Ok(PublicKey::EC(_)) => match curve().as_deref() {
            Some("1.2.840.10045.3.1.7") => Ok(KeyKind::EcdsaP256),
            Some("1.3.132.0.34") => Ok(KeyKind::EcdsaP384),
            Some("1.3.132.0.35") => Ok(KeyKind::EcdsaP521),
            Some(oid) => Err(format!("ECDSA on curve {oid}")),
            None => Err("ECDSA with explicit parameters".to_owned()),
        },
        Ok(PublicKey::DSA(_)) => Err("DSA".to_owned()),
        _ => match info.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => Ok(KeyKind::Ed25519),
            "1.3.101.113" => Err("Ed448".to_owned()),
            "1.2.840.113549.1.1.10" => Err("RSA-PSS".to_owned()),
            oid => Err(format!("unknown ({oid})")),
        },
    };
    match kind {
        Ok(kind) => (kind.to_string(), Some(kind)),
        Err(name) => (name, None),
    }
}

/// Whether an RSA key that is too small for everybody else has signed a certificate: `None` if even that can't be checked.
fn signed_by_small_rsa(certificate: &X509Certificate<'_>, public_key: &[u8]) -> Option<bool> {
    let algorithm = match certificate.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        "1.2.840.113549.1.1.11" => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        "1.2.840.113549.1.1.13" => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        _ => return None,
    };
    let key = signature::UnparsedPublicKey::new(algorithm, public_key);
    Some(key.verify(certificate.tbs_certificate.as_ref(), &certificate.signature_value.data).is_ok())
}

/// What the key that signed a certificate is called in it (RFC 5280 section 4.2.1.1).
fn issuer_key<'a>(parsed: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    parsed.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(key) => key.key_identifier.as_ref().map(|key| key.0),
        _ => None,
    })
}

/// What a certificate calls its own key (RFC 5280 section 4.2.1.2).
fn own_key<'a>(parsed: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    parsed.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(key) => Some(key.0),
        _ => None,
    })
}

/// The critical extensions that not everybody knows: those of policies, and the others.
fn unusual_critical(parsed: &X509Certificate<'_>) -> (Vec<String>, Vec<String>) {
    let critical = parsed.extensions().iter().filter(|extension| extension.critical);
    let unusual = critical.map(|extension| extension.oid.to_id_string()).filter(|oid| !KNOWN.contains(&oid.as_str()));
    unusual.partition(|oid| POLICIES.contains(&oid.as_str()))
}

fn signature_name(oid: &str) -> String {
    let name = match oid {
        "1.2.840.113549.1.1.4" => "MD5 with RSA",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "SHA-1 with RSA",
        "1.2.840.113549.1.1.11" => "SHA-256 with RSA",
        "1.2.840.113549.1.1.12" => "SHA-384 with RSA",
        "1.2.840.113549.1.1.13" => "SHA-512 with RSA",
        RSA_PSS => "RSA-PSS",
        "1.2.840.10045.4.1" => "ECDSA with SHA-1",
        "1.2.840.10045.4.3.2" => "ECDSA with SHA-256",
        "1.2.840.10045.4.3.3" => "ECDSA with SHA-384",
        "1.2.840.10045.4.3.4" => "ECDSA with SHA-512",
        "1.3.101.112" => "Ed25519",
        other => return other.to_owned(),
    };
    name.to_owned()
}

/// The extensions that everybody knows: key usage, alternative names, basic constraints, name constraints, revocation lists,
/// extended key usage (RFC 5280 section 4.2.1).
const KNOWN: [&str; 6] = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.31", "2.5.29.37"];
/// Those that OpenSSL, NSS and GnuTLS know and webpki, which rustls uses, doesn't: certificate policies, policy mappings,
/// policy constraints, inhibit anyPolicy.
const POLICIES: [&str; 4] = ["2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"];
const RSA_PSS: &str = "1.2.840.113549.1.1.10";
const MD5: &str = "1.2.840.113549.2.5";
const SHA1: &str = "1.3.14.3.2.26";
const MD5_SIGNATURES: [&str; 5] =
    ["1.2.840.113549.1.1.2", "1.2.840.113549.1.1.3", "1.2.840.113549.1.1.4", "1.3.14.3.2.2", "1.3.14.3.2.3"];
const SHA1_SIGNATURES: [&str; 5] =
    ["1.2.840.113549.1.1.5", "1.3.14.3.2.29", "1.3.14.3.2.27", "1.2.840.10040.4.3", "1.2.840.10045.4.1"];

#[cfg(test)]
mod tests;
