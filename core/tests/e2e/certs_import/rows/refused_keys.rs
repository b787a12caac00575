//! Keys and certificates that no client accepts: refused, each named.

use crate::certs_import::{
    case::{bad, Case},
    workshop::Workshop,
};

const MAKE: &str = "
gen() { out=$1 && shift && openssl genpkey -out $out.key -algorithm \"$@\" 2>/dev/null; }
gen rsa-1024 RSA -pkeyopt rsa_keygen_bits:1024
gen rsa-2040 RSA -pkeyopt rsa_keygen_bits:2040
gen rsa-of-three RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3
gen rsa-pss RSA-PSS -pkeyopt rsa_keygen_bits:2048
gen ed448 ED448
gen x25519 X25519
gen x448 X448
for curve in secp256k1 secp224r1 prime192v1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 brainpoolP256t1 sect283k1; do
  gen $curve EC -pkeyopt ec_paramgen_curve:$curve -pkeyopt ec_param_enc:named_curve
  openssl ec -in $curve.key -out $curve-sec1.key 2>/dev/null
done
gen explicit EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit
openssl ec -in explicit.key -param_enc explicit -out explicit-sec1.key 2>/dev/null
openssl dsaparam -genkey -noout -out dsa-old.key 1024 2>/dev/null
openssl pkcs8 -topk8 -nocrypt -in dsa-old.key -out dsa.key
openssl pkcs8 -topk8 -nocrypt -in dsa-old.key -outform DER -out dsa.der
openssl dhparam -dsaparam -out dh.pem 2048 2>/dev/null
openssl pkcs8 -topk8 -in ed448.key -passout pass:sesame -out ed448-encrypted.key
for name in rsa-1024 rsa-8519 rsa-pss ed448 secp256k1 dsa; do
  openssl req -config req.cnf -extensions v3 -x509 -new -key $name.key -days 30 -out $name.crt
done
openssl pkcs12 -export -inkey secp256k1.key -in secp256k1.crt -passout pass:sesame -out secp256k1.p12
openssl req -config req.cnf -extensions v3 -x509 -new -key rsa.key -days 30 -md5 -out md5.crt
openssl req -config req.cnf -new -key ec.key -out version-1.req
openssl x509 -req -in version-1.req -signkey ec.key -days 30 -out version-1.crt 2>/dev/null
";

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    // Refused for the key, whatever certificate comes with it.
    let key = |what: &str, key: &str, said: &str| bad(what, "ec.crt", said).key(key);
    let pair = |what: &str, name: &str, said: &str| bad(what, &format!("{name}.crt"), said).key(&format!("{name}.key"));
    let mut cases = vec![
        pair("rsa-1024", "rsa-1024", "has 1024 bits"),
        key("rsa-2040", "rsa-2040.key", "has 2040 bits"),
        pair("rsa-8519", "rsa-8519", "has 8519 bits"),
        pair("rsa-pss", "rsa-pss", "an RSA-PSS key"),
        pair("ed448", "ed448", "an Ed448 key"),
        key("ed448-encrypted", "ed448-encrypted.key", "an Ed448 key").password("sesame"),
        key("x25519", "x25519.key", "an X25519 key"),
        key("x448", "x448.key", "an X448 key"),
        pair("dsa", "dsa", "a DSA key"),
        key("dsa-der", "dsa.der", "a DSA key"),
        key("dsa-old", "dsa-old.key", "a DSA key"),
        pair("secp256k1-pair", "secp256k1", "secp256k1"),
        bad("secp256k1-pkcs12", "secp256k1.p12", "secp256k1").password("sesame"),
        key("explicit-curve", "explicit.key", "explicit"),
        key("explicit-curve-sec1", "explicit-sec1.key", "explicit"),
        bad("dh-parameters", "ec.crt", "Diffie-Hellman parameters").key("dh.pem"),
        bad("md5", "md5.crt", "signed with MD5").key("rsa.key"),
        bad("unknown-critical-extension", "unknown-extension.crt", "1.3.6.1.4.1.99999.3").key("ec.key"),
        key("rsa-of-three-primes", "rsa-of-three.key", "more than two primes (multi-prime)"),
        bad("version-1", "version-1.crt", "version 1").key("ec.key"),
    ];
    for (curve, said) in [
        ("secp256k1", "secp256k1"),
        ("secp224r1", "P-224"),
        ("prime192v1", "P-192"),
        ("brainpoolP256r1", "brainpoolP256r1"),
        ("brainpoolP384r1", "brainpoolP384r1"),
        ("brainpoolP512r1", "brainpoolP512r1"),
        ("brainpoolP256t1", "brainpoolP256t1"),
        ("sect283k1", "curve"),
    ] {
        cases.push(key(&format!("curve-{curve}"), &format!("{curve}.key"), said));
        cases.push(key(&format!("curve-{curve}-sec1"), &format!("{curve}-sec1.key"), said));
    }
    cases
}
