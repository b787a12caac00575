//! Where a session stands (RFC 1939 section 3), and what holds for its connection.

use crate::maildrop::Maildrop;
use crate::reply::Reply;

/// Authorization or transaction state.
#[derive(Debug)]
pub enum State {
    /// Nobody is logged in; a name may have been said. `STLS` makes the server forget it (RFC 2595 section 4).
    Authorization {
        /// From USER.
        user: Option<String>,
    },
    /// Somebody is.
    Transaction(Maildrop),
}

/// What the connection allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// TLS now, later or never.
    pub tls: Tls,
    /// Passwords may cross this connection although TLS is off.
    pub plaintext_auth: bool,
}

/// Where a session stands with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not to be had on this listener.
    Off,
    /// To be had with STLS.
    Offered,
    /// On.
    Active,
}

impl Rules {
    /// Whether USER, PASS and AUTH are listened to.
    pub fn logins(&self) -> bool {
        self.tls == Tls::Active || self.plaintext_auth
    }

    /// Refuses a login in the clear.
    pub fn check_login(&self, state: &State) -> Result<(), Reply> {
        match state {
            State::Transaction(_) => Err(Reply::err("Logged in already")),
            State::Authorization { .. } if !self.logins() => Err(Reply::err("Say STLS first: no logins in the clear")),
            State::Authorization { .. } => Ok(()),
        }
    }
}

impl State {
    /// The maildrop, after login.
    pub fn maildrop(&mut self) -> Result<&mut Maildrop, Reply> {
        match self {
            State::Transaction(maildrop) => Ok(maildrop),
            State::Authorization { .. } => Err(Reply::err("Log in first")),
        }
    }
}

/// Refuses arguments of a command that has none.
pub fn no_arguments(args: &[u8]) -> Result<(), Reply> {
    if args.is_empty() {
        Ok(())
    } else {
        Err(Reply::err("The command takes no arguments"))
    }
}

/// A message number, or another small number.
pub fn number(text: &[u8]) -> Result<u64, Reply> {
    let digits = (1..=18).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok().filter(|_| digits).and_then(|text| text.parse().ok());
    number.ok_or_else(|| Reply::err("Want a number"))
}

/// A message number, or none.
pub fn optional_number(args: &[u8]) -> Result<Option<usize>, Reply> {
    if args.is_empty() {
        return Ok(None);
    }
    message_number(args).map(Some)
}

/// A message number. One that is too large for this machine names no message either.
pub fn message_number(args: &[u8]) -> Result<usize, Reply> {
    number(args).map(|n| usize::try_from(n).unwrap_or(usize::MAX))
}

/// The same for every command that names a message.
pub fn no_such_message() -> Reply {
    Reply::err("No such message")
}

#[cfg(test)]
pub mod testing {
    //! States to test commands with.

    use super::*;

    pub const CLEAR: Rules = Rules { tls: Tls::Offered, plaintext_auth: false };
    pub const TLS: Rules = Rules { tls: Tls::Active, plaintext_auth: false };

    pub fn nobody() -> State {
        State::Authorization { user: None }
    }

    /// Three messages: UIDs 3, 5, 9 with 100, 20, 3 octets.
    pub fn logged_in() -> State {
        let mut maildrop = Maildrop::new("ann".to_owned(), 7);
        for (uid, size) in [(3, 100), (5, 20), (9, 3)] {
            maildrop.push(uid, size);
        }
        State::Transaction(maildrop)
    }

    pub fn wire(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.encode(&mut out);
        String::from_utf8(out).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::*;
    use super::*;

    #[test]
    fn logins_need_tls_or_a_permission() {
        assert_eq!(TLS.check_login(&nobody()), Ok(()));
        assert!(CLEAR.check_login(&nobody()).is_err());
        assert_eq!(Rules { plaintext_auth: true, ..CLEAR }.check_login(&nobody()), Ok(()));
        assert!(TLS.check_login(&logged_in()).is_err());
    }

    #[test]
    fn numbers() {
        assert_eq!(number(b"0"), Ok(0));
        assert_eq!(message_number(b"007"), Ok(7));
        for bad in [&b""[..], b"-1", b"+1", b"1 ", b"x", b"1234567890123456789", b"\xb2"] {
            assert!(number(bad).is_err(), "{bad:?}");
        }
        assert_eq!(optional_number(b""), Ok(None));
        assert_eq!(optional_number(b"3"), Ok(Some(3)));
    }
}
