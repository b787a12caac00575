//! Creating a pair: a new key, a signing request for a certificate authority, and a self-signed certificate to
//! go on with until the authority has answered.
//!
//! Also a new request for a key that is there ([`signing_request`]), and a new certificate for it ([`renew`]).
//!
//! Nothing is written here: [`create`] returns what `publish` puts into the folder. Fails on fields that no
//! certificate can hold, each by name. Bounds: [`MAX_DAYS`], [`MAX_SANS`], and X.520's for the subject.

mod csr;
mod holder;
mod parameters;
mod renew;
mod san;
mod subject;

use time::OffsetDateTime;

pub use csr::{requested_key, signing_request};
pub use holder::Holder;
pub use renew::renew;
pub use san::{San, MAX_SANS};
pub use subject::Subject;

use crate::certificate::{Certificate, CertificateError};
use crate::import::pem;
use crate::key::{KeyError, KeyType, PrivateKey};
use crate::name::{CertName, NameError};
use crate::prove::{prove, Mismatch};
use crate::publish::Pair;

/// How long a self-signed certificate is valid unless somebody says otherwise.
pub const DEFAULT_DAYS: u32 = 365;
/// The longest validity: twenty years.
pub const MAX_DAYS: u32 = 7300;

/// What to create.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    /// The pair's name; derived from the common name or the first alternative name if absent.
    pub name: Option<CertName>,
    /// The kind of key.
    pub key_type: KeyType,
    /// Who it is for.
    pub subject: Subject,
    /// Further names. A common name that is a host name is added by itself.
    pub sans: Vec<San>,
    /// Validity of the self-signed certificate.
    pub days: u32,
}

impl CreateRequest {
    /// A request for a host: ECDSA P-256, one year, nothing but the name.
    pub fn for_host(host: &str) -> Self {
        Self {
            name: None,
            key_type: KeyType::default(),
            subject: Subject { common_name: Some(host.to_owned()), ..Subject::default() },
            sans: Vec::new(),
            days: DEFAULT_DAYS,
        }
    }

    /// Who it is for.
    fn holder(&self) -> Holder {
        Holder { subject: self.subject.clone(), sans: self.sans.clone() }
    }

    /// The name that the pair gets.
    pub fn pair_name(&self) -> Result<CertName, CreateError> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let complete = self.holder().complete()?;
        let host = complete.host();
        let text = complete.subject.common_name.or(host).unwrap_or_default();
        Ok(CertName::from_text(&text)?)
    }

    /// Checks everything that can be checked without making a key.
    pub fn check(&self) -> Result<(), CreateError> {
        self.holder().complete()?;
        self.pair_name()?;
        possible(self.days)
    }
}

/// Makes the key, the request and the certificate. With an RSA key this takes seconds: not on a runtime's thread.
pub fn create(request: &CreateRequest, now: OffsetDateTime) -> Result<(Pair, Certificate), CreateError> {
    request.check()?;
    let (name, holder) = (request.pair_name()?, request.holder());
    let key = request.key_type.generate()?;
    let (certificate, pem) = self_signed(&holder, &key, request.days, now)?;
    let csr = signing_request(&holder, &key)?;
    let pair = Pair { name, key: key.to_pem(), key_fingerprint: key.fingerprint(), certificate: pem, csr: Some(csr) };
    Ok((pair, certificate))
}

/// A certificate for a key, signed with that key: its facts, and its file.
fn self_signed(
    holder: &Holder,
    key: &PrivateKey,
    days: u32,
    now: OffsetDateTime,
) -> Result<(Certificate, String), CreateError> {
    possible(days)?;
    let params = parameters::certificate(&holder.complete()?, key.kind(), days, now)?;
    let der = params.self_signed(key).map_err(CreateError::Writing)?.der().to_vec();
    let certificate = Certificate::from_der(&der)?;
    // What we made goes through the same proof as what others bring.
    prove(key, &certificate)?;
    Ok((certificate, pem::encode("CERTIFICATE", &der).to_string()))
}

/// Whether a certificate can be valid for so long.
pub fn possible(days: u32) -> Result<(), CreateError> {
    match (1..=MAX_DAYS).contains(&days) {
        true => Ok(()),
        false => Err(CreateError::Days { days }),
    }
}

/// Why nothing was created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// A field that no certificate can hold.
    #[error("{field} \"{value}\": {reason}")]
    Field {
        /// Which.
        field: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More than two units.
    #[error("more than two units (OU): give two at most")]
    TooManyUnits,
    /// More than [`MAX_SANS`].
    #[error("more than {MAX_SANS} alternative names: make several certificates")]
    TooManyNames,
    /// Neither a common name nor an alternative name.
    #[error("the certificate has no name: give the server's host name as common name")]
    NoName,
    /// A common name that isn't a host name, and no alternative name.
    #[error(
        "no mail client would accept the certificate: the common name isn't a host name and there is no \
             alternative name; give the server's host name as one"
    )]
    NoHostName,
    /// A validity out of bounds.
    #[error("a validity of {days} days: 1 to {MAX_DAYS} are possible")]
    Days {
        /// What was asked for.
        days: u32,
    },
    /// The pair's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The library couldn't write it.
    #[error("the certificate couldn't be written: {0}")]
    Writing(rcgen::Error),
    /// What was made doesn't parse.
    #[error("the new certificate can't be used: {0}")]
    Unusable(#[from] CertificateError),
    /// What was made doesn't match.
    #[error("the new certificate can't be used: {0}")]
    Unproved(#[from] Mismatch),
    /// No random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}

#[cfg(test)]
mod tests;
