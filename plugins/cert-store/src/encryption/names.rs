//! Identifiers of password-based encryption, and names for those that aren't supported, so that a refusal says more than
//! a number.

use pkcs8::der::asn1::ObjectIdentifier as Oid;

/// What an unsupported method is called in a message.
pub fn called(oid: Oid) -> String {
    let name = match oid.to_string().as_str() {
        "1.2.840.113549.1.5.1" => "MD2 and DES (PKCS#5 PBES1)",
        "1.2.840.113549.1.5.4" => "MD2 and RC2 (PKCS#5 PBES1)",
        "1.2.840.113549.2.8" => "PBKDF2 with SHA-224",
        "1.2.840.113549.2.12" => "PBKDF2 with SHA-512/224",
        "1.2.840.113549.2.13" => "PBKDF2 with SHA-512/256",
        "1.2.643.7.1.1.4.1" | "1.2.643.7.1.1.4.2" => "PBKDF2 with Streebog",
        "1.2.643.2.2.21" | "1.2.643.7.1.1.5.1.1" | "1.2.643.7.1.1.5.2.1" => "a GOST cipher",
        "2.16.840.1.101.3.4.1.6" | "2.16.840.1.101.3.4.1.26" | "2.16.840.1.101.3.4.1.46" => "AES-GCM",
        "1.2.392.200011.61.1.1.1.2" | "1.2.392.200011.61.1.1.1.3" | "1.2.392.200011.61.1.1.1.4" => "Camellia",
        "1.2.410.200046.1.1.2" | "1.2.410.200046.1.1.7" | "1.2.410.200046.1.1.12" => "ARIA",
        "1.2.410.200004.1.4" => "SEED",
        "1.2.156.10197.1.104.2" => "SM4",
        other => return format!("an unknown method ({other})"),
    };
    name.to_owned()
}

/// PBES2 (RFC 8018 appendix A.4).
pub const PBES2: Oid = Oid::new_unwrap("1.2.840.113549.1.5.13");
/// PBKDF2 (appendix A.2).
pub const PBKDF2: Oid = Oid::new_unwrap("1.2.840.113549.1.5.12");
/// scrypt (RFC 7914 section 7).
pub const SCRYPT: Oid = Oid::new_unwrap("1.3.6.1.4.1.11591.4.11");

// PBES1 (RFC 8018 appendix A.3).
pub const MD5_DES: Oid = Oid::new_unwrap("1.2.840.113549.1.5.3");
pub const MD5_RC2: Oid = Oid::new_unwrap("1.2.840.113549.1.5.6");
pub const SHA1_DES: Oid = Oid::new_unwrap("1.2.840.113549.1.5.10");
pub const SHA1_RC2: Oid = Oid::new_unwrap("1.2.840.113549.1.5.11");

// PKCS#12 (RFC 7292 appendix C).
pub const PKCS12_RC4_128: Oid = Oid::new_unwrap("1.2.840.113549.1.12.1.1");
pub const PKCS12_RC4_40: Oid = Oid::new_unwrap("1.2.840.113549.1.12.1.2");
pub const PKCS12_TRIPLE_DES: Oid = Oid::new_unwrap("1.2.840.113549.1.12.1.3");
pub const PKCS12_TWO_KEY_TRIPLE_DES: Oid = Oid::new_unwrap("1.2.840.113549.1.12.1.4");
pub const PKCS12_RC2_128: Oid = Oid::new_unwrap("1.2.840.113549.1.12.1.5");
pub const PKCS12_RC2_40: Oid = Oid::new_unwrap("1.2.840.113549.1.12.1.6");

// Ciphers of PBES2.
pub const DES_CBC: Oid = Oid::new_unwrap("1.3.14.3.2.7");
pub const TRIPLE_DES_CBC: Oid = Oid::new_unwrap("1.2.840.113549.3.7");
pub const RC2_CBC: Oid = Oid::new_unwrap("1.2.840.113549.3.2");
pub const AES_128_CBC: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.1.2");
pub const AES_192_CBC: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.1.22");
pub const AES_256_CBC: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.1.42");

// Hashes.
pub const SHA1: Oid = Oid::new_unwrap("1.3.14.3.2.26");
pub const SHA224: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.2.4");
pub const SHA256: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.2.1");
pub const SHA384: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.2.2");
pub const SHA512: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.2.3");

// HMACs.
pub const HMAC_SHA1: Oid = Oid::new_unwrap("1.2.840.113549.2.7");
pub const HMAC_SHA224: Oid = Oid::new_unwrap("1.2.840.113549.2.8");
pub const HMAC_SHA256: Oid = Oid::new_unwrap("1.2.840.113549.2.9");
pub const HMAC_SHA384: Oid = Oid::new_unwrap("1.2.840.113549.2.10");
pub const HMAC_SHA512: Oid = Oid::new_unwrap("1.2.840.113549.2.11");
