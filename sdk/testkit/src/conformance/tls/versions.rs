//! Versions, cipher suites, groups, and what is known about a connection afterwards.

use super::{
    case::{check, same, Outcome},
    hello::Hello,
    lab::{only, policy, Lab, LISTENER, NAME},
    peer::{connected, reach, reached, refused, Client, Peer, ServerPeer, BOTH, V12, V13},
    strangers::{is_alert, say},
};
use dovetail_sdk::tls::{ClientPolicy, ServerPolicy, TlsErrorCode as Code, TlsProfile, TlsVersion::*};
use rustls::NamedGroup;

pub(super) async fn the_newest_common_one(lab: Lab) -> Outcome {
    for (policy, versions, wanted) in [
        (policy(), BOTH, "TLSv1.3"),
        (policy(), V12, "TLSv1.2"),
        (policy(), V13, "TLSv1.3"),
        (only(Tls12), BOTH, "TLSv1.2"),
        (only(Tls13), BOTH, "TLSv1.3"),
    ] {
        let acceptor = lab.acceptor(policy)?;
        let (client, server) = connected(&acceptor, &Peer::new(&lab, versions).config()?, NAME).await?;
        same!(server.facts.version, wanted, "the version in the facts");
        let theirs = format!("{:?}", client.get_ref().1.protocol_version());
        check!(theirs.contains(&wanted.replace('.', "_")), "the client says {theirs}, the facts {wanted}");
    }
    Ok(())
}

pub(super) async fn none_in_common_is_alert_70(lab: Lab) -> Outcome {
    let modern = ServerPolicy { profile: TlsProfile::Modern, ..policy() };
    for (policy, versions) in [(only(Tls13), V12), (only(Tls12), V13), (modern, V12)] {
        let acceptor = lab.acceptor(policy)?;
        let (alert, error) = refused(&acceptor, &Peer::new(&lab, versions).config()?, NAME).await?;
        same!(error.code, Code::NoCommonVersion, "the code ({error})");
        same!(alert, Some(70), "the alert");
        check!(error.message.contains(LISTENER), "the message does not name the listener: {error}");
    }
    Ok(())
}

pub(super) async fn modern_speaks_tls13(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(ServerPolicy { profile: TlsProfile::Modern, ..policy() })?;
    let (_, server) = connected(&acceptor, &Peer::new(&lab, BOTH).config()?, NAME).await?;
    same!(server.facts.version, "TLSv1.3", "the version");
    Ok(())
}

/// TLS 1.0 and 1.1, which RFC 8996 forbids, and SSL 3.0.
pub(super) async fn old_ones_are_refused(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for version in [[3, 0], [3, 1], [3, 2]] {
        let hello = Hello { version, suites: &[0xc013, 0xc014, 0xc02f, 0x002f], name: Some(NAME.as_bytes()) };
        let (answer, error) = say(&acceptor, &hello.record(), false).await?;
        same!(error.code, Code::NoCommonVersion, "the code for version {version:?} ({error})");
        // SSL 3.0 has no alert 70.
        let refused = is_alert(&answer, 70) || (version == [3, 0] && is_alert(&answer, 40));
        check!(refused, "the answer to version {version:?} is {answer:02x?}, not alert 70");
    }
    Ok(())
}

/// RFC 9325 §4.1, 4.2: no static RSA, no CBC, no RC4, no NULL.
pub(super) async fn weak_cipher_suites_are_refused(lab: Lab) -> Outcome {
    use super::authority::{Key, Leaf};
    lab.certs().put(NAME, vec![lab.issue(&Leaf::server(NAME)), lab.issue(&Leaf::server(NAME).key(Key::Rsa))]);
    let acceptor = lab.acceptor(policy())?;
    for suites in [
        &[0x002f_u16, 0x0035, 0x009c, 0x009d][..], // RSA key transport, CBC and GCM
        &[0xc013, 0xc014, 0xc009, 0xc00a, 0xc027], // ECDHE with CBC
        &[0x0005, 0xc011, 0xc007, 0x000a, 0xc012], // RC4, 3DES
        &[0x0001, 0x0002, 0x003b, 0xc010, 0x0000], // NULL
        &[0xc018, 0x0034, 0x006d],                 // anonymous
    ] {
        let hello = Hello { version: [3, 3], suites, name: Some(NAME.as_bytes()) };
        let (answer, error) = say(&acceptor, &hello.record(), false).await?;
        same!(error.code, Code::NoCommonCipher, "the code for suites {suites:04x?} ({error})");
        check!(is_alert(&answer, 40), "the answer to suites {suites:04x?} is {answer:02x?}, not alert 40");
    }
    Ok(())
}

pub(super) async fn policies_that_cannot_be(lab: Lab) -> Outcome {
    let upside_down = ServerPolicy { min_version: Tls13, max_version: Tls12, ..policy() };
    let modern = ServerPolicy { profile: TlsProfile::Modern, max_version: Tls12, ..policy() };
    let empty = ServerPolicy { alpn: vec![String::new()], ..policy() };
    let long = ServerPolicy { alpn: vec!["x".repeat(256)], ..policy() };
    for policy in [upside_down, modern, empty, long] {
        match lab.tls().acceptor(policy.clone()) {
            Ok(_) => check!(false, "an acceptor was made for {policy:?}"),
            Err(error) => same!(error.code, Code::BadPolicy, "the code for {policy:?} ({error})"),
        }
    }
    let upside_down = ClientPolicy { min_version: Tls13, max_version: Tls12, ..lab.client_policy() };
    match lab.tls().connector(upside_down) {
        Ok(_) => check!(false, "a connector was made for versions upside down"),
        Err(error) => same!(error.code, Code::BadPolicy, "the code ({error})"),
    }
    Ok(())
}

pub(super) async fn of_a_connector(lab: Lab) -> Outcome {
    use super::authority::Leaf;
    let identity = lab.issue(&Leaf::server(NAME));
    let connector =
        |min_version, max_version| lab.connector(ClientPolicy { min_version, max_version, ..lab.client_policy() });
    for (min, max, versions, wanted) in [
        (Tls12, Tls13, BOTH, "TLSv1.3"),
        (Tls12, Tls13, V12, "TLSv1.2"),
        (Tls12, Tls12, BOTH, "TLSv1.2"),
        (Tls13, Tls13, BOTH, "TLSv1.3"),
    ] {
        let server = ServerPeer::new(identity.clone(), versions).config()?;
        let (client, _) = reached(&connector(min, max)?, &server, NAME).await?;
        same!(client.facts.version, wanted, "the version");
    }
    for (version, versions) in [(Tls12, V13), (Tls13, V12)] {
        let server = ServerPeer::new(identity.clone(), versions).config()?;
        match reach(&connector(version, version)?, &server, NAME).await {
            (Ok(_), _) => check!(false, "a connection without a common version"),
            // The server noticed first, or the connector did.
            (Err(error), _) => check!(
                matches!(error.code, Code::NoCommonVersion | Code::AlertReceived),
                "the code is {:?} ({error})",
                error.code
            ),
        }
    }
    Ok(())
}

/// RFC 9266 §2: 32 octets with this label and an empty context.
pub(super) fn exporter(client: &Client) -> Result<Vec<u8>, rustls::Error> {
    client.get_ref().1.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b""))
}

pub(super) async fn the_exporter_is_the_peers(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    // rustls' clients always offer the extended master secret, so that TLS 1.2 may bind channels, too.
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        for turn in ["first", "second"] {
            let (client, server) = connected(&acceptor, &config, NAME).await?;
            let version = server.facts.version;
            same!(server.facts.exporter, Some(exporter(&client)?), "the exporter of the {turn} {version} connection");
        }
    }
    Ok(())
}

pub(super) async fn a_connectors_exporter_is_the_peers(lab: Lab) -> Outcome {
    use super::authority::Leaf;
    for versions in [V12, V13] {
        let server = ServerPeer::new(lab.issue(&Leaf::server(NAME)), versions).config()?;
        let (client, server) = reached(&lab.connector(lab.client_policy())?, &server, NAME).await?;
        let theirs = server.get_ref().1.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b""))?;
        match (client.facts.exporter, versions == V13) {
            // Some libraries do not tell a client of TLS 1.2 whether it got its extended master secret.
            (None, false) => {}
            (ours, _) => same!(ours, Some(theirs), "the exporter of {}", client.facts.version),
        }
    }
    Ok(())
}

pub(super) async fn groups_by_their_iana_names(lab: Lab) -> Outcome {
    lab.serve_rsa();
    let acceptor = lab.acceptor(policy())?;
    for (group, wanted) in
        [(NamedGroup::X25519, "x25519"), (NamedGroup::secp256r1, "secp256r1"), (NamedGroup::secp384r1, "secp384r1")]
    {
        for versions in [V12, V13] {
            let config = Peer::new(&lab, versions).group(group).config()?;
            let (_, server) = connected(&acceptor, &config, NAME).await?;
            same!(server.facts.group.as_deref(), Some(wanted), "the group of {}", server.facts.version);
        }
    }
    Ok(())
}

pub(super) async fn ciphers_by_their_iana_names(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for (versions, wanted) in [
        (V13, "TLS_AES_128_GCM_SHA256"),
        (V13, "TLS_AES_256_GCM_SHA384"),
        (V13, "TLS_CHACHA20_POLY1305_SHA256"),
        (V12, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        (V12, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        (V12, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ] {
        let mut peer = Peer::new(&lab, versions);
        peer.crypto.cipher_suites.retain(|suite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_") == wanted);
        let (_, server) = connected(&acceptor, &peer.config()?, NAME).await?;
        same!(server.facts.cipher, wanted, "the cipher suite");
    }
    Ok(())
}

pub(super) async fn facts_of_a_plain_client(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let (_, server) = connected(&acceptor, &Peer::new(&lab, versions).config()?, NAME).await?;
        let facts = server.facts;
        same!(facts.server_name.as_deref(), Some(NAME), "the server name");
        same!(facts.alpn, None, "the application protocol");
        same!(facts.peer_chain, Vec::<Vec<u8>>::new(), "the peer's chain");
        same!(facts.resumed, false, "resumed at the first visit");
        check!(facts.group.is_some(), "no key exchange group");
    }
    Ok(())
}
