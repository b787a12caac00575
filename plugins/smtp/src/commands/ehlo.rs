//! EHLO (RFC 5321 section 4.1.1.1): the client's name, our extensions.

use dovetail_mail::login::Offer;

use crate::reply::Reply;
use crate::state::{Hello, Rules, State, Tls};

/// `EHLO name`.
#[derive(Debug, PartialEq, Eq)]
pub struct Ehlo {
    name: String,
}

impl Ehlo {
    /// Reads the argument.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        Ok(Ehlo { name: hello_name(args)? })
    }

    /// What the client calls itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Answers with the extensions, and forgets a mail that was begun (section 4.1.4).
    pub fn run(self, state: &mut State, rules: &Rules, offer: &Offer) -> Reply {
        let mut text = format!("{} greets {}", rules.hostname, self.name);
        text.push_str("\nPIPELINING\n8BITMIME\nENHANCEDSTATUSCODES");
        text.push_str(&format!("\nSIZE {}", rules.max_message_size));
        if rules.tls == Tls::Offered {
            text.push_str("\nSTARTTLS");
        }
        if !offer.is_empty() {
            text.push_str("\nAUTH");
            offer.names().for_each(|name| text.extend([" ", name]));
        }
        state.transaction = None;
        state.hello = Some(Hello { name: self.name, extended: true });
        Reply::bare(250, text)
    }
}

/// A domain or address literal. Checked for its characters only, since it is used for nothing but the trace: clients
/// send underscores, and address literals of every kind.
pub fn hello_name(args: &[u8]) -> Result<String, Reply> {
    let literal = args.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let ok = match literal {
        Some(inner) => inner.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-')),
        None => args.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')),
    };
    let first = args.iter().find(|b| **b != b'[');
    match String::from_utf8(args.to_vec()) {
        Ok(name) if ok && args.len() <= MAX_NAME && first.is_some_and(|&b| b.is_ascii_alphanumeric() || b == b':') => {
            Ok(name)
        }
        _ => Err(Reply::refuse(501, 5, 4, "Want a domain name or an address literal like [192.0.2.1]")),
    }
}

/// As long as a domain may be (RFC 5321 section 4.5.3.1.2).
const MAX_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;
    use crate::state::testing::{in_mail, rules};
    use dovetail_mail::sasl::Mechanism;
    use dovetail_sdk::directory::LoginMethods;

    fn offer(tls: Tls) -> Offer {
        let methods = LoginMethods { scram_sha_256: true, ..LoginMethods::default() };
        match tls {
            Tls::Active => Offer::by(methods, false, &[Mechanism::Plain, Mechanism::Login]),
            Tls::Off | Tls::Offered => Offer::nothing(),
        }
    }

    fn lines(role: Role, tls: Tls) -> String {
        let mut out = Vec::new();
        let mut state = in_mail(&["a@b.org"]);
        let rules = rules(role, tls);
        Ehlo::parse(b"client.example").unwrap().run(&mut state, &rules, &offer(tls)).encode(&mut out);
        assert_eq!(state.transaction, None);
        assert_eq!(state.hello, Some(Hello { name: "client.example".into(), extended: true }));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn extensions_depend_on_role_and_tls() {
        assert_eq!(
            lines(Role::Mx, Tls::Offered),
            "250-mx.example greets client.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"
        );
        assert!(lines(Role::Submission, Tls::Offered).ends_with("250 STARTTLS\r\n"));
        let active = lines(Role::Submission, Tls::Active);
        assert!(active.ends_with("250-SIZE 1000\r\n250 AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n"), "{active}");
        assert!(!lines(Role::Submission, Tls::Off).contains("AUTH"));
    }

    #[test]
    fn names() {
        for good in ["client.example", "localhost", "my_pc", "[192.0.2.1]", "[IPv6:2001:db8::1]", "[::1]", "10.0.0.1"] {
            assert_eq!(hello_name(good.as_bytes()).as_deref(), Ok(good));
        }
        let long = "x".repeat(256);
        for bad in ["", "a b", "[192.0.2.1", "[]", "-", "a(b)", "a\u{fc}", "<a>", "a\tb", "::1", &long] {
            assert_eq!(hello_name(bad.as_bytes()).unwrap_err().code(), 501, "{bad:?}");
        }
    }
}
