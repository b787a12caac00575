//! A SASL exchange: what a client says, line by line.

use data_encoding::BASE64;
use dovetail_mail::sasl::{Credentials, Exchange, Mechanism, SaslError, Step, MAX_IDENTITY, MAX_PASSWORD};

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
    let mut exchange = Exchange::new(mechanism);
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
    let Credentials::Password { act_as, identity, password } = credentials else {
        panic!("unknown credentials");
    };
    for name in act_as.iter().chain([identity]) {
        assert!((1..=MAX_IDENTITY).contains(&name.len()) && !name.chars().any(char::is_control), "{name:?}");
    }
    assert!((1..=MAX_PASSWORD).contains(&password.expose().len()) && !password.expose().contains(&0));
    assert!(mechanism == Mechanism::Plain || act_as.is_none());
    let act_as = act_as.as_deref().unwrap_or_default();
    let plain = [act_as.as_bytes(), b"\0", identity.as_bytes(), b"\0", password.expose()].concat();
    let again = Exchange::new(Mechanism::Plain).start(Some(BASE64.encode(&plain).as_bytes()));
    assert!(matches!(&again, Ok(Step::Check(same)) if same == credentials), "{credentials:?} became {again:?}");
}
