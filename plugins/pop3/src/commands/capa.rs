//! CAPA (RFC 2449): what we can do, in this state.

use dovetail_mail::login::Offer;

use crate::reply::Reply;
use crate::state::{no_arguments, Rules, State, Tls};

/// `CAPA`.
#[derive(Debug)]
pub struct Capa;

impl Capa {
    /// Has no arguments.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        no_arguments(args).map(|()| Capa)
    }

    /// Appends the list. Logins are not in it where they would be refused, nor STLS once TLS is on (RFC 2595 section 4).
    pub fn run(&self, state: &State, rules: &Rules, offer: &Offer, out: &mut Vec<u8>) {
        Reply::ok("Capability list follows").encode(out);
        let mut line = |text: &str| {
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(b"\r\n");
        };
        line("TOP");
        line("UIDL");
        line("RESP-CODES");
        line("AUTH-RESP-CODE");
        line("PIPELINING");
        line("EXPIRE NEVER");
        if rules.logins() {
            line("USER");
        }
        if !offer.is_empty() {
            line(&offer.names().fold("SASL".to_owned(), |line, name| line + " " + name));
        }
        if rules.tls == Tls::Offered && matches!(state, State::Authorization { .. }) {
            line("STLS");
        }
        line("IMPLEMENTATION Dovetail");
        line(".");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{logged_in, nobody, CLEAR, TLS};
    use dovetail_mail::sasl::Mechanism;
    use dovetail_sdk::directory::LoginMethods;

    fn capa(state: &State, rules: &Rules) -> String {
        let mut out = Vec::new();
        let offer = match rules.logins() {
            true => {
                Offer::by(LoginMethods { scram_sha_256: true, ..LoginMethods::default() }, true, &[Mechanism::Plain])
            }
            false => Offer::nothing(),
        };
        Capa.run(state, rules, &offer, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn in_the_clear_there_is_stls_and_no_login() {
        assert_eq!(
            capa(&nobody(), &CLEAR),
            "+OK Capability list follows\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\nSTLS\r\nIMPLEMENTATION Dovetail\r\n.\r\n"
        );
    }

    #[test]
    fn under_tls_there_are_logins_and_no_stls() {
        let text = capa(&logged_in(), &TLS);
        let logins = "\r\nUSER\r\nSASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN\r\n";
        assert!(text.contains(logins) && !text.contains("STLS"), "{text}");
    }

    #[test]
    fn after_a_login_in_the_clear_there_is_no_stls() {
        let rules = Rules { plaintext_auth: true, ..CLEAR };
        assert!(capa(&nobody(), &rules).contains("STLS"));
        assert!(!capa(&logged_in(), &rules).contains("STLS"));
    }
}
