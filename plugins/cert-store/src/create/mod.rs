//! Creating a pair: a new key, a signing request for a certificate authority, and a self-signed certificate to
//! go on with until the authority has answered.
//!
//! Nothing is written here: [`create`] returns what `publish` puts into the folder. Fails on fields that no
//! certificate can hold, each by name. Bounds: [`MAX_DAYS`], [`MAX_SANS`], and X.520's for the subject.

mod csr;
mod parameters;
mod san;
mod subject;

use time::OffsetDateTime;

pub use san::{San, MAX_SANS};
pub use subject::Subject;

use crate::certificate::{Certificate, CertificateError};
use crate::import::pem;
use crate::key::{KeyError, KeyType};
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

    /// The name that the pair gets.
    pub fn pair_name(&self) -> Result<CertName, CreateError> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let complete = self.complete()?;
        let text = complete.subject.common_name.unwrap_or_default();
        Ok(CertName::from_text(&text)?)
    }

    /// The request with its common name and its alternative names filled in from each other.
    fn complete(&self) -> Result<Self, CreateError> {
        let mut this = self.clone();
        let given = this.subject.common_name.as_deref().map(str::trim).unwrap_or_default();
        let host = San::parse(given).ok().filter(|san| !matches!(san, San::Email(_)));
        this.subject.common_name = match (given, &host) {
            // An international host name goes into the common name as punycode, too.
            (_, Some(San::Dns(name))) => Some(name.clone()),
            ("", _) => this.sans.iter().find_map(|san| match san {
                San::Dns(name) => Some(name.clone()),
                San::Ip(ip) => Some(ip.to_string()),
                San::Email(_) => None,
            }),
            (text, _) => Some(text.to_owned()),
        };
        // Clients have ignored the common name for years: without an alternative name nobody accepts the certificate.
        if let Some(host) = host {
            this.sans.insert(0, host);
        }
        let mut seen: Vec<San> = Vec::new();
        for san in this.sans {
            if !seen.contains(&san) {
                seen.push(san);
            }
        }
        this.sans = seen;
        if this.subject.common_name.is_none() {
            return Err(CreateError::NoName);
        }
        if this.sans.is_empty() {
            return Err(CreateError::NoHostName);
        }
        if this.sans.len() > MAX_SANS {
            return Err(CreateError::TooManyNames);
        }
        if !(1..=MAX_DAYS).contains(&this.days) {
            return Err(CreateError::Days { days: this.days });
        }
        // Fields that can't be written are found before a key has taken its time.
        this.subject.to_name()?;
        Ok(this)
    }

    /// Checks everything that can be checked without making a key.
    pub fn check(&self) -> Result<(), CreateError> {
        self.pair_name()?;
        self.complete().map(drop)
    }
}

/// Makes the key, the request and the certificate. With an RSA key this takes seconds: not on a runtime's thread.
pub fn create(request: &CreateRequest, now: OffsetDateTime) -> Result<(Pair, Certificate), CreateError> {
    let name = request.pair_name()?;
    let request = request.complete()?;
    let key = request.key_type.generate()?;
    let der = parameters::certificate(&request, now)?.self_signed(&key).map_err(CreateError::Writing)?.der().to_vec();
    let certificate = Certificate::from_der(&der)?;
    // What we made goes through the same proof as what others bring.
    prove(&key, &certificate)?;
    let csr = csr::signing_request(&request, &key)?;
    let pair = Pair {
        name,
        key: key.to_pem(),
        key_fingerprint: key.fingerprint(),
        certificate: pem::encode("CERTIFICATE", &der).to_string(),
        csr: Some(csr),
    };
    Ok((pair, certificate))
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
