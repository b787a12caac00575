//! The commands, one a file: what it looks like, when it may come, what it answers.
//!
//! [`Command::parse`] finds the keyword and hands the rest to the command's own parser. Parsers and checks are pure;
//! what must wait for somebody (directory, store, TLS) is in the command's `run`, called by the session.

pub mod auth;
pub mod capa;
pub mod dele;
pub mod list;
pub mod noop;
pub mod pass;
pub mod quit;
pub mod retr;
pub mod rset;
pub mod stat;
pub mod stls;
pub mod top;
pub mod uidl;
pub mod user;

use crate::reply::Reply;

/// A command line, understood.
#[derive(Debug)]
pub enum Command<'a> {
    /// What we can do.
    Capa(capa::Capa),
    /// TLS from here on.
    Stls(stls::Stls),
    /// A name.
    User(user::User),
    /// Its password.
    Pass(pass::Pass),
    /// Both by SASL.
    Auth(auth::Auth<'a>),
    /// How many messages.
    Stat(stat::Stat),
    /// How long each.
    List(list::List),
    /// What names each.
    Uidl(uidl::Uidl),
    /// One message.
    Retr(retr::Retr),
    /// The top of one.
    Top(top::Top),
    /// Mark one as deleted.
    Dele(dele::Dele),
    /// Take the marks away.
    Rset(rset::Rset),
    /// Nothing.
    Noop(noop::Noop),
    /// Delete what is marked, and the end.
    Quit(quit::Quit),
}

impl<'a> Command<'a> {
    /// Reads a command line without its CRLF.
    ///
    /// # Errors
    /// The reply that says what is wrong with it.
    pub fn parse(line: &'a [u8]) -> Result<Self, Reply> {
        let (keyword, args) = match line.iter().position(|&b| b == b' ') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &line[line.len()..]),
        };
        if keyword.len() > MAX_KEYWORD {
            return Err(unknown());
        }
        // Passwords may begin or end with spaces; nothing else does.
        let trimmed = args.trim_ascii();
        match keyword.to_ascii_uppercase().as_slice() {
            b"CAPA" => capa::Capa::parse(trimmed).map(Command::Capa),
            b"STLS" => stls::Stls::parse(trimmed).map(Command::Stls),
            b"USER" => user::User::parse(trimmed).map(Command::User),
            b"PASS" => pass::Pass::parse(args).map(Command::Pass),
            b"AUTH" => auth::Auth::parse(trimmed).map(Command::Auth),
            b"STAT" => stat::Stat::parse(trimmed).map(Command::Stat),
            b"LIST" => list::List::parse(trimmed).map(Command::List),
            b"UIDL" => uidl::Uidl::parse(trimmed).map(Command::Uidl),
            b"RETR" => retr::Retr::parse(trimmed).map(Command::Retr),
            b"TOP" => top::Top::parse(trimmed).map(Command::Top),
            b"DELE" => dele::Dele::parse(trimmed).map(Command::Dele),
            b"RSET" => rset::Rset::parse(trimmed).map(Command::Rset),
            b"NOOP" => noop::Noop::parse(trimmed).map(Command::Noop),
            b"QUIT" => quit::Quit::parse(trimmed).map(Command::Quit),
            _ => Err(unknown()),
        }
    }
}

fn unknown() -> Reply {
    Reply::err("Unknown command")
}

/// Keywords have three or four letters (RFC 1939 section 3).
const MAX_KEYWORD: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keywords_have_no_case() {
        assert!(matches!(Command::parse(b"stat"), Ok(Command::Stat(_))));
        assert!(matches!(Command::parse(b"Retr 1"), Ok(Command::Retr(_))));
        assert!(matches!(Command::parse(b"QUIT "), Ok(Command::Quit(_))));
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for line in [
            &b""[..],
            b" STAT",
            b"APOP a b",
            b"XYZZY",
            b"STATS",
            b"STAT 1",
            b"NOOP x",
            b"RSET 1",
            b"QUIT x",
            b"STLS x",
            b"CAPA x",
            b"\x16\x03\x01",
        ] {
            assert!(Command::parse(line).is_err(), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(keyword in "(USER|PASS|AUTH|LIST|UIDL|RETR|TOP|DELE|[A-Z]{0,5})", args in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Command::parse(&[keyword.as_bytes(), b" ", &args].concat());
        }
    }
}
