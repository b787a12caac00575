//! The signing request for a certificate authority (RFC 2986).

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::der_parser::asn1_rs::FromDer;

use super::{parameters, CreateError, Holder};
use crate::fingerprint::Fingerprint;
use crate::import::pem;
use crate::key::PrivateKey;

/// A PEM `CERTIFICATE REQUEST` for a key. Its parameters are built apart from a certificate's: a request has no serial
/// number and no validity, and the library refuses some that have.
pub fn signing_request(holder: &Holder, key: &PrivateKey) -> Result<String, CreateError> {
    let params = parameters::common(&holder.complete()?, key.kind())?;
    let csr = params.serialize_request(key).map_err(CreateError::Writing)?;
    Ok(pem::encode("CERTIFICATE REQUEST", csr.der()).to_string())
}

/// The fingerprint of the key that a signing request is for; `None` if these bytes hold no request.
pub fn requested_key(bytes: &[u8]) -> Option<Fingerprint> {
    let blocks = pem::scan(bytes).ok()?;
    let (_, request) = X509CertificationRequest::from_der(&blocks.first()?.der).ok()?;
    Some(Fingerprint::of(request.certification_request_info.subject_pki.raw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::San;
    use crate::key::KeyType;
    use crate::testing::{openssl, try_openssl};

    #[test]
    fn a_request_is_for_its_key_and_says_what_it_was_told() {
        let (key, other) = (KeyType::EcdsaP256.generate().unwrap(), KeyType::EcdsaP256.generate().unwrap());
        let holder = Holder { sans: vec![San::Dns("new.example.org".into())], ..Holder::default() };
        let csr = signing_request(&holder, &key).unwrap();
        let (ok, _, said) = try_openssl(&["req", "-verify", "-noout"], csr.as_bytes());
        assert!(ok, "{said}");
        let text = String::from_utf8(openssl(&["req", "-noout", "-text"], csr.as_bytes())).unwrap();
        assert!(text.contains("DNS:new.example.org") && text.contains("CN = new.example.org"), "{text}");
        assert_eq!(requested_key(csr.as_bytes()), Some(key.fingerprint()));
        assert_ne!(requested_key(csr.as_bytes()), Some(other.fingerprint()));
        let elsewhere = format!("\u{feff}{}", csr.replace('\n', "\r\n"));
        assert_eq!(requested_key(elsewhere.as_bytes()), Some(key.fingerprint()));
        for bad in ["", "nothing", key.to_pem().as_str(), csr.get(..200).unwrap()] {
            assert_eq!(requested_key(bad.as_bytes()), None);
        }
    }
}
