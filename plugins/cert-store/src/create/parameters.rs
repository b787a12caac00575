//! The parameters of a self-signed server certificate (RFC 5280).

use aws_lc_rs::rand;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SerialNumber};
use time::{Duration, OffsetDateTime};

use super::{CreateError, CreateRequest};
use crate::key::KeyType;

/// What both the certificate and the request say: names and usages.
pub(super) fn common(request: &CreateRequest) -> Result<CertificateParams, CreateError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = request.subject.to_name()?;
    params.subject_alt_names = request.sans.iter().map(|san| san.to_rcgen()).collect::<Result<_, _>>()?;
    // CA:FALSE in so many words: some clients take a certificate without basic constraints for an authority's.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // Only RSA ever encrypts a premaster secret (TLS 1.2, RFC 5246 section 7.4.2).
    if matches!(request.key_type, KeyType::Rsa2048 | KeyType::Rsa4096) {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// The self-signed certificate's.
pub(super) fn certificate(request: &CreateRequest, now: OffsetDateTime) -> Result<CertificateParams, CreateError> {
    let mut params = common(request)?;
    params.serial_number = Some(serial()?);
    // A clock that is a little behind ours must not find the certificate in its future.
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(i64::from(request.days));
    Ok(params)
}

/// Sixteen random bytes (RFC 5280 section 4.1.2.2: positive, at most 20). The top bits make it positive and keep
/// the length fixed.
fn serial() -> Result<SerialNumber, CreateError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| CreateError::NoRandom)?;
    bytes[0] = (bytes[0] & 0x3F) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}
