//! The parameters of a self-signed server certificate (RFC 5280).

use aws_lc_rs::rand;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SerialNumber};
use time::{Duration, OffsetDateTime};

use super::{CreateError, Holder};
use crate::key::KeyKind;

/// What both the certificate and the request say: names and usages.
pub(super) fn common(holder: &Holder, key: KeyKind) -> Result<CertificateParams, CreateError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = holder.subject.to_name()?;
    params.subject_alt_names = holder.sans.iter().map(|san| san.to_rcgen()).collect::<Result<_, _>>()?;
    // CA:FALSE in so many words: some clients take a certificate without basic constraints for an authority's.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // Only RSA ever encrypts a premaster secret (TLS 1.2, RFC 5246 section 7.4.2).
    if matches!(key, KeyKind::Rsa(_)) {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// The self-signed certificate's.
pub(super) fn certificate(
    holder: &Holder,
    key: KeyKind,
    days: u32,
    now: OffsetDateTime,
) -> Result<CertificateParams, CreateError> {
    let mut params = common(holder, key)?;
    params.serial_number = Some(serial()?);
    // A clock that is a little behind ours must not find the certificate in its future.
    params.not_before = now - BEFORE;
    params.not_after = now + Duration::days(i64::from(days));
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

/// How long a certificate is valid already when it is made.
pub(super) const BEFORE: Duration = Duration::hours(1);
