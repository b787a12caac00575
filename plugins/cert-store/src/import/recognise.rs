//! Files that are of no use here, known by how they begin or by what parses, so that the refusal says what they are.

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::der_parser::asn1_rs::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::label::{self, Useless};

/// What a file without PEM blocks is, if it is nothing that can be imported.
pub fn recognise(bytes: &[u8]) -> Option<&'static Useless> {
    let beginning = BEGINNINGS.iter().find(|(prefix, _)| bytes.starts_with(prefix));
    if let Some((_, useless)) = beginning {
        return Some(useless);
    }
    if X509CertificationRequest::from_der(bytes).is_ok() {
        return Some(&label::CSR);
    }
    if CertificateRevocationList::from_der(bytes).is_ok() {
        return Some(&label::CRL);
    }
    if SubjectPublicKeyInfo::from_der(bytes).is_ok_and(|(rest, _)| rest.is_empty()) {
        return Some(&label::PUBLIC_KEY);
    }
    None
}

static BEGINNINGS: [(&[u8], &Useless); 14] = [
    (b"\xFE\xED\xFE\xED", &label::JKS),
    (b"\xCE\xCE\xCE\xCE", &label::JCEKS),
    (b"PuTTY-User-Key-File-", &label::PUTTY),
    (b"ssh-", &label::OPENSSH),
    (b"ecdsa-sha2-", &label::OPENSSH),
    (b"sk-ssh-", &label::OPENSSH),
    (b"sk-ecdsa-", &label::OPENSSH),
    (b"---- BEGIN SSH2", &label::OPENSSH),
    (b"SSH PRIVATE KEY FILE FORMAT", &label::OPENSSH),
    (b"SQLite format 3\0", &label::NSS),
    (b"\x00\x06\x15\x61", &label::NSS),
    (b"\x1E\xF1\xB5\xB0", &label::PVK),
    (b"PK\x03\x04", &label::ARCHIVE),
    (b"\x1F\x8B", &label::ARCHIVE),
];
