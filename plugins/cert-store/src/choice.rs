//! Which certificate a client gets, and why, in words.

use dovetail_sdk::certs::{Choice, ChoiceReason, PairFacts};
use time::OffsetDateTime;

use crate::identity::Identity;
use crate::live::Live;
use crate::show::{issuer, moment, state};
use crate::snapshot::Why;

/// What a client gets that asks a listener for a name.
pub fn explain(live: &Live, listener: Option<&str>, server_name: Option<&str>, now: OffsetDateTime) -> Option<Choice> {
    let snapshot = live.snapshot();
    let chosen = snapshot.explain(listener, server_name)?;
    let others = chosen.offers.iter().filter(|part| part.set.id != chosen.part.set.id);
    Some(Choice {
        set: chosen.part.id(),
        certificate: chosen.part.set.name().to_string(),
        reason: match chosen.why {
            Why::Exact => ChoiceReason::Exact,
            Why::Wildcard => ChoiceReason::Wildcard,
            Why::Listener => ChoiceReason::Listener,
            Why::Default => ChoiceReason::Default,
        },
        fits: chosen.fits.clone(),
        pairs: chosen.part.identities().map(|identity| facts(identity, now)).collect(),
        problems: live.broken(chosen.part.set.name().as_str()),
        others: others.map(|part| part.set.name().to_string()).collect(),
    })
}

fn facts(identity: &Identity, now: OffsetDateTime) -> PairFacts {
    let leaf = identity.leaf();
    PairFacts {
        name: identity.name.to_string(),
        key: identity.key.kind().to_string(),
        names: leaf.alternative_names(),
        issuer: issuer(leaf),
        not_before: moment(leaf.not_before),
        not_after: moment(leaf.not_after),
        state: state(leaf, now).to_owned(),
        sha256: leaf.fingerprint.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{create, CreateRequest, San};
    use crate::key::KeyType;
    use crate::name::CertName;
    use crate::publish::{publish, Existing};

    #[test]
    fn says_which_and_why() {
        let dir = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        let add = |name: &str, host: &str, key_type| {
            let request = CreateRequest {
                name: Some(CertName::new(name).unwrap()),
                key_type,
                sans: vec![San::parse(host).unwrap()],
                ..CreateRequest::for_host("")
            };
            publish(dir.path(), &create(&request, now).unwrap().0, Existing::Refuse).unwrap();
        };
        add("a", "mail.example.org", KeyType::EcdsaP256);
        add("a+rsa", "mail.example.org", KeyType::Rsa2048);
        add("b", "mail.example.org", KeyType::EcdsaP384);
        add("w", "*.example.org", KeyType::EcdsaP256);
        std::fs::write(dir.path().join("w+rsa.crt"), "half a pair").unwrap();
        let live = Live::new(dir.path().to_owned(), None);
        live.rescan(now).unwrap();
        let ask = |listener, name| explain(&live, listener, name, now).unwrap();

        let exact = ask(Some("a"), Some("mail.example.org"));
        assert_eq!(
            (exact.certificate.as_str(), exact.reason, exact.fits.as_deref()),
            ("a", ChoiceReason::Exact, Some("mail.example.org"))
        );
        assert_eq!(exact.others, ["b"]);
        let keys: Vec<&str> = exact.pairs.iter().map(|pair| pair.key.as_str()).collect();
        assert_eq!(keys, ["ECDSA P-256", "RSA 2048"]);
        assert_eq!((exact.pairs[1].name.as_str(), exact.pairs[1].state.as_str()), ("a+rsa", "valid"));
        assert!(exact.problems.is_empty());
        let wildcard = ask(None, Some("imap.example.org"));
        assert_eq!((wildcard.reason, wildcard.fits.as_deref()), (ChoiceReason::Wildcard, Some("*.example.org")));
        assert!(wildcard.problems[0].contains("w+rsa.key"), "{:?}", wildcard.problems);
        assert_eq!(ask(Some("b"), Some("elsewhere.test")).reason, ChoiceReason::Listener);
        assert_eq!(ask(None, None).reason, ChoiceReason::Default);
        assert_eq!(explain(&live, Some("none"), None, now), None);
    }
}
