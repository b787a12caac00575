//! Who is let in by certificate.

use super::*;
use crate::{book::Settings, certificate::tests::issued, content::Content, fingerprint::Fingerprint, mapping::ALL};
use rcgen::{KeyPair, PublicKeyData};

fn attempt(chain: &[Vec<u8>], acts_as: &str) -> CertificateAttempt {
    CertificateAttempt {
        chain: chain.to_vec(),
        authorization_id: acts_as.to_owned(),
        peer: std::net::Ipv4Addr::LOCALHOST.into(),
        service: "imap".to_owned(),
    }
}

#[test]
fn every_outcome_says_which_certificate_and_why() {
    let (own, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let key = Fingerprint::of(&own.subject_public_key_info());
    let text = format!(
        r#"(accounts: {{
            "ann@example.org": (certificates: [(key: "{key}")]),
            "off@example.org": (enabled: false),
        }})"#
    );
    let book = Book::new(Content::parse(&text).unwrap(), &Settings::default()).unwrap();
    let by_key = issued(&own, &[], None);
    let of = |address: &str| issued(&other, &[address], None);
    let (rejected, ann) = (AuthStatus::Rejected, Some("ann@example.org"));
    for (der, acts_as, status, account, words) in [
        (&by_key, "", AuthStatus::Accepted, ann, "by its key"),
        (&by_key, "Ann@Example.ORG", AuthStatus::Accepted, ann, "by its key"),
        (&of("ann@example.org"), "", AuthStatus::Accepted, ann, "alternative names"),
        (&by_key, "off@example.org", rejected, None, "ann@example.org's by its key, who may not act as somebody else"),
        (&by_key, "nonsense", rejected, None, "somebody else"),
        (&of("off@example.org"), "", AuthStatus::Disabled, None, "off@example.org's"),
        (&of("eve@example.org"), "ann@example.org", rejected, None, "stands for no account"),
        (&b"nothing".to_vec(), "", rejected, None, "cannot be read"),
    ] {
        let found = judge(&book, &ALL, &attempt(std::slice::from_ref(der), acts_as));
        let want = AuthOutcome { status, account: account.map(str::to_owned) };
        assert_eq!(found.outcome, want, "{acts_as} {words}");
        assert!(found.reason.contains(words), "{words}: {}", found.reason);
        let print = Fingerprint::of(der).to_string();
        assert!(found.certificate.contains(&print) || der == b"nothing", "{}", found.certificate);
    }
    assert_eq!(judge(&book, &[], &attempt(&[by_key], "")).outcome.status, rejected);
    assert_eq!(judge(&book, &ALL, &attempt(&[], "ann@example.org")).outcome.status, rejected);
}
