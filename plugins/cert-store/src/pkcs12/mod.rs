//! PKCS#12 bundles (RFC 7292): what Windows, Java, NSS, OpenSSL and the authorities' web pages call `.pfx` or `.p12`.
//!
//! Takes certificates and keys out, under old and new encryption, with old and new (PBMAC1, RFC 9579) integrity, with BER's
//! indefinite lengths and strings in pieces. Names and links between keys and certificates (bag attributes) are not
//! looked at: which key belongs to which certificate is proved by signature later. Fails with damage, a missing or wrong
//! password, methods that aren't supported, and costs above the limits, each as such. Bounds: [`MAX_BAGS`],
//! [`MAX_NESTING`], and those of [`crate::ber`] and [`crate::encryption`].

mod bags;
mod mac;
mod names;

use zeroize::Zeroizing;

use crate::ber::{BerError, Element, Reader, CONTEXT_0, SEQUENCE};
use crate::encryption::{Opener, Password, SchemeError};
use mac::Mac;

/// The most entries in a bundle.
pub const MAX_BAGS: usize = 256;
/// How deep bags may hold bags.
pub const MAX_NESTING: usize = 4;

/// What was in a bundle.
#[derive(Default)]
pub struct Bundle {
    /// Certificates, in DER.
    pub certificates: Vec<Vec<u8>>,
    /// Private keys, in unencrypted PKCS#8.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// Whether there was a revocation list.
    pub revocation_list: bool,
    /// Whether there was something that is neither: a secret key, for example.
    pub something_else: bool,
}

/// Why a bundle can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs12Error {
    /// It doesn't parse.
    #[error("the PKCS#12 bundle is damaged: {0}")]
    Damaged(#[from] BerError),
    /// It needs a password.
    #[error("the PKCS#12 bundle is encrypted: give its password with --password-file")]
    PasswordNeeded,
    /// It has one, but not this one.
    #[error("the password doesn't open the PKCS#12 bundle")]
    WrongPassword,
    /// The bundle opens, but what is in it doesn't.
    #[error(
        "the password opens the PKCS#12 bundle but not the private key in it, which has one of its own: export it \
         again with one password for both"
    )]
    OtherKeyPassword,
    /// Protected in a way that isn't supported.
    #[error(
        "the PKCS#12 bundle is protected with {scheme}, which isn't supported: convert it first, \
         openssl pkcs12 -in BUNDLE -nodes -out both.pem"
    )]
    Unsupported {
        /// The method.
        scheme: String,
    },
    /// It would keep us busy for minutes or eat the memory.
    #[error("the PKCS#12 bundle's password hashing is too costly: {what}, the limit is {limit}")]
    TooCostly {
        /// How costly it is.
        what: String,
        /// What is allowed.
        limit: &'static str,
    },
    /// More than [`MAX_BAGS`].
    #[error(
        "more than {MAX_BAGS} entries in the PKCS#12 bundle: bring the server's certificate, its chain and its key"
    )]
    TooMany,
}

impl From<SchemeError> for Pkcs12Error {
    fn from(error: SchemeError) -> Self {
        match error {
            SchemeError::Damaged(reason) => Self::Damaged(reason),
            SchemeError::Unsupported(scheme) => Self::Unsupported { scheme },
            SchemeError::TooCostly { what, limit } => Self::TooCostly { what, limit },
        }
    }
}

/// Whether this begins like a bundle: version 3, and then data or signed data.
pub fn looks_like_one(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    let has = |needle: &[u8]| head.windows(needle.len()).any(|window| window == needle);
    head.first() == Some(&SEQUENCE) && has(b"\x02\x01\x03\x30") && has(names::PKCS7_ARC)
}

/// Takes everything out.
pub fn open(bytes: &[u8], opener: &mut Opener<'_>) -> Result<Bundle, Pkcs12Error> {
    // What follows the bundle in the file is nobody's.
    let mut pfx = Reader::new(bytes).sequence("a PKCS#12 bundle")?;
    if pfx.number("the version")? != VERSION {
        return Err(Pkcs12Error::Unsupported { scheme: "a version other than 3".to_owned() });
    }
    let (kind, content) = content_info(&mut pfx)?;
    if kind == names::SIGNED_DATA {
        return Err(Pkcs12Error::Unsupported { scheme: "a public key instead of a password".to_owned() });
    }
    let contents = content.ok_or(BerError::Unexpected { expected: "the bundle's contents" })?;
    let safe = contents.reader().octets("the bundle's contents")?;
    let mac = match pfx.is_empty() {
        true => None,
        false => Some(Mac::read(pfx.sequence("the integrity check")?)?),
    };
    // Without a password, the empty ones are tried: many exporters use one of them.
    let given = opener.password.unwrap_or_default();
    let mut refusal = Pkcs12Error::WrongPassword;
    for password in Password::forms(given) {
        if let Some(mac) = &mac {
            if !mac.fits(&password, &safe, opener.work())? {
                continue;
            }
        }
        match bags::take_out(&safe, &password, opener.work()) {
            Err(Pkcs12Error::WrongPassword) if mac.is_some() => refusal = Pkcs12Error::OtherKeyPassword,
            Err(Pkcs12Error::WrongPassword) => {}
            other => return other,
        }
    }
    match opener.password {
        None => Err(Pkcs12Error::PasswordNeeded),
        Some(_) => Err(refusal),
    }
}

/// ContentInfo: what kind, and what is in its `[0]`.
fn content_info<'a>(
    reader: &mut Reader<'a>,
) -> Result<(pkcs8::der::asn1::ObjectIdentifier, Option<Element<'a>>), BerError> {
    let mut info = reader.sequence("a content's description")?;
    let kind = info.identifier("a content's kind")?;
    Ok((kind, info.optional(CONTEXT_0)?))
}

const VERSION: u64 = 3;
/// Version and kind stand within so many bytes.
const HEAD: usize = 40;

#[cfg(test)]
mod tests;
