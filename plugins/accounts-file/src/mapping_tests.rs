//! Which account a certificate stands for, and when none.

use super::*;
use crate::{book::Settings, content::Content};

/// The key of `ann`; the certificate of `odd`, which is the mistake that people make.
fn book() -> Book {
    let (key, own) = (Fingerprint::of(b"key"), Fingerprint::of(b"certificate"));
    let text = format!(
        r#"(accounts: {{
            "ann@example.org": (certificates: [(key: "{key}")], aliases: ["info@example.org", "*@shop.example"]),
            "bob@example.org": (enabled: false),
            "odd@example.org": (certificates: [(key: "{own}")]),
        }})"#
    );
    Book::new(Content::parse(&text).unwrap(), &Settings { domains: Vec::new(), separator: Some('+') }).unwrap()
}

fn certificate(key: &[u8], alternative: &[&str], subject: &[&str]) -> Certificate {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Certificate {
        fingerprint: Fingerprint::of(b"another"),
        key: Fingerprint::of(key),
        subject: String::new(),
        alternative_names: owned(alternative),
        subject_names: owned(subject),
    }
}

fn found(certificate: &Certificate, rules: &[By]) -> Result<(String, By), Unmapped> {
    account_of(&book(), certificate, rules).map(|(name, by)| (name.to_string(), by))
}

#[test]
fn the_first_rule_that_fits_decides() {
    let (ann, bob) = ("ann@example.org", "bob@example.org");
    for (key, alternative, subject, want) in [
        (&b"key"[..], &[][..], &[][..], (ann, By::Key)),
        // What the operator said goes before what the authority says.
        (b"key", &[bob], &[bob], (ann, By::Key)),
        (b"other", &[bob], &[], (bob, By::AlternativeName)),
        (b"other", &["Bob@EXAMPLE.org", bob, "\"bob\"@example.org"], &[], (bob, By::AlternativeName)),
        (b"other", &["bob@elsewhere.example", "not an address", "", bob], &[ann], (bob, By::AlternativeName)),
        (b"other", &[], &[bob], (bob, By::Subject)),
    ] {
        let certificate = certificate(key, alternative, subject);
        assert_eq!(found(&certificate, &ALL), Ok((want.0.to_owned(), want.1)), "{alternative:?} {subject:?}");
    }
}

#[test]
fn rules_that_are_off_are_not_tried() {
    let all = certificate(b"key", &["bob@example.org"], &["odd@example.org"]);
    for (rules, want) in [
        (&[By::Key][..], "ann@example.org"),
        (&[By::AlternativeName], "bob@example.org"),
        (&[By::Subject], "odd@example.org"),
        (&[By::Subject, By::AlternativeName], "bob@example.org"),
    ] {
        assert_eq!(found(&all, rules).unwrap().0, want, "{rules:?}");
    }
    assert_eq!(found(&all, &[]), Err(Unmapped::Off));
    let by_name = certificate(b"other", &["bob@example.org"], &[]);
    assert_eq!(found(&by_name, &[By::Key, By::Subject]), Err(Unmapped::Nobody));
}

#[test]
fn an_address_is_the_accounts_own() {
    for stranger in
        ["info@example.org", "any@shop.example", "ann+x@example.org", "postmaster@example.org", "postmaster", "ann", ""]
    {
        let by_name = certificate(b"other", &[stranger], &[]);
        assert_eq!(found(&by_name, &ALL), Err(Unmapped::Nobody), "{stranger}");
    }
}

#[test]
fn several_accounts_are_none() {
    let (ann, bob) = ("ann@example.org", "bob@example.org");
    for (alternative, subject, by) in
        [(&[ann, bob][..], &[ann][..], By::AlternativeName), (&[], &[ann, bob], By::Subject)]
    {
        let error = found(&certificate(b"other", alternative, subject), &ALL).unwrap_err();
        assert_eq!(error, Unmapped::Ambiguous { by, one: ann.parse().unwrap(), other: bob.parse().unwrap() });
        assert!(error.to_string().contains("add-certificate"));
        assert_eq!(found(&certificate(b"key", alternative, subject), &ALL).unwrap().0, ann, "the table decides");
    }
}

#[test]
fn the_wrong_fingerprint_is_told_apart() {
    let own = Certificate { fingerprint: Fingerprint::of(b"certificate"), ..certificate(b"other", &[], &[]) };
    assert_eq!(found(&own, &ALL), Err(Unmapped::NotTheKeys("odd@example.org".parse().unwrap())));
    assert_eq!(found(&own, &[By::Subject]), Err(Unmapped::Nobody));
}
