//! How connections end (RFC 8446 §6.1), and how one half of them does.

use super::{
    authority::Leaf,
    case::{check, same, Doing, Failed, Outcome},
    lab::{policy, Lab, NAME},
    peer::{connected, reached, Client, Peer, Server, ServerPeer, Versions, V12, V13},
};
use dovetail_sdk::Stream;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Writes all and flushes.
pub(super) async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Reads exactly so many bytes.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin), count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// The peer of the provider's stream, whichever side it is on.
pub(super) enum Far {
    Client(Box<Client>),
    Server(Box<Server>),
}

impl Far {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Far::Client(stream) => write(stream, bytes).await,
            Far::Server(stream) => write(stream, bytes).await,
        }
    }

    /// Ends its own half, and goes on reading.
    async fn say_the_end(&mut self) -> io::Result<()> {
        match self {
            Far::Client(stream) => {
                stream.get_mut().1.send_close_notify();
                stream.flush().await
            }
            Far::Server(stream) => {
                stream.get_mut().1.send_close_notify();
                stream.flush().await
            }
        }
    }

    /// rustls' streams give an error for an end without close_notify.
    async fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Far::Client(stream) => stream.read_to_end(&mut bytes).await?,
            Far::Server(stream) => stream.read_to_end(&mut bytes).await?,
        };
        Ok(bytes)
    }

    /// Cuts the connection below TLS.
    fn cut(self) {
        match self {
            Far::Client(stream) => drop(stream.into_inner().0),
            Far::Server(stream) => drop(stream.into_inner().0),
        }
    }

    /// Sends bytes below TLS.
    async fn write_below(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Far::Client(stream) => write(stream.get_mut().0, bytes).await,
            Far::Server(stream) => write(stream.get_mut().0, bytes).await,
        }
    }
}

/// A connection that the provider accepted, and one that it made.
pub(super) async fn both_roles(lab: &Lab, versions: Versions) -> Result<[(&'static str, Stream, Far); 2], Failed> {
    let (client, accepted) = connected(&lab.acceptor(policy())?, &Peer::new(lab, versions).config()?, NAME).await?;
    let server = ServerPeer::new(lab.issue(&Leaf::server(NAME)), versions).config()?;
    let (made, server) = reached(&lab.connector(lab.client_policy())?, &server, NAME).await?;
    Ok([
        ("accepted", accepted.stream, Far::Client(Box::new(client))),
        ("connected", made.stream, Far::Server(Box::new(server))),
    ])
}

/// Runs a test on every role and version.
macro_rules! on_all {
    ($lab:expr, |$stream:ident, $far:ident| $body:expr) => {
        for versions in [V12, V13] {
            for (role, mut $stream, mut $far) in both_roles(&$lab, versions).await? {
                let outcome: Outcome = async { $body }.await;
                outcome.doing(format!("{role}, {:?}", versions.first().map(|version| version.version)))?;
            }
        }
    };
}

pub(super) async fn close_notify_ends_one_half(lab: Lab) -> Outcome {
    on_all!(lab, |stream, far| {
        far.write(b"question").await?;
        far.say_the_end().await?;
        let mut got = Vec::new();
        stream.read_to_end(&mut got).await.doing("reading to the peer's close_notify")?;
        same!(got, b"question", "what was read");
        write(&mut stream, b"answer").await.doing("writing after the peer's close_notify")?;
        stream.shutdown().await?;
        same!(far.read_to_end().await?, b"answer", "what the peer reads");
        Ok(())
    });
    Ok(())
}

pub(super) async fn our_half_ends_and_the_peers_goes_on(lab: Lab) -> Outcome {
    on_all!(lab, |stream, far| {
        write(&mut stream, b"question").await?;
        stream.shutdown().await?;
        same!(far.read_to_end().await.doing("the peer reads to our close_notify")?, b"question", "what the peer reads");
        far.write(b"answer").await?;
        far.say_the_end().await?;
        let mut got = Vec::new();
        stream.read_to_end(&mut got).await.doing("reading after our shutdown")?;
        same!(got, b"answer", "what was read after our shutdown");
        Ok(())
    });
    Ok(())
}

pub(super) async fn a_shutdown_sends_close_notify(lab: Lab) -> Outcome {
    on_all!(lab, |stream, far| {
        stream.write_all(b"bye").await?;
        // Without a flush: a shutdown sends what is left.
        stream.shutdown().await?;
        stream.shutdown().await.doing("a second shutdown")?;
        drop(stream);
        same!(far.read_to_end().await?, b"bye", "what the peer reads before the end");
        Ok(())
    });
    Ok(())
}

pub(super) async fn nothing_is_written_after_a_shutdown(lab: Lab) -> Outcome {
    on_all!(lab, |stream, far| {
        stream.shutdown().await?;
        let late = write(&mut stream, b"late").await;
        drop(stream);
        let got = far.read_to_end().await?;
        check!(late.is_err() && got.is_empty(), "writing after a shutdown gives {late:?}, and the peer reads {got:?}");
        Ok(())
    });
    Ok(())
}

pub(super) async fn an_end_without_close_notify_is_an_error(lab: Lab) -> Outcome {
    for versions in [V12, V13] {
        for (role, mut stream, mut far) in both_roles(&lab, versions).await? {
            far.write(b"half a mess").await?;
            far.cut();
            let mut got = Vec::new();
            match stream.read_to_end(&mut got).await {
                Ok(_) => check!(false, "{role}: a cut connection reads as a normal end"),
                Err(error) => same!(error.kind(), io::ErrorKind::UnexpectedEof, "{role}: the error ({error})"),
            }
            same!(got, b"half a mess", "{role}: what came before the cut");
            // It does not become a normal end by asking again.
            check!(stream.read(&mut [0; 8]).await.is_err(), "{role}: the second read after a cut is a normal end");
        }
    }
    Ok(())
}

pub(super) async fn an_end_within_a_record_is_an_error(lab: Lab) -> Outcome {
    for versions in [V12, V13] {
        for (role, mut stream, mut far) in both_roles(&lab, versions).await? {
            far.write(b"whole").await?;
            far.write_below(&[23, 3, 3, 1, 0, 5, 5]).await?;
            far.cut();
            let mut got = Vec::new();
            match stream.read_to_end(&mut got).await {
                Ok(_) => check!(false, "{role}: a cut record reads as a normal end"),
                Err(error) => same!(error.kind(), io::ErrorKind::UnexpectedEof, "{role}: the error ({error})"),
            }
            same!(got, b"whole", "{role}: what came before");
        }
    }
    Ok(())
}

/// RFC 8446 §5.2: a record that does not decrypt ends the connection; no byte of it is read. What came before it may be lost:
/// nobody can say where the forger began.
pub(super) async fn a_forged_record_is_an_error(lab: Lab) -> Outcome {
    on_all!(lab, |stream, far| {
        far.write(b"true").await?;
        let forged = [&[23, 3, 3, 0, 32][..], &[0x41; 32]].concat();
        far.write_below(&forged).await?;
        let mut got = Vec::new();
        let outcome = stream.read_to_end(&mut got).await;
        check!(outcome.is_err(), "a forged record reads as a normal end");
        check!(b"true".starts_with(&got), "{got:?} was read");
        Ok(())
    });
    Ok(())
}

/// A peer that writes plaintext after the handshake.
pub(super) async fn plaintext_after_the_handshake_is_an_error(lab: Lab) -> Outcome {
    on_all!(lab, |stream, far| {
        far.write_below(b"QUIT\r\nQUIT\r\nQUIT\r\n").await?;
        let mut got = Vec::new();
        let outcome = stream.read_to_end(&mut got).await;
        check!(outcome.is_err() && got.is_empty(), "plaintext reads as {got:?}, {outcome:?}");
        Ok(())
    });
    Ok(())
}
