//! The signing request for a certificate authority (RFC 2986).

use super::{parameters, CreateError, CreateRequest};
use crate::import::pem;
use crate::key::PrivateKey;

/// A PEM `CERTIFICATE REQUEST`. Its parameters are built apart from the certificate's: a request has no serial
/// number and no validity, and the library refuses some that have.
pub(super) fn signing_request(request: &CreateRequest, key: &PrivateKey) -> Result<String, CreateError> {
    let csr = parameters::common(request)?.serialize_request(key).map_err(CreateError::Writing)?;
    Ok(pem::encode("CERTIFICATE REQUEST", csr.der()).to_string())
}
