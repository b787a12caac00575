//! Command lines (RFC 2033 section 4, RFC 5321 section 4.1), read by a pure function.
//!
//! Parameters of MAIL: SIZE (RFC 1870) and BODY (RFC 6152). RCPT has none.

use dovetail_mail::address::{AddressError, ForwardPath, ReversePath};

use crate::reply::Reply;

/// A command, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `LHLO name`: what the client calls itself.
    Lhlo(String),
    /// `MAIL FROM:<path>`, and the size that is announced, 0 if none is.
    Mail(ReversePath, u64),
    /// `RCPT TO:<path>`
    Rcpt(String),
    /// The message follows.
    Data,
    /// Forget the mail.
    Rset,
    /// Nothing.
    Noop,
    /// Is there such a user.
    Vrfy,
    /// The end.
    Quit,
}

impl Command {
    /// Reads a line without its CRLF.
    ///
    /// # Errors
    /// The reply that says what is wrong with it.
    pub fn parse(line: &[u8]) -> Result<Self, Reply> {
        let end = line.iter().position(|&octet| octet == b' ').unwrap_or(line.len());
        let (verb, rest) = line.split_at(end);
        let rest = rest.trim_ascii();
        match verb.to_ascii_uppercase().as_slice() {
            b"LHLO" => name(rest).map(Command::Lhlo),
            b"MAIL" => mail(rest),
            b"RCPT" => recipient(rest).map(Command::Rcpt),
            b"DATA" => alone(rest, Command::Data),
            b"RSET" => alone(rest, Command::Rset),
            b"QUIT" => alone(rest, Command::Quit),
            b"NOOP" => Ok(Command::Noop),
            b"VRFY" => Ok(Command::Vrfy),
            // A client of the wrong protocol must notice (RFC 2033 section 4.1).
            b"HELO" | b"EHLO" => Err(Reply::new(500, (5, 1), "This is LMTP: say LHLO")),
            _ => Err(Reply::new(500, (5, 2), "Command not recognized")),
        }
    }
}

/// A domain or an address literal; it goes into the `Received` field, so nothing else may be in it.
fn name(text: &[u8]) -> Result<String, Reply> {
    let fits = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._:[]".contains(octet);
    match std::str::from_utf8(text) {
        Ok(name) if (1..=255).contains(&text.len()) && text.iter().all(fits) => Ok(name.to_owned()),
        _ => Err(Reply::new(501, (5, 4), "Syntax: LHLO name")),
    }
}

fn mail(text: &[u8]) -> Result<Command, Reply> {
    let path = behind(text, b"FROM:").ok_or_else(|| Reply::new(501, (5, 4), "Syntax: MAIL FROM:<address>"))?;
    let (sender, parameters) = ReversePath::parse_prefix(path).map_err(|error| bad_address((1, 7), &error))?;
    let mut announced = 0;
    let malformed = || Reply::new(501, (5, 4), "Malformed parameters");
    let parameters = std::str::from_utf8(parameters).map_err(|_| malformed())?;
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return Err(malformed());
    }
    for parameter in parameters.split_ascii_whitespace() {
        let (keyword, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (keyword.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
            ("SIZE", value) => announced = size(value).ok_or_else(malformed)?,
            ("BODY", "7BIT" | "8BITMIME") => {}
            ("BODY", _) => return Err(malformed()),
            _ => return Err(Reply::new(555, (5, 4), "Parameter not recognized")),
        }
    }
    Ok(Command::Mail(sender, announced))
}

/// One to twenty digits (RFC 1870 section 3).
fn size(value: &str) -> Option<u64> {
    let digits = (1..=20).contains(&value.len()) && value.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

fn recipient(text: &[u8]) -> Result<String, Reply> {
    let path = behind(text, b"TO:").ok_or_else(|| Reply::new(501, (5, 4), "Syntax: RCPT TO:<address>"))?;
    match ForwardPath::parse_prefix(path).map_err(|error| bad_address((1, 3), &error))? {
        (_, rest) if !rest.is_empty() => Err(Reply::new(555, (5, 4), "Parameter not recognized")),
        (ForwardPath::Postmaster, _) => Ok("postmaster".to_owned()),
        (ForwardPath::Address(address), _) => Ok(address.to_string()),
    }
}

fn bad_address(status: (u16, u16), error: &AddressError) -> Reply {
    match error {
        AddressError::NonAscii => Reply::new(553, (6, 7), error.to_string()),
        _ => Reply::new(501, status, format!("Bad address: {error}")),
    }
}

/// What follows a keyword, whatever its case; blanks before the path are let pass, as many clients send one.
fn behind<'a>(text: &'a [u8], keyword: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = text.split_at_checked(keyword.len())?;
    head.eq_ignore_ascii_case(keyword).then(|| rest.trim_ascii_start())
}

fn alone(rest: &[u8], command: Command) -> Result<Command, Reply> {
    match rest {
        [] => Ok(command),
        _ => Err(Reply::new(501, (5, 4), "This command has no arguments")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_are_read_whatever_their_case() {
        assert_eq!(Command::parse(b"lhlo [192.0.2.1]"), Ok(Command::Lhlo("[192.0.2.1]".into())));
        assert_eq!(Command::parse(b"Mail From:<> body=8bitmime SIZE=10"), Ok(Command::Mail(ReversePath::Null, 10)));
        assert_eq!(Command::parse(b"RCPT TO: <Bob@Example.ORG>"), Ok(Command::Rcpt("Bob@example.org".into())));
        assert_eq!(Command::parse(b"rcpt to:<POSTMASTER>"), Ok(Command::Rcpt("postmaster".into())));
        assert_eq!(Command::parse(b"DATA "), Ok(Command::Data));
        assert_eq!(Command::parse(b"NOOP anything"), Ok(Command::Noop));
        let huge = Command::parse(b"MAIL FROM:<> SIZE=99999999999999999999");
        assert_eq!(huge, Ok(Command::Mail(ReversePath::Null, u64::MAX)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, code) in [
            ("", 500),
            ("EHLO a", 500),
            ("helo a", 500),
            ("EXPN list", 500),
            ("LHLO", 501),
            ("LHLO a b", 501),
            ("LHLO (x)", 501),
            ("MAIL <a@b.c>", 501),
            ("MAIL FROM:a@b.c", 501),
            ("MAIL FROM:<a@b.c>SIZE=1", 501),
            ("MAIL FROM:<a@b.c> SIZE=", 501),
            ("MAIL FROM:<a@b.c> SIZE=+1", 501),
            ("MAIL FROM:<a@b.c> BODY=BINARYMIME", 501),
            ("MAIL FROM:<a@b.c> AUTH=<>", 555),
            ("MAIL FROM:<\u{fc}@b.c>", 553),
            ("RCPT TO:<>", 501),
            ("RCPT TO:<a@b.c> NOTIFY=NEVER", 555),
            ("DATA now", 501),
            ("QUIT now", 501),
        ] {
            assert_eq!(Command::parse(line.as_bytes()).map_err(|reply| reply.code()), Err(code), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(verb in "(LHLO |MAIL FROM:<?|RCPT TO:<?|)", rest in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Command::parse(&[verb.as_bytes(), &rest].concat());
        }
    }
}
