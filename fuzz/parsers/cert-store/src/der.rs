//! Keys and certificates as DER, encrypted keys among them.

use crate::ber::{Reader, MAX_NESTING};
use crate::certificate::Certificate;
use crate::encryption::Opener;
use crate::key::{decrypt_pkcs8, PrivateKey};
use crate::limits::{PASSWORD, ROUNDS};

/// What is read lies within the input, and a key that is taken is the same when it is written and read again.
pub fn certs_der(bytes: &[u8]) -> bool {
    elements(bytes);
    if let Ok(certificate) = Certificate::from_der(bytes) {
        assert_eq!(certificate.der, bytes, "something was left out");
        return true;
    }
    let key = match PrivateKey::from_unlabelled(bytes) {
        Ok(key) => key,
        Err(_) => match decrypt_pkcs8(bytes, &mut Opener::among_many(Some(PASSWORD), ROUNDS)) {
            Ok(key) => key,
            Err(_) => return false,
        },
    };
    let again = PrivateKey::from_pkcs8(key.pkcs8()).unwrap_or_else(|error| panic!("{key:?}: {error}"));
    assert_eq!(again.fingerprint(), key.fingerprint());
    assert_eq!(again.pkcs8(), key.pkcs8());
    true
}

/// Elements follow one another without a gap, and a string has no more octets than its element.
fn elements(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let mut rest = bytes;
    while let Ok(element) = reader.element() {
        let (whole, after) = rest.split_at(element.whole.len());
        assert!(std::ptr::eq(whole, element.whole), "an element begins elsewhere");
        rest = after;
        assert!(element.contents.len() + 2 <= whole.len());
        assert_eq!(whole.first(), Some(&element.tag));
        if let Ok(octets) = element.octets() {
            assert!(octets.len() <= element.contents.len());
        }
        let mut inside = element.reader();
        for _ in 0..MAX_NESTING {
            let Ok(first) = inside.element() else { break };
            assert!(first.whole.len() <= element.contents.len());
            inside = first.reader();
        }
    }
}
