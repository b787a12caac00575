//! The commands, one a file: what it looks like, when it may come, what it answers.
//!
//! [`Command::parse`] finds the verb and hands the rest to the command's own parser. Parsers and checks are pure;
//! what must wait for somebody (a directory, a password check, TLS) is in the command's `run`, called by the session.

pub mod auth;
pub mod data;
pub mod ehlo;
pub mod helo;
pub mod mail;
pub mod noop;
pub mod quit;
pub mod rcpt;
pub mod rset;
pub mod starttls;
pub mod vrfy;

use crate::reply::Reply;

/// A command line, understood.
#[derive(Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Extended greeting.
    Ehlo(ehlo::Ehlo),
    /// Greeting.
    Helo(helo::Helo),
    /// Begin of a mail.
    Mail(mail::Mail),
    /// A recipient.
    Rcpt(rcpt::Rcpt),
    /// The message follows.
    Data(data::Data),
    /// Forget the mail.
    Rset(rset::Rset),
    /// Nothing.
    Noop(noop::Noop),
    /// The end.
    Quit(quit::Quit),
    /// Is there such a user.
    Vrfy(vrfy::Vrfy),
    /// TLS from here on.
    StartTls(starttls::StartTls),
    /// A login.
    Auth(auth::Auth<'a>),
}

impl<'a> Command<'a> {
    /// Reads a command line without its CRLF.
    ///
    /// # Errors
    /// The reply that says what is wrong with it.
    pub fn parse(line: &'a [u8]) -> Result<Self, Reply> {
        let end = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
        let (verb, args) = line.split_at(end);
        let args = args.trim_ascii();
        if verb.len() > MAX_VERB {
            return Err(unknown());
        }
        match verb.to_ascii_uppercase().as_slice() {
            b"EHLO" => ehlo::Ehlo::parse(args).map(Command::Ehlo),
            b"HELO" => helo::Helo::parse(args).map(Command::Helo),
            b"MAIL" => mail::Mail::parse(args).map(Command::Mail),
            b"RCPT" => rcpt::Rcpt::parse(args).map(Command::Rcpt),
            b"DATA" => data::Data::parse(args).map(Command::Data),
            b"RSET" => rset::Rset::parse(args).map(Command::Rset),
            b"NOOP" => Ok(Command::Noop(noop::Noop)),
            b"QUIT" => quit::Quit::parse(args).map(Command::Quit),
            b"VRFY" => vrfy::Vrfy::parse(args).map(Command::Vrfy),
            b"STARTTLS" => starttls::StartTls::parse(args).map(Command::StartTls),
            b"AUTH" => auth::Auth::parse(args).map(Command::Auth),
            b"EXPN" | b"HELP" | b"BDAT" | b"ETRN" | b"TURN" | b"SEND" | b"SOML" | b"SAML" => {
                Err(Reply::refuse(502, 5, 1, "Command not implemented"))
            }
            _ => Err(unknown()),
        }
    }

    /// Whether it is served before TLS where the listener demands TLS (RFC 3207 section 4).
    pub fn leads_to_tls(&self) -> bool {
        matches!(self, Command::Ehlo(_) | Command::StartTls(_) | Command::Noop(_) | Command::Quit(_))
    }
}

/// Reads `KEYWORD:` in front of a path, in either case. Spaces behind the colon are against RFC 5321 section 3.3, and
/// too common to refuse.
fn strip_keyword<'a>(args: &'a [u8], keyword: &str) -> Option<&'a [u8]> {
    let (head, rest) = args.split_at_checked(keyword.len())?;
    head.eq_ignore_ascii_case(keyword.as_bytes()).then(|| rest.trim_ascii_start())
}

fn unknown() -> Reply {
    Reply::refuse(500, 5, 2, "Command not recognized")
}

/// `STARTTLS` is the longest verb.
const MAX_VERB: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn verbs_have_no_case() {
        assert!(matches!(Command::parse(b"noop"), Ok(Command::Noop(_))));
        assert!(matches!(Command::parse(b"NoOp whatever"), Ok(Command::Noop(_))));
        assert!(matches!(Command::parse(b"QUIT "), Ok(Command::Quit(_))));
        assert!(matches!(Command::parse(b"data"), Ok(Command::Data(_))));
        assert!(matches!(Command::parse(b"starttls"), Ok(Command::StartTls(_))));
    }

    #[test]
    fn what_is_no_command_gets_its_code() {
        for (line, code) in [
            (&b""[..], 500),
            (b" NOOP", 500),
            (b"GET / HTTP/1.1", 500),
            (b"NOOP\tx", 500),
            (b"\x16\x03\x01", 500),
            (b"STARTTLSX", 500),
            (b"EXPN list", 502),
            (b"help", 502),
            (b"QUIT now", 501),
            (b"RSET x", 501),
            (b"DATA x", 501),
            (b"STARTTLS x", 501),
        ] {
            assert_eq!(Command::parse(line).unwrap_err().code(), code, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(verb in "(EHLO|HELO|MAIL|MAIL FROM:|RCPT TO:|AUTH|VRFY|[A-Z]{0,9})", args in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Command::parse(&[verb.as_bytes(), b" ", &args].concat());
        }
    }
}
