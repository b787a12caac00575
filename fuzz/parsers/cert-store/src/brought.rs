//! A file with certificates and keys: read, put in order, judged. Nothing is written.

use crate::encryption::Opener;
use crate::import::chain::{order, MAX_CHAIN};
use crate::import::roots::Roots;
use crate::import::{checks, contents};
use crate::input::Input;
use crate::limits::{PASSWORD, ROUNDS};
use crate::prove::{prove, Proof};
use time::macros::datetime;

/// What is found in a file is whole; the chain begins with the key's own certificate.
pub fn certs_import(bytes: &[u8]) -> bool {
    let Ok(input) = Input::new("brought", bytes.to_vec()) else {
        return false;
    };
    let Ok(found) = contents::read_with(&input, &mut Opener::among_many(Some(PASSWORD), ROUNDS)) else {
        return false;
    };
    let now = datetime!(2026-01-01 0:00 UTC);
    for key in &found.keys {
        assert!(key.sign(b"message").is_some(), "{key:?} does not sign");
    }
    let Some(key) = found.keys.first() else {
        return !found.certificates.is_empty();
    };
    let Ok(chain) = order(found.certificates, key, now, Proof::Signature) else {
        return false;
    };
    assert!((1..=MAX_CHAIN).contains(&chain.certificates.len()));
    let leaf = &chain.certificates[0];
    assert!(prove(key, leaf).is_ok(), "the chain does not begin with the key's certificate");
    for pair in chain.certificates.windows(2) {
        assert_ne!(pair[0].signed_by(&pair[1]), Some(false), "the chain is broken");
    }
    let _ = checks::warn(&chain, key, &Roots::of_this_machine(), now);
    checks::refuse(leaf).is_ok()
}
