//! Mozilla's recommendations for servers, version 5.8 (3 May 2026), of which both profiles are made.
//!
//! <https://wiki.mozilla.org/Security/Server_Side_TLS>. Modern is TLS 1.3 alone (see `versions`); Intermediate has TLS 1.2 with
//! ephemeral keys and AEAD beside it. The groups are the same in both, the hybrid one in front where a library has it.

use super::{
    authority::{Key, Leaf},
    case::{check, same, soon, Doing, Failed, Outcome},
    hello::{Hello, Offer},
    lab::{policy, Lab, NAME},
    peer::{connected, meet, Peer, BOTH, CAPACITY, V12, V13},
    strangers::{is_alert, say},
};
use dovetail_sdk::{
    tls::{TlsAcceptor, TlsErrorCode as Code},
    Stream,
};
use rustls::NamedGroup;
use std::io;
use tokio::io::{duplex, AsyncReadExt, AsyncWriteExt};

/// Serves [`NAME`] with keys of both kinds, so that the key decides nothing of what fits.
fn serve_both(lab: &Lab) {
    lab.certs().put(NAME, vec![lab.issue(&Leaf::server(NAME)), lab.issue(&Leaf::server(NAME).key(Key::Rsa))]);
}

/// A client with cipher suites in this order, by parts of their names.
fn with_suites(mut peer: Peer, order: &[&str]) -> Peer {
    let all = std::mem::take(&mut peer.crypto.cipher_suites);
    for part in order {
        peer.crypto.cipher_suites.extend(all.iter().filter(|suite| format!("{:?}", suite.suite()).contains(part)));
    }
    peer
}

pub(super) async fn the_recommended_cipher_suites(lab: Lab) -> Outcome {
    serve_both(&lab);
    let acceptor = lab.acceptor(policy())?;
    for (versions, suite) in [
        (V12, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        (V12, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        (V12, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
        (V12, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (V12, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        (V12, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        (V13, "TLS_AES_128_GCM_SHA256"),
        (V13, "TLS_AES_256_GCM_SHA384"),
        (V13, "TLS_CHACHA20_POLY1305_SHA256"),
    ] {
        // rustls writes TLS13_AES..., the registry TLS_AES...
        let peer = with_suites(Peer::new(&lab, versions), &[suite.trim_start_matches("TLS_")]);
        let (_, server) = connected(&acceptor, &peer.config()?, NAME).await.doing(suite)?;
        same!(server.facts.cipher, suite, "the cipher suite");
    }
    Ok(())
}

/// All that IANA's registry has for TLS 1.2 and before, but for the six.
pub(super) async fn no_other_cipher_suites(lab: Lab) -> Outcome {
    serve_both(&lab);
    let acceptor = lab.acceptor(policy())?;
    let good = [0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9];
    let all =
        (0x0000..=0x00c7).chain(0xc001..=0xc0b5).chain(0xc100..=0xc106).chain(0xcca8..=0xccae).chain(0xd001..=0xd005);
    let rest: Vec<u16> = all.filter(|suite| !good.contains(suite)).collect();
    let of_tls12 = Hello { version: [3, 3], suites: &rest, name: Some(NAME.as_bytes()) }.record();
    // CCM, and those for integrity alone (RFC 9150).
    let weak = Hello { version: [3, 3], suites: &[0x1304, 0x1305, 0xc0b4, 0xc0b5], name: Some(NAME.as_bytes()) };
    let of_tls13 = weak.record_with(&Offer { tls13: true, ..Offer::default() });
    for (version, hello) in [("TLS 1.2", of_tls12), ("TLS 1.3", of_tls13)] {
        let (answer, error) = say(&acceptor, &hello, false).await.doing(version)?;
        same!(error.code, Code::NoCommonCipher, "the code for other suites of {version} ({error})");
        check!(is_alert(&answer, 40), "the answer to other suites of {version} is {answer:02x?}, not alert 40");
    }
    Ok(())
}

pub(super) async fn no_other_groups(lab: Lab) -> Outcome {
    serve_both(&lab);
    let acceptor = lab.acceptor(policy())?;
    let good = [23, 24, 29];
    // Curves, FFDHE, what was tried on the way to hybrids, and any curve at all (RFC 8422 has withdrawn that).
    let rest: Vec<u16> =
        (1..=41).chain(256..=260).chain([0x6399, 0xff01, 0xff02]).filter(|group| !good.contains(group)).collect();
    for tls13 in [false, true] {
        let suites: &[u16] = if tls13 { &[0x1301, 0x1302] } else { &[0xc02b, 0xc02f, 0x009e, 0xccaa] };
        let hello = Hello { version: [3, 3], suites, name: Some(NAME.as_bytes()) };
        let hello = hello.record_with(&Offer { groups: rest.clone(), tls13, ..Offer::default() });
        let (answer, error) = say(&acceptor, &hello, false).await?;
        same!(error.code, Code::NoCommonCipher, "the code for other groups, TLS 1.3: {tls13} ({error})");
        check!(is_alert(&answer, 40), "the answer to other groups is {answer:02x?}, not alert 40 (TLS 1.3: {tls13})");
    }
    Ok(())
}

pub(super) async fn no_weak_signatures(lab: Lab) -> Outcome {
    serve_both(&lab);
    let acceptor = lab.acceptor(policy())?;
    let signatures = vec![0x0201, 0x0203, 0x0202, 0x0101, 0x0103];
    for tls13 in [false, true] {
        let suites: &[u16] = if tls13 { &[0x1301, 0x1302] } else { &[0xc02b, 0xc02f] };
        let hello = Hello { version: [3, 3], suites, name: Some(NAME.as_bytes()) };
        let hello = hello.record_with(&Offer { signatures: signatures.clone(), tls13, ..Offer::default() });
        let (answer, error) = say(&acceptor, &hello, false).await?;
        same!(error.code, Code::NoCommonCipher, "the code for weak signatures, TLS 1.3: {tls13} ({error})");
        // In TLS 1.3 it may come behind ServerHello, encrypted.
        let refused = tls13 || is_alert(&answer, 40);
        check!(refused, "the answer to weak signatures is {answer:02x?}, not alert 40");
    }
    Ok(())
}

pub(super) async fn the_servers_order(lab: Lab) -> Outcome {
    serve_both(&lab);
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let mut taken = Vec::new();
        for order in [["AES_128", "AES_256", "CHACHA20"], ["AES_256", "CHACHA20", "AES_128"]] {
            let config = with_suites(Peer::new(&lab, versions), &order).config()?;
            taken.push(connected(&acceptor, &config, NAME).await?.1.facts.cipher);
        }
        check!(taken[0] == taken[1], "the client's order decides: {taken:?}");
        check!(taken[0].contains("AES"), "ChaCha20 for a client that likes AES better: {taken:?}");
        for order in [["CHACHA20", "AES_128", "AES_256"], ["CHACHA20", "AES_256", "AES_128"]] {
            let config = with_suites(Peer::new(&lab, versions), &order).config()?;
            let cipher = connected(&acceptor, &config, NAME).await?.1.facts.cipher;
            check!(cipher.contains("CHACHA20"), "{cipher} for a client that likes ChaCha20 best");
        }
    }
    Ok(())
}

pub(super) async fn ecdsa_before_rsa(lab: Lab) -> Outcome {
    let ecdsa = lab.issue(&Leaf::server(NAME));
    // Whatever the order in the set.
    let rsa = lab.issue(&Leaf::server(NAME).key(Key::Rsa));
    for set in [vec![ecdsa.clone(), rsa.clone()], vec![rsa, ecdsa.clone()]] {
        lab.certs().put(NAME, set);
        let acceptor = lab.acceptor(policy())?;
        for versions in [V12, V13] {
            let config = with_suites(Peer::new(&lab, versions), &["TLS13", "ECDHE_RSA", "ECDHE_ECDSA"]).config()?;
            let (client, _) = connected(&acceptor, &config, NAME).await?;
            let shown = client.get_ref().1.peer_certificates().and_then(<[_]>::first).ok_or("no certificate")?;
            check!(Some(shown.as_ref()) == ecdsa.chain.first().map(Vec::as_slice), "the RSA certificate is shown");
        }
    }
    Ok(())
}

pub(super) async fn hybrid_groups_come_first(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let alone = Peer::new(&lab, V13).group(NamedGroup::X25519MLKEM768).config()?;
    let known = meet(&acceptor, &alone, NAME).await?.1.is_ok();
    let wanted = if known { "X25519MLKEM768" } else { "x25519" };
    for versions in [V13, BOTH] {
        let mut peer = Peer::new(&lab, versions);
        // The hybrid group first, whatever the library's own order is.
        peer.crypto.kx_groups.sort_by_key(|group| group.name() != NamedGroup::X25519MLKEM768);
        let (_, server) = connected(&acceptor, &peer.config()?, NAME).await?;
        same!(server.facts.group.as_deref(), Some(wanted), "the group with a client that names X25519MLKEM768 first");
    }
    Ok(())
}

/// The server's first record, which must be whole: a ServerHello, or the begin of a flight.
async fn first_record(acceptor: &TlsAcceptor, hello: &[u8]) -> Result<Vec<u8>, Failed> {
    let (mut near, far) = duplex(CAPACITY);
    let peer = async {
        near.write_all(hello).await?;
        let mut header = [0; 5];
        near.read_exact(&mut header).await?;
        let mut body = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        near.read_exact(&mut body).await?;
        near.shutdown().await?;
        near.read_to_end(&mut Vec::new()).await?;
        io::Result::Ok([&header[..], &body].concat())
    };
    let both = async { tokio::join!(peer, acceptor.accept(Stream::new(far))) };
    // The handshake is cut short; how is no matter here.
    let (record, _) = soon("the answer to a hello", both).await?;
    Ok(record?)
}

/// What a ServerHello says.
struct Answer {
    random: Vec<u8>,
    compression: u8,
    extensions: Vec<u16>,
}

impl Answer {
    /// Reads the record of [`first_record`].
    fn read(record: &[u8]) -> Option<Self> {
        // Record header, message header, version.
        let (&[22, _, _, _, _, 2, _, _, _, _, _], rest) = record.split_first_chunk::<11>()? else { return None };
        let (random, rest) = rest.split_at_checked(32)?;
        let (session, rest) = rest.split_first()?;
        let (_suite, rest) = rest.get(usize::from(*session)..)?.split_at_checked(2)?;
        let (compression, rest) = rest.split_first()?;
        let (length, mut rest) = rest.split_first_chunk::<2>()?;
        rest = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        let mut extensions = Vec::new();
        while let Some((&[a, b, c, d], tail)) = rest.split_first_chunk::<4>() {
            extensions.push(u16::from_be_bytes([a, b]));
            rest = tail.get(usize::from(u16::from_be_bytes([c, d]))..)?;
        }
        Some(Answer { random: random.to_vec(), compression: *compression, extensions })
    }
}

async fn answer(acceptor: &TlsAcceptor, offer: &Offer) -> Result<Answer, Failed> {
    let hello = Hello { version: [3, 3], suites: &[0xc02b, 0xc02f], name: Some(NAME.as_bytes()) };
    let record = first_record(acceptor, &hello.record_with(offer)).await?;
    Answer::read(&record).ok_or_else(|| Failed(format!("no ServerHello but {record:02x?}")))
}

pub(super) async fn no_compression(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let given = answer(&acceptor, &Offer { compression: vec![1, 0], ..Offer::default() }).await?;
    same!(given.compression, 0, "the compression for a client that would like DEFLATE");
    let hello = Hello { version: [3, 3], suites: &[0xc02b, 0xc02f], name: Some(NAME.as_bytes()) };
    let only = hello.record_with(&Offer { compression: vec![1], ..Offer::default() });
    let (answer, error) = say(&acceptor, &only, false).await?;
    check!(matches!(answer[..], [21, 3, _, 0, 2, 2, _]), "the answer to DEFLATE alone is {answer:02x?} ({error})");
    Ok(())
}

pub(super) async fn extensions_of_a_hello(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let given = answer(&acceptor, &Offer::default()).await?;
    for (extension, name) in [(0xff01, "renegotiation_info"), (23, "extended_master_secret")] {
        check!(given.extensions.contains(&extension), "no {name} in {:?}", given.extensions);
    }
    check!(!given.extensions.contains(&15), "a heartbeat in {:?}", given.extensions);
    Ok(())
}

pub(super) async fn a_downgrade_is_marked(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let given = answer(&acceptor, &Offer::default()).await?;
    check!(given.random.ends_with(b"DOWNGRD\x01"), "the random does not end with the mark: {:02x?}", given.random);
    let alone = lab.acceptor(super::lab::only(dovetail_sdk::tls::TlsVersion::Tls12))?;
    let given = answer(&alone, &Offer::default()).await?;
    check!(!given.random.ends_with(b"DOWNGRD\x01"), "a server of TLS 1.2 alone marks a downgrade");
    Ok(())
}
