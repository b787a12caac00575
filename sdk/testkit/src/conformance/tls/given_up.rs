//! What is dropped half-way: a mail server does it at every time-out, and when it drains.

use super::{
    authority::Leaf,
    case::{both, check, same, soon, Doing, Failed, Outcome},
    ends,
    flow::{numbered, ready},
    lab::{policy, Lab, NAME},
    peer::{connected, Peer, ServerPeer, CAPACITY, V12, V13},
    transport::{polled, Pieces},
};
use dovetail_sdk::{tls::TlsError, Stream};
use rustls::pki_types::ServerName;
use std::pin::Pin;
use tokio::io::{duplex, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

/// An accept is dropped after each number of polls that it can take.
pub(super) async fn an_accept(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        let mut turns = 0;
        loop {
            turns += 1;
            check!(turns < MOST, "no end of the handshake after {MOST} polls");
            let (near, far) = duplex(CAPACITY);
            let client = tokio_rustls::TlsConnector::from(config.clone()).connect(ServerName::try_from(NAME)?, near);
            let client = tokio::spawn(client);
            let mut accepting = Box::pin(acceptor.accept(Stream::new(Pieces::new(far, PIECE))));
            let outcome = polled(&mut accepting, turns).await;
            drop(accepting);
            match outcome {
                None => {
                    // The transport is closed with the future; a client that hangs on would be one that is never told.
                    let ended = soon("the client of a dropped accept", client).await??;
                    if let Ok(mut client) = ended {
                        check!(client.read(&mut [0; 1]).await.is_err(), "the client of a dropped accept reads on");
                    }
                }
                Some(done) => {
                    done.doing(format!("the handshake of {turns} polls"))?;
                    break;
                }
            }
        }
        let (mut client, mut server) =
            connected(&acceptor, &config, NAME).await.doing("after all that was given up")?;
        ends::write(&mut client, b"x").await?;
        same!(ends::read(&mut server.stream, 1).await?, b"x", "what came");
    }
    Ok(())
}

pub(super) async fn a_connect(lab: Lab) -> Outcome {
    let connector = lab.connector(lab.client_policy())?;
    for versions in [V12, V13] {
        let config = ServerPeer::new(lab.issue(&Leaf::server(NAME)), versions).config()?;
        let mut turns = 0;
        loop {
            turns += 1;
            check!(turns < MOST, "no end of the handshake after {MOST} polls");
            let (near, far) = duplex(CAPACITY);
            let server = tokio::spawn(tokio_rustls::TlsAcceptor::from(config.clone()).accept(far));
            let mut connecting = Box::pin(connector.connect(Stream::new(Pieces::new(near, PIECE)), NAME.into()));
            let outcome: Option<Result<_, TlsError>> = polled(&mut connecting, turns).await;
            drop(connecting);
            if let Some(done) = outcome {
                let _open = done.doing(format!("the handshake of {turns} polls"))?;
                soon("the server", server).await??.doing("the server")?;
                break;
            }
            // However it ends, it ends.
            let _ = soon("the server of a dropped connect", server).await?;
        }
    }
    Ok(())
}

/// A write that was pending took nothing: another may follow, of other bytes and another length.
pub(super) async fn a_write(lab: Lab) -> Outcome {
    for versions in [V12, V13] {
        let (mut client, server) =
            connected(&lab.acceptor(policy())?, &Peer::new(&lab, versions).config()?, NAME).await?;
        let mut server = server.stream;
        let block = [b'a'; 10_000];
        let mut taken = 0;
        while let Some(count) = ready(|cx| Pin::new(&mut server).poll_write(cx, &block)).await {
            taken += count?;
        }
        // Pending just now. The caller thinks again.
        let (mut b, mut got) = (0, vec![0; taken]);
        let rest = async {
            let tail = [b'b'; 777];
            while b < tail.len() {
                b += server.write(&tail[b..]).await.doing("a write of other bytes than the one that was pending")?;
            }
            server.shutdown().await.doing("the shutdown after it")
        };
        let reading = async {
            client.read_exact(&mut got).await?;
            let mut tail = Vec::new();
            client.read_to_end(&mut tail).await.map(|_| tail)
        };
        let ((), tail) = both(("after it", rest), ("the peer reads what was taken", reading)).await?;
        check!(got.iter().all(|byte| *byte == b'a'), "other bytes came than were taken");
        check!(tail == [b'b'; 777], "{} bytes came after what was taken, not the 777 of the next write", tail.len());
    }
    Ok(())
}

/// A shutdown that was pending is begun again, or waited for again.
pub(super) async fn a_shutdown(lab: Lab) -> Outcome {
    for versions in [V12, V13] {
        let (mut client, server) =
            connected(&lab.acceptor(policy())?, &Peer::new(&lab, versions).config()?, NAME).await?;
        let mut server = server.stream;
        let mut taken = 0;
        while let Some(count) = ready(|cx| Pin::new(&mut server).poll_write(cx, &[b'a'; 10_000])).await {
            taken += count?;
        }
        for _ in 0..3 {
            let early = ready(|cx| Pin::new(&mut server).poll_shutdown(cx)).await;
            check!(early.is_none(), "a shutdown is done before what was written has left: {early:?}");
        }
        let mut got = Vec::new();
        let ending = ("the last shutdown", server.shutdown());
        both(ending, ("the peer reads to the end", client.read_to_end(&mut got))).await?;
        same!(got.len(), taken, "so many bytes came before the end");
    }
    Ok(())
}

/// A read that was pending lost nothing.
pub(super) async fn a_read(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let (near, far) = duplex(CAPACITY);
        let client = tokio_rustls::TlsConnector::from(Peer::new(&lab, versions).config()?)
            .connect(ServerName::try_from(NAME)?, near);
        let (client, server) = tokio::join!(client, acceptor.accept(Stream::new(Pieces::new(far, 7))));
        let (mut client, mut server) = (client?, server?.stream);
        let data = numbered(3000);
        ends::write(&mut client, &data).await?;
        client.shutdown().await?;
        let mut got = Vec::new();
        loop {
            let mut room = [0; 64];
            let mut buf = ReadBuf::new(&mut room);
            // Each poll is a future of its own, with a buffer of its own.
            match ready(|cx| Pin::new(&mut server).poll_read(cx, &mut buf).map_ok(|()| 0)).await {
                None => tokio::task::yield_now().await,
                Some(read) => {
                    read?;
                    if buf.filled().is_empty() {
                        break;
                    }
                    got.extend_from_slice(buf.filled());
                }
            }
        }
        check!(got == data, "{} bytes of {} came, or others", got.len(), data.len());
    }
    Ok(())
}

/// Streams are dropped with something half done in both directions.
pub(super) async fn a_stream(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        for turns in 0..12 {
            let (mut client, server) = connected(&acceptor, &config, NAME).await?;
            ends::write(&mut client, &[1; 5000]).await?;
            let mut stream = server.stream;
            let mut work = Box::pin(async {
                let mut room = [0; 600];
                for _ in 0..100 {
                    stream.read_exact(&mut room).await?;
                    stream.write_all(&[2; 60_000]).await?;
                }
                stream.shutdown().await
            });
            let ended = polled(&mut work, turns).await;
            check!(ended.is_none(), "it ended without a reader: {ended:?}");
            drop(work);
            drop(stream);
            // The peer sees an end, not a hang.
            let end: Result<usize, std::io::Error> = client.read_to_end(&mut Vec::new()).await;
            drop(end);
        }
        connected(&acceptor, &config, NAME).await.map_err(|Failed(what)| Failed(format!("after that: {what}")))?;
    }
    Ok(())
}

const MOST: usize = 4000;
/// Transports move so many bytes at once where every poll counts.
const PIECE: usize = 150;
