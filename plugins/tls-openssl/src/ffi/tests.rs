//! One test for each call. Callbacks are proved by handshakes of OpenSSL with itself.

use super::*;
use crate::{conversation, tests::Authority, tickets::Ring};
use dovetail_sdk::{tls::TicketKey, Secret};
use openssl::{
    nid::Nid,
    pkey::PKey,
    ssl::{
        ErrorCode, Ssl, SslContext, SslMethod, SslSession, SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
    },
    stack::Stack,
    x509::{store::X509StoreBuilder, verify::X509VerifyFlags, X509Crl, X509StoreContext, X509},
};
use std::{
    os::unix::net::UnixStream,
    sync::{Arc, Mutex},
};

const NAME: &str = "mail.example.org";

fn pair(authority: &Authority) -> (X509, PKey<Private>) {
    let identity = authority.ecdsa(NAME);
    (X509::from_der(&identity.chain[0]).unwrap(), PKey::private_key_from_pkcs8(identity.key.expose()).unwrap())
}

fn ring(keys: &[u8]) -> Arc<Ring> {
    let key = |&byte: &u8| TicketKey { name: vec![byte; 16], secret: Secret::new(vec![byte; 64]) };
    Arc::new(Ring::new(1, keys.iter().map(key).collect()))
}

fn server() -> SslContextBuilder {
    let (leaf, key) = pair(&Authority::new());
    let mut builder = SslContext::builder(SslMethod::tls_server()).unwrap();
    add_identity(&mut builder, &leaf, &key, &Stack::new().unwrap()).unwrap();
    builder
}

/// Both ends of a handshake that comes about, after the server has said something.
fn meet(server: &SslContext, keys: Option<Arc<Ring>>, client: Ssl) -> (SslStream<UnixStream>, SslStream<UnixStream>) {
    let (near, far) = UnixStream::pair().unwrap();
    let mut ssl = Ssl::new(server).unwrap();
    conversation::begin(&mut ssl).unwrap();
    let conversation = conversation::of_mut(&mut ssl).unwrap();
    (conversation.ring, conversation.lifetime) = (keys, 60);
    let far = std::thread::spawn(move || {
        let mut server = ssl.accept(far).unwrap();
        server.write_all(b"+").unwrap();
        server
    });
    let mut client = client.connect(near).unwrap();
    client.read_exact(&mut [0]).unwrap();
    (client, far.join().unwrap())
}

/// A client that keeps its sessions.
fn keeping() -> (SslContextBuilder, Arc<Mutex<Option<SslSession>>>) {
    let mut builder = SslContext::builder(SslMethod::tls_client()).unwrap();
    let kept = Arc::new(Mutex::new(None));
    let keeper = kept.clone();
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    builder.set_new_session_callback(move |_, session| *keeper.lock().unwrap() = Some(session));
    (builder, kept)
}

#[test]
fn tickets_are_sealed_by_the_newest_key_and_opened_by_each() {
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let mut builder = server();
        builder.set_max_proto_version(Some(version)).unwrap();
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        set_ticket_keys(&mut builder).unwrap();
        set_ticket_contents(&mut builder, 60).unwrap();
        let server = builder.build();
        let (client, kept) = keeping();
        let client = client.build();
        let visit = |keys: Option<&[u8]>| {
            let mut ssl = Ssl::new(&client).unwrap();
            let before = kept.lock().unwrap().clone();
            if let Some(session) = before {
                resume(&mut ssl, &session).unwrap();
            }
            let (mut client, far) = meet(&server, keys.map(ring), ssl);
            if version == SslVersion::TLS1_2 {
                // OpenSSL does not tell of a renewed one.
                *kept.lock().unwrap() = client.ssl().session().map(ToOwned::to_owned);
            }
            client.shutdown().unwrap();
            far.ssl().session_reused()
        };
        assert!(!visit(Some(&[1])), "{version:?}");
        assert!(visit(Some(&[1])));
        // Opened by the older key, and replaced by one of the newer.
        assert!(visit(Some(&[2, 1])));
        assert!(visit(Some(&[2])));
        assert!(!visit(Some(&[3])));
        if version == SslVersion::TLS1_2 {
            assert!(!visit(None), "no keys, no resumption, and no failure");
        }
    }
}

#[test]
fn a_ticket_carries_what_it_was_given() {
    let mut builder = server();
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    set_ticket_keys(&mut builder).unwrap();
    set_ticket_contents(&mut builder, 60).unwrap();
    let server = builder.build();
    let (client, kept) = keeping();
    let client = client.build();
    let (_client, far) = meet(&server, Some(ring(&[1])), Ssl::new(&client).unwrap());
    assert_eq!(carried(far.ssl().session().unwrap()).len(), 8, "the time of its making");
    let session = kept.lock().unwrap().take().unwrap();
    assert!(carried(&session).is_empty(), "the server's own, not the client's");
    assert_eq!(far.ssl().session().unwrap().timeout(), 60);
}

#[test]
fn extensions_are_seen_while_the_hello_is_read() {
    let mut builder = server();
    let seen = Arc::new(Mutex::new(None));
    let note = seen.clone();
    builder.set_client_hello_callback(move |ssl, _| {
        let of = |kind| hello_extension(ssl, kind).map(<[u8]>::to_vec);
        *note.lock().unwrap() = Some((of(0), of(0xfafa)));
        Ok(openssl::ssl::ClientHelloResponse::SUCCESS)
    });
    let client = SslContext::builder(SslMethod::tls_client()).unwrap().build();
    let mut ssl = Ssl::new(&client).unwrap();
    ssl.set_hostname("a.b").unwrap();
    let (_client, far) = meet(&builder.build(), Some(ring(&[1])), ssl);
    assert_eq!(*seen.lock().unwrap(), Some((Some(b"\0\x06\0\0\x03a.b".to_vec()), None)));
    assert_eq!(hello_extension(far.ssl(), 0), None);
}

#[test]
fn an_identity_has_its_own_chain_and_must_fit_its_key() {
    let (one, two) = (Authority::new(), Authority::named("two"));
    let (leaf, key) = pair(&one);
    let mut builder = SslContext::builder(SslMethod::tls_server()).unwrap();
    let mut chain = Stack::new().unwrap();
    chain.push(X509::from_der(&two.der).unwrap()).unwrap();
    assert!(add_identity(&mut builder, &leaf, &pair(&one).1, &chain).is_err());
    add_identity(&mut builder, &leaf, &key, &chain).unwrap();
    let client = SslContext::builder(SslMethod::tls_client()).unwrap().build();
    let (client, _far) = meet(&builder.build(), Some(ring(&[1])), Ssl::new(&client).unwrap());
    let shown: Vec<_> = client.ssl().peer_cert_chain().unwrap().iter().map(|shown| shown.to_der().unwrap()).collect();
    assert_eq!(shown, [leaf.to_der().unwrap(), two.der]);
}

#[test]
fn a_store_looks_at_its_list() {
    let authority = Authority::new();
    let anchor = X509::from_der(&authority.der).unwrap();
    for (list, verdict) in [(None, 3), (Some(authority.revokes(&[])), 0)] {
        let mut store = X509StoreBuilder::new().unwrap();
        store.add_cert(anchor.clone()).unwrap();
        store.set_flags(X509VerifyFlags::CRL_CHECK).unwrap();
        if let Some(list) = list {
            add_crl(&mut store, &X509Crl::from_der(&list).unwrap()).unwrap();
        }
        let mut context = X509StoreContext::new().unwrap();
        let found = context.init(&store.build(), &pair(&authority).0, &Stack::new().unwrap(), |context| {
            context.verify_cert()?;
            Ok(context.error().as_raw())
        });
        assert_eq!(found.unwrap(), verdict);
    }
}

#[test]
fn the_group_is_told_by_its_nid() {
    for (name, nid) in [("P-384", Nid::SECP384R1), ("P-256", Nid::X9_62_PRIME256V1)] {
        let mut builder = SslContext::builder(SslMethod::tls_client()).unwrap();
        builder.set_groups_list(name).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        let (client, far) = meet(&server().build(), Some(ring(&[1])), Ssl::new(&builder.build()).unwrap());
        assert_eq!((group(client.ssl()), group(far.ssl())), (Some(Ok(nid.as_raw())), Some(Ok(nid.as_raw()))));
    }
    let fresh = Ssl::new(&server().build()).unwrap();
    assert_eq!(group(&fresh), None);
}

#[test]
fn what_is_read_is_filled_and_no_more_than_there_is_room() {
    let client = SslContext::builder(SslMethod::tls_client()).unwrap().build();
    let (mut client, mut far) = meet(&server().build(), Some(ring(&[1])), Ssl::new(&client).unwrap());
    far.write_all(b"abcde").unwrap();
    far.shutdown().unwrap();
    let mut room = [std::mem::MaybeUninit::uninit(); 4];
    let mut buf = ReadBuf::uninit(&mut room);
    read_into(&mut client, &mut buf).unwrap();
    assert_eq!(buf.filled(), b"abcd");
    buf.clear();
    read_into(&mut client, &mut buf).unwrap();
    assert_eq!(buf.filled(), b"e");
    assert_eq!(read_into(&mut client, &mut buf).unwrap_err().code(), ErrorCode::ZERO_RETURN);
    assert_eq!(buf.filled(), b"e");
}
