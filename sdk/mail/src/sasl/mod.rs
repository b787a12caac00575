//! The server side of SASL (RFC 4422), for every protocol that has it.
//!
//! An [`Exchange`] reads what the client says, in base64 as the line protocols carry it (RFC 4954, 5034, 9051), and
//! answers with a [`Step`]: a challenge to send, or what is to be asked of the directory. It never decides by itself whether
//! somebody may log in: that is the directory's work. [`crate::login`] does all of it for a session.
//!
//! How it fails: [`SaslError`]; the exchange is then over, and so it is after [`Step::Check`].
//!
//! Bounds: a response of [`MAX_RESPONSE`] base64 characters, an identity of [`MAX_IDENTITY`] octets, a password of
//! [`MAX_PASSWORD`]. Passwords are wiped when dropped and never shown by `Debug`.
//!
//! Each mechanism is a file with a state machine over decoded octets.
//!
//! ```
//! use dovetail_mail::sasl::{Channel, Credentials, Exchange, Mechanism, Step};
//!
//! let mut exchange = Exchange::new(Mechanism::Plain, Channel::new("fresh and random"));
//! assert!(matches!(exchange.start(None)?, Step::Challenge(text) if text.is_empty()));
//! let Step::Check(Credentials::Password { identity, .. }) = exchange.respond(b"AGFubgBzZWNyZXQ=")? else { panic!() };
//! assert_eq!(identity, "ann");
//! # Ok::<(), dovetail_mail::sasl::SaslError>(())
//! ```

mod error;
mod external;
mod login;
mod mechanism;
mod plain;
pub mod scram;

use std::borrow::Cow;
use std::fmt;

use data_encoding::BASE64;
use zeroize::Zeroizing;

pub use error::{NotProven, SaslError};
pub use mechanism::Mechanism;

use crate::Secret;

/// Longest response in base64 characters: RFC 4954 section 4 asks for 12288 octets with the line's end.
pub const MAX_RESPONSE: usize = 12_286;
/// Longest user name, in octets.
pub const MAX_IDENTITY: usize = 320;
/// Longest password, in octets.
pub const MAX_PASSWORD: usize = 1024;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Send this, in base64, behind the protocol's continuation mark, and hand the client's answer to
    /// [`Exchange::respond`].
    Challenge(String),
    /// The client has said all it has to say: ask the directory. The exchange is over.
    Check(Credentials),
    /// The keys of this name are needed: hand them to [`Exchange::keys`].
    Keys(String),
    /// The client has proved that it is `identity`: ask the directory whether it may log in, and if so, go on with
    /// [`Exchange::welcome`].
    Proven {
        /// Whose keys they were.
        identity: String,
        /// Who the client wants to act as, when that is not `identity`.
        act_as: Option<String>,
    },
    /// The client that was welcome has heard all it needs. The exchange is over.
    Done,
}

/// What an exchange must know of the connection that it is held on.
#[derive(Clone, PartialEq, Eq)]
pub struct Channel {
    nonce: String,
    exporter: Option<Vec<u8>>,
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
    /// The certificate that TLS has verified on this connection, if there is one: that is the caller's to know.
    Certificate {
        /// Who the client wants to act as, when that is not whoever the certificate stands for.
        act_as: Option<String>,
    },
}

/// One authentication.
pub struct Exchange {
    state: State,
    identity: Option<String>,
}

enum State {
    External,
    Plain,
    Login(login::Login),
    Scram(Box<scram::Scram>),
    Over,
}

impl Channel {
    /// A connection that nothing can be bound to. The nonce must be random, never used before, and of visible ASCII without a
    /// comma.
    pub fn new(nonce: impl Into<String>) -> Self {
        Channel { nonce: nonce.into(), exporter: None }
    }

    /// With the value of `tls-exporter` (RFC 9266), if there is one; -PLUS is offered then.
    pub fn bound_by(self, exporter: Option<Vec<u8>>) -> Self {
        Channel { exporter, ..self }
    }
}

impl Exchange {
    /// An exchange that has not begun.
    pub fn new(mechanism: Mechanism, channel: Channel) -> Self {
        let state = match mechanism {
            Mechanism::External => State::External,
            Mechanism::ScramSha256Plus => State::Scram(Box::new(scram::Scram::new(true, channel))),
            Mechanism::ScramSha256 => State::Scram(Box::new(scram::Scram::new(false, channel))),
            Mechanism::Plain => State::Plain,
            Mechanism::Login => State::Login(login::Login::default()),
        };
        Exchange { state, identity: None }
    }

    /// Who the client says it is, for the log; known once it has been asked for a proof, and behind [`SaslError::NotProven`].
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
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

    /// Takes the keys that [`Step::Keys`] asks for.
    ///
    /// # Errors
    /// [`SaslError::Keys`]; the exchange is over then.
    pub fn keys(&mut self, keys: &scram::ScramKeys) -> Result<Step, SaslError> {
        let outcome = match &mut self.state {
            State::Scram(scram) => scram.keys(keys),
            _ => Err(SaslError::Over),
        };
        self.take(outcome)
    }

    /// Goes on behind [`Step::Proven`], with a client that may log in.
    ///
    /// # Errors
    /// [`SaslError::Over`] if nothing was proved.
    pub fn welcome(&mut self) -> Result<Step, SaslError> {
        let outcome = match &mut self.state {
            State::Scram(scram) => scram.welcome(),
            _ => Err(SaslError::Over),
        };
        self.take(outcome)
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
        let outcome = match &mut self.state {
            State::External => external::step(response),
            State::Plain => plain::step(response),
            State::Login(login) => login.step(response),
            State::Scram(scram) => {
                let outcome = scram.step(response);
                self.identity = scram.identity().map(str::to_owned);
                outcome
            }
            State::Over => Err(SaslError::Over),
        };
        self.take(outcome)
    }

    fn take(&mut self, outcome: Result<Next, SaslError>) -> Result<Step, SaslError> {
        match outcome {
            Ok(Next::Challenge(text)) => Ok(Step::Challenge(BASE64.encode(text.as_bytes()))),
            Ok(Next::Keys(identity)) => Ok(Step::Keys(identity)),
            Ok(Next::Proven { identity, act_as }) => Ok(Step::Proven { identity, act_as }),
            Ok(Next::Check(credentials)) => {
                self.state = State::Over;
                Ok(Step::Check(credentials))
            }
            Ok(Next::Done) => {
                self.state = State::Over;
                Ok(Step::Done)
            }
            Err(error) => self.end(error),
        }
    }

    fn end(&mut self, error: SaslError) -> Result<Step, SaslError> {
        self.state = State::Over;
        Err(error)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::External => "Exchange(EXTERNAL)",
            State::Plain => "Exchange(PLAIN)",
            State::Login(_) => "Exchange(LOGIN)",
            State::Scram(_) => "Exchange(SCRAM-SHA-256)",
            State::Over => "Exchange(over)",
        })
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.exporter.is_some() { "Channel(bound)" } else { "Channel(..)" })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Password { act_as, identity, .. } => {
                f.debug_struct("Password").field("act_as", act_as).field("identity", identity).finish_non_exhaustive()
            }
            Credentials::Certificate { act_as } => f.debug_struct("Certificate").field("act_as", act_as).finish(),
        }
    }
}

/// What a mechanism says, before base64.
enum Next {
    Challenge(Cow<'static, str>),
    Check(Credentials),
    Keys(String),
    Proven { identity: String, act_as: Option<String> },
    Done,
}

impl Next {
    fn challenge(text: impl Into<Cow<'static, str>>) -> Self {
        Next::Challenge(text.into())
    }
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
