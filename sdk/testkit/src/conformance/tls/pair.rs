//! A provider's connector at a provider's acceptor: the same one on both sides, or two that must understand each other.

use super::{
    authority::{Authority, Leaf},
    case::{check, same, Doing, Failed, Outcome},
    clients::asking,
    ends,
    lab::{acceptor, policy, Lab, NAME},
    peer::{joined, Peer, CAPACITY, V12, V13},
    resumption::visit,
};
use dovetail_sdk::{
    tls::{
        ClientAuth, ClientPolicy, ServerPolicy, TlsConnection, TlsErrorCode as Code, TlsFacts, TlsVersion,
        TlsVersion::{Tls12, Tls13},
    },
    Stream,
};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A connection by one version: the connector's end, the acceptor's.
async fn pair(lab: &Lab, version: TlsVersion) -> Result<(TlsConnection, TlsConnection), Failed> {
    let client = ClientPolicy { min_version: version, max_version: version, ..lab.client_policy() };
    let (client, server) = joined(&lab.connector(client)?, &lab.acceptor(policy())?, NAME).await;
    let pair = (client.doing("connecting")?, server.doing("accepting")?);
    let wanted = if version == Tls12 { "TLSv1.2" } else { "TLSv1.3" };
    same!([&pair.0.facts.version, &pair.1.facts.version], [wanted; 2], "the versions in the facts");
    Ok(pair)
}

/// Carries bytes from one end to the other, and remembers them all.
async fn overhear(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<Vec<u8>> {
    let (mut heard, mut room) = (Vec::new(), [0; 4096]);
    loop {
        match from.read(&mut room).await? {
            0 => {
                let _ = to.shutdown().await;
                return Ok(heard);
            }
            count => {
                heard.extend_from_slice(&room[..count]);
                // Who has gone need not be told.
                let _ = to.write_all(&room[..count]).await;
            }
        }
    }
}

pub(super) async fn nothing_is_readable_on_the_wire(lab: Lab) -> Outcome {
    const SECRET: &[u8] = b"a LOGIN ann hunter2";
    for version in [Tls12, Tls13] {
        let ((near, left), (right, far)) = (tokio::io::duplex(CAPACITY), tokio::io::duplex(CAPACITY));
        let ((left_read, left_write), (right_read, right_write)) = (tokio::io::split(left), tokio::io::split(right));
        let there = tokio::spawn(overhear(left_read, right_write));
        let back = tokio::spawn(overhear(right_read, left_write));
        let client = ClientPolicy { min_version: version, max_version: version, ..lab.client_policy() };
        let (connector, acceptor) = (lab.connector(client)?, lab.acceptor(policy())?);
        let (client, server) =
            tokio::join!(connector.connect(Stream::new(near), NAME.into()), acceptor.accept(Stream::new(far)));
        let (mut client, mut server) = (client?.stream, server?.stream);
        ends::write(&mut client, SECRET).await?;
        same!(ends::read(&mut server, SECRET.len()).await?, SECRET, "what the server reads");
        ends::write(&mut server, SECRET).await?;
        same!(ends::read(&mut client, SECRET.len()).await?, SECRET, "what the client reads");
        client.shutdown().await?;
        server.shutdown().await?;
        drop((client, server));
        for heard in [there.await??, back.await??] {
            let readable = heard.windows(SECRET.len()).any(|window| window == SECRET);
            check!(!readable && heard.starts_with(&[22, 3]), "{} bytes on the wire hold what was written", heard.len());
        }
    }
    Ok(())
}

pub(super) async fn both_know_the_same(lab: Lab) -> Outcome {
    for version in [Tls12, Tls13] {
        let (mut client, mut server) = pair(&lab, version).await?;
        let chain = client.facts.peer_chain.clone();
        check!(!chain.is_empty(), "the client does not know the server's certificate");
        let exporter = client.facts.exporter.clone().or_else(|| server.facts.exporter.clone());
        let common = |facts: &TlsFacts| TlsFacts { peer_chain: vec![], exporter: exporter.clone(), ..facts.clone() };
        same!(common(&client.facts), common(&server.facts), "the facts of the two sides");
        if let (Some(ours), Some(theirs)) = (&client.facts.exporter, &server.facts.exporter) {
            check!(ours == theirs && ours.len() == 32, "the exporters differ");
        }
        check!(version == Tls12 || client.facts.exporter.is_some(), "no exporter in TLS 1.3");
        ends::write(&mut client.stream, b"EHLO x\r\n").await?;
        same!(ends::read(&mut server.stream, 8).await?, b"EHLO x\r\n", "what the server reads");
        ends::write(&mut server.stream, b"250 y\r\n").await?;
        same!(ends::read(&mut client.stream, 7).await?, b"250 y\r\n", "what the client reads");
    }
    Ok(())
}

pub(super) async fn application_protocols(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(ServerPolicy { alpn: vec!["imap".into()], ..policy() })?;
    for (offer, wanted) in [(vec!["pop3".to_owned(), "imap".to_owned()], Some("imap")), (vec![], None)] {
        let connector = lab.connector(ClientPolicy { alpn: offer, ..lab.client_policy() })?;
        let (client, server) = joined(&connector, &acceptor, NAME).await;
        let facts = (client?.facts.alpn, server?.facts.alpn);
        same!(facts, (wanted.map(str::to_owned), wanted.map(str::to_owned)), "the application protocol at both sides");
    }
    let connector = lab.connector(ClientPolicy { alpn: vec!["h2".into()], ..lab.client_policy() })?;
    let (client, server) = joined(&connector, &acceptor, NAME).await;
    same!(server.err().map(|error| error.code), Some(Code::NoApplicationProtocol), "the acceptor's code");
    let code = client.err().map(|error| error.code);
    check!(matches!(code, Some(Code::AlertReceived | Code::NoApplicationProtocol)), "the connector's code is {code:?}");
    Ok(())
}

pub(super) async fn client_certificates(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let identity = authority.issue(&Leaf::client("relay.example"));
    let acceptor = lab.acceptor(asking(ClientAuth::Required, &[&authority], vec![authority.revokes(&[1])]))?;
    for version in [Tls12, Tls13] {
        let policy = ClientPolicy { min_version: version, max_version: version, ..lab.client_policy() };
        let with = lab.connector(ClientPolicy { identity: Some(identity.clone()), ..policy.clone() })?;
        let (client, server) = joined(&with, &acceptor, NAME).await;
        client?;
        check!(server?.facts.peer_chain.first() == identity.chain.first(), "another certificate arrives");
        let (_, server) = joined(&lab.connector(policy)?, &acceptor, NAME).await;
        same!(server.err().map(|error| error.code), Some(Code::NoPeerCertificate), "the code without one");
    }
    Ok(())
}

pub(super) async fn halves_and_ends(lab: Lab) -> Outcome {
    for version in [Tls12, Tls13] {
        let (client, server) = pair(&lab, version).await?;
        for (one, other) in [(client.stream, server.stream), {
            let (client, server) = pair(&lab, version).await?;
            (server.stream, client.stream)
        }] {
            let (mut one, mut other) = (one, other);
            ends::write(&mut one, b"question").await?;
            one.shutdown().await?;
            let mut got = Vec::new();
            other.read_to_end(&mut got).await?;
            same!(got, b"question", "what came before the end of one half");
            ends::write(&mut other, b"answer").await.doing("the other half")?;
            other.shutdown().await?;
            let mut got = Vec::new();
            one.read_to_end(&mut got).await.doing("the other half")?;
            same!(got, b"answer", "what came through the other half");
        }
    }
    Ok(())
}

pub(super) async fn a_cut_is_an_error_at_both(lab: Lab) -> Outcome {
    for version in [Tls12, Tls13] {
        for cut in ["client", "server"] {
            // Between the two is a wire that is cut, so that neither gets to say goodbye.
            let ((near, middle_near), (middle_far, far)) = (tokio::io::duplex(CAPACITY), tokio::io::duplex(CAPACITY));
            let wire = tokio::spawn(async move {
                let (mut one, mut other) = (middle_near, middle_far);
                tokio::io::copy_bidirectional(&mut one, &mut other).await
            });
            let policy = ClientPolicy { min_version: version, max_version: version, ..lab.client_policy() };
            let (connector, acceptor) = (lab.connector(policy)?, lab.acceptor(super::lab::policy())?);
            let (client, server) =
                tokio::join!(connector.connect(Stream::new(near), NAME.into()), acceptor.accept(Stream::new(far)));
            let (mut client, mut server) = (client?.stream, server?.stream);
            ends::write(&mut client, b"c").await?;
            ends::write(&mut server, b"s").await?;
            ends::read(&mut client, 1).await?;
            ends::read(&mut server, 1).await?;
            wire.abort();
            let stream = if cut == "client" { &mut client } else { &mut server };
            match stream.read(&mut [0; 16]).await {
                Ok(_) => check!(false, "the {cut} takes a cut for a normal end"),
                Err(error) => same!(error.kind(), io::ErrorKind::UnexpectedEof, "the {cut}'s error ({error})"),
            }
        }
    }
    Ok(())
}

/// A provider's tickets are its own: at the other there is a full handshake, and no failure.
pub(super) async fn no_ticket_crosses(lab: Lab) -> Outcome {
    let (one, other) = (lab.acceptor(policy())?, acceptor(&lab.another_of_the_client().await?, policy())?);
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        visit(&one, &config, NAME).await?;
        check!(!visit(&other, &config, NAME).await?.resumed, "a ticket of one provider is taken by the other");
        check!(visit(&other, &config, NAME).await?.resumed, "the other does not take its own ticket");
        check!(!visit(&one, &config, NAME).await?.resumed, "a ticket of the other is taken by the first");
    }
    Ok(())
}
