//! The client side, against our own server side.

use super::*;
use dovetail_sdk::tls::{ClientPolicy, TlsConnector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAME: &str = "mx.example.org";

fn connector(policy: ClientPolicy) -> Result<TlsConnector, TlsError> {
    FakeCerts::default().provider().connector(policy)
}

fn trusting(authority: &Authority) -> ClientPolicy {
    ClientPolicy::trusting(vec![authority.der.clone()])
}

async fn meet(
    connector: &TlsConnector,
    acceptor: &TlsAcceptor,
    name: &str,
) -> (Result<TlsConnection, TlsError>, Result<TlsConnection, TlsError>) {
    let (near, far) = duplex(64 * 1024);
    tokio::join!(connector.connect(Stream::new(near), name.to_owned()), acceptor.accept(Stream::new(far)))
}

#[tokio::test]
async fn client_and_server_know_the_same() {
    let authority = Authority::new();
    let identity = authority.ecdsa(NAME);
    let certs = FakeCerts::with(NAME, vec![identity.clone()]);
    let acceptor = certs.provider().acceptor(ServerPolicy { alpn: vec!["imap".into()], ..policy() }).unwrap();
    let connector = connector(ClientPolicy { alpn: vec!["imap".into()], ..trusting(&authority) }).unwrap();
    let (client, server) = meet(&connector, &acceptor, NAME).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    assert_eq!(client.facts.peer_chain, identity.chain);
    assert_eq!(client.facts.exporter.as_ref().map(Vec::len), Some(32));
    let without_chain = dovetail_sdk::tls::TlsFacts { peer_chain: vec![], ..client.facts };
    assert_eq!(without_chain, server.facts);

    client.stream.write_all(b"EHLO x\r\n").await.unwrap();
    client.stream.shutdown().await.unwrap();
    let mut got = Vec::new();
    server.stream.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"EHLO x\r\n");
}

#[tokio::test]
async fn another_name_or_authority_is_refused() {
    let authority = Authority::new();
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    certs.set_default(NAME);
    let acceptor = certs.acceptor();
    let (client, server) = meet(&connector(trusting(&authority)).unwrap(), &acceptor, "other.example").await;
    assert_eq!(client.unwrap_err().code, TlsErrorCode::BadPeerCertificate);
    assert_eq!(server.unwrap_err().code, TlsErrorCode::AlertReceived);

    let (client, server) = meet(&connector(trusting(&Authority::new())).unwrap(), &acceptor, NAME).await;
    let error = client.unwrap_err();
    assert_eq!(error.code, TlsErrorCode::PeerCertificateUntrusted);
    assert!(error.message.contains(NAME), "{error}");
    assert_eq!(server.unwrap_err().code, TlsErrorCode::AlertReceived);
}

#[tokio::test]
async fn an_address_is_a_name_too() {
    let authority = Authority::new();
    let certs = FakeCerts::with("192.0.2.7", vec![authority.ecdsa("192.0.2.7")]);
    certs.set_default("192.0.2.7");
    let (client, _) = meet(&connector(trusting(&authority)).unwrap(), &certs.acceptor(), "192.0.2.7").await;
    client.unwrap();
}

#[tokio::test]
async fn a_server_that_speaks_plaintext_is_named_so() {
    let connector = connector(trusting(&Authority::new())).unwrap();
    let (mut near, far) = duplex(64 * 1024);
    near.write_all(b"220 mx.example.org ESMTP ready\r\n").await.unwrap();
    let error = connector.connect(Stream::new(far), NAME.into()).await.unwrap_err();
    assert_eq!(error.code, TlsErrorCode::PlaintextOnTlsPort, "{error}");
}

#[tokio::test]
async fn policies_and_names_that_cannot_be() {
    let authority = Authority::new();
    let none = ClientPolicy { anchors: vec![], ..trusting(&authority) };
    let rubbish = ClientPolicy { anchors: vec![authority.der.clone(), b"x".to_vec()], ..trusting(&authority) };
    assert_eq!(connector(none).unwrap_err().code, TlsErrorCode::BadPolicy);
    let error = connector(rubbish).unwrap_err();
    assert!(error.code == TlsErrorCode::BadPolicy && error.message.contains("anchor 2"), "{error}");

    let (near, _far) = duplex(64);
    let error = connector(trusting(&authority)).unwrap().connect(Stream::new(near), "no name".into()).await;
    assert_eq!(error.unwrap_err().code, TlsErrorCode::BadPolicy);
}
