//! Proves an identity: a TLS 1.3 handshake with itself, in memory. The server signs with the key, and the client verifies
//! with the certificate; nothing else is trusted or asked.

use super::{
    context::common,
    errors::{describe, failure},
    identity::Pair,
    stream::forget_errors,
};
use dovetail_sdk::{
    certs::Identity,
    tls::{TlsError, TlsErrorCode},
};
use openssl::{
    error::ErrorStack,
    ssl::{ErrorCode, Ssl, SslContext, SslMethod, SslStream, SslVerifyMode, SslVersion},
};
use std::io::{self, Read, Write};

/// Checks an identity.
///
/// # Errors
/// [`TlsErrorCode::BadIdentity`], naming the identity.
pub(crate) fn identity(identity: &Identity) -> Result<(), TlsError> {
    let pair = Pair::new(identity)?;
    shake_hands(&pair).map_err(|reason| {
        let place = format!("identity {}", identity.name);
        failure(TlsErrorCode::BadIdentity, &place, format!("a handshake with it fails: {reason}"))
    })
}

fn shake_hands(pair: &Pair) -> Result<(), String> {
    let said = |error: ErrorStack| describe(&error);
    let (server, client) = contexts(pair).map_err(said)?;
    let side = |context: &SslContext| Ssl::new(context).and_then(|ssl| SslStream::new(ssl, Memory::default()));
    let (mut server, mut client) = (side(&server).map_err(said)?, side(&client).map_err(said)?);
    for _ in 0..MAX_TURNS {
        let client_done = step(client.connect())?;
        server.get_mut().incoming.append(&mut client.get_mut().outgoing);
        let server_done = step(server.accept())?;
        client.get_mut().incoming.append(&mut server.get_mut().outgoing);
        if client_done && server_done {
            let shown = client.ssl().peer_certificate().and_then(|shown| shown.to_der().ok());
            return match (shown, pair.leaf.to_der().ok()) {
                (Some(shown), Some(own)) if shown == own => Ok(()),
                _ => Err("another certificate is shown".into()),
            };
        }
    }
    Err("it does not end".into())
}

fn contexts(pair: &Pair) -> Result<(SslContext, SslContext), ErrorStack> {
    let only_13 = (SslVersion::TLS1_3, SslVersion::TLS1_3);
    let mut server = common(SslMethod::tls_server(), only_13)?;
    server.set_num_tickets(0)?;
    pair.apply(&mut server)?;
    let mut client = common(SslMethod::tls_client(), only_13)?;
    // Trusts whatever is shown, whatever its name and dates; that the key signs for it is verified as always.
    client.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
    Ok((server.build(), client.build()))
}

/// Whether the handshake is over on this side.
fn step(done: Result<(), openssl::ssl::Error>) -> Result<bool, String> {
    let over = match done {
        Ok(()) => Ok(true),
        Err(error) if error.code() == ErrorCode::WANT_READ => Ok(false),
        Err(error) => Err(error.ssl_error().map_or_else(|| "OpenSSL gives no reason".into(), describe)),
    };
    forget_errors();
    over
}

/// A transport that someone else carries.
#[derive(Default)]
struct Memory {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Read for Memory {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.incoming.as_slice().read(room)?;
        self.incoming.drain(..count);
        Ok(count)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A handshake takes two; one more for a retry of the key share.
const MAX_TURNS: usize = 4;
