use super::*;
use proptest::prelude::*;

fn b64(octets: &[u8]) -> Vec<u8> {
    BASE64.encode(octets).into_bytes()
}

fn begin(mechanism: Mechanism) -> Exchange {
    Exchange::new(mechanism, Channel::new("nonce"))
}

fn plain(octets: &[u8]) -> Result<Step, SaslError> {
    begin(Mechanism::Plain).start(Some(&b64(octets)))
}

fn check(act_as: Option<&str>, identity: &str, password: &[u8]) -> Step {
    Step::Check(Credentials::Password {
        act_as: act_as.map(str::to_owned),
        identity: identity.to_owned(),
        password: Secret::new(password.to_vec()),
    })
}

#[test]
fn plain_with_and_without_authzid() {
    assert_eq!(plain(b"\0ann\0secret"), Ok(check(None, "ann", b"secret")));
    assert_eq!(plain(b"bob\0ann\0secret"), Ok(check(Some("bob"), "ann", b"secret")));
    assert_eq!(plain(b"ann\0ann\0secret"), Ok(check(None, "ann", b"secret")));
    assert_eq!(plain(b"\0ann\0\xff\xfe"), Ok(check(None, "ann", b"\xff\xfe")));
}

#[test]
fn plain_after_an_empty_challenge() {
    let mut exchange = begin(Mechanism::Plain);
    assert_eq!(exchange.start(None), Ok(Step::Challenge(String::new())));
    assert_eq!(exchange.respond(&b64(b"\0ann\0secret")), Ok(check(None, "ann", b"secret")));
    assert_eq!(exchange.respond(&b64(b"\0ann\0secret")), Err(SaslError::Over));
}

#[test]
fn plain_refuses_what_is_not_its_syntax() {
    let long_name = [b"\0".as_slice(), &[b'a'; MAX_IDENTITY + 1], b"\0x"].concat();
    let long_password = [b"\0a\0".as_slice(), &[b'a'; MAX_PASSWORD + 1]].concat();
    for (octets, want) in [
        (&b""[..], SaslError::Malformed),
        (b"ann", SaslError::Malformed),
        (b"\0ann", SaslError::Malformed),
        (b"\0ann\0", SaslError::Malformed),
        (b"\0\0secret", SaslError::Malformed),
        (b"\0ann\0sec\0ret", SaslError::Malformed),
        (b"\0an\xff\0secret", SaslError::Malformed),
        (b"\0an\nn\0secret", SaslError::Malformed),
        (b"b\xff\0ann\0secret", SaslError::Malformed),
        (&long_name, SaslError::TooLong),
        (&long_password, SaslError::TooLong),
    ] {
        assert_eq!(plain(octets), Err(want), "{octets:?}");
    }
}

#[test]
fn login_asks_twice() {
    let mut exchange = begin(Mechanism::Login);
    assert_eq!(exchange.start(None), Ok(Step::Challenge("VXNlcm5hbWU6".into())));
    assert_eq!(exchange.respond(b"YW5u"), Ok(Step::Challenge("UGFzc3dvcmQ6".into())));
    assert_eq!(exchange.respond(b"c2VjcmV0"), Ok(check(None, "ann", b"secret")));
}

#[test]
fn login_with_the_name_as_initial_response() {
    let mut exchange = begin(Mechanism::Login);
    assert_eq!(exchange.start(Some(b"YW5u")), Ok(Step::Challenge("UGFzc3dvcmQ6".into())));
    assert_eq!(exchange.respond(b""), Err(SaslError::Malformed));
    assert_eq!(exchange.respond(b"c2VjcmV0"), Err(SaslError::Over));
}

#[test]
fn external_says_at_most_whom_to_act_as() {
    let external = || Exchange::new(Mechanism::External, Channel::new("nonce"));
    let certificate =
        |act_as: Option<&str>| Step::Check(Credentials::Certificate { act_as: act_as.map(str::to_owned) });
    for empty in [&b"="[..], b""] {
        assert_eq!(external().start(Some(empty)), Ok(certificate(None)), "{empty:?}");
    }
    assert_eq!(external().start(Some(&b64(b"ann@x.org"))), Ok(certificate(Some("ann@x.org"))));
    for (answer, want) in [(b64(b""), None), (b64(b"ann@x.org"), Some("ann@x.org"))] {
        let mut exchange = external();
        assert_eq!(exchange.start(None), Ok(Step::Challenge(String::new())));
        assert_eq!(exchange.respond(&answer), Ok(certificate(want)));
        assert_eq!(exchange.respond(b""), Err(SaslError::Over));
    }
    let long = [b'a'; MAX_IDENTITY + 1];
    for (octets, want) in [
        (&b"a\0b"[..], SaslError::Malformed),
        (b"a\nb", SaslError::Malformed),
        (b"\xff", SaslError::Malformed),
        (&long, SaslError::TooLong),
    ] {
        assert_eq!(external().start(Some(&b64(octets))), Err(want), "{octets:?}");
    }
}

#[test]
fn star_cancels_and_equals_is_empty() {
    let mut exchange = begin(Mechanism::Login);
    exchange.start(None).unwrap();
    assert_eq!(exchange.respond(b"*"), Err(SaslError::Cancelled));
    assert_eq!(exchange.respond(b"YW5u"), Err(SaslError::Over));
    assert_eq!(begin(Mechanism::Plain).start(Some(b"=")), Err(SaslError::Malformed));
    let mut exchange = begin(Mechanism::Login);
    exchange.start(None).unwrap();
    assert_eq!(exchange.respond(b"="), Err(SaslError::NotBase64));
}

#[test]
fn base64_is_read_strictly() {
    // No padding, whitespace inside, trailing bits set, the URL alphabet, too long.
    let long = vec![b'A'; MAX_RESPONSE + 2];
    for (text, want) in [
        (&b"AGFubgBzZWNyZXQ"[..], SaslError::NotBase64),
        (b"AGFubgBz ZWNyZXQ=", SaslError::NotBase64),
        (b"AGFubgBzZWNyZXR=", SaslError::NotBase64),
        (b"AGFubgB_ZWNyZXQ=", SaslError::NotBase64),
        (b"*", SaslError::NotBase64),
        (&long, SaslError::TooLong),
    ] {
        assert_eq!(begin(Mechanism::Plain).start(Some(text)), Err(want));
    }
}

#[test]
fn mechanisms_are_found_by_name() {
    assert_eq!(Mechanism::from_name("plain"), Some(Mechanism::Plain));
    assert_eq!(Mechanism::from_name("LOGIN"), Some(Mechanism::Login));
    assert_eq!(Mechanism::from_name("CRAM-MD5"), None);
}

#[test]
fn debug_shows_no_password() {
    let text = format!("{:?}", plain(b"\0ann\0secret"));
    assert!(text.contains("ann") && !text.contains("secret") && !text.contains("115"), "{text}");
}

proptest! {
    #[test]
    fn plain_returns_what_was_said(authzid in "[a-z]{0,20}", authcid in "[a-zA-Z@.ü]{1,40}", passwd in proptest::collection::vec(1..=255u8, 1..60)) {
        let octets = [authzid.as_bytes(), b"\0", authcid.as_bytes(), b"\0", &passwd].concat();
        let act_as = (!authzid.is_empty() && authzid != authcid).then_some(authzid.as_str());
        prop_assert_eq!(plain(&octets), Ok(check(act_as, &authcid, &passwd)));
    }

    #[test]
    fn nothing_makes_an_exchange_panic(mechanism in proptest::sample::select(Mechanism::ALL.to_vec()), lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..4), raw in any::<bool>()) {
        let mut exchange = begin(mechanism);
        for (i, line) in lines.iter().enumerate() {
            let line = if raw { line.clone() } else { b64(line) };
            let step = if i == 0 { exchange.start(Some(&line)) } else { exchange.respond(&line) };
            if let Ok(Step::Keys(_)) = step {
                let _ = exchange.keys(&scram::derive(b"x", b"salt", 1));
            }
        }
    }
}
