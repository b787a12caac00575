//! The server side of SASL (RFC 4422), for every protocol that has it.
//!
//! An [`Exchange`] reads what the client says, in base64 as the line protocols carry it (RFC 4954, 5034, 9051), and
//! answers with a [`Step`]: a challenge to send, or what the directory is to check. It never decides by itself whether
//! somebody is who they say: that is the directory's work.
//!
//! How it fails: [`SaslError`]; the exchange is then over, and so it is after [`Step::Check`].
//!
//! Bounds: a response of [`MAX_RESPONSE`] base64 characters, an identity of [`MAX_IDENTITY`] octets, a password of
//! [`MAX_PASSWORD`]. Passwords are wiped when dropped and never shown by `Debug`.
//!
//! Each mechanism is a file with a state machine over decoded octets. The enums are `non_exhaustive` because mechanisms
//! that must fetch keys in the middle (SCRAM) or that look at the connection (EXTERNAL) add steps and credentials.
//!
//! ```
//! use dovetail_mail::sasl::{Credentials, Exchange, Mechanism, Step};
//!
//! let mut exchange = Exchange::new(Mechanism::Plain);
//! assert!(matches!(exchange.start(None)?, Step::Challenge(text) if text.is_empty()));
//! let Step::Check(Credentials::Password { identity, .. }) = exchange.respond(b"AGFubgBzZWNyZXQ=")? else { panic!() };
//! assert_eq!(identity, "ann");
//! # Ok::<(), dovetail_mail::sasl::SaslError>(())
//! ```

mod login;
mod plain;

use std::fmt;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::Secret;

/// Longest response in base64 characters: RFC 4954 section 4 asks for 12288 octets with the line's end.
pub const MAX_RESPONSE: usize = 12_286;
/// Longest user name, in octets.
pub const MAX_IDENTITY: usize = 320;
/// Longest password, in octets.
pub const MAX_PASSWORD: usize = 1024;

/// How a client proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// RFC 4616: identity and password in one response.
    Plain,
    /// The same in two responses; obsolete, never a standard, and what many clients still use first.
    Login,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Send this, in base64, behind the protocol's continuation mark, and hand the client's answer to
    /// [`Exchange::respond`].
    Challenge(String),
    /// The client has said all it has to say: ask the directory.
    Check(Credentials),
}

/// What the directory is asked to check.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// A name and a password.
    Password {
        /// Who the client wants to act as, when that is not `identity` (RFC 4616 section 2, authzid).
        act_as: Option<String>,
        /// Whose password it is.
        identity: String,
        /// The password.
        password: Secret,
    },
}

/// One authentication.
pub struct Exchange(State);

enum State {
    Plain,
    Login(login::Login),
    Over,
}

/// Why an exchange ended without credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// The client sent `*`.
    #[error("the client cancelled the authentication")]
    Cancelled,
    /// Not base64, or not the padded, canonical form of it.
    #[error("the response is not base64 (RFC 4648 section 4, with padding)")]
    NotBase64,
    /// Longer than a limit.
    #[error("the response is too long")]
    TooLong,
    /// Base64 of something that the mechanism doesn't say.
    #[error("the response does not follow the mechanism's syntax")]
    Malformed,
    /// More responses than the mechanism has.
    #[error("the exchange is over")]
    Over,
}

impl Mechanism {
    /// All of them, best first, as a server lists them.
    pub const ALL: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

    /// Name in the registry of SASL mechanisms.
    pub const fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
        }
    }

    /// Finds a mechanism by its name, in either case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name().eq_ignore_ascii_case(name))
    }
}

impl Exchange {
    /// An exchange that has not begun.
    pub fn new(mechanism: Mechanism) -> Self {
        Exchange(match mechanism {
            Mechanism::Plain => State::Plain,
            Mechanism::Login => State::Login(login::Login::default()),
        })
    }

    /// Begins, with the initial response if the client sent one; `=` stands for an empty one (RFC 4954 section 4).
    ///
    /// # Errors
    /// [`SaslError`]; the exchange is over then.
    pub fn start(&mut self, initial: Option<&[u8]>) -> Result<Step, SaslError> {
        match initial {
            None => self.step(None),
            Some(b"=") => self.step(Some(b"")),
            Some(b"*") => self.end(SaslError::NotBase64),
            Some(text) => self.decode_and_step(text),
        }
    }

    /// Takes the client's answer to a challenge: one line without its end.
    ///
    /// # Errors
    /// [`SaslError`]; the exchange is over then. `*` is [`SaslError::Cancelled`].
    pub fn respond(&mut self, line: &[u8]) -> Result<Step, SaslError> {
        if line == b"*" {
            return self.end(SaslError::Cancelled);
        }
        self.decode_and_step(line)
    }

    fn decode_and_step(&mut self, text: &[u8]) -> Result<Step, SaslError> {
        if text.len() > MAX_RESPONSE {
            return self.end(SaslError::TooLong);
        }
        match BASE64.decode(text) {
            Ok(octets) => self.step(Some(&Zeroizing::new(octets))),
            Err(_) => self.end(SaslError::NotBase64),
        }
    }

    fn step(&mut self, response: Option<&[u8]>) -> Result<Step, SaslError> {
        let outcome = match &mut self.0 {
            State::Plain => plain::step(response),
            State::Login(login) => login.step(response),
            State::Over => Err(SaslError::Over),
        };
        match outcome {
            Ok(Next::Challenge(octets)) => Ok(Step::Challenge(BASE64.encode(octets))),
            Ok(Next::Check(credentials)) => {
                self.0 = State::Over;
                Ok(Step::Check(credentials))
            }
            Err(error) => self.end(error),
        }
    }

    fn end(&mut self, error: SaslError) -> Result<Step, SaslError> {
        self.0 = State::Over;
        Err(error)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Plain => "Exchange(PLAIN)",
            State::Login(_) => "Exchange(LOGIN)",
            State::Over => "Exchange(over)",
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Password { act_as, identity, .. } => {
                f.debug_struct("Password").field("act_as", act_as).field("identity", identity).finish_non_exhaustive()
            }
        }
    }
}

/// What a mechanism says, before base64.
enum Next {
    Challenge(&'static [u8]),
    Check(Credentials),
}

/// A user name: UTF-8 without control characters, not empty, not too long.
fn identity(octets: &[u8]) -> Result<String, SaslError> {
    if octets.len() > MAX_IDENTITY {
        return Err(SaslError::TooLong);
    }
    match std::str::from_utf8(octets) {
        Ok(name) if !name.is_empty() && !name.chars().any(char::is_control) => Ok(name.to_owned()),
        _ => Err(SaslError::Malformed),
    }
}

/// A password: anything but nothing, and no NUL (RFC 4616 section 2).
fn password(octets: &[u8]) -> Result<Secret, SaslError> {
    if octets.len() > MAX_PASSWORD {
        return Err(SaslError::TooLong);
    }
    if octets.is_empty() || octets.contains(&0) {
        return Err(SaslError::Malformed);
    }
    Ok(Secret::new(octets.to_vec()))
}

#[cfg(test)]
mod tests;
