//! Handshakes, on either side, to their end.
//!
//! Whatever fails, the peer gets its alert (RFC 8446 §6.2) before the error is returned. OpenSSL has none for what is not TLS
//! at all; then it is sent here.

use super::{
    conversation,
    errors::{internal, Failed},
    stream::TlsStream,
};
use dovetail_sdk::{
    tls::{guess, Guess, TlsError, TlsErrorCode},
    Stream,
};
use openssl::ssl::{Error, Ssl};
use std::future::poll_fn;

/// Shakes hands as `ssl` says. Errors are at `place`.
pub(crate) async fn hands(place: &str, ssl: Ssl, stream: Stream) -> Result<TlsStream<Stream>, TlsError> {
    let mut tls = TlsStream::new(ssl, stream).map_err(|error| internal(place, &error))?;
    match poll_fn(|cx| tls.poll_handshake(cx)).await {
        Ok(()) => Ok(tls),
        Err(error) => {
            let error = explain(place, &mut tls, &error);
            if !tls.wires().has_written() && error.code != TlsErrorCode::Io && error.code != TlsErrorCode::Truncated {
                let alert = match guess(tls.wires().first()) {
                    Guess::Ssl2 => PROTOCOL_VERSION,
                    _ => DECODE_ERROR,
                };
                tls.wires().append(&[21, 3, 3, 0, 2, 2, alert]);
            }
            // The peer may be gone; the handshake's own error is the one to report.
            let _ = poll_fn(|cx| tls.poll_end(cx)).await;
            Err(error)
        }
    }
}

fn explain(place: &str, tls: &mut TlsStream<Stream>, error: &Error) -> TlsError {
    let transport = tls.wires().failure();
    if let Some(failure) = conversation::of(tls.ssl()).and_then(|conversation| conversation.failure.clone()) {
        return failure;
    }
    let verified = tls.ssl().verify_result();
    let first = tls.wires().first().to_vec();
    Failed { place, first: &first, transport, stack: error.ssl_error(), verified }.error()
}

const DECODE_ERROR: u8 = 50;
const PROTOCOL_VERSION: u8 = 70;
