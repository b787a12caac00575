//! What is in a file that somebody brings: certificates, keys, and what is of no use.
//!
//! PEM with any labels, or one DER structure. Something of no use beside something useful is passed over and
//! told; alone it is a refusal that names it and says what to bring instead.

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::der_parser::asn1_rs::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::label::{self, Label, Useless};
use super::pem::{self, Block, PemError};
use crate::certificate::{Certificate, CertificateError};
use crate::folder::InputOrKeyError;
use crate::input::Input;
use crate::key::{decrypt_pkcs8, KeyError, PrivateKey};

/// What was found in one file.
#[derive(Default)]
pub struct Contents {
    /// Certificates, in the file's order.
    pub certificates: Vec<Certificate>,
    /// Private keys, in the file's order.
    pub keys: Vec<PrivateKey>,
    /// What was passed over.
    pub useless: Vec<Seen>,
}

/// Something that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// With its article.
    pub what: String,
    /// What to do about it, if that is known.
    pub cure: Option<&'static str>,
}

/// Why a file can't be read as certificates and keys. The caller puts the file's name in front.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentsError {
    /// Broken PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// A private key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A certificate.
    #[error("{reason}{}", place(.line))]
    Certificate {
        /// What is wrong.
        reason: CertificateError,
        /// The line where it begins, in a PEM file.
        line: Option<usize>,
    },
    /// Nothing that anybody has heard of.
    #[error("it is neither PEM nor DER: bring a certificate and its private key, as text (-----BEGIN ...) or binary")]
    Unknown,
}

/// Reads everything in a file. `password` opens encrypted keys.
pub fn read(input: &Input, password: Option<&[u8]>) -> Result<Contents, ContentsError> {
    let mut contents = Contents::default();
    if !pem::looks_like_pem(&input.bytes) {
        binary(&input.bytes, password, &mut contents)?;
        return Ok(contents);
    }
    for block in pem::scan(&input.bytes)? {
        add_block(&block, password, &mut contents)?;
    }
    Ok(contents)
}

/// The one private key of a key file, without a password.
pub fn only_key(input: &Input) -> Result<PrivateKey, InputOrKeyError> {
    let origin = input.origin.clone();
    match read(input, None) {
        Ok(contents) => contents.keys.into_iter().next().ok_or(InputOrKeyError::NoKey { origin }),
        Err(ContentsError::Key(reason)) => Err(InputOrKeyError::Key { origin, reason }),
        Err(_) => Err(InputOrKeyError::NoKey { origin }),
    }
}

fn add_block(block: &Block, password: Option<&[u8]>, contents: &mut Contents) -> Result<(), ContentsError> {
    let label = Label::of(&block.label);
    let bad_certificate = |reason| ContentsError::Certificate { reason, line: Some(block.line) };
    // RFC 1421: the base64 under this header is ciphertext, whatever the label says.
    let old_encryption = block.headers.iter().any(|(name, value)| name == "Proc-Type" && value.contains("ENCRYPTED"));
    if old_encryption {
        let info = block.headers.iter().find(|(name, _)| name == "DEK-Info");
        let cipher = info.and_then(|(_, value)| value.split(',').next()).unwrap_or("an unnamed cipher");
        return Err(KeyError::UnsupportedEncryption { scheme: format!("OpenSSL's old method ({cipher})") }.into());
    }
    match label {
        Label::Certificate => {
            let certificate = Certificate::from_der(&block.der).map_err(bad_certificate)?;
            contents.certificates.push(certificate);
        }
        Label::TrustedCertificate => {
            let (_, certificate) = Certificate::from_der_prefix(&block.der).map_err(bad_certificate)?;
            contents.certificates.push(certificate);
        }
        Label::Pkcs8 => contents.keys.push(PrivateKey::from_pkcs8(&block.der)?),
        Label::EncryptedPkcs8 => contents.keys.push(decrypt_pkcs8(&block.der, password)?),
        Label::Pkcs1 => contents.keys.push(PrivateKey::from_pkcs1(&block.der)?),
        Label::Sec1 => contents.keys.push(PrivateKey::from_sec1(&block.der)?),
        Label::EcParameters => {}
        Label::Useless(useless) => contents.pass_over(useless),
        Label::Unknown(_) => contents.useless.push(Seen { what: label.what(), cure: None }),
    }
    Ok(())
}

/// A file without PEM blocks.
fn binary(bytes: &[u8], password: Option<&[u8]>, contents: &mut Contents) -> Result<(), ContentsError> {
    if let Some(useless) = recognise(bytes) {
        contents.pass_over(useless);
        return Ok(());
    }
    if bytes.first() != Some(&0x30) {
        return Err(ContentsError::Unknown);
    }
    // The most common first; each attempt ends at the first byte that doesn't fit.
    if let Ok(certificate) = Certificate::from_der(bytes) {
        contents.certificates.push(certificate);
        return Ok(());
    }
    match PrivateKey::from_unlabelled(bytes) {
        Ok(key) => {
            contents.keys.push(key);
            return Ok(());
        }
        Err(KeyError::Damaged { .. }) => {}
        Err(refused) => return Err(refused.into()),
    }
    match decrypt_pkcs8(bytes, password) {
        Ok(key) => {
            contents.keys.push(key);
            return Ok(());
        }
        Err(KeyError::Damaged { .. }) => {}
        Err(refused) => return Err(refused.into()),
    }
    // Long enough to have been a certificate, and begun like one: better than "unknown".
    match Certificate::from_der(bytes) {
        Err(reason) if bytes.len() > 200 => Err(ContentsError::Certificate { reason, line: None }),
        _ => Err(ContentsError::Unknown),
    }
}

/// Files that are known by how they begin or by what parses.
fn recognise(bytes: &[u8]) -> Option<&'static Useless> {
    match bytes {
        [0xFE, 0xED, 0xFE, 0xED, ..] | [0xCE, 0xCE, 0xCE, 0xCE, ..] => return Some(&label::JKS),
        _ => {}
    }
    let starts = |prefix: &str| bytes.starts_with(prefix.as_bytes());
    if starts("PuTTY-User-Key-File-") {
        return Some(&label::PUTTY);
    }
    if ["ssh-", "ecdsa-sha2-", "---- BEGIN SSH2"].iter().any(|prefix| starts(prefix)) {
        return Some(&label::OPENSSH);
    }
    // ContentInfo with signedData (RFC 5652), and PFX, which is version 3 and then a ContentInfo (RFC 7292).
    let head = &bytes[..bytes.len().min(40)];
    let has = |needle: &[u8]| head.windows(needle.len()).any(|window| window == needle);
    if head.first() == Some(&0x30) {
        if has(b"\x02\x01\x03\x30") && has(b"\x2a\x86\x48\x86\xf7\x0d\x01\x07") {
            return Some(&label::PKCS12);
        }
        if has(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02") {
            return Some(&label::PKCS7);
        }
    }
    if X509CertificationRequest::from_der(bytes).is_ok() {
        return Some(&label::CSR);
    }
    if CertificateRevocationList::from_der(bytes).is_ok() {
        return Some(&label::CRL);
    }
    if SubjectPublicKeyInfo::from_der(bytes).is_ok_and(|(rest, _)| rest.is_empty()) {
        return Some(&label::PUBLIC_KEY);
    }
    None
}

impl Contents {
    fn pass_over(&mut self, useless: &'static Useless) {
        self.useless.push(Seen { what: useless.what.to_owned(), cure: Some(useless.cure) });
    }
}

fn place(line: &Option<usize>) -> String {
    line.map(|line| format!(" (in the block that begins in line {line})")).unwrap_or_default()
}
