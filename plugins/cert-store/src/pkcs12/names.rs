//! Identifiers of PKCS#12 (RFC 7292 appendix D) and of what it borrows from PKCS#7 and PKCS#9.

use pkcs8::der::asn1::ObjectIdentifier as Oid;

/// What every kind of content begins with (1.2.840.113549.1.7), as it stands in a file.
pub const PKCS7_ARC: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07";
/// Content as it is.
pub const DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.1");
/// Signed content.
pub const SIGNED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.2");
/// Content for somebody's public key.
pub const ENVELOPED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.3");
/// Content under a password.
pub const ENCRYPTED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.6");

pub const KEY_BAG: Oid = Oid::new_unwrap("1.2.840.113549.1.12.10.1.1");
pub const SHROUDED_KEY_BAG: Oid = Oid::new_unwrap("1.2.840.113549.1.12.10.1.2");
pub const CERT_BAG: Oid = Oid::new_unwrap("1.2.840.113549.1.12.10.1.3");
pub const CRL_BAG: Oid = Oid::new_unwrap("1.2.840.113549.1.12.10.1.4");
pub const SAFE_CONTENTS_BAG: Oid = Oid::new_unwrap("1.2.840.113549.1.12.10.1.6");

/// An X.509 certificate in a certificate bag.
pub const X509_CERTIFICATE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.22.1");
/// PBMAC1 (RFC 9579).
pub const PBMAC1: Oid = Oid::new_unwrap("1.2.840.113549.1.5.14");
