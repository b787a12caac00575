//! Bundles: PKCS#12 and PKCS#7.

use crate::ber::Reader;
use crate::encryption::Opener;
use crate::import::pkcs7;
use crate::limits::{PASSWORD, ROUNDS};
use crate::pkcs12;

/// A PKCS#12 bundle holds no more than its file, and the same each time.
pub fn certs_pkcs12(bytes: &[u8]) -> bool {
    let open = || pkcs12::open(bytes, &mut Opener::among_many(Some(PASSWORD), ROUNDS));
    let Ok(bundle) = open() else {
        return false;
    };
    let count = bundle.certificates.len() + bundle.keys.len();
    assert!(count <= pkcs12::MAX_BAGS);
    let size: usize = bundle.certificates.iter().map(Vec::len).sum::<usize>()
        + bundle.keys.iter().map(|key| key.len()).sum::<usize>();
    assert!(size <= bytes.len(), "{size} bytes out of {}", bytes.len());
    let again = open().unwrap_or_else(|error| panic!("it opens only once: {error}"));
    assert_eq!((&again.certificates, &again.keys), (&bundle.certificates, &bundle.keys));
    count > 0
}

/// Each certificate of a PKCS#7 bundle is one whole element of its file.
pub fn certs_pkcs7(bytes: &[u8]) -> bool {
    let Ok(bundle) = pkcs7::open(bytes) else {
        return false;
    };
    assert!(bundle.certificates.len() <= pkcs7::MAX_CERTIFICATES);
    let size: usize = bundle.certificates.iter().map(Vec::len).sum();
    assert!(size <= bytes.len(), "{size} bytes out of {}", bytes.len());
    for certificate in &bundle.certificates {
        let mut reader = Reader::new(certificate);
        reader.sequence("a certificate").unwrap_or_else(|error| panic!("{certificate:?}: {error}"));
        assert!(reader.is_empty(), "more than a certificate");
    }
    !bundle.certificates.is_empty()
}
