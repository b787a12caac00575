//! The driver against rustls' buffered client, over transports that split and stall.

use super::{exporter::ExporterSecret, Driver};
use crate::tests::Authority;
use dovetail_sdk::certs::Identity;
use proptest::prelude::*;
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    version::TLS13,
    ServerConfig,
};
use std::{io, sync::Arc};
use tokio::{
    io::{duplex, AsyncReadExt, AsyncWriteExt, DuplexStream},
    runtime::Builder,
};
use tokio_rustls::{client::TlsStream, TlsConnector};

const NAME: &str = "mail.example.org";

fn server_config(identity: &Identity) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(identity.key.expose().to_vec().into());
    let chain = identity.chain.iter().cloned().map(CertificateDer::from).collect();
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

/// A client and a server that have shaken hands over a transport that holds so much.
async fn pair(room: usize) -> (TlsStream<DuplexStream>, Driver<DuplexStream>, Arc<ExporterSecret>) {
    let authority = Authority::new();
    let mut config = server_config(&authority.ecdsa(NAME));
    let secret = Arc::new(ExporterSecret::default());
    config.key_log = secret.clone();
    let client = TlsConnector::from(Arc::new(authority.client_config(&[&TLS13])));
    let (near, far) = duplex(room);
    let (server, client) = tokio::join!(
        Driver::accept(far, Arc::new(config), &[]),
        client.connect(ServerName::try_from(NAME).unwrap(), near)
    );
    (client.unwrap(), server.map_err(|(error, _)| error).unwrap(), secret)
}

fn octets(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(31) >> 3) as u8).collect()
}

#[tokio::test]
async fn both_sides_export_the_same_once() {
    let (client, server, secret) = pair(1 << 16).await;
    let theirs =
        client.get_ref().1.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap();
    let suite = server.tls().negotiated_cipher_suite();
    assert_eq!(secret.channel_binding(suite), Some(theirs));
    assert_eq!(secret.channel_binding(suite), None);
}

#[tokio::test]
async fn what_waits_holds_nothing() {
    let (mut client, mut server, _) = pair(1 << 16).await;
    client.write_all(b"hello").await.unwrap();
    let mut room = [0; 100];
    assert_eq!(server.read(&mut room).await.unwrap(), 5);
    server.write_all(b"and you").await.unwrap();
    server.flush().await.unwrap();
    assert_eq!(client.read(&mut room).await.unwrap(), 7);
    assert!(server.incoming.capacity() == 0 && server.core.is_bare());
}

#[tokio::test]
async fn an_end_is_told_from_a_cut() {
    let (mut client, mut server, _) = pair(1 << 16).await;
    client.write_all(b"last").await.unwrap();
    client.shutdown().await.unwrap();
    let mut got = Vec::new();
    server.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"last");
    // Our side is still open.
    server.write_all(b"answer").await.unwrap();
    server.shutdown().await.unwrap();
    got.clear();
    client.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"answer");
    assert_eq!(server.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);

    let (client, mut server, _) = pair(1 << 16).await;
    let (mut transport, _) = client.into_inner();
    transport.shutdown().await.unwrap();
    for _ in 0..2 {
        assert_eq!(server.read(&mut [0; 10]).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[tokio::test]
async fn what_is_broken_gets_its_alert_and_stays_an_error() {
    let (client, mut server, _) = pair(1 << 16).await;
    let (mut transport, mut tls) = client.into_inner();
    // A record that nobody encrypted.
    transport.write_all(&[23, 3, 3, 0, 20]).await.unwrap();
    transport.write_all(&[7; 20]).await.unwrap();
    for _ in 0..2 {
        assert_eq!(server.read(&mut [0; 10]).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
    assert!(server.write(b"x").await.is_err());
    server.shutdown().await.unwrap();
    let mut alert = Vec::new();
    transport.read_to_end(&mut alert).await.unwrap();
    tls.read_tls(&mut alert.as_slice()).unwrap();
    let error = tls.process_new_packets().unwrap_err();
    assert_eq!(error, rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac));
}

#[tokio::test]
async fn key_updates_are_followed_and_answered() {
    let (mut client, mut server, _) = pair(1 << 16).await;
    let mut room = [0; 10];
    for _ in 0..3 {
        client.get_mut().1.refresh_traffic_keys().unwrap();
        client.write_all(b"ping").await.unwrap();
        server.read_exact(&mut room[..4]).await.unwrap();
        server.write_all(b"pong").await.unwrap();
        server.flush().await.unwrap();
        client.read_exact(&mut room[..4]).await.unwrap();
    }
}

/// Both ways at once, in pieces of these sizes, over a transport that holds little.
async fn exchange(room: usize, total: usize, pieces: Vec<usize>) {
    let (client, server, _) = pair(room).await;
    let (mut client_in, mut client_out) = tokio::io::split(client);
    let (mut server_in, mut server_out) = tokio::io::split(server);
    let (up, down) = (octets(total), octets(total / 2 + 1));
    let send_up = async {
        client_out.write_all(&up).await.unwrap();
        client_out.shutdown().await.unwrap();
    };
    let send_down = async {
        let (mut rest, mut sizes) = (down.as_slice(), pieces.iter().cycle());
        while !rest.is_empty() {
            let (first, more) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            let (second, _) = more.split_at((*sizes.next().unwrap()).min(more.len()));
            let slices = [io::IoSlice::new(first), io::IoSlice::new(second)];
            let count = server_out.write_vectored(&slices).await.unwrap();
            rest = &rest[count..];
        }
        server_out.shutdown().await.unwrap();
    };
    let (mut got_up, mut got_down) = (Vec::new(), Vec::new());
    let (_, _, up_read, down_read) =
        tokio::join!(send_up, send_down, server_in.read_to_end(&mut got_up), client_in.read_to_end(&mut got_down));
    up_read.unwrap();
    down_read.unwrap();
    assert!(got_up == up && got_down == down);
}

#[tokio::test]
async fn a_lot_goes_both_ways() {
    exchange(100_000, 8 << 20, vec![70_000, 10, 9000]).await;
}

#[tokio::test]
async fn a_reader_does_not_take_a_writers_waker() {
    let (client, server, _) = pair(10_000).await;
    let (mut client_in, mut client_out) = tokio::io::split(client);
    let (mut server_in, mut server_out) = tokio::io::split(server);
    // Each in a task, and so with a waker, of its own.
    let data = octets(1 << 20);
    let sent = data.clone();
    let writer = tokio::spawn(async move {
        server_out.write_all(&sent).await?;
        server_out.flush().await
    });
    let reader = tokio::spawn(async move { server_in.read_exact(&mut [0; 3000]).await.map(|_| server_in) });
    tokio::task::yield_now().await;
    // Now the writer waits. The reader is woken, and waits again.
    for _ in 0..3 {
        client_out.write_all(&[1; 1000]).await.unwrap();
        client_out.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut got = vec![0; data.len()];
    client_in.read_exact(&mut got).await.unwrap();
    assert!(got == data);
    writer.await.unwrap().unwrap();
    reader.await.unwrap().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_the_pieces(room in 1_usize..3000, total in 0_usize..100_000, pieces in prop::collection::vec(1_usize..20_000, 1..6)) {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(exchange(room, total, pieces));
    }
}
