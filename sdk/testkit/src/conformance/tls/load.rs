//! Much at once, and much given up.

use super::{
    case::{check, same, soon, Doing, Outcome},
    ends,
    flow::numbered,
    lab::{policy, Lab, NAME},
    peer::{connected, Peer, BOTH, CAPACITY, V12, V13},
    transport::Pieces,
};
use dovetail_sdk::Stream;
use rustls::pki_types::ServerName;
use sha2::{Digest, Sha256};
use tokio::io::{duplex, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Each direction carries so much in the large transfer.
const LARGE: usize = 64 << 20;
const BLOCK: usize = 256 << 10;

pub(super) async fn a_large_transfer_both_ways(lab: Lab) -> Outcome {
    for versions in [V12, V13] {
        let (client, server) = connected(&lab.acceptor(policy())?, &Peer::new(&lab, versions).config()?, NAME).await?;
        // Tasks: each side has turns of its own, as in a server.
        let far = tokio::spawn(transfer(server.stream, 1));
        let near = tokio::spawn(transfer(client, 2));
        let (sent_far, got_far) = far.await??;
        let (sent_near, got_near) = near.await??;
        check!(got_near == sent_far, "the peer got other bytes than the provider was given");
        check!(got_far == sent_near, "the provider gave other bytes than the peer sent");
    }
    Ok(())
}

/// Sends [`LARGE`] bytes and reads to the end; the hashes of what went and what came.
async fn transfer(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    seed: u8,
) -> Result<([u8; 32], [u8; 32]), std::io::Error> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let send = async {
        let mut block: Vec<u8> = (0..BLOCK).map(|number| (number / 7) as u8 ^ seed).collect();
        let mut hash = Sha256::new();
        for turn in 0..(LARGE / BLOCK) as u64 {
            block[..8].copy_from_slice(&turn.to_be_bytes());
            hash.update(&block);
            writer.write_all(&block).await?;
        }
        writer.shutdown().await?;
        std::io::Result::Ok(hash.finalize().into())
    };
    let receive = async {
        let mut hash = Sha256::new();
        let mut room = vec![0; BLOCK];
        loop {
            match reader.read(&mut room).await? {
                0 => return std::io::Result::Ok(hash.finalize().into()),
                count => hash.update(&room[..count]),
            }
        }
    };
    tokio::try_join!(send, receive)
}

/// Each half in a task of its own, with a waker of its own: whichever is woken, the other is not forgotten.
pub(super) async fn a_reader_and_a_writer_in_two_tasks(lab: Lab) -> Outcome {
    const LENGTH: usize = 2 << 20;
    for versions in [V12, V13] {
        let (client, server) = connected(&lab.acceptor(policy())?, &Peer::new(&lab, versions).config()?, NAME).await?;
        let mut tasks = tokio::task::JoinSet::new();
        let (reader, writer) = tokio::io::split(server.stream);
        halves(&mut tasks, reader, writer, LENGTH);
        let (reader, writer) = tokio::io::split(client);
        halves(&mut tasks, reader, writer, LENGTH);
        while let Some(ended) = soon("a reader or a writer", tasks.join_next()).await? {
            ended??;
        }
    }
    Ok(())
}

fn halves(
    tasks: &mut tokio::task::JoinSet<std::io::Result<()>>,
    mut reader: impl AsyncRead + Unpin + Send + 'static,
    mut writer: impl AsyncWrite + Unpin + Send + 'static,
    length: usize,
) {
    tasks.spawn(async move {
        for piece in numbered(length).chunks(3000) {
            ends::write(&mut writer, piece).await?;
        }
        writer.shutdown().await
    });
    tasks.spawn(async move {
        let mut got = Vec::new();
        reader.read_to_end(&mut got).await?;
        match got == numbered(length) {
            true => Ok(()),
            false => Err(std::io::Error::other(format!("{} bytes of {length} came, or others", got.len()))),
        }
    });
}

pub(super) async fn many_handshakes_at_once(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200_usize {
        let config = Peer::new(&lab, [V12, V13, BOTH][number % 3]).config()?;
        let (near, far) = duplex(CAPACITY);
        let accepting = acceptor.accept(Stream::new(Pieces::new(far, 50 + number)));
        tasks.spawn(async move {
            let mut stream = accepting.await.map_err(std::io::Error::other)?.stream;
            let line = ends::read(&mut stream, 8).await?;
            ends::write(&mut stream, &line).await?;
            stream.shutdown().await?;
            Result::<(), std::io::Error>::Ok(())
        });
        let name = ServerName::try_from(NAME)?;
        tasks.spawn(async move {
            let mut client = tokio_rustls::TlsConnector::from(config).connect(name, near).await?;
            let word = (number as u64).to_be_bytes();
            ends::write(&mut client, &word).await?;
            let mut got = Vec::new();
            client.read_to_end(&mut got).await?;
            match got == word {
                true => Ok(()),
                false => Err(std::io::Error::other("another connection's bytes")),
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended?.doing("one of 200 connections at once")?;
    }
    Ok(())
}

/// An acceptor may go while its connections live: that is what a reload does.
pub(super) async fn connections_outlive_their_acceptor(lab: Lab) -> Outcome {
    let instance = lab.another().await?;
    let acceptor = super::lab::acceptor(&instance, policy())?;
    let mut open = Vec::new();
    for versions in [V12, V13] {
        open.push(connected(&acceptor, &Peer::new(&lab, versions).config()?, NAME).await?);
    }
    drop((acceptor, instance));
    for (client, server) in &mut open {
        ends::write(client, b"x").await?;
        same!(ends::read(&mut server.stream, 1).await.doing("without its acceptor")?, b"x", "what came");
        ends::write(&mut server.stream, b"y").await.doing("without its acceptor")?;
        same!(ends::read(client, 1).await?, b"y", "what the client reads");
    }
    Ok(())
}
