//! Certificates of clients.

use super::*;
use dovetail_sdk::tls::{ClientAuth, ClientCertificates, ClientPolicy, Tls};
use dovetail_testkit::{bound, TestHost};
use rcgen::{date_time_ymd, CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAME: &str = "mail.example.org";
const USER: &str = "user.example.org";

/// A server, and who vouches for its clients.
struct Place {
    authority: Authority,
    users: Authority,
    provider: RustlsProvider,
}

impl Place {
    fn new() -> Self {
        let authority = Authority::new();
        let provider = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]).provider();
        Place { authority, users: Authority::named("users"), provider }
    }

    fn policy(&self, mode: ClientAuth, crls: Vec<Vec<u8>>) -> ServerPolicy {
        let clients = ClientCertificates { mode, anchors: vec![self.users.der.clone()], crls };
        ServerPolicy { clients, ..policy() }
    }

    /// What the server says of a client with this identity, or the chain that it has verified.
    async fn visit(&self, policy: ServerPolicy, identity: Option<Identity>) -> Result<Vec<Vec<u8>>, TlsErrorCode> {
        self.visit_as(policy, identity, TlsVersion::Tls13).await
    }

    async fn visit_as(
        &self,
        policy: ServerPolicy,
        identity: Option<Identity>,
        max_version: TlsVersion,
    ) -> Result<Vec<Vec<u8>>, TlsErrorCode> {
        let trusting = ClientPolicy::trusting(vec![self.authority.der.clone()]);
        let connector = self.provider.connector(ClientPolicy { identity, max_version, ..trusting }).unwrap();
        let acceptor = self.provider.acceptor(policy).unwrap();
        let (near, far) = duplex(64 * 1024);
        let (_client, server) =
            tokio::join!(connector.connect(Stream::new(near), NAME.into()), acceptor.accept(Stream::new(far)));
        let version = if max_version == TlsVersion::Tls12 { "TLSv1.2" } else { "TLSv1.3" };
        server.map_err(|error| error.code).map(|connection| {
            assert_eq!(connection.facts.version, version);
            connection.facts.peer_chain
        })
    }
}

fn dated(authority: &Authority, from: i32, to: i32) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![USER.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params.serial_number = Some(SerialNumber::from(7_u64));
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    Identity { name: USER.into(), chain: vec![certificate.der().to_vec()], key: Secret::new(key.serialize_der()) }
}

fn list(authority: &Authority, until: i32, revoked: &[u64]) -> Vec<u8> {
    let entry = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(until, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.iter().map(entry).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(&authority.issuer).unwrap().der().to_vec()
}

#[tokio::test]
async fn off_asks_for_none_and_required_for_a_good_one() {
    let place = Place::new();
    let user = place.users.ecdsa(USER);
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let visit = |mode, identity| place.visit_as(place.policy(mode, vec![]), identity, version);
        assert_eq!(visit(ClientAuth::Off, Some(user.clone())).await, Ok(vec![]));
        assert_eq!(visit(ClientAuth::Optional, None).await, Ok(vec![]));
        assert_eq!(visit(ClientAuth::Optional, Some(user.clone())).await, Ok(user.chain.clone()));
        assert_eq!(visit(ClientAuth::Required, Some(user.clone())).await, Ok(user.chain.clone()));
        assert_eq!(visit(ClientAuth::Required, None).await, Err(TlsErrorCode::NoPeerCertificate));
    }
}

#[tokio::test]
async fn one_that_is_shown_must_be_good() {
    let place = Place::new();
    let strangers = [Authority::named("strangers").ecdsa(USER), Authority::named("users").ecdsa(USER)];
    for mode in [ClientAuth::Optional, ClientAuth::Required] {
        let visit = |identity| place.visit(place.policy(mode, vec![]), Some(identity));
        for stranger in &strangers {
            assert_eq!(visit(stranger.clone()).await, Err(TlsErrorCode::PeerCertificateUntrusted));
        }
        let expired = Err(TlsErrorCode::PeerCertificateExpired);
        assert_eq!(visit(dated(&place.users, 2001, 2002)).await, expired);
        assert_eq!(visit(dated(&place.users, 3001, 3002)).await, expired);
    }
}

#[tokio::test]
async fn with_revocation_lists_each_must_be_known_as_not_revoked() {
    let place = Place::new();
    let user = || Some(dated(&place.users, 2001, 3000));
    let other = list(&Authority::named("others"), 3000, &[]);
    let revoked = Err(TlsErrorCode::PeerCertificateRevoked);
    for (crls, good) in [
        (vec![], true),
        (vec![list(&place.users, 3000, &[])], true),
        (vec![other.clone(), list(&place.users, 3000, &[8])], true),
        (vec![list(&place.users, 3000, &[6, 7])], false),
        // Nothing is known of it.
        (vec![other], false),
        // Nothing is known any more.
        (vec![list(&place.users, 2021, &[])], false),
    ] {
        let answer = place.visit(place.policy(ClientAuth::Required, crls), user()).await;
        assert_eq!(answer.map(|chain| chain.len()), if good { Ok(1) } else { revoked });
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_says_what_of_it() {
    let place = Place::new();
    let refused = |change: &dyn Fn(&mut ClientCertificates)| {
        let mut policy = place.policy(ClientAuth::Optional, vec![list(&place.users, 3000, &[])]);
        change(&mut policy.clients);
        let error = place.provider.acceptor(policy).unwrap_err();
        assert_eq!(error.code, TlsErrorCode::BadPolicy);
        error.message
    };
    assert!(refused(&|clients| clients.anchors.clear()).contains("no trust anchor"));
    assert!(refused(&|clients| clients.anchors.push(b"x".to_vec())).contains("trust anchor 2 "));
    assert!(refused(&|clients| clients.crls.insert(0, b"x".to_vec())).contains("revocation list 1 "));
    // Of one who is not asked for a certificate nobody reads what it is proved by.
    let mut off = place.policy(ClientAuth::Off, vec![b"x".to_vec()]);
    off.clients.anchors.clear();
    place.provider.acceptor(off).unwrap();
}

#[tokio::test]
async fn what_a_client_shows_must_be_usable() {
    let place = Place::new();
    let wrong = Identity { key: place.users.ecdsa(USER).key, ..place.users.ecdsa(USER) };
    let policy = ClientPolicy { identity: Some(wrong), ..ClientPolicy::trusting(vec![place.authority.der.clone()]) };
    assert_eq!(place.provider.connector(policy).unwrap_err().code, TlsErrorCode::BadIdentity);
}

#[tokio::test]
async fn a_resumed_session_knows_its_certificate_and_ends_with_it() {
    let host = TestHost::new();
    let authority = Authority::new();
    let users = Authority::named("users");
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    let started = host.start::<RustlsProvider>("()", [bound(Certs::new(certs))]).await.unwrap();
    let tls = started.query::<Tls>();
    let clients = ClientCertificates { mode: ClientAuth::Required, anchors: vec![users.der.clone()], crls: Vec::new() };
    let acceptor = tls.acceptor(ServerPolicy { clients, ..policy() }).unwrap();
    // It ends with the year 2099.
    let user = dated(&users, 2001, 2100);
    for max_version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        host.set_unix_milliseconds(LAST_HOUR_OF_2099);
        let trusting = ClientPolicy::trusting(vec![authority.der.clone()]);
        let connector = tls.connector(ClientPolicy { identity: Some(user.clone()), max_version, ..trusting }).unwrap();
        let visit = || async {
            let (near, far) = duplex(64 * 1024);
            let (client, server) =
                tokio::join!(connector.connect(Stream::new(near), NAME.into()), acceptor.accept(Stream::new(far)));
            let mut server = server?;
            let mut client = client.unwrap();
            server.stream.write_all(b"+").await.unwrap();
            server.stream.flush().await.unwrap();
            client.stream.read_u8().await.unwrap();
            Ok::<_, TlsError>(server.facts)
        };
        for resumed in [false, true, true] {
            let facts = visit().await.unwrap();
            assert_eq!((facts.resumed, &facts.peer_chain), (resumed, &user.chain), "{max_version:?}");
        }
        host.set_unix_milliseconds(LAST_HOUR_OF_2099 + 2 * 3_600_000);
        assert_eq!(visit().await.unwrap_err().code, TlsErrorCode::PeerCertificateExpired, "{max_version:?}");
    }
}

const LAST_HOUR_OF_2099: u64 = (4_102_444_800 - 3600) * 1000;
