//! A new self-signed certificate in the place of an older one: for the same holder and the same key.
//!
//! What the older one says is carried over; what has no place in a certificate of ours is left out and told. Nothing is
//! written here.

use time::OffsetDateTime;

use super::{parameters, self_signed, CreateError, Holder, DEFAULT_DAYS, MAX_DAYS};
use crate::certificate::Certificate;
use crate::identity::Identity;
use crate::publish::Pair;

/// A renewed pair, which is not published yet.
pub struct Renewed {
    /// The same key, the new certificate.
    pub pair: Pair,
    /// The new certificate's facts.
    pub certificate: Certificate,
    /// What the older one said and this one doesn't.
    pub left_out: Vec<String>,
}

/// Renews a pair. Without `days` a self-signed certificate gets as many as it had; one in the place of an authority's, a year.
pub fn renew(identity: &Identity, days: Option<u32>, now: OffsetDateTime) -> Result<Renewed, CreateError> {
    let old = identity.leaf();
    let (holder, left_out) = Holder::of(old);
    let days = days.unwrap_or_else(|| if old.self_signed() { days_of(old) } else { DEFAULT_DAYS });
    let (certificate, pem) = self_signed(&holder, &identity.key, days, now)?;
    let pair = Pair {
        name: identity.name.clone(),
        key: identity.key.to_pem(),
        key_fingerprint: identity.key.fingerprint(),
        certificate: pem,
        csr: None,
    };
    Ok(Renewed { pair, certificate, left_out })
}

/// For how many days a certificate was made.
fn days_of(certificate: &Certificate) -> u32 {
    let whole = (certificate.not_after - certificate.not_before - parameters::BEFORE).whole_days();
    u32::try_from(whole).unwrap_or(1).clamp(1, MAX_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{create, CreateRequest, San, Subject};
    use crate::key::KeyType;
    use crate::testing::openssl;

    fn request(key_type: KeyType) -> CreateRequest {
        let subject = Subject {
            common_name: Some("mail.example.org".into()),
            organization: Some("Müller & Söhne".into()),
            units: vec!["Mail".into(), "Second".into()],
            country: Some("DE".into()),
            email: Some("post@example.org".into()),
            ..Subject::default()
        };
        let sans = ["smtp.example.org", "192.0.2.1", "post@example.org"].map(|san| San::parse(san).unwrap()).into();
        CreateRequest { key_type, subject, sans, days: 90, ..CreateRequest::for_host("") }
    }

    #[test]
    fn nothing_changes_but_serial_and_time() {
        let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
        let long_ago = now - time::Duration::days(400);
        for key_type in [KeyType::EcdsaP384, KeyType::Rsa2048, KeyType::Ed25519] {
            let (pair, old) = create(&request(key_type), long_ago).unwrap();
            let key = crate::import::contents::only_key(
                &crate::input::Input::new("key", pair.key.as_bytes().to_vec()).unwrap(),
            )
            .unwrap();
            let identity = Identity { name: pair.name.clone(), chain: vec![old.clone()], key, chain_turn: None };
            let renewed = renew(&identity, None, now).unwrap();
            let new = &renewed.certificate;
            assert!(renewed.left_out.is_empty());
            assert_eq!(renewed.pair.key.as_str(), pair.key.as_str());
            assert_eq!((&new.raw_subject, new.alternative_names()), (&old.raw_subject, old.alternative_names()));
            assert_eq!(new.key_fingerprint, old.key_fingerprint);
            assert_ne!(new.serial, old.serial);
            assert_eq!(new.not_after - new.not_before, old.not_after - old.not_before);
            assert!(new.not_after > now && new.self_signed());
            let usages = |pem: &str| openssl(&["x509", "-noout", "-ext", "keyUsage,extendedKeyUsage"], pem.as_bytes());
            assert_eq!(usages(&renewed.pair.certificate), usages(&pair.certificate));
            assert_eq!((renew(&identity, Some(7), now).unwrap().certificate.not_after - now).whole_days(), 7);
            assert!(matches!(renew(&identity, Some(0), now), Err(CreateError::Days { days: 0 })));
        }
    }
}
