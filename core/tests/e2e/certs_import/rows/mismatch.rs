//! A key that isn't the certificate's, also where its file says that it is: signing and verifying tells; both are named.

use crate::certs_import::{
    case::{bad, Case},
    workshop::Workshop,
};

const MAKE: &str = r#"
for name in ec other rsa ed25519; do
  openssl pkey -in $name.key -pubout -outform DER | openssl dgst -sha256 -c | sed 's/.*= *//' | tr a-f A-F >$name.print
done
openssl req -config req.cnf -extensions v3 -x509 -new -key other.key -days 30 -out renewed-for-other.crt
"#;

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    shop.join("other-combined.pem", &["ec.crt", "other.key"]);
    shop.join("other-chain.pem", &["leaf.crt", "mid.crt", "ec.key"]);
    let print = |name: &str| shop.text(&format!("{name}.print")).trim().to_owned();
    let told = |case: Case, key: &str, crt: &str| case.says(print(key)).says(print(crt));
    let mismatch = "the private key doesn't belong to the certificate";
    vec![
        told(bad("another-key", "ec.crt", mismatch).key("other.key"), "other", "ec"),
        told(bad("another-rsa-key", "rsa.crt", mismatch).key("rsa-other.key"), "rsa", "rsa"),
        told(bad("another-kind-of-key", "ec.crt", mismatch).key("rsa.key"), "rsa", "ec"),
        told(bad("another-kind-of-curve", "ec.crt", mismatch).key("ed25519.key"), "ed25519", "ec"),
        told(bad("another-key-combined", "other-combined.pem", mismatch), "other", "ec"),
        bad("another-key-for-a-chain", "other-chain.pem", mismatch),
        bad("another-key-than-renewed", "renewed-for-other.crt", mismatch).key("ec.key"),
        bad("forged-public-half", "ec.crt", "don't fit together").key("forged-ec.key"),
        bad("forged-modulus", "rsa.crt", "don't fit together").key("forged-rsa.key"),
    ]
}
