use super::super::{Exchange, Mechanism, Step};
use super::*;

const PASSWORD: &[u8] = b"pencil";
const EXPORTER: [u8; 32] = [9; 32];

fn keys() -> ScramKeys {
    derive(PASSWORD, &BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap(), 4096)
}

fn b64(text: &[u8]) -> Vec<u8> {
    BASE64.encode(text).into_bytes()
}

fn challenge(step: Result<Step, SaslError>) -> String {
    match step {
        Ok(Step::Challenge(text)) => String::from_utf8(BASE64.decode(text.as_bytes()).unwrap()).unwrap(),
        other => panic!("no challenge: {other:?}"),
    }
}

fn begin(mechanism: Mechanism, exporter: Option<[u8; 32]>) -> Exchange {
    Exchange::new(mechanism, Channel::new("servernonce").bound_by(exporter.map(Vec::from)))
}

/// What a client with this password says at last; `binding` is what it says behind the header.
fn client_final(password: &[u8], first: &str, header: &str, server_first: &str, binding: &[u8]) -> Vec<u8> {
    let bare = &first[header.len()..];
    let nonce = server_first.split(',').next().unwrap();
    let without = format!("c={},{nonce}", BASE64.encode(&[header.as_bytes(), binding].concat()));
    let salted = Key::try_from(salted(password)).unwrap();
    let client_key = mac(&salted, b"Client Key");
    let stored = Key::from(Sha256::digest(client_key));
    let signature = mac(&stored, format!("{bare},{server_first},{without}").as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
    b64(format!("{without},p={}", BASE64.encode(&proof)).as_bytes())
}

fn salted(password: &[u8]) -> Vec<u8> {
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password, &keys().salt, 4096, &mut salted);
    salted.to_vec()
}

/// The exchange up to the client's proof.
fn prove(
    mechanism: Mechanism,
    exporter: Option<[u8; 32]>,
    header: &str,
    password: &[u8],
    binding: &[u8],
) -> Result<Step, SaslError> {
    let mut exchange = begin(mechanism, exporter);
    let first = format!("{header}n=user,r=clientnonce");
    match exchange.start(Some(&b64(first.as_bytes())))? {
        Step::Keys(identity) => assert_eq!(identity, "user"),
        other => panic!("no name: {other:?}"),
    }
    let server_first = challenge(exchange.keys(&keys()));
    exchange.respond(&client_final(password, &first, header, &server_first, binding))
}

#[test]
fn the_example_of_rfc_7677() {
    let channel = Channel::new("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    let mut exchange = Exchange::new(Mechanism::ScramSha256, channel);
    assert_eq!(challenge(exchange.start(None)), "");
    let named = exchange.respond(&b64(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
    assert_eq!(named, Ok(Step::Keys("user".into())));
    assert_eq!(exchange.identity(), Some("user"));
    assert_eq!(
        challenge(exchange.keys(&keys())),
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    let last =
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    assert_eq!(exchange.respond(&b64(last)), Ok(Step::Proven { identity: "user".into(), act_as: None }));
    assert_eq!(challenge(exchange.welcome()), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    assert_eq!(exchange.respond(b""), Ok(Step::Done));
    assert_eq!(exchange.respond(b""), Err(SaslError::Over));
}

#[test]
fn a_wrong_password_and_a_name_without_keys() {
    let right = prove(Mechanism::ScramSha256, None, "n,,", PASSWORD, b"");
    assert_eq!(right, Ok(Step::Proven { identity: "user".into(), act_as: None }));
    let wrong = prove(Mechanism::ScramSha256, None, "n,,", b"pencils", b"");
    assert_eq!(wrong, Err(SaslError::NotProven(NotProven::Proof)));
}

#[test]
fn who_acts_as_whom() {
    let acts = |header| prove(Mechanism::ScramSha256, None, header, PASSWORD, b"");
    assert_eq!(acts("n,a=boss,"), Ok(Step::Proven { identity: "user".into(), act_as: Some("boss".into()) }));
    assert_eq!(acts("n,a=user,"), Ok(Step::Proven { identity: "user".into(), act_as: None }));
}

#[test]
fn channels_are_bound_by_the_sessions_own_value_only() {
    use Mechanism::{ScramSha256, ScramSha256Plus};
    let proven = || Ok(Step::Proven { identity: "user".into(), act_as: None });
    let not = |why| Err(SaslError::NotProven(why));
    let (bound, other) = (Some(EXPORTER), [8; 32]);
    for (mechanism, exporter, header, binding, want) in [
        (ScramSha256Plus, bound, "p=tls-exporter,,", &EXPORTER[..], proven()),
        (ScramSha256Plus, bound, "p=tls-exporter,,", &other, not(NotProven::Binding)),
        (ScramSha256Plus, bound, "p=tls-exporter,,", b"", not(NotProven::Binding)),
        (ScramSha256Plus, bound, "p=tls-unique,,", &EXPORTER, not(NotProven::BindingType)),
        (ScramSha256Plus, bound, "n,,", b"", not(NotProven::Binding)),
        (ScramSha256Plus, bound, "y,,", b"", not(NotProven::Binding)),
        (ScramSha256Plus, None, "p=tls-exporter,,", b"", not(NotProven::Binding)),
        (ScramSha256, bound, "n,,", b"", proven()),
        (ScramSha256, bound, "y,,", b"", not(NotProven::Downgrade)),
        (ScramSha256, bound, "p=tls-exporter,,", &EXPORTER, not(NotProven::Binding)),
        (ScramSha256, None, "y,,", b"", proven()),
        (ScramSha256, None, "n,,", &EXPORTER, not(NotProven::Binding)),
    ] {
        let outcome = prove(mechanism, exporter, header, PASSWORD, binding);
        assert_eq!(outcome, want, "{mechanism:?} {header} {}", exporter.is_some());
    }
}

#[test]
fn a_proof_cannot_be_played_again() {
    let first = "n,,n=user,r=clientnonce";
    let mut one = begin(Mechanism::ScramSha256, None);
    one.start(Some(&b64(first.as_bytes()))).unwrap();
    let server_first = challenge(one.keys(&keys()));
    let heard = client_final(PASSWORD, first, "n,,", &server_first, b"");
    assert!(one.respond(&heard).is_ok());

    let mut two = Exchange::new(Mechanism::ScramSha256, Channel::new("anothernonce"));
    two.start(Some(&b64(first.as_bytes()))).unwrap();
    two.keys(&keys()).unwrap();
    assert_eq!(two.respond(&heard), Err(SaslError::NotProven(NotProven::Nonce)));
    assert_eq!(two.identity(), Some("user"), "for the log");
}

#[test]
fn steps_out_of_order_end_it() {
    let mut begun = begin(Mechanism::ScramSha256, None);
    assert_eq!(begun.keys(&keys()), Err(SaslError::Over));
    assert_eq!(begun.start(None), Err(SaslError::Over));

    let mut named = begin(Mechanism::ScramSha256, None);
    named.start(Some(&b64(b"n,,n=user,r=x"))).unwrap();
    assert_eq!(named.welcome(), Err(SaslError::Over), "nothing is proved");

    let mut told = begin(Mechanism::ScramSha256, None);
    let first = "n,,n=user,r=x";
    told.start(Some(&b64(first.as_bytes()))).unwrap();
    let server_first = challenge(told.keys(&keys()));
    told.respond(&client_final(PASSWORD, first, "n,,", &server_first, b"")).unwrap();
    told.welcome().unwrap();
    assert_eq!(told.respond(b"*"), Err(SaslError::Cancelled), "the client does not believe us");
}

#[test]
fn keys_that_are_none() {
    let good = keys();
    for bad in [
        ScramKeys { salt: vec![], ..good.clone() },
        ScramKeys { iterations: 0, ..good.clone() },
        ScramKeys { stored_key: dovetail_sdk::Secret::new(vec![1; 31]), ..good.clone() },
        ScramKeys { server_key: dovetail_sdk::Secret::new(vec![]), ..good.clone() },
    ] {
        let mut exchange = begin(Mechanism::ScramSha256, None);
        exchange.start(Some(&b64(b"n,,n=user,r=x"))).unwrap();
        assert_eq!(exchange.keys(&bad), Err(SaslError::Keys));
    }
}
