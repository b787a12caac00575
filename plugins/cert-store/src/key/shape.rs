//! What a key's DER looks like, and names for keys that are refused, so that the message says what somebody brought.

use pkcs8::der::asn1::{OctetStringRef, UintRef};
use pkcs8::der::{Decode, Reader, SliceReader};

use super::parse::contains;
use super::KeyError;

/// How many bits a PKCS#1 key's modulus has, or `None` if it isn't one.
pub(super) fn pkcs1_bits(der: &[u8]) -> Option<usize> {
    let modulus_bits = |reader: &mut SliceReader<'_>| -> pkcs8::der::Result<usize> {
        let _version = u8::decode(reader)?;
        let modulus = UintRef::decode(reader)?;
        // Seven more numbers follow; the cryptographic library reads and checks them.
        reader.read_slice(reader.remaining_len())?;
        let bytes = modulus.as_bytes();
        let zeros = bytes.first().map_or(0, |b| b.leading_zeros() as usize);
        Ok((bytes.len() * 8).saturating_sub(zeros))
    };
    let mut reader = SliceReader::new(der).ok()?;
    let bits = reader.sequence(modulus_bits).ok()?;
    // A SEC1 or PKCS#8 key has no such second number; a tiny one is no modulus either.
    (bits >= 64 && reader.is_finished()).then_some(bits)
}

/// Whether this begins like a SEC1 ECPrivateKey (RFC 5915): version 1, then an octet string.
pub(super) fn is_sec1(der: &[u8]) -> bool {
    let begins = |reader: &mut SliceReader<'_>| -> pkcs8::der::Result<bool> {
        let version = u8::decode(reader)?;
        let _private = <&OctetStringRef>::decode(reader)?;
        reader.read_slice(reader.remaining_len())?;
        Ok(version == 1)
    };
    SliceReader::new(der).and_then(|mut reader| reader.sequence(begins)) == Ok(true)
}

/// The name of a curve that is refused, if its identifier stands anywhere in the key.
pub(super) fn curve_in(der: &[u8]) -> Option<&'static str> {
    REFUSED_CURVES.iter().find(|(oid, _)| contains(der, oid)).map(|(_, name)| *name)
}

/// The refusal of a PKCS#8 key by its algorithm.
pub(super) fn refused_algorithm(oid: &str) -> KeyError {
    const NEW_KEY: &str = "create an RSA or ECDSA key with `dovetail certs create`";
    let what = match oid {
        "1.2.840.113549.1.1.10" => "an RSA-PSS key",
        "1.2.840.10040.4.1" => "a DSA key",
        "1.2.840.113549.1.3.1" | "1.2.840.10046.2.1" => "a Diffie-Hellman key",
        "1.3.101.110" => "an X25519 key, which can't sign",
        "1.3.101.111" => "an X448 key, which can't sign",
        "1.3.101.113" => "an Ed448 key",
        "2.16.840.1.101.3.4.3.17" | "2.16.840.1.101.3.4.3.18" | "2.16.840.1.101.3.4.3.19" => "an ML-DSA key",
        other => return KeyError::Unsupported { what: format!("a key of an unknown kind ({other})"), cure: NEW_KEY },
    };
    KeyError::Unsupported { what: what.to_owned(), cure: NEW_KEY }
}

/// DER contents of curve identifiers (X9.62, SEC 2, RFC 5639), and of `prime-field`, which only explicit
/// parameters have.
const REFUSED_CURVES: [(&[u8], &str); 13] = [
    (b"\x2a\x86\x48\xce\x3d\x01\x01", "explicit curve parameters"),
    (b"\x2a\x86\x48\xce\x3d\x01\x02", "explicit curve parameters"),
    (b"\x2b\x81\x04\x00\x0a", "secp256k1"),
    (b"\x2b\x81\x04\x00\x21", "P-224"),
    (b"\x2a\x86\x48\xce\x3d\x03\x01\x01", "P-192"),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x07", "brainpoolP256r1"),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x08", "brainpoolP256t1"),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", "brainpoolP384r1"),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0c", "brainpoolP384t1"),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", "brainpoolP512r1"),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0e", "brainpoolP512t1"),
    (b"\x2b\x81\x04\x00\x08", "secp160r1"),
    (b"\x2b\x81\x04\x00\x20", "secp224k1"),
];
