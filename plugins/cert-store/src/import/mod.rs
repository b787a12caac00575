//! Importing a certificate and its key: from two files, from one combined file or bundle, or a certificate alone whose key
//! is in the folder already because its signing request was made there.
//!
//! Nothing is believed: the key must sign what the certificate verifies. Files are never changed. Fails with one
//! reason, and then nothing has been written.

pub mod chain;
pub mod checks;
pub mod contents;
pub mod label;
pub mod pem;
pub mod pkcs7;
pub mod recognise;
pub mod roots;

use std::path::Path;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::fingerprint::Fingerprint;
use crate::folder::{self, key_in, FolderError, PairFiles, Stamp};
use crate::further::{further_pair, FurtherError, KeyFamily};
use crate::input::{Input, InputError};
use crate::key::PrivateKey;
use crate::name::{CertName, NameError};
use crate::prove::{Mismatch, Proof};
use crate::publish::{preview, publish, Existing, OpenKey, Pair, PublishError, Published};
use checks::Refusal;
use contents::{Contents, ContentsError};
use roots::Roots;

/// What to import.
pub struct ImportRequest {
    /// The certificate's file, perhaps with its chain and its key in it.
    pub certificate: Input,
    /// The key's file, if it is another one.
    pub key: Option<Input>,
    /// Opens an encrypted key.
    pub password: Option<Zeroizing<Vec<u8>>>,
    /// What to call the pair; the certificate file's stem otherwise.
    pub name: Option<CertName>,
    /// Whether a pair with another key may be replaced.
    pub replace: bool,
    /// Whether the name is that of an identity which gets a further pair, with another kind of key.
    pub add: bool,
}

/// What was imported.
#[derive(Debug)]
pub struct Imported {
    /// The pair's name.
    pub name: CertName,
    /// Whether it is new.
    pub published: Published,
    /// The certificate and its chain.
    pub chain: Vec<Certificate>,
    /// What should be told.
    pub warnings: Vec<String>,
}

/// A pair that was checked and proved, and could be published.
pub struct Ready {
    /// The pair.
    pub pair: Pair,
    /// The certificate and its chain.
    pub chain: Vec<Certificate>,
    /// What should be told.
    pub warnings: Vec<String>,
    existing: Existing,
}

impl Ready {
    /// Takes the place of what is there only while that looks like this.
    pub fn in_place_of(mut self, seen: Stamp) -> Self {
        self.existing = Existing::Seen(seen);
        self
    }

    /// Puts the pair into the folder.
    pub fn publish(self, folder: &Path) -> Result<Imported, ImportError> {
        let key = OpenKey::of(folder, &self.pair.name);
        let published = publish(folder, &self.pair, self.existing)?;
        let mut warnings = self.warnings;
        // Another key is a new file, which is nobody else's.
        let key = key.filter(|_| published == Published::CertificateReplaced);
        warnings.extend(key.map(|key| key.warning(folder)));
        Ok(Imported { name: self.pair.name, published, chain: self.chain, warnings })
    }

    /// What [`Ready::publish`] would say, without doing it.
    pub fn rehearse(self, folder: &Path) -> Result<Imported, ImportError> {
        let published = preview(folder, &self.pair, self.existing)?;
        Ok(Imported { name: self.pair.name, published, chain: self.chain, warnings: self.warnings })
    }

    /// What [`Ready::publish`] would do now; `None` if the folder has exactly this pair already.
    pub fn preview(&self, folder: &Path) -> Result<Option<Published>, ImportError> {
        let would = preview(folder, &self.pair, self.existing)?;
        let crt = PairFiles::of(folder, &self.pair.name).crt;
        let same = would == Published::CertificateReplaced
            && Input::read(&crt).is_ok_and(|there| there.bytes.as_slice() == self.pair.certificate.as_bytes());
        Ok((!same).then_some(would))
    }
}

/// Checks, proves and publishes.
pub fn import(folder: &Path, request: &ImportRequest, now: OffsetDateTime) -> Result<Imported, ImportError> {
    prepare(folder, request, now)?.publish(folder)
}

/// Checks and proves. The folder is only read, where the key may be.
pub fn prepare(folder: &Path, request: &ImportRequest, now: OffsetDateTime) -> Result<Ready, ImportError> {
    prepare_with(folder, request, &Roots::of_this_machine(), now)
}

/// The same where these roots are known.
pub fn prepare_with(
    folder: &Path,
    request: &ImportRequest,
    known: &Roots,
    now: OffsetDateTime,
) -> Result<Ready, ImportError> {
    let password = request.password.as_ref().map(|password| password.as_slice());
    let mut contents = read(&request.certificate, password)?;
    if let Some(input) = &request.key {
        let more = read(input, password)?;
        if more.keys.is_empty() {
            return Err(ImportError::NoKeyInFile { origin: input.origin.clone(), seen: seen(&more) });
        }
        contents.keys.extend(more.keys);
        contents.certificates.extend(more.certificates);
        contents.useless.extend(more.useless);
    }
    if contents.certificates.is_empty() {
        return Err(ImportError::NoCertificate { seen: seen(&contents) });
    }
    let mut warnings: Vec<String> =
        contents.useless.iter().map(|seen| format!("{} in the file was passed over", seen.what)).collect();
    let derived = match &request.name {
        Some(name) => Ok(name.clone()),
        None => CertName::from_file_name(&request.certificate.origin),
    };
    let (key, name) = match one_key(contents.keys, &contents.certificates)? {
        Some(key) => {
            let name = pair_name(folder, derived?, KeyFamily::from(key.kind()), request)?;
            (key, name)
        }
        None => key_of_request(folder, &contents.certificates, derived, request)?,
    };
    let mut chain = chain::order(contents.certificates, &key, now, Proof::Signature)?;
    checks::refuse(&chain.certificates[0])?;
    warnings.append(&mut chain.warnings);
    warnings.extend(checks::warn(&chain, &key, known, now));

    let pair = Pair {
        name,
        key: key.to_pem(),
        key_fingerprint: key.fingerprint(),
        certificate: chain
            .certificates
            .iter()
            .map(|certificate| pem::encode("CERTIFICATE", &certificate.der).to_string())
            .collect(),
        csr: None,
    };
    let existing = match request.replace {
        true => Existing::Replace,
        false => Existing::RenewSameKey,
    };
    Ok(Ready { pair, chain: chain.certificates, warnings, existing })
}

fn read(input: &Input, password: Option<&[u8]>) -> Result<Contents, ImportError> {
    contents::read(input, password).map_err(|reason| ImportError::InFile { origin: input.origin.clone(), reason })
}

/// The key to import: the only one, or the only one that a certificate was brought for. `None` if there is none.
fn one_key(keys: Vec<PrivateKey>, certificates: &[Certificate]) -> Result<Option<PrivateKey>, ImportError> {
    let mut distinct: Vec<PrivateKey> = Vec::new();
    for key in keys {
        if !distinct.iter().any(|known| known.fingerprint() == key.fingerprint()) {
            distinct.push(key);
        }
    }
    if distinct.len() < 2 {
        return Ok(distinct.pop());
    }
    let count = distinct.len();
    let own = |key: &PrivateKey| certificates.iter().find(|certificate| crate::prove::prove(key, certificate).is_ok());
    let mut matching: Vec<PrivateKey> = distinct.into_iter().filter(|key| own(key).is_some()).collect();
    match matching.len() {
        0 => Err(ImportError::NoKeyFits { count }),
        1 => Ok(matching.pop()),
        count => {
            let subjects: Vec<&str> = matching.iter().filter_map(own).map(|own| own.subject.as_str()).collect();
            Err(ImportError::SeveralPairs { count, subjects: subjects.join("; ") })
        }
    }
}

/// What the pair is called, and that a name like `mail+rsa` says what is so.
fn pair_name(
    folder: &Path,
    name: CertName,
    family: KeyFamily,
    request: &ImportRequest,
) -> Result<CertName, FurtherError> {
    if request.add {
        return further_pair(folder, &name, family, request.replace);
    }
    name.suits(family)?;
    Ok(name)
}

/// No key was brought: the folder has it, if the certificate answers a request that was made here.
fn key_of_request(
    folder: &Path,
    certificates: &[Certificate],
    derived: Result<CertName, NameError>,
    request: &ImportRequest,
) -> Result<(PrivateKey, CertName), ImportError> {
    let proves =
        |key: &PrivateKey| certificates.iter().any(|certificate| crate::prove::prove(key, certificate).is_ok());
    let mut names = folder::keys(folder)?;
    if let Ok(name) = &derived {
        // The name that the pair gets is looked at first.
        names.sort_by_key(|candidate| candidate != name);
    }
    for candidate in names {
        let Ok(key) = key_in(&PairFiles::of(folder, &candidate).key) else {
            continue;
        };
        if proves(&key) {
            // Without a name of its own it renews the pair whose key it was made for, whatever else was asked for.
            let name = match request.name {
                Some(_) => pair_name(folder, derived?, KeyFamily::from(key.kind()), request)?,
                None => candidate,
            };
            return Ok((key, name));
        }
    }
    Err(ImportError::NoKey { certificate: certificates[0].key_fingerprint, folder: folder.display().to_string() })
}

fn seen(contents: &Contents) -> String {
    let mut sentences = Vec::new();
    for useless in &contents.useless {
        sentences.push(useless.to_string());
    }
    if !contents.keys.is_empty() {
        sentences.push("a private key".to_owned());
    }
    if !contents.certificates.is_empty() {
        sentences.push("a certificate".to_owned());
    }
    match sentences.is_empty() {
        true => String::new(),
        false => format!(": it holds {}", sentences.join(", ")),
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file as such.
    #[error(transparent)]
    Input(#[from] InputError),
    /// What is in a file.
    #[error("{origin}: {reason}")]
    InFile {
        /// The file.
        origin: String,
        /// What is wrong.
        reason: ContentsError,
    },
    /// No certificate anywhere.
    #[error("there is no certificate in what you brought{seen}")]
    NoCertificate {
        /// What there is.
        seen: String,
    },
    /// The key file has none.
    #[error("{origin} has no private key in it{seen}")]
    NoKeyInFile {
        /// The file.
        origin: String,
        /// What there is.
        seen: String,
    },
    /// No key at all.
    #[error(
        "there is no private key in what you brought, and none in {folder} fits: the certificate was made for \
             the key with fingerprint {certificate}; name that key's file with --key"
    )]
    NoKey {
        /// The certificate's key.
        certificate: Fingerprint,
        /// Where we looked.
        folder: String,
    },
    /// More than one complete pair.
    #[error(
        "there are {count} different private keys in what you brought, each with its certificate ({subjects}): it is \
         ambiguous which pair is meant, bring one at a time"
    )]
    SeveralPairs {
        /// How many.
        count: usize,
        /// Whose.
        subjects: String,
    },
    /// Several keys, and none fits.
    #[error(
        "there are {count} different private keys in what you brought, and none of them belongs to the certificate: bring \
         the key that it was made with"
    )]
    NoKeyFits {
        /// How many.
        count: usize,
    },
    /// More than [`chain::MAX_CERTIFICATES`].
    #[error("more than {} certificates: bring the server's certificate and its chain only", chain::MAX_CERTIFICATES)]
    TooManyCertificates,
    /// The key isn't the certificate's.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// A certificate that no client accepts.
    #[error("the certificate \"{subject}\" can't be used: {reason}")]
    Unacceptable {
        /// Whose it is.
        subject: String,
        /// What is wrong with it.
        reason: Refusal,
    },
    /// No further pair of this name.
    #[error(transparent)]
    Further(#[from] FurtherError),
    /// No name for the pair.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The folder can't be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The pair can't be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl ImportError {
    /// Whether a password would help.
    pub fn wants_password(&self) -> bool {
        matches!(self, Self::InFile { reason, .. } if reason.wants_password())
    }
}

#[cfg(test)]
mod tests;
