//! What is in a file that somebody brings: certificates, keys, and what is of no use.
//!
//! PEM with any labels, one DER structure, or a bundle (PKCS#7, PKCS#12). Something of no use beside something useful is
//! passed over and told; alone it is a refusal that names it and says what to bring instead. Bounds: those of the readers
//! below; the password hashing of one file is counted together ([`Opener`]).

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::label::{self, Label, Useless};
use super::pem::{self, Block, PemError};
use super::pkcs7::{self, Pkcs7Error};
use super::recognise::recognise;
use crate::ber::{Reader, SEQUENCE};
use crate::certificate::{Certificate, CertificateError};
use crate::encryption::legacy::Legacy;
use crate::encryption::Opener;
use crate::folder::InputOrKeyError;
use crate::input::Input;
use crate::key::{self, decrypt_legacy, decrypt_pkcs8, KeyError, PrivateKey};
use crate::pkcs12::{self, Pkcs12Error};

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

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        self.cure.map_or(Ok(()), |cure| write!(f, " ({cure})"))
    }
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
    /// A PKCS#7 bundle.
    #[error(transparent)]
    Pkcs7(#[from] Pkcs7Error),
    /// A PKCS#12 bundle.
    #[error(transparent)]
    Pkcs12(#[from] Pkcs12Error),
    /// Nothing that anybody has heard of.
    #[error("it is neither PEM nor DER: bring a certificate and its private key, as text (-----BEGIN ...) or binary")]
    Unknown,
}

impl ContentsError {
    /// Whether a password would help.
    pub fn wants_password(&self) -> bool {
        matches!(self, Self::Key(KeyError::PasswordNeeded) | Self::Pkcs12(Pkcs12Error::PasswordNeeded))
    }
}

/// Reads everything in a file. `password` opens what is encrypted.
pub fn read(input: &Input, password: Option<&[u8]>) -> Result<Contents, ContentsError> {
    read_with(input, &mut Opener::new(password))
}

/// The same, with limits of the caller's choice.
pub fn read_with(input: &Input, opener: &mut Opener<'_>) -> Result<Contents, ContentsError> {
    let mut contents = Contents::default();
    if !pem::looks_like_pem(&input.bytes) {
        contents.add_file(&input.bytes, opener)?;
        return Ok(contents);
    }
    for block in pem::scan(&input.bytes)? {
        contents.add_block(&block, opener)?;
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

impl Contents {
    fn add_block(&mut self, block: &Block, opener: &mut Opener<'_>) -> Result<(), ContentsError> {
        let label = Label::of(&block.label);
        let bad_certificate = |reason| ContentsError::Certificate { reason, line: Some(block.line) };
        if matches!(label, Label::Pkcs8 | Label::Pkcs1 | Label::Sec1) {
            self.keys.push(key_of(&label, block, opener)?);
            return Ok(());
        }
        match label {
            // Microsoft's servers put whole chains under this label.
            Label::Certificate if pkcs7::looks_like_one(&block.der) => self.add_pkcs7(&block.der)?,
            Label::Certificate => self.certificates.push(Certificate::from_der(&block.der).map_err(bad_certificate)?),
            Label::TrustedCertificate => {
                let (_, certificate) = Certificate::from_der_prefix(&block.der).map_err(bad_certificate)?;
                self.certificates.push(certificate);
            }
            Label::EncryptedPkcs8 => self.keys.push(decrypt_pkcs8(&block.der, opener)?),
            Label::Pkcs7 => self.add_pkcs7(&block.der)?,
            Label::Pkcs12 => self.add_pkcs12(&block.der, opener)?,
            Label::EcParameters => {}
            Label::Useless(useless) => self.pass_over(useless),
            _ => self.useless.push(Seen { what: label.what(), cure: None }),
        }
        Ok(())
    }

    /// A file without PEM blocks: binary, or base64 that lost its first and last line.
    fn add_file(&mut self, bytes: &[u8], opener: &mut Opener<'_>) -> Result<(), ContentsError> {
        if let Some(useless) = recognise(bytes) {
            self.pass_over(useless);
            return Ok(());
        }
        if bytes.first() == Some(&SEQUENCE) {
            return self.add_der(without_blanks(bytes), opener);
        }
        match bare_base64(bytes) {
            // It begins like DER, so that this ends here.
            Some(der) => self.add_file(&der, opener),
            None => Err(ContentsError::Unknown),
        }
    }

    fn add_der(&mut self, bytes: &[u8], opener: &mut Opener<'_>) -> Result<(), ContentsError> {
        if pkcs12::looks_like_one(bytes) {
            return self.add_pkcs12(bytes, opener);
        }
        if pkcs7::looks_like_one(bytes) {
            return self.add_pkcs7(bytes);
        }
        // The most common first; each attempt ends at the first byte that doesn't fit.
        let reason = match Certificate::from_der(bytes) {
            Ok(certificate) => {
                self.certificates.push(certificate);
                return Ok(());
            }
            Err(reason) => reason,
        };
        for attempt in [PrivateKey::from_unlabelled(bytes), decrypt_pkcs8(bytes, opener)] {
            match attempt {
                Ok(key) => {
                    self.keys.push(key);
                    return Ok(());
                }
                Err(KeyError::Damaged { .. }) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        // Long enough to have been a certificate, and begun like one: better than "unknown".
        match bytes.len() > 200 {
            true => Err(ContentsError::Certificate { reason, line: None }),
            false => Err(ContentsError::Unknown),
        }
    }

    fn add_pkcs7(&mut self, bytes: &[u8]) -> Result<(), ContentsError> {
        let bundle = pkcs7::open(bytes)?;
        if bundle.revocation_list {
            self.pass_over(&label::CRL);
        }
        self.add_certificates(&bundle.certificates)
    }

    fn add_pkcs12(&mut self, bytes: &[u8], opener: &mut Opener<'_>) -> Result<(), ContentsError> {
        let bundle = pkcs12::open(bytes, opener)?;
        if bundle.revocation_list {
            self.pass_over(&label::CRL);
        }
        if bundle.something_else {
            self.useless
                .push(Seen { what: "an entry that is neither a certificate nor a private key".into(), cure: None });
        }
        for key in &bundle.keys {
            self.keys.push(PrivateKey::from_pkcs8(key)?);
        }
        self.add_certificates(&bundle.certificates)
    }

    fn add_certificates(&mut self, ders: &[Vec<u8>]) -> Result<(), ContentsError> {
        for der in ders {
            let certificate = Certificate::from_der(der);
            self.certificates.push(certificate.map_err(|reason| ContentsError::Certificate { reason, line: None })?);
        }
        Ok(())
    }

    fn pass_over(&mut self, useless: &'static Useless) {
        self.useless.push(Seen { what: useless.what.to_owned(), cure: Some(useless.cure) });
    }
}

/// The key of a block that isn't `ENCRYPTED PRIVATE KEY`, though it may be encrypted by OpenSSL's old method.
fn key_of(label: &Label, block: &Block, opener: &mut Opener<'_>) -> Result<PrivateKey, KeyError> {
    let Some(legacy) = Legacy::of(&block.headers).map_err(key::refused)? else {
        return labelled(label, &block.der);
    };
    let plain = decrypt_legacy(&legacy, &block.der, opener)?;
    key::parsed(labelled(label, &plain))
}

/// What the label says, or else whatever it is: labels are often written by hand.
fn labelled(label: &Label, der: &[u8]) -> Result<PrivateKey, KeyError> {
    let as_labelled = match label {
        Label::Pkcs1 => PrivateKey::from_pkcs1(der),
        Label::Sec1 => PrivateKey::from_sec1(der),
        _ => PrivateKey::from_pkcs8(der),
    };
    match as_labelled {
        Err(KeyError::Damaged { format }) => PrivateKey::from_unlabelled(der).map_err(|error| match error {
            KeyError::Damaged { .. } => KeyError::Damaged { format },
            other => other,
        }),
        other => other,
    }
}

/// Binary without the line break or the blanks that a copy has put behind it.
fn without_blanks(bytes: &[u8]) -> &[u8] {
    let whole = Reader::new(bytes).element().map_or(bytes, |element| element.whole);
    let behind = bytes.get(whole.len()..).unwrap_or_default();
    match behind.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        true => whole,
        false => bytes,
    }
}

/// The DER of a file that is nothing but base64.
fn bare_base64(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut packed = Zeroizing::new(Vec::with_capacity(bytes.len()));
    packed.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let der = Zeroizing::new(BASE64.decode(&packed).ok()?);
    (der.first() == Some(&SEQUENCE)).then_some(der)
}

fn place(line: &Option<usize>) -> String {
    line.map(|line| format!(" (in the block that begins in line {line})")).unwrap_or_default()
}
