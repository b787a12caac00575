//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677): the client proves that it knows the password without saying it, and
//! the server that it has the keys.
//!
//! The client speaks first. Its name is answered with salt and iterations (`keys`); its proof is checked here, and
//! whether it may log in is then the directory's to say (`welcome`); last it hears the server's own proof.
//!
//! **Channel binding** is `tls-exporter` (RFC 9266) and nothing else: it is the one that TLS 1.3 has, and that both TLS providers
//! vouch for. Where a session has its value, -PLUS is offered, and then a client that says it could bind but was not offered it
//! (`y`) has been lied to by somebody in the middle (RFC 5802 section 6): it is refused, as is any value but the session's.
//!
//! **Fails** with [`SaslError::Malformed`] where the syntax of section 7 is not kept, and with [`SaslError::NotProven`] where it
//! is and the proof, the nonce or the binding is wrong. **Bounds**: names of `MAX_IDENTITY` octets, nonces of 256.

mod keys;
mod message;

pub use keys::{
    derive, parse_keys, prepare, write_keys, KeysError, ScramKeys, KEY_OCTETS, MAX_ITERATIONS, MAX_SALT, MIN_ITERATIONS,
};

use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Channel, Next, NotProven, SaslError};
use keys::{mac, Key};
use message::{Binding, ClientFinal, ClientFirst};

/// Where an exchange stands.
pub(super) struct Scram {
    plus: bool,
    channel: Channel,
    stage: Stage,
    /// Who the client says it is, once it has.
    identity: Option<String>,
}

enum Stage {
    /// The client has said nothing.
    Begun,
    /// It has said its name; the keys are being fetched.
    Named(ClientFirst),
    /// It has been asked for the proof.
    Asked(Asked),
    /// It has proved itself; whether it may log in is being asked.
    Proved(Key),
    /// It has been told our proof.
    Told,
    /// Nothing more comes.
    Over,
}

struct Asked {
    first: ClientFirst,
    server_first: String,
    nonce: String,
    stored_key: Key,
    server_key: Key,
}

impl Scram {
    pub(super) fn new(plus: bool, channel: Channel) -> Self {
        Scram { plus, channel, stage: Stage::Begun, identity: None }
    }

    pub(super) fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    pub(super) fn step(&mut self, response: Option<&[u8]>) -> Result<Next, SaslError> {
        let Some(response) = response else {
            return Ok(Next::challenge(""));
        };
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Begun => self.named(response),
            Stage::Asked(asked) => self.proved(asked, response),
            Stage::Told if response.is_empty() => Ok(Next::Done),
            Stage::Told => Err(SaslError::Malformed),
            Stage::Named(_) | Stage::Proved(_) | Stage::Over => Err(SaslError::Over),
        }
    }

    /// `client-first-message`.
    fn named(&mut self, response: &[u8]) -> Result<Next, SaslError> {
        let first = ClientFirst::parse(response)?;
        self.identity = Some(first.identity.clone());
        self.check_binding(&first.binding)?;
        let identity = first.identity.clone();
        self.stage = Stage::Named(first);
        Ok(Next::Keys(identity))
    }

    /// RFC 5802 section 6: which flag goes with which mechanism and offer.
    fn check_binding(&self, binding: &Binding) -> Result<(), SaslError> {
        let offered = self.channel.exporter.is_some();
        let wrong = match binding {
            Binding::Used(_) if !self.plus || !offered => NotProven::Binding,
            Binding::Used(name) if name != TLS_EXPORTER => NotProven::BindingType,
            Binding::Used(_) => return Ok(()),
            Binding::None | Binding::NotOffered if self.plus => NotProven::Binding,
            Binding::NotOffered if offered => NotProven::Downgrade,
            Binding::None | Binding::NotOffered => return Ok(()),
        };
        Err(SaslError::NotProven(wrong))
    }

    /// The keys of the name: `server-first-message`.
    pub(super) fn keys(&mut self, keys: &ScramKeys) -> Result<Next, SaslError> {
        let Stage::Named(first) = std::mem::replace(&mut self.stage, Stage::Over) else {
            return Err(SaslError::Over);
        };
        let (Ok(stored_key), Ok(server_key)) =
            (Key::try_from(keys.stored_key.expose()), Key::try_from(keys.server_key.expose()))
        else {
            return Err(SaslError::Keys);
        };
        if keys.salt.is_empty() || keys.salt.len() > MAX_SALT || keys.iterations == 0 {
            return Err(SaslError::Keys);
        }
        let nonce = format!("{}{}", first.nonce, self.channel.nonce);
        let server_first = format!("r={nonce},s={},i={}", BASE64.encode(&keys.salt), keys.iterations);
        let challenge = Next::challenge(server_first.clone());
        self.stage = Stage::Asked(Asked { first, server_first, nonce, stored_key, server_key });
        Ok(challenge)
    }

    /// `client-final-message`.
    fn proved(&mut self, asked: Asked, response: &[u8]) -> Result<Next, SaslError> {
        let Asked { first, server_first, nonce, stored_key, server_key } = asked;
        let last = ClientFinal::parse(response)?;
        let mut binding = first.gs2_header.clone().into_bytes();
        if self.plus {
            binding.extend_from_slice(self.channel.exporter.as_deref().unwrap_or_default());
        }
        if !bool::from(last.binding.ct_eq(&binding)) {
            return Err(SaslError::NotProven(NotProven::Binding));
        }
        if last.nonce != nonce {
            return Err(SaslError::NotProven(NotProven::Nonce));
        }
        let said = format!("{},{server_first},{}", first.bare, last.without_proof);
        let signature = mac(&stored_key, said.as_bytes());
        let mut client_key = last.proof;
        client_key.iter_mut().zip(signature).for_each(|(octet, mask)| *octet ^= mask);
        if !bool::from(Sha256::digest(client_key).as_slice().ct_eq(&stored_key)) {
            return Err(SaslError::NotProven(NotProven::Proof));
        }
        self.stage = Stage::Proved(mac(&server_key, said.as_bytes()));
        let act_as = first.act_as.filter(|name| *name != first.identity);
        Ok(Next::Proven { identity: first.identity, act_as })
    }

    /// They may log in: `server-final-message`.
    pub(super) fn welcome(&mut self) -> Result<Next, SaslError> {
        match std::mem::replace(&mut self.stage, Stage::Told) {
            Stage::Proved(signature) => Ok(Next::challenge(format!("v={}", BASE64.encode(&signature)))),
            _ => Err(SaslError::Over),
        }
    }
}

/// RFC 9266.
const TLS_EXPORTER: &str = "tls-exporter";

#[cfg(test)]
mod tests;
