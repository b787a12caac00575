//! What a key's DER looks like, and names for keys that are refused, so that the message says what somebody brought.

use pkcs8::der::asn1::{ObjectIdentifier, UintRef};
use pkcs8::der::{Decode, Reader as _, SliceReader};

use super::KeyError;
use crate::ber::{Reader, CONTEXT_0, INTEGER, OCTET_STRING};

/// What a PKCS#1 private key says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pkcs1 {
    /// How many bits its modulus has.
    pub bits: usize,
    /// Whether it is made of more than two primes (RFC 8017 appendix A.1.2).
    pub is_multi_prime: bool,
}

/// What a PKCS#1 private key says of itself, or `None` if it isn't one.
pub(super) fn pkcs1(der: &[u8]) -> Option<Pkcs1> {
    let begins = |reader: &mut SliceReader<'_>| -> pkcs8::der::Result<Pkcs1> {
        let version = u8::decode(reader)?;
        let modulus = UintRef::decode(reader)?;
        // Seven more numbers follow; the cryptographic library reads and checks them.
        reader.read_slice(reader.remaining_len())?;
        Ok(Pkcs1 { bits: bits_of(modulus.as_bytes()), is_multi_prime: version == 1 })
    };
    let mut reader = SliceReader::new(der).ok()?;
    let key = reader.sequence(begins).ok()?;
    // A SEC1 or PKCS#8 key has no such second number; a tiny one is no modulus either.
    (key.bits >= 64 && reader.is_finished()).then_some(key)
}

/// How many bits the modulus of a PKCS#1 public key has.
pub(super) fn public_bits(der: &[u8]) -> Option<usize> {
    let modulus = Reader::new(der).sequence("a key").ok()?.expect(INTEGER, "the modulus").ok()?;
    Some(bits_of(modulus.contents))
}

/// How many bits a number has that is written in these bytes.
pub fn bits_of(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let digits = number.get(zeros..).unwrap_or_default();
    digits.first().map_or(0, |first| digits.len() * 8 - first.leading_zeros() as usize)
}

/// What a SEC1 key says about its curve.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sec1Curve {
    /// Nothing.
    Unsaid,
    /// Its identifier.
    Named(ObjectIdentifier),
    /// All its numbers.
    Explicit,
}

/// The curve of a SEC1 ECPrivateKey (RFC 5915: version 1, an octet string, then parameters), or `None` if it isn't one.
pub(super) fn sec1_curve(der: &[u8]) -> Option<Sec1Curve> {
    let mut key = Reader::new(der).sequence("a key").ok()?;
    if key.number("the version").ok()? != 1 {
        return None;
    }
    key.expect(OCTET_STRING, "the private number").ok()?;
    let Some(parameters) = key.optional(CONTEXT_0).ok()? else {
        return Some(Sec1Curve::Unsaid);
    };
    match parameters.reader().identifier("a curve's identifier") {
        Ok(oid) => Some(Sec1Curve::Named(oid)),
        Err(_) => Some(Sec1Curve::Explicit),
    }
}

const NEW_KEY: &str = "create an RSA or ECDSA key with `dovetail certs create`";

/// The refusal of an RSA key with more than two primes, which the cryptographic library doesn't know.
pub(super) fn refused_multi_prime() -> KeyError {
    KeyError::Unsupported { what: "an RSA key with more than two primes (multi-prime)".to_owned(), cure: NEW_KEY }
}

/// The refusal of a PKCS#8 key by its algorithm.
pub(super) fn refused_algorithm(oid: &str) -> KeyError {
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

/// What a curve that is refused is called (X9.62, SEC 2, RFC 5639).
pub(super) fn curve_name(oid: ObjectIdentifier) -> String {
    let name = match oid.to_string().as_str() {
        "1.3.132.0.10" => "secp256k1",
        "1.3.132.0.33" => "P-224",
        "1.2.840.10045.3.1.1" => "P-192",
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.8" => "brainpoolP256t1",
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.12" => "brainpoolP384t1",
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1",
        "1.3.36.3.3.2.8.1.1.14" => "brainpoolP512t1",
        "1.3.132.0.8" => "secp160r1",
        "1.3.132.0.32" => "secp224k1",
        "1.2.156.10197.1.301" => "SM2",
        other => return format!("an unknown curve ({other})"),
    };
    name.to_owned()
}
