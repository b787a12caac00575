//! `LOGIN` and `AUTHENTICATE` (RFC 9051 sections 6.2.2 and 6.2.3, RFC 4959).

use crate::chars;
use crate::cursor::{Cursor, Parsed};
use dovetail_mail::Secret;

/// `LOGIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Who.
    pub user: Vec<u8>,
    /// Proven by what.
    pub password: Secret,
}

/// `AUTHENTICATE`, without the exchange that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticate {
    /// The SASL mechanism in upper case.
    pub mechanism: String,
    /// The initial response as sent: base64, or `=` for an empty one.
    pub initial: Option<Secret>,
}

pub(super) fn login(cursor: &mut Cursor<'_>) -> Parsed<Login> {
    let user = cursor.text("a user name")?;
    cursor.space()?;
    let password = Secret::new(cursor.text("a password")?);
    Ok(Login { user, password })
}

pub(super) fn authenticate(cursor: &mut Cursor<'_>) -> Parsed<Authenticate> {
    let mechanism = cursor.atom("a SASL mechanism")?.to_ascii_uppercase();
    let mut initial = None;
    if cursor.eat(b' ') {
        let text = cursor.run(chars::is_base64, cursor.limits.string, "an initial response in base64")?;
        initial = Some(Secret::new(text.to_vec()));
    }
    Ok(Authenticate { mechanism, initial })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::testing::{fails, parse};
    use crate::command::Command;

    #[test]
    fn login_takes_any_strings() {
        for text in ["LOGIN SMITH SESAME", "login \"SMITH\" {6}\r\nSESAME", "LOGIN {5+}\r\nSMITH \"SESAME\""] {
            let Command::Login(login) = parse(text) else { panic!("{text}") };
            assert_eq!((&login.user[..], login.password.expose()), (&b"SMITH"[..], &b"SESAME"[..]));
            assert!(!format!("{login:?}").contains("SESAME"));
        }
        let Command::Login(login) = parse("LOGIN fred foobar] ".trim_end()) else { panic!() };
        assert_eq!(login.password.expose(), b"foobar]");
        let Command::Login(login) = parse("LOGIN \"\" \"p\u{e4}ss \\\"\\\\\"") else { panic!() };
        assert_eq!((login.user.len(), login.password.expose()), (0, "p\u{e4}ss \"\\".as_bytes()));
        for bad in ["LOGIN", "LOGIN a", "LOGIN a ", "LOGIN a b c", "LOGIN a (b)", "LOGIN a {3}", "LOGIN  a b"] {
            fails(bad);
        }
    }

    #[test]
    fn authenticate_with_and_without_initial_response() {
        let Command::Authenticate(plain) = parse("AUTHENTICATE plain dGVzdAB0ZXN0AHRlc3Q=") else { panic!() };
        assert_eq!(plain.mechanism, "PLAIN");
        assert_eq!(plain.initial.as_ref().map(Secret::expose), Some(&b"dGVzdAB0ZXN0AHRlc3Q="[..]));
        assert!(!format!("{plain:?}").contains("dGVz"));
        let Command::Authenticate(bare) = parse("AUTHENTICATE GSSAPI") else { panic!() };
        assert_eq!(bare, Authenticate { mechanism: "GSSAPI".into(), initial: None });
        let Command::Authenticate(empty) = parse("AUTHENTICATE EXTERNAL =") else { panic!() };
        assert_eq!(empty.initial.unwrap().expose(), b"=");
        for bad in
            ["AUTHENTICATE", "AUTHENTICATE ", "AUTHENTICATE PLAIN ", "AUTHENTICATE PLAIN a b", "AUTHENTICATE PLAIN {3}"]
        {
            fails(bad);
        }
    }
}
