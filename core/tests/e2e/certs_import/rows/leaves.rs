//! Several certificates for one key, several keys for one certificate, several complete pairs.

use crate::certs_import::{
    case::{bad, good, warn, Case},
    workshop::Workshop,
};

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.join("leaves-two.pem", &["leaf-older.crt", "mid.crt", "leaf-newest.crt", "leaf.key"]);
    shop.join(
        "leaves-three.pem",
        &["leaf-newest.crt", "leaf-newest-but-shorter.crt", "leaf-older.crt", "mid.crt", "leaf.key"],
    );
    shop.join("pairs.pem", &["ec.pem", "other.pem"]);
    shop.join("pair-and-key.pem", &["ec.pem", "other.key"]);
    shop.join("pair-and-key-before.pem", &["other.key", "ec.pem"]);
    shop.join("keys-for-nobody.pem", &["leaf.crt", "ec.key", "other.key"]);
    shop.join("pairs-of-two-kinds.pem", &["ec.pem", "rsa.pem"]);
    let of = |count: usize| format!("there are {count} certificates for this key: the newest was taken");
    let newest = |case: Case| case.chain(2, "root.crt").publishes("leaf-newest.crt");
    vec![
        newest(warn("two-leaves", "leaves-two.pem", &of(2))),
        newest(warn("three-leaves", "leaves-three.pem", &of(3))),
        good("the-key-that-fits-of-two", "pair-and-key.pem"),
        good("the-key-that-fits-of-two-behind", "pair-and-key-before.pem"),
        bad("two-pairs", "pairs.pem", "2 different private keys").says("ambiguous").says("one at a time"),
        bad("two-pairs-in-two-files", "ec.pem", "2 different private keys").key("other.pem"),
        bad("two-pairs-of-two-kinds", "pairs-of-two-kinds.pem", "2 different private keys"),
        bad("two-keys-for-nobody", "keys-for-nobody.pem", "2 different private keys").says("none of them belongs"),
    ]
}
