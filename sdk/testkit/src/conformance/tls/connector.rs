//! Whom a connector believes, and what it shows (RFC 9525, RFC 5280, RFC 6066 §3).

use super::{
    authority::{Authority, Leaf},
    case::{check, same, Doing, Failed, Outcome},
    ends,
    lab::{Lab, NAME},
    peer::{reach, reached, ServerPeer, BOTH, CAPACITY, V12, V13},
};
use dovetail_sdk::{
    certs::Identity,
    tls::{ClientPolicy, TlsErrorCode as Code},
    Secret, Stream,
};
use tokio::io::{duplex, AsyncReadExt, AsyncWriteExt};

pub(super) async fn names_that_fit(lab: Lab) -> Outcome {
    let connector = lab.connector(lab.client_policy())?;
    for versions in [V12, V13] {
        for (certified, asked) in [
            (NAME, NAME),
            ("*.example.org", NAME),
            (NAME, "MAIL.Example.ORG"),
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
        ] {
            let identity = lab.issue(&Leaf::server(certified));
            let server = ServerPeer::new(identity.clone(), versions).config()?;
            let (client, server) =
                reached(&connector, &server, asked).await.doing(format!("{asked} at {certified}"))?;
            check!(client.facts.peer_chain == identity.chain, "the facts have another chain than the server's");
            let sent = server.get_ref().1.server_name();
            if asked.contains("example") || asked.contains("Example") {
                same!(sent.map(str::to_ascii_lowercase).as_deref(), Some(NAME), "the server name that is sent");
            } else {
                same!(sent, None, "the server name that is sent for an address");
            }
        }
    }
    Ok(())
}

/// The code for a server with this certificate, which must not be believed.
async fn disbelieved(lab: &Lab, identity: Identity, asked: &str) -> Result<Vec<Code>, Failed> {
    let connector = lab.connector(lab.client_policy())?;
    let mut codes = Vec::new();
    for versions in [V12, V13] {
        let server = ServerPeer::new(identity.clone(), versions).config()?;
        let error = reach(&connector, &server, asked).await.0.err().ok_or_else(|| format!("{asked} is believed"))?;
        check!(error.message.contains(asked), "the message does not name the server: {error}");
        codes.push(error.code);
    }
    Ok(codes)
}

pub(super) async fn names_that_do_not_fit(lab: Lab) -> Outcome {
    for (certified, asked) in [
        ("other.example", NAME),
        ("*.example.org", "example.org"),
        ("*.example.org", "a.b.example.org"),
        ("192.0.2.8", "192.0.2.7"),
        (NAME, "192.0.2.7"),
    ] {
        let codes = disbelieved(&lab, lab.issue(&Leaf::server(certified)), asked).await?;
        same!(codes, [Code::BadPeerCertificate; 2], "the codes for {asked} at {certified}");
    }
    Ok(())
}

/// RFC 9525 §2: a common name is no server name.
pub(super) async fn a_common_name_is_no_name(lab: Lab) -> Outcome {
    let codes = disbelieved(&lab, lab.issue(&Leaf::server(NAME).common_name_only()), NAME).await?;
    same!(codes, [Code::BadPeerCertificate; 2], "the codes");
    Ok(())
}

pub(super) async fn servers_that_nobody_vouches_for(lab: Lab) -> Outcome {
    let stranger = Authority::new();
    for identity in [stranger.issue(&Leaf::server(NAME)), stranger.intermediate().issue(&Leaf::server(NAME))] {
        let codes = disbelieved(&lab, identity, NAME).await?;
        same!(codes, [Code::PeerCertificateUntrusted; 2], "the codes");
    }
    // The intermediate is what is missing.
    let mut incomplete = lab.authority().intermediate().issue(&Leaf::server(NAME));
    incomplete.chain.truncate(1);
    let codes = disbelieved(&lab, incomplete, NAME).await?;
    same!(codes, [Code::PeerCertificateUntrusted; 2], "the codes without the intermediate");
    Ok(())
}

pub(super) async fn servers_out_of_date(lab: Lab) -> Outcome {
    for (from, to) in [(2001, 2002), (2090, 2095)] {
        let codes = disbelieved(&lab, lab.issue(&Leaf::server(NAME).years(from, to)), NAME).await?;
        same!(codes, [Code::PeerCertificateExpired; 2], "the codes of a certificate from {from} to {to}");
    }
    Ok(())
}

pub(super) async fn a_clients_certificate_is_no_servers(lab: Lab) -> Outcome {
    for code in disbelieved(&lab, lab.issue(&Leaf::client(NAME)), NAME).await? {
        check!(matches!(code, Code::BadPeerCertificate | Code::PeerCertificateUntrusted), "the code is {code:?}");
    }
    Ok(())
}

/// A whole chain of three, where the intermediate comes from the server.
pub(super) async fn a_chain_with_an_intermediate(lab: Lab) -> Outcome {
    let identity = lab.authority().intermediate().intermediate().issue(&Leaf::server(NAME));
    for versions in [V12, V13] {
        let server = ServerPeer::new(identity.clone(), versions).config()?;
        reached(&lab.connector(lab.client_policy())?, &server, NAME).await?;
    }
    Ok(())
}

pub(super) async fn shows_its_identity_to_who_asks(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let identity = authority.issue(&Leaf::client("relay.example"));
    let with = lab.connector(ClientPolicy { identity: Some(identity.clone()), ..lab.client_policy() })?;
    let without = lab.connector(lab.client_policy())?;
    for versions in [V12, V13] {
        let plain = ServerPeer::new(lab.issue(&Leaf::server(NAME)), versions);
        let asking = ServerPeer { client_anchors: vec![authority.der.clone()], ..plain.clone() }.config()?;
        let (_, server) = reached(&with, &asking, NAME).await?;
        let shown = server.get_ref().1.peer_certificates().unwrap_or_default();
        check!(
            shown.iter().map(|one| one.as_ref().to_vec()).eq(identity.chain.iter().cloned()),
            "another chain is shown"
        );
        reached(&with, &plain.config()?, NAME).await.doing("a server that does not ask")?;

        // Without one the server ends it, at once or at the first read.
        match reach(&without, &asking, NAME).await {
            (_, Ok(_)) => check!(false, "the server is content without a certificate"),
            (Err(error), _) => same!(error.code, Code::AlertReceived, "the code ({error})"),
            (Ok(mut client), Err(_)) => {
                check!(client.stream.read(&mut [0; 1]).await.is_err(), "a refused connection reads as a normal end");
            }
        }
    }
    Ok(())
}

/// Alert 112, 40 and the like: what the server says is told.
pub(super) async fn the_servers_alert_is_told(lab: Lab) -> Outcome {
    let connector = lab.connector(lab.client_policy())?;
    for alert in [40_u8, 80, 112] {
        let (mut near, far) = duplex(CAPACITY);
        near.write_all(&[21, 3, 3, 0, 2, 2, alert]).await?;
        let error =
            connector.connect(Stream::new(far), NAME.into()).await.err().ok_or("a connection after an alert")?;
        same!(error.code, Code::AlertReceived, "the code of alert {alert} ({error})");
    }
    Ok(())
}

pub(super) async fn servers_that_speak_no_tls(lab: Lab) -> Outcome {
    let connector = lab.connector(lab.client_policy())?;
    for greeting in [
        &b"220 mx.example.org ESMTP ready\r\n"[..],
        b"* OK IMAP4rev1 ready\r\n",
        b"+OK POP3 ready\r\n",
        b"HTTP/1.0 400 Bad Request\r\n\r\n",
    ] {
        let (mut near, far) = duplex(CAPACITY);
        near.write_all(greeting).await?;
        let shown = String::from_utf8_lossy(greeting);
        let error =
            connector.connect(Stream::new(far), NAME.into()).await.err().ok_or("a connection with plaintext")?;
        same!(error.code, Code::PlaintextOnTlsPort, "the code for {shown:?} ({error})");
    }
    let (near, far) = duplex(CAPACITY);
    drop(near);
    let error = connector.connect(Stream::new(far), NAME.into()).await.err().ok_or("a connection with nobody")?;
    check!(matches!(error.code, Code::Truncated | Code::Io), "the code is {:?} ({error})", error.code);
    Ok(())
}

pub(super) async fn policies_that_cannot_be(lab: Lab) -> Outcome {
    let good = lab.client_policy();
    let identity = lab.issue(&Leaf::client("relay.example"));
    for (what, policy, codes) in [
        ("no anchors", ClientPolicy { anchors: vec![], ..good.clone() }, &[Code::BadPolicy][..]),
        ("rubbish as an anchor", ClientPolicy { anchors: vec![b"x".to_vec()], ..good.clone() }, &[Code::BadPolicy]),
        (
            "an identity whose key does not fit",
            ClientPolicy {
                identity: Some(Identity { key: lab.issue(&Leaf::client("x")).key, ..identity.clone() }),
                ..good.clone()
            },
            &[Code::BadIdentity],
        ),
        (
            "an identity without a key",
            ClientPolicy { identity: Some(Identity { key: Secret::new(vec![]), ..identity }), ..good },
            &[Code::BadIdentity],
        ),
    ] {
        match lab.tls().connector(policy) {
            Ok(_) => check!(false, "a connector was made with {what}"),
            Err(error) => check!(codes.contains(&error.code), "the code for {what} is {:?} ({error})", error.code),
        }
    }
    Ok(())
}

pub(super) async fn names_that_are_none(lab: Lab) -> Outcome {
    let connector = lab.connector(lab.client_policy())?;
    for name in ["", "no name", "a..b", "mail.example.org\0.evil.example", "-", "."] {
        let (mut near, far) = duplex(CAPACITY);
        // Whoever connects all the same is not left waiting.
        near.shutdown().await?;
        let outcome = connector.connect(Stream::new(far), name.into()).await;
        let error = outcome.err().ok_or_else(|| format!("a connection to {name:?}"))?;
        same!(error.code, Code::BadPolicy, "the code for {name:?} ({error})");
        let mut sent = Vec::new();
        near.read_to_end(&mut sent).await?;
        check!(sent.is_empty(), "{} bytes are sent to {name:?}", sent.len());
    }
    Ok(())
}

/// A connector serves many connections, and what one server did is nothing to the next.
pub(super) async fn is_used_many_times(lab: Lab) -> Outcome {
    let connector = lab.connector(lab.client_policy())?;
    let server = ServerPeer::new(lab.issue(&Leaf::server(NAME)), BOTH).config()?;
    for turn in 0..10_u8 {
        let (mut client, mut server) = reached(&connector, &server, NAME).await.doing(turn)?;
        ends::write(&mut client.stream, &[turn]).await?;
        same!(ends::read(&mut server, 1).await?, [turn], "what the server reads");
        ends::write(&mut server, &[turn]).await?;
        same!(ends::read(&mut client.stream, 1).await?, [turn], "what the client reads");
    }
    Ok(())
}
