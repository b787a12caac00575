//! A SASL exchange: what a client says, line by line.

use data_encoding::BASE64;
use dovetail_mail::sasl::scram::{parse_keys, ScramKeys};
use dovetail_mail::sasl::{Channel, Credentials, Exchange, Mechanism, SaslError, Step, MAX_IDENTITY, MAX_PASSWORD};

/// First line: mechanism and, behind a space, an initial response. Further lines: responses.
pub fn sasl(input: &[u8]) -> bool {
    let mut lines = input.split(|&b| b == b'\n');
    let first = lines.next().unwrap_or_default();
    let (name, initial) = match first.iter().position(|&b| b == b' ') {
        Some(at) => (&first[..at], Some(&first[at + 1..])),
        None => (first, None),
    };
    let Some(mechanism) = std::str::from_utf8(name).ok().and_then(Mechanism::from_name) else {
        return false;
    };
    let mut exchange = Exchange::new(mechanism, channel());
    let mut step = exchange.start(initial);
    loop {
        match step {
            Ok(Step::Challenge(challenge)) => {
                assert!(BASE64.decode(challenge.as_bytes()).is_ok(), "{challenge} is no challenge");
                let Some(line) = lines.next() else {
                    return false;
                };
                step = exchange.respond(line);
            }
            Ok(Step::Check(credentials)) => {
                check(mechanism, &credentials);
                assert_eq!(exchange.respond(b"AGFubgBzZWNyZXQ="), Err(SaslError::Over));
                return true;
            }
            Ok(Step::Keys(name)) => {
                check_name(&name);
                step = exchange.keys(&keys());
            }
            Ok(Step::Proven { identity, act_as }) => {
                act_as.iter().chain([&identity]).for_each(|name| check_name(name));
                step = exchange.welcome();
            }
            Ok(Step::Done) => {
                assert_eq!(exchange.respond(b""), Err(SaslError::Over));
                return true;
            }
            // A step that this target knows nothing of.
            Ok(_) => panic!("an unknown step"),
            Err(_) => {
                assert_eq!(exchange.respond(b"AGFubgBzZWNyZXQ="), Err(SaslError::Over));
                return false;
            }
        }
    }
}

/// Credentials are within their limits, and say again what they said.
fn check(mechanism: Mechanism, credentials: &Credentials) {
    let (act_as, identity, password) = match credentials {
        Credentials::Password { act_as, identity, password } => (act_as, identity, password),
        Credentials::Certificate { act_as } => {
            assert_eq!(mechanism, Mechanism::External);
            return act_as.iter().for_each(|name| check_name(name));
        }
        _ => panic!("unknown credentials"),
    };
    act_as.iter().chain([identity]).for_each(|name| check_name(name));
    assert!((1..=MAX_PASSWORD).contains(&password.expose().len()) && !password.expose().contains(&0));
    assert!(mechanism == Mechanism::Plain || act_as.is_none());
    let act_as = act_as.as_deref().unwrap_or_default();
    let plain = [act_as.as_bytes(), b"\0", identity.as_bytes(), b"\0", password.expose()].concat();
    let again = Exchange::new(Mechanism::Plain, channel()).start(Some(BASE64.encode(&plain).as_bytes()));
    assert!(matches!(&again, Ok(Step::Check(same)) if same == credentials), "{credentials:?} became {again:?}");
}

fn check_name(name: &str) {
    assert!((1..=MAX_IDENTITY).contains(&name.len()) && !name.chars().any(char::is_control), "{name:?}");
}

fn channel() -> Channel {
    Channel::new("nonce").bound_by(Some(vec![7; 32]))
}

/// Those of the password and salt of RFC 7677 section 3.
fn keys() -> ScramKeys {
    let text = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
                wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    parse_keys(text).unwrap_or_else(|error| panic!("{error}"))
}
