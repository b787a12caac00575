//! Keys under a password: every scheme that programs write, and what is said if the password is missing or wrong.

use crate::certs_import::{
    case::{bad, good, Case},
    workshop::Workshop,
};

const MAKE: &str = "
p8() { out=$1 && shift && openssl pkcs8 -topk8 -in ec.key -passout pass:sesame -out $out \"$@\"; }
for cipher in aes-128-cbc aes-192-cbc aes-256-cbc des3; do p8 p8-$cipher.key -v2 $cipher; done
for hash in SHA1 SHA256 SHA384 SHA512; do p8 p8-$hash.key -v2 aes-256-cbc -v2prf hmacWith$hash; done
p8 p8-scrypt.key -scrypt
p8 p8-der.key -outform DER
p8 p8-rounds.key -iter 30000
for scheme in PBE-SHA1-3DES PBE-SHA1-2DES PBE-SHA1-RC2-128 PBE-SHA1-RC2-40 PBE-MD5-DES PBE-SHA1-DES; do
  p8 $scheme.key -v1 $scheme -provider default -provider legacy
done
p8 pbes1-der.key -v1 PBE-SHA1-3DES -outform DER
p8 camellia.key -v2 camellia-256-cbc
p8 aria.key -v2 aria-128-cbc
for cipher in des des3 aes128 aes192 aes256; do
  openssl ec -in ec.key -$cipher -passout pass:sesame -out old-$cipher.key -provider default -provider legacy 2>/dev/null
done
openssl rsa -in rsa.key -traditional -aes128 -passout pass:sesame -out old-rsa.key 2>/dev/null
openssl rsa -in rsa.key -traditional -camellia128 -passout pass:sesame -out old-camellia.key 2>/dev/null
for cipher in 3des aes-128 aes-192 aes-256 rc2-40; do
  certtool --to-p8 --load-privkey ec.key --password sesame --pkcs-cipher $cipher --outfile tool-$cipher.key 2>/dev/null
done
ssh-keygen -q -t rsa -b 2048 -m PEM -N sesame -f ssh-pem
openssl req -config req.cnf -extensions v3 -x509 -new -key ssh-pem -passin pass:sesame -days 30 -out ssh-pem.crt
";

/// What is said where a password is needed and none was given.
const MISSING: &str = "--password-file";
/// And where it is another one.
const WRONG: &str = "the password doesn't open";

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    shop.join("encrypted-combined.pem", &["ec.crt", "p8-aes-256-cbc.key"]);
    shop.join("encrypted-twice.pem", &["ec.crt", "p8-scrypt.key", "old-aes256.key"]);
    let opened = |what: &str, key: &str| good(what, "ec.crt").key(key).password("sesame\n");
    let mut cases: Vec<Case> = [
        ("pbes2-aes-128", "p8-aes-128-cbc.key"),
        ("pbes2-aes-192", "p8-aes-192-cbc.key"),
        ("pbes2-aes-256", "p8-aes-256-cbc.key"),
        ("pbes2-3des", "p8-des3.key"),
        ("pbes2-sha1", "p8-SHA1.key"),
        ("pbes2-sha256", "p8-SHA256.key"),
        ("pbes2-sha384", "p8-SHA384.key"),
        ("pbes2-sha512", "p8-SHA512.key"),
        ("pbes2-scrypt", "p8-scrypt.key"),
        ("pbes2-der", "p8-der.key"),
        ("pbes2-30000-rounds", "p8-rounds.key"),
        ("pbes1-sha1-3des", "PBE-SHA1-3DES.key"),
        ("pbes1-sha1-2des", "PBE-SHA1-2DES.key"),
        ("pbes1-sha1-rc2-128", "PBE-SHA1-RC2-128.key"),
        ("pbes1-sha1-rc2-40", "PBE-SHA1-RC2-40.key"),
        ("pbes1-md5-des", "PBE-MD5-DES.key"),
        ("pbes1-sha1-des", "PBE-SHA1-DES.key"),
        ("pbes1-der", "pbes1-der.key"),
        ("legacy-des", "old-des.key"),
        ("legacy-3des", "old-des3.key"),
        ("legacy-aes-128", "old-aes128.key"),
        ("legacy-aes-192", "old-aes192.key"),
        ("legacy-aes-256", "old-aes256.key"),
        ("certtool-3des", "tool-3des.key"),
        ("certtool-aes-128", "tool-aes-128.key"),
        ("certtool-aes-192", "tool-aes-192.key"),
        ("certtool-aes-256", "tool-aes-256.key"),
        ("certtool-rc2-40", "tool-rc2-40.key"),
        ("python-pkcs8", "python-pkcs8.key"),
        ("python-legacy", "python-legacy.key"),
        ("password-not-needed", "ec.key"),
    ]
    .map(|(what, key)| opened(what, key))
    .into();
    for (what, key) in [
        ("pbes2", "p8-aes-256-cbc.key"),
        ("scrypt", "p8-scrypt.key"),
        ("pbes2-der", "p8-der.key"),
        ("pbes1", "PBE-SHA1-3DES.key"),
        ("rc2", "PBE-SHA1-RC2-40.key"),
        ("legacy", "old-aes256.key"),
        ("legacy-des", "old-des.key"),
    ] {
        cases.push(bad(&format!("no-password-{what}"), "ec.crt", MISSING).key(key));
        cases.push(bad(&format!("wrong-password-{what}"), "ec.crt", WRONG).key(key).password("guess"));
    }
    cases.extend([
        good("legacy-rsa", "rsa.crt").key("old-rsa.key").password("sesame"),
        good("ssh-keygen-pem", "ssh-pem.crt").key("ssh-pem").password("sesame"),
        good("password-line-ends-with-crlf", "ec.crt").key("p8-aes-256-cbc.key").password("sesame\r\n"),
        good("password-beyond-ascii", "ec.crt").key("python-utf8.key").password("Schlüssel€\n"),
        good("encrypted-combined", "encrypted-combined.pem").password("sesame"),
        good("encrypted-the-same-key-in-two-ways", "encrypted-twice.pem").password("sesame"),
        bad("no-password-combined", "encrypted-combined.pem", MISSING),
        bad("password-empty", "ec.crt", WRONG).key("p8-aes-256-cbc.key").password("\n"),
        bad("cipher-camellia", "ec.crt", "isn't supported").key("camellia.key").password("sesame"),
        bad("cipher-aria", "ec.crt", "isn't supported").key("aria.key").password("sesame"),
        bad("cipher-legacy-camellia", "rsa.crt", "CAMELLIA-128-CBC").key("old-camellia.key").password("sesame"),
        bad("kdf-unknown", "ec.crt", "isn't supported").key("unknown-kdf.der").password("sesame"),
    ]);
    cases
}
