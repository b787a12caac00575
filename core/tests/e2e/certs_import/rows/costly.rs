//! Files that would keep the reader busy for ever or eat the memory: refused before any work is done, password or not.

use crate::certs_import::{
    case::{bad, Case},
    workshop::Workshop,
};

pub fn row(_shop: &Workshop) -> Vec<Case> {
    let key = |what: &str, key: &str| bad(what, "ec.crt", "too costly").key(key).password("sesame");
    vec![
        key("pbkdf2-rounds", "rounds.der").says("10000001 rounds").says("10,000,000"),
        key("pbkdf2-rounds-endless", "rounds-endless.der").says("2147483647 rounds"),
        key("pbes1-rounds", "pbes1-rounds.der").says("10000001 rounds"),
        key("scrypt-memory", "scrypt-memory.der").says("256 MiB"),
        key("scrypt-time", "scrypt-time.der").says("scrypt"),
        bad("pkcs12-mac-rounds", "mac-rounds.p12", "too costly").says("10000001").password("sesame"),
    ]
}
