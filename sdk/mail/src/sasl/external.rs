//! EXTERNAL (RFC 4422 appendix A): who the client is, TLS knows by its certificate; here it says at most as whom it wants to act.

use super::{identity, Credentials, Next, SaslError};

pub(super) fn step(response: Option<&[u8]>) -> Result<Next, SaslError> {
    let act_as = match response {
        None => return Ok(Next::challenge("")),
        Some(b"") => None,
        Some(name) => Some(identity(name)?),
    };
    Ok(Next::Check(Credentials::Certificate { act_as }))
}
