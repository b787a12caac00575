//! What time shows: tickets past their lifetime, certificates that end, revocation lists out of date. By the host's clock.

use super::*;
use dovetail_sdk::tls::{ClientAuth, ClientCertificates, ClientPolicy, Tls, TlsConnector, TlsFacts, TlsVersion};
use dovetail_testkit::{bound, TestHost};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAME: &str = "mail.example.org";

/// A visit of a connector, after which it has the newest ticket.
async fn visit(connector: &TlsConnector, acceptor: &TlsAcceptor) -> Result<TlsFacts, TlsError> {
    let (near, far) = duplex(64 * 1024);
    let (client, server) =
        tokio::join!(connector.connect(Stream::new(near), NAME.into()), acceptor.accept(Stream::new(far)));
    let mut server = server?;
    let mut client = client.unwrap();
    server.stream.write_all(b"+").await.unwrap();
    server.stream.flush().await.unwrap();
    client.stream.read_u8().await.unwrap();
    Ok(server.facts)
}

#[tokio::test]
async fn a_ticket_has_its_time() {
    let host = TestHost::new();
    let authority = Authority::new();
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    let started = host.start::<OpensslProvider>("()", [bound(Certs::new(certs))]).await.unwrap();
    let tls = started.query::<Tls>();
    let acceptor = tls.acceptor(policy()).unwrap();
    for max_version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let trusting = ClientPolicy::trusting(vec![authority.der.clone()]);
        let connector = tls.connector(ClientPolicy { max_version, ..trusting }).unwrap();
        let mut now = LAST_HOUR_OF_2099;
        for (seconds, resumed) in [(0, false), (LIFETIME - 1, true), (2 * LIFETIME, false)] {
            now += seconds * 1000;
            host.set_unix_milliseconds(now);
            assert_eq!(visit(&connector, &acceptor).await.unwrap().resumed, resumed, "{max_version:?} {seconds}");
        }
        // From before the clock was set back: nobody knows how old it is.
        host.set_unix_milliseconds(now - 1000);
        assert!(!visit(&connector, &acceptor).await.unwrap().resumed);
    }
}

#[tokio::test]
async fn a_revocation_list_has_its_time_too() {
    let host = TestHost::new();
    let (authority, users) = (Authority::new(), Authority::named("users"));
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    let started = host.start::<OpensslProvider>("()", [bound(Certs::new(certs))]).await.unwrap();
    let tls = started.query::<Tls>();
    // It ends with the year 2999.
    let crls = vec![users.revokes(&[])];
    let clients = ClientCertificates { mode: ClientAuth::Required, anchors: vec![users.der.clone()], crls };
    let acceptor = tls.acceptor(ServerPolicy { clients, ..policy() }).unwrap();
    let trusting = ClientPolicy::trusting(vec![authority.der.clone()]);
    let identity = Some(users.dated(2001, 3500));
    let connector = tls.connector(ClientPolicy { identity, ..trusting }).unwrap();
    host.set_unix_milliseconds(LAST_HOUR_OF_2999);
    visit(&connector, &acceptor).await.unwrap();
    let connector = tls
        .connector(ClientPolicy {
            identity: Some(users.dated(2001, 3500)),
            max_version: TlsVersion::Tls12,
            ..ClientPolicy::trusting(vec![authority.der.clone()])
        })
        .unwrap();
    host.set_unix_milliseconds(LAST_HOUR_OF_2999 + 2 * 3_600_000);
    let (near, far) = duplex(64 * 1024);
    let (_, server) =
        tokio::join!(connector.connect(Stream::new(near), NAME.into()), acceptor.accept(Stream::new(far)));
    let error = server.unwrap_err();
    assert_eq!(error.code, TlsErrorCode::PeerCertificateRevoked, "{error}");
}

#[tokio::test]
async fn a_resumed_session_knows_its_certificate_and_ends_with_it() {
    let host = TestHost::new();
    let authority = Authority::new();
    let users = Authority::named("users");
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    let started = host.start::<OpensslProvider>("()", [bound(Certs::new(certs))]).await.unwrap();
    let tls = started.query::<Tls>();
    let clients = ClientCertificates { mode: ClientAuth::Required, anchors: vec![users.der.clone()], crls: Vec::new() };
    let acceptor = tls.acceptor(ServerPolicy { clients, ..policy() }).unwrap();
    // It ends with the year 2099.
    let user = users.dated(2001, 2100);
    for max_version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        host.set_unix_milliseconds(LAST_HOUR_OF_2099);
        let trusting = ClientPolicy::trusting(vec![authority.der.clone()]);
        let connector = tls.connector(ClientPolicy { identity: Some(user.clone()), max_version, ..trusting }).unwrap();
        for resumed in [false, true, true] {
            let facts = visit(&connector, &acceptor).await.unwrap();
            assert_eq!((facts.resumed, &facts.peer_chain), (resumed, &user.chain), "{max_version:?}");
        }
        host.set_unix_milliseconds(LAST_HOUR_OF_2099 + 2 * 3_600_000);
        assert_eq!(
            visit(&connector, &acceptor).await.unwrap_err().code,
            TlsErrorCode::PeerCertificateExpired,
            "{max_version:?}"
        );
    }
}

const LAST_HOUR_OF_2099: u64 = (4_102_444_800 - 3600) * 1000;
const LAST_HOUR_OF_2999: u64 = (32_503_680_000 - 3600) * 1000;
/// Of the testkit's ring, in seconds.
const LIFETIME: u64 = 6 * 3600;
