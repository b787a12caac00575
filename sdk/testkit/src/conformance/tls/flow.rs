//! Bytes that come as they please, and peers that do not read.

use super::{
    authority::Leaf,
    case::{both, check, same, Doing, Failed, Outcome},
    ends,
    lab::{policy, Lab, NAME},
    peer::{connected, Peer, ServerPeer, CAPACITY, V12, V13},
    transport::{Cut, Pieces},
};
use dovetail_sdk::Stream;
use rustls::{pki_types::ServerName, NamedGroup};
use std::{future::poll_fn, io::IoSlice, pin::Pin, task::Poll};
use tokio::io::{duplex, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

pub(super) async fn one_byte_at_a_time(lab: Lab) -> Outcome {
    let data = numbered(3000);
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let (near, far) = duplex(CAPACITY);
        let client = tokio_rustls::TlsConnector::from(Peer::new(&lab, versions).config()?)
            .connect(ServerName::try_from(NAME)?, near);
        let (client, server) = tokio::join!(client, acceptor.accept(Stream::new(Pieces::new(far, 1))));
        both_ways(client.doing("the client")?, server.doing("accepting")?.stream, &data).await?;

        let (near, far) = duplex(CAPACITY);
        let config = ServerPeer::new(lab.issue(&Leaf::server(NAME)), versions).config()?;
        let server = tokio_rustls::TlsAcceptor::from(config).accept(far);
        let connector = lab.connector(lab.client_policy())?;
        let client = connector.connect(Stream::new(Pieces::new(near, 1)), NAME.into());
        let (client, server) = tokio::join!(client, server);
        both_ways(server.doing("the server")?, client.doing("connecting")?.stream, &data).await?;
    }
    Ok(())
}

/// Sends the data both ways at once and ends both halves.
async fn both_ways(
    near: impl AsyncRead + AsyncWrite + Unpin,
    far: impl AsyncRead + AsyncWrite + Unpin,
    data: &[u8],
) -> Outcome {
    let (near, far) = both(("one end", exchange(near, data)), ("the other end", exchange(far, data))).await?;
    check!(near == data && far == data, "other bytes came than were sent");
    Ok(())
}

async fn exchange(stream: impl AsyncRead + AsyncWrite + Unpin, data: &[u8]) -> Result<Vec<u8>, Failed> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut got = vec![0; data.len()];
    both(("writing", ends::write(&mut writer, data)), ("reading", reader.read_exact(&mut got))).await?;
    Ok(got)
}

/// The client's flights, cut after each of their octets.
pub(super) async fn a_clients_flights_cut_anywhere(lab: Lab) -> Outcome {
    lab.serve_rsa();
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).group(NamedGroup::X25519).config()?;
        // More than a handshake without resumption takes.
        for at in 1..420 {
            let (near, far) = duplex(CAPACITY);
            let client = tokio_rustls::TlsConnector::from(fresh(&config)).connect(ServerName::try_from(NAME)?, near);
            let (client, server) = tokio::join!(client, acceptor.accept(Stream::new(Cut::new(far, at))));
            let (mut client, mut server) = (client.doing(at)?, server.doing(format!("cut after {at} octets"))?);
            ends::write(&mut client, b"x").await?;
            same!(ends::read(&mut server.stream, 1).await.doing(at)?, b"x", "what came, cut after {at} octets");
        }
    }
    Ok(())
}

/// The same without the tickets of earlier connections.
fn fresh(config: &std::sync::Arc<rustls::ClientConfig>) -> std::sync::Arc<rustls::ClientConfig> {
    let mut config = rustls::ClientConfig::clone(config);
    config.resumption = rustls::client::Resumption::disabled();
    config.into()
}

pub(super) async fn a_servers_flights_cut_anywhere(lab: Lab) -> Outcome {
    let connector = lab.connector(lab.client_policy())?;
    for versions in [V12, V13] {
        let config = ServerPeer::new(lab.issue(&Leaf::server(NAME)), versions).config()?;
        // Every octet where the records' headers and first messages are, every seventh of what fills them.
        for at in (1..160).chain((160..1400).step_by(7)) {
            let (near, far) = duplex(CAPACITY);
            let server = tokio_rustls::TlsAcceptor::from(config.clone()).accept(far);
            let client = connector.connect(Stream::new(Cut::new(near, at)), NAME.into());
            let (client, server) = tokio::join!(client, server);
            let (mut client, mut server) = (client.doing(format!("cut after {at} octets"))?, server.doing(at)?);
            ends::write(&mut server, b"x").await?;
            same!(ends::read(&mut client.stream, 1).await.doing(at)?, b"x", "what came, cut after {at} octets");
        }
    }
    Ok(())
}

/// Records of every length around the limits, cut in the middle.
pub(super) async fn records_of_every_size(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let (mut client, server) = connected(&acceptor, &Peer::new(&lab, versions).config()?, NAME).await?;
        let mut server = server.stream;
        for length in [1, 2, 255, 256, 1023, 4096, 16_383, 16_384, 16_385, 32_768, 40_000] {
            let data = numbered(length);
            let (there, back) =
                (("writing", ends::write(&mut client, &data)), ("reading", ends::read(&mut server, length)));
            check!(
                both(there, back).await.doing(length)?.1 == data,
                "{length} bytes to the provider come out as others"
            );
            let (there, back) =
                (("writing", ends::write(&mut server, &data)), ("reading", ends::read(&mut client, length)));
            check!(
                both(there, back).await.doing(length)?.1 == data,
                "{length} bytes from the provider come out as others"
            );
        }
    }
    Ok(())
}

pub(super) async fn reads_into_little_room(lab: Lab) -> Outcome {
    let (mut client, server) = connected(&lab.acceptor(policy())?, &Peer::new(&lab, V13).config()?, NAME).await?;
    let mut server = server.stream;
    let data = numbered(5000);
    ends::write(&mut client, &data).await?;
    client.shutdown().await?;
    let mut got = Vec::new();
    let mut one = [0; 1];
    while server.read(&mut one).await? == 1 {
        got.push(one[0]);
    }
    check!(got == data, "{} bytes of {} came, or others", got.len(), data.len());
    same!(server.read(&mut []).await?, 0, "a read without room");
    Ok(())
}

pub(super) async fn vectored_writes(lab: Lab) -> Outcome {
    for versions in [V12, V13] {
        let (mut client, server) =
            connected(&lab.acceptor(policy())?, &Peer::new(&lab, versions).config()?, NAME).await?;
        let mut server = server.stream;
        let data = numbered(20_000);
        let (mut sent, mut turn) = (0, 0_usize);
        while sent < data.len() {
            // Of many shapes, some empty, more than one write takes.
            let rest = &data[sent..];
            let slices: Vec<IoSlice<'_>> = rest.chunks(1 + turn % 700).take(100).map(IoSlice::new).collect();
            let mut with_empty = vec![IoSlice::new(&[])];
            with_empty.extend(slices);
            with_empty.push(IoSlice::new(&[]));
            let count = server.write_vectored(&with_empty).await?;
            check!(count > 0, "a vectored write takes nothing");
            sent += count;
            turn += 61;
        }
        server.flush().await?;
        check!(ends::read(&mut client, data.len()).await? == data, "vectored writes come out as other bytes");
    }
    Ok(())
}

pub(super) async fn empty_writes_are_no_end(lab: Lab) -> Outcome {
    let (mut client, server) = connected(&lab.acceptor(policy())?, &Peer::new(&lab, V13).config()?, NAME).await?;
    let mut server = server.stream;
    for _ in 0..3 {
        same!(server.write(b"").await?, 0, "what an empty write takes");
        server.flush().await?;
    }
    ends::write(&mut server, b"x").await?;
    same!(ends::read(&mut client, 1).await?, b"x", "what comes after empty writes");
    Ok(())
}

/// RFC 8446 §4.6.3.
pub(super) async fn new_keys_in_the_middle(lab: Lab) -> Outcome {
    let (mut client, server) = connected(&lab.acceptor(policy())?, &Peer::new(&lab, V13).config()?, NAME).await?;
    let mut server = server.stream;
    for turn in 0..5_u8 {
        client.get_mut().1.refresh_traffic_keys()?;
        ends::write(&mut client, &[turn; 100]).await?;
        same!(ends::read(&mut server, 100).await.doing("after new keys")?, [turn; 100], "what the provider reads");
        ends::write(&mut server, &[turn; 100]).await?;
        same!(ends::read(&mut client, 100).await?, [turn; 100], "what the client reads");
    }
    Ok(())
}

/// A peer that does not read costs no more than the transport and a little, and nothing is lost when it reads again.
pub(super) async fn a_peer_that_does_not_read(lab: Lab) -> Outcome {
    for versions in [V12, V13] {
        let (mut client, server) =
            connected(&lab.acceptor(policy())?, &Peer::new(&lab, versions).config()?, NAME).await?;
        let mut server = server.stream;
        let data = numbered(64 * 1024);
        let mut taken = 0;
        // What a provider may hold for a connection beside the transport.
        let bound = CAPACITY + 256 * 1024;
        while let Some(count) = ready(|cx| Pin::new(&mut server).poll_write(cx, &data[taken % data.len()..])).await {
            taken += count?;
            check!(
                taken <= bound,
                "{taken} bytes are taken for a peer that does not read, with a transport of {CAPACITY}"
            );
        }
        check!(taken > 0, "nothing is taken at all");
        let drained = async {
            server.flush().await?;
            server.shutdown().await
        };
        let mut got = Vec::new();
        both(("what was taken, when the peer reads again", drained), ("the peer", client.read_to_end(&mut got)))
            .await?;
        same!(got.len(), taken, "so many bytes came");
        check!(got.chunks(data.len()).all(|chunk| data.starts_with(chunk)), "other bytes came");
    }
    Ok(())
}

/// Polls once; `None` if it is pending.
pub(super) async fn ready<T>(mut poll: impl FnMut(&mut std::task::Context<'_>) -> Poll<T>) -> Option<T> {
    poll_fn(|cx| {
        Poll::Ready(match poll(cx) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        })
    })
    .await
}

/// So many bytes that differ from their neighbours.
pub(super) fn numbered(count: usize) -> Vec<u8> {
    (0..count).map(|number| (number % 251) as u8).collect()
}
