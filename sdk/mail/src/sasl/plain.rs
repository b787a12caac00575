//! PLAIN (RFC 4616): `[authzid] NUL authcid NUL passwd` in one response.

use super::{identity, password, Credentials, Next, SaslError};

pub(super) fn step(response: Option<&[u8]>) -> Result<Next, SaslError> {
    let Some(response) = response else {
        return Ok(Next::challenge(""));
    };
    let mut fields = response.splitn(3, |&b| b == 0);
    let (Some(authzid), Some(authcid), Some(passwd)) = (fields.next(), fields.next(), fields.next()) else {
        return Err(SaslError::Malformed);
    };
    let identity = self::identity(authcid)?;
    let act_as = match authzid {
        b"" => None,
        other => Some(self::identity(other)?),
    };
    // Many clients send the same name twice; that asks for nothing special.
    let act_as = act_as.filter(|name| *name != identity);
    Ok(Next::Check(Credentials::Password { act_as, identity, password: password(passwd)? }))
}
