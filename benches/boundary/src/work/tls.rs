//! TLS: handshakes, and bytes both ways. The client is rustls, compiled in for both ways.

use super::ways::acceptor::Accept;
use crate::{error::Error, fakes, host::HOSTNAME};
use dovetail_sdk::{tls::TlsFacts, Stream};
use rustls::{client::Resumption, crypto::aws_lc_rs, pki_types::ServerName, ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio::io::{duplex, AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::{client::TlsStream, TlsConnector};

/// The client's end of a TLS connection.
pub type Client = TlsStream<DuplexStream>;

/// A certificate store, and a client that trusts what is in it. The client doesn't resume.
///
/// # Errors
/// If no certificate can be made.
pub fn client() -> Result<(fakes::Certs, TlsConnector), Error> {
    let (certs, authority) = fakes::Certs::new()?;
    let mut roots = RootCertStore::empty();
    roots.add(authority.into())?;
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let mut config = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok((certs, Arc::new(config).into()))
}

/// A connection: the client's end, and the server's with its facts.
///
/// # Errors
/// If it does not come about.
pub async fn connect(accept: &impl Accept, client: &TlsConnector) -> Result<(Client, Stream, TlsFacts), Error> {
    let (near, far) = duplex(PIPE);
    let server = tokio::spawn(accept(Stream::new(far)));
    let name = ServerName::try_from(HOSTNAME).map_err(|error| Error::Direct(error.to_string()))?;
    let client = client.connect(name, near).await?;
    let connection = server.await??;
    Ok((client, connection.stream, connection.facts))
}

/// Full handshakes, each up to the server's first bytes at the client.
pub async fn handshakes((accept, client): (impl Accept, TlsConnector), count: u32) -> Result<(), Error> {
    for _ in 0..count {
        handshake(&accept, &client, false).await?;
    }
    Ok(())
}

/// Handshakes that resume the session before, each up to the server's first bytes at the client.
pub async fn resumed((accept, client): (impl Accept, TlsConnector), count: u32) -> Result<(), Error> {
    let mut config = ClientConfig::clone(client.config());
    config.resumption = Resumption::in_memory_sessions(8);
    let client = TlsConnector::from(Arc::new(config));
    handshake(&accept, &client, false).await?;
    for _ in 0..count {
        handshake(&accept, &client, true).await?;
    }
    Ok(())
}

/// The client has its ticket when it has the greeting, which comes behind it.
async fn handshake(accept: &impl Accept, client: &TlsConnector, resumed: bool) -> Result<(), Error> {
    let (mut client, mut server, facts) = connect(accept, client).await?;
    if facts.resumed != resumed || facts.version != "TLSv1.3" {
        return Err(unexpected(
            if resumed { "a resumed session of TLS 1.3" } else { "a full handshake of TLS 1.3" },
            &facts,
        ));
    }
    server.write_all(GREETING).await?;
    server.flush().await?;
    let mut greeting = [0; GREETING.len()];
    client.read_exact(&mut greeting).await?;
    Ok(())
}

/// 64 KiB from the client and 64 KiB back, over one connection.
pub async fn bulk((accept, client): (impl Accept, TlsConnector), count: u32) -> Result<(), Error> {
    let (mut client, mut server, _) = connect(&accept, &client).await?;
    let server = tokio::spawn(async move {
        let mut bytes = vec![0; BULK];
        for _ in 0..count {
            server.read_exact(&mut bytes).await?;
            server.write_all(&bytes).await?;
            server.flush().await?;
        }
        Ok::<(), std::io::Error>(())
    });
    let mut bytes = vec![7; BULK];
    for _ in 0..count {
        client.write_all(&bytes).await?;
        client.flush().await?;
        client.read_exact(&mut bytes).await?;
    }
    Ok(server.await??)
}

fn unexpected(expected: &str, got: &impl std::fmt::Debug) -> Error {
    Error::Unexpected { expected: expected.to_owned(), got: format!("{got:?}") }
}

const GREETING: &[u8] = b"220 mail.example.org\r\n";
const BULK: usize = 64 * 1024;
/// What a connection holds in each direction.
pub const PIPE: usize = 64 * 1024;
