//! Tickets: who comes back quickly, and who must not (RFC 5077, RFC 8446 §2.2, §4.6.1).

use super::{
    authority::{Authority, Leaf},
    case::{check, same, Failed, Outcome},
    clients::asking,
    ends,
    lab::{acceptor, policy, Lab, NAME},
    peer::{connected, Peer, BOTH, V12, V13},
    versions::exporter,
};
use dovetail_sdk::tls::{ClientAuth, ServerPolicy, TlsAcceptor, TlsFacts};
use rustls::{ClientConfig, HandshakeKind};
use std::sync::Arc;

/// Connects, lets the client read its ticket, and gives the facts; both sides must agree on "resumed".
pub(super) async fn visit(acceptor: &TlsAcceptor, config: &Arc<ClientConfig>, name: &str) -> Result<TlsFacts, Failed> {
    let (mut client, mut server) = connected(acceptor, config, name).await?;
    ends::write(&mut server.stream, b"+").await?;
    same!(ends::read(&mut client, 1).await?, b"+", "what the client reads");
    let theirs = client.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
    same!(server.facts.resumed, theirs, "resumed in the facts, beside what the client says");
    ends::write(&mut client, b"-").await?;
    same!(ends::read(&mut server.stream, 1).await?, b"-", "what the server reads");
    same!(server.facts.exporter, Some(exporter(&client)?), "the exporter (resumed: {theirs})");
    Ok(server.facts)
}

async fn resumed(acceptor: &TlsAcceptor, config: &Arc<ClientConfig>) -> Result<bool, Failed> {
    Ok(visit(acceptor, config, NAME).await?.resumed)
}

pub(super) async fn every_visit_after_the_first(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        check!(!resumed(&acceptor, &config).await?, "the first visit is resumed");
        for turn in 2..=20 {
            let facts = visit(&acceptor, &config, NAME).await?;
            check!(facts.resumed, "visit {turn} by {} is not resumed", facts.version);
            same!(facts.server_name.as_deref(), Some(NAME), "the server name of a resumed connection");
        }
    }
    Ok(())
}

/// Imaps, pop3s, submissions: one client with one ticket.
pub(super) async fn on_listeners_of_equal_policy(lab: Lab) -> Outcome {
    let first = lab.acceptor(policy())?;
    let other = ServerPolicy { listener: "other".into(), alpn: vec!["imap".into()], ..policy() };
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        resumed(&first, &config).await?;
        check!(resumed(&lab.acceptor(other.clone())?, &config).await?, "another listener does not take the ticket");
    }
    Ok(())
}

/// After a reload there is another instance.
pub(super) async fn by_another_instance(lab: Lab) -> Outcome {
    let first = lab.acceptor(policy())?;
    let next = acceptor(&lab.another().await?, policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        resumed(&first, &config).await?;
        check!(resumed(&next, &config).await?, "the next generation does not take the ticket");
    }
    Ok(())
}

pub(super) async fn with_the_clients_certificate(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let identity = authority.issue(&Leaf::client("ann.example"));
    for mode in [ClientAuth::Optional, ClientAuth::Required] {
        let acceptor = lab.acceptor(asking(mode, &[&authority], vec![]))?;
        for versions in [V12, V13] {
            let config = Peer::new(&lab, versions).showing(identity.clone()).config()?;
            for turn in 1..=3 {
                let facts = visit(&acceptor, &config, NAME).await?;
                same!(
                    facts.peer_chain.first(),
                    identity.chain.first(),
                    "the client's certificate at visit {turn} (resumed: {})",
                    facts.resumed
                );
            }
        }
    }
    Ok(())
}

/// A ticket from a listener that does not ask for certificates opens none that does.
pub(super) async fn not_where_clients_are_judged_otherwise(lab: Lab) -> Outcome {
    let (one, two) = (Authority::new(), Authority::new());
    let optional = |anchors: &[&Authority], crls| asking(ClientAuth::Optional, anchors, crls);
    let listeners = [
        ("off", policy()),
        ("optional", optional(&[&one], vec![])),
        ("optional, other anchor", optional(&[&two], vec![])),
        ("optional, both anchors", optional(&[&one, &two], vec![])),
        ("optional, with a list", optional(&[&one], vec![one.revokes(&[1])])),
        ("optional, with another list", optional(&[&one], vec![one.revokes(&[1, 2])])),
    ];
    for versions in [V12, V13] {
        for (from, first) in &listeners {
            for (to, second) in &listeners {
                if from == to {
                    continue;
                }
                let config = Peer::new(&lab, versions).config()?;
                resumed(&lab.acceptor(first.clone())?, &config).await?;
                let again = resumed(&lab.acceptor(second.clone())?, &config).await?;
                check!(!again, "a ticket of a listener with client certificates {from} opens one with {to}");
            }
        }
    }
    Ok(())
}

/// The case that matters most of those.
pub(super) async fn never_around_a_required_certificate(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let open = lab.acceptor(policy())?;
    let asks = lab.acceptor(asking(ClientAuth::Optional, &[&authority], vec![]))?;
    let closed = lab.acceptor(asking(ClientAuth::Required, &[&authority], vec![]))?;
    for versions in [V12, V13] {
        for from in [&open, &asks] {
            let config = Peer::new(&lab, versions).config()?;
            resumed(from, &config).await?;
            let (_, error) = super::peer::refused(&closed, &config, NAME).await?;
            same!(error.code, dovetail_sdk::tls::TlsErrorCode::NoPeerCertificate, "the code ({error})");
        }
    }
    Ok(())
}

pub(super) async fn not_with_another_certificate(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        resumed(&acceptor, &config).await?;
        lab.certs().put(NAME, vec![lab.issue(&Leaf::server(NAME))]);
        check!(!resumed(&acceptor, &config).await?, "a ticket outlives the certificate that it was made under");
        check!(resumed(&acceptor, &config).await?, "the ticket of the new certificate is not taken");
    }
    Ok(())
}

/// Tickets are for a client that knows the server by this name: it shows its ticket elsewhere only if it is wrong.
pub(super) async fn not_for_another_name(lab: Lab) -> Outcome {
    // One name for the client, two certificates at the server, told apart by the listener.
    lab.certs().put("one", vec![lab.issue(&Leaf::server(NAME))]);
    lab.certs().put("two", vec![lab.issue(&Leaf::server(NAME))]);
    let of = |name: &str| lab.acceptor(ServerPolicy { certificate: Some(name.into()), ..policy() });
    for versions in [V12, V13] {
        let config = Peer { sni: false, ..Peer::new(&lab, versions) }.config()?;
        resumed(&of("one")?, &config).await?;
        check!(!resumed(&of("two")?, &config).await?, "a ticket of one certificate is taken for another");
    }
    Ok(())
}

pub(super) async fn off_means_none(lab: Lab) -> Outcome {
    let none = ServerPolicy { tickets: false, ..policy() };
    let (with, without) = (lab.acceptor(policy())?, lab.acceptor(none)?);
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        for turn in 1..=3 {
            check!(!resumed(&without, &config).await?, "visit {turn} is resumed without tickets");
        }
        let config = Peer::new(&lab, versions).config()?;
        resumed(&with, &config).await?;
        check!(!resumed(&without, &config).await?, "a listener without tickets takes one from elsewhere");
    }
    Ok(())
}

pub(super) async fn over_a_turn_of_the_ring_and_no_further(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        resumed(&acceptor, &config).await?;
        for turn in 1..=3 {
            lab.tickets().rotate();
            check!(resumed(&acceptor, &config).await?, "turn {turn}: the ticket under the key before is not taken");
            // It brought a new ticket, under the newest key: so the next turn is survived, too.
        }
        lab.tickets().rotate();
        lab.tickets().rotate();
        check!(!resumed(&acceptor, &config).await?, "a ticket is taken two turns after its key was the newest");
        check!(resumed(&acceptor, &config).await?, "the ticket after that is not taken");
    }
    Ok(())
}

/// RFC 8446 §2.3: what comes early can be sent again by anybody who saw it.
pub(super) async fn tickets_allow_no_early_data(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let mut config = Arc::unwrap_or_clone(Peer::new(&lab, V13).config()?);
    config.enable_early_data = true;
    let config = Arc::new(config);
    resumed(&acceptor, &config).await?;
    check!(resumed(&acceptor, &config).await?, "there is no ticket to look at");
    let mut next = rustls::ClientConnection::new(config, NAME.try_into()?)?;
    check!(next.early_data().is_none(), "a ticket allows early data");
    Ok(())
}

/// RFC 8446 §8: what was changed on the way is a full handshake, not a failure.
pub(super) async fn a_ticket_of_another_server_is_ignored(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    // The same name, authority and client; another ring.
    let elsewhere = Lab::open_beside(&lab).await?;
    for versions in [V12, V13, BOTH] {
        let config = Peer::new(&lab, versions).config()?;
        resumed(&elsewhere.acceptor(policy())?, &config).await?;
        check!(!resumed(&acceptor, &config).await?, "a ticket of another server is taken");
    }
    Ok(())
}
