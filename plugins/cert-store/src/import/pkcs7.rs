//! PKCS#7 bundles (`.p7b`, `.p7c`; RFC 5652): the certificates of a signed message that signs nothing.
//!
//! Authorities deliver chains so. Signatures, if there are any, aren't looked at: what the certificates are worth is said
//! by their own. Bound: [`MAX_CERTIFICATES`].

use pkcs8::der::asn1::ObjectIdentifier;

use crate::ber::{BerError, Reader, CONTEXT_0, CONTEXT_1, SEQUENCE, SET};

/// The most certificates in a bundle.
pub const MAX_CERTIFICATES: usize = 256;

/// What was in a bundle.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// Certificates, in DER.
    pub certificates: Vec<Vec<u8>>,
    /// Whether there were revocation lists.
    pub revocation_list: bool,
}

/// Why a bundle can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs7Error {
    /// It doesn't parse.
    #[error("the PKCS#7 bundle is damaged: {0}")]
    Damaged(#[from] BerError),
    /// A message of another kind.
    #[error("this is a PKCS#7 message with {what}, not a bundle of certificates: bring the certificate as .crt, .pem or .p7b")]
    OtherMessage {
        /// What it is.
        what: &'static str,
    },
    /// More than [`MAX_CERTIFICATES`].
    #[error(
        "more than {MAX_CERTIFICATES} certificates in the PKCS#7 bundle: bring the server's certificate and its chain"
    )]
    TooMany,
}

/// Whether this begins like a bundle or another message of PKCS#7.
pub fn looks_like_one(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    head.first() == Some(&SEQUENCE) && head.windows(PKCS7_OID.len()).any(|window| window == PKCS7_OID)
}

/// Takes the certificates out.
pub fn open(bytes: &[u8]) -> Result<Bundle, Pkcs7Error> {
    let mut info = Reader::new(bytes).sequence("a PKCS#7 bundle")?;
    let what = match info.identifier("a content's kind")? {
        SIGNED_DATA => return signed_data(info.expect(CONTEXT_0, "the bundle's contents")?.reader()),
        DATA => "plain data",
        ENVELOPED_DATA | ENCRYPTED_DATA => "encrypted contents",
        _ => "unknown contents",
    };
    Err(Pkcs7Error::OtherMessage { what })
}

/// SignedData: version, hashes, content, then `[0]` the certificates and `[1]` the revocation lists.
fn signed_data(mut reader: Reader<'_>) -> Result<Bundle, Pkcs7Error> {
    let mut data = reader.sequence("signed data")?;
    let _version = data.number("the version")?;
    data.expect(SET, "a list of hashes")?;
    data.expect(SEQUENCE, "the signed content")?;
    let mut bundle = Bundle::default();
    if let Some(certificates) = data.optional(CONTEXT_0)? {
        let mut certificates = certificates.reader();
        while !certificates.is_empty() {
            let certificate = certificates.element()?;
            // Attribute certificates and other kinds have tags of their own.
            if certificate.tag != SEQUENCE {
                continue;
            }
            if bundle.certificates.len() == MAX_CERTIFICATES {
                return Err(Pkcs7Error::TooMany);
            }
            bundle.certificates.push(certificate.whole.to_vec());
        }
    }
    bundle.revocation_list = data.optional(CONTEXT_1)?.is_some_and(|lists| !lists.contents.is_empty());
    Ok(bundle)
}

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
/// The beginning of each of them, as an element.
const PKCS7_OID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
/// A message's kind stands within so many bytes.
const HEAD: usize = 17;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyType;
    use crate::testing::openssl;

    fn certificate() -> Vec<u8> {
        let key = KeyType::EcdsaP256.generate().unwrap().to_pem();
        openssl(&["req", "-x509", "-new", "-key", "/dev/stdin", "-subj", "/CN=x"], key.as_bytes())
    }

    #[test]
    fn takes_every_certificate_out_of_what_openssl_writes() {
        let (a, b) = (certificate(), certificate());
        let both = [&a[..], &b[..]].concat();
        let bundle = openssl(&["crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", "-outform", "DER"], &both);
        assert!(looks_like_one(&bundle));
        let der = |pem: &[u8]| openssl(&["x509", "-outform", "DER"], pem);
        assert_eq!(open(&bundle).unwrap().certificates, [der(&a), der(&b)]);
        assert!(!open(&bundle).unwrap().revocation_list);
        for len in 0..bundle.len() {
            assert!(open(&bundle[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn indefinite_lengths_are_taken_too() {
        // ContentInfo and SignedData without lengths, with one "certificate" (an empty sequence) and something else.
        let data = b"\x30\x80\x02\x01\x01\x31\x00\x30\x80\x06\x01\x2a\x00\x00\xa0\x80\x30\x00\xa1\x00\x00\x00\xa1\x02\x30\x00\x00\x00";
        let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
        let all = [&b"\x30\x80"[..], oid, b"\xa0\x80", data, b"\x00\x00\x00\x00"].concat();
        assert!(looks_like_one(&all));
        assert_eq!(open(&all), Ok(Bundle { certificates: vec![vec![0x30, 0]], revocation_list: true }));
    }

    #[test]
    fn other_messages_are_named() {
        let message = |kind: u8| {
            let mut bytes = b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07".to_vec();
            bytes.push(kind);
            bytes
        };
        for (kind, what) in [(1, "plain data"), (3, "encrypted contents"), (5, "unknown contents")] {
            assert!(looks_like_one(&message(kind)));
            assert_eq!(open(&message(kind)), Err(Pkcs7Error::OtherMessage { what }));
        }
    }

    #[test]
    fn the_number_is_bounded() {
        let certificates = b"\x30\x00".repeat(MAX_CERTIFICATES + 1);
        let data = [&b"\x30\x80\x02\x01\x01\x31\x00\x30\x00\xa0\x80"[..], &certificates, b"\0\0\0\0"].concat();
        let all = [&b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80"[..], &data, b"\0\0\0\0"].concat();
        assert_eq!(open(&all), Err(Pkcs7Error::TooMany));
    }
}
