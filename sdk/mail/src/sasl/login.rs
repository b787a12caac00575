//! LOGIN (draft-murchison-sasl-login): asks for the name, then for the password.

use super::{identity, password, Credentials, Next, SaslError};

/// The name, once it is known.
#[derive(Default)]
pub(super) struct Login {
    identity: Option<String>,
}

impl Login {
    pub(super) fn step(&mut self, response: Option<&[u8]>) -> Result<Next, SaslError> {
        let Some(response) = response else {
            return Ok(Next::challenge("Username:"));
        };
        match self.identity.take() {
            None => {
                self.identity = Some(identity(response)?);
                Ok(Next::challenge("Password:"))
            }
            Some(identity) => {
                let password = password(response)?;
                Ok(Next::Check(Credentials::Password { act_as: None, identity, password }))
            }
        }
    }
}
