//! Server names (RFC 6066 §3) and the certificates that they bring.

use super::{
    authority::{Key, Leaf},
    case::{check, same, Doing, Failed, Outcome},
    lab::{policy, Lab, NAME},
    peer::{connected, meet, refused, Client, Peer, BOTH, V12, V13},
};
use dovetail_sdk::{
    certs::Identity,
    tls::{ServerPolicy, TlsErrorCode as Code},
    Secret,
};

/// The leaf that the server showed.
fn shown(client: &Client) -> Result<Vec<u8>, Failed> {
    let chain = client.get_ref().1.peer_certificates().unwrap_or_default();
    let leaf = chain.first().ok_or("the server showed no certificate")?;
    Ok(leaf.as_ref().to_vec())
}

fn leaf(identity: &Identity) -> Vec<u8> {
    identity.chain.first().cloned().unwrap_or_default()
}

pub(super) async fn exact_and_wildcard(lab: Lab) -> Outcome {
    let exact = lab.issue(&Leaf::server("one.example.net"));
    let wildcard = lab.issue(&Leaf::server("*.example.net"));
    lab.certs().put("one.example.net", vec![exact.clone()]);
    lab.certs().put("*.example.net", vec![wildcard.clone()]);
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        for (name, wanted) in [("one.example.net", &exact), ("two.example.net", &wildcard)] {
            let (client, server) = connected(&acceptor, &config, name).await.doing(name)?;
            check!(shown(&client)? == leaf(wanted), "{name} gets another certificate");
            same!(server.facts.server_name.as_deref(), Some(name), "the server name in the facts");
        }
    }
    Ok(())
}

pub(super) async fn the_default_for_others(lab: Lab) -> Outcome {
    let default = lab.issue(&Leaf::server("default.example").and("192.0.2.1").and("other.example"));
    lab.certs().put("default.example", vec![default.clone()]);
    lab.certs().set_default("default.example");
    let acceptor = lab.acceptor(policy())?;
    let named = Peer::new(&lab, BOTH).config()?;
    let (client, server) = connected(&acceptor, &named, "other.example").await?;
    check!(shown(&client)? == leaf(&default), "another name does not get the default");
    same!(server.facts.server_name.as_deref(), Some("other.example"), "the server name in the facts");
    // An address is never sent as a name.
    let (client, server) = connected(&acceptor, &named, "192.0.2.1").await?;
    check!(shown(&client)? == leaf(&default), "no name does not get the default");
    same!(server.facts.server_name, None, "the server name in the facts of a client that sent none");
    Ok(())
}

pub(super) async fn the_listeners_certificate(lab: Lab) -> Outcome {
    let own = lab.issue(&Leaf::server("listener.example"));
    lab.certs().put("listener", vec![own.clone()]);
    lab.certs().set_default(NAME);
    let acceptor = lab.acceptor(ServerPolicy { certificate: Some("listener".into()), ..policy() })?;
    let nameless = Peer { sni: false, ..Peer::new(&lab, BOTH) }.config()?;
    let (client, _) = connected(&acceptor, &nameless, "listener.example").await?;
    check!(shown(&client)? == leaf(&own), "the listener's certificate is not served");
    let asked = lab.certs().asked();
    check!(
        asked.iter().all(|asked| asked.as_deref() == Some("listener")) && !asked.is_empty(),
        "the store is not asked for the listener's certificate but for {asked:?}"
    );
    Ok(())
}

/// Alert 112 (RFC 6066 §3).
pub(super) async fn an_unknown_one_is_alert_112(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        let (alert, error) = refused(&acceptor, &config, "unknown.example").await?;
        same!(error.code, Code::UnknownServerName, "the code ({error})");
        same!(alert, Some(112), "the alert");
        check!(error.message.contains("unknown.example"), "the message does not name the name: {error}");
        connected(&acceptor, &config, NAME).await?;
    }
    let nameless = Peer { sni: false, ..Peer::new(&lab, BOTH) }.config()?;
    let (alert, error) = refused(&acceptor, &nameless, NAME).await.doing("no name and no default")?;
    same!(error.code, Code::UnknownServerName, "the code without a name ({error})");
    check!(alert.is_some(), "no alert for a client without a name");
    Ok(())
}

pub(super) async fn the_key_that_the_client_can_check(lab: Lab) -> Outcome {
    let (rsa, ecdsa) = (lab.issue(&Leaf::server(NAME).key(Key::Rsa)), lab.issue(&Leaf::server(NAME)));
    for order in [[&rsa, &ecdsa], [&ecdsa, &rsa]] {
        lab.certs().put(NAME, order.map(Clone::clone).to_vec());
        let acceptor = lab.acceptor(policy())?;
        for versions in [V12, V13] {
            for (kind, wanted) in [("RSA", &rsa), ("ECDSA", &ecdsa)] {
                let config = Peer::new(&lab, versions).signatures(kind);
                // The authority signs with ECDSA, which a client that knows RSA only cannot check.
                let config = trusting_blindly(config, wanted)?;
                let (client, _) = connected(&acceptor, &config, NAME).await.doing(kind)?;
                check!(shown(&client)? == leaf(wanted), "a client that knows {kind} only gets the other certificate");
            }
            connected(&acceptor, &Peer::new(&lab, versions).config()?, NAME).await.doing("a client that knows both")?;
        }
    }
    Ok(())
}

/// A configuration that trusts one certificate and checks the handshake's signatures as always.
fn trusting_blindly(peer: Peer, identity: &Identity) -> Result<std::sync::Arc<rustls::ClientConfig>, Failed> {
    let mut config = std::sync::Arc::unwrap_or_clone(peer.config()?);
    let only = super::pinned::Pinned::new(leaf(identity), peer.crypto.clone());
    config.dangerous().set_certificate_verifier(std::sync::Arc::new(only));
    Ok(std::sync::Arc::new(config))
}

/// Alert 40 (RFC 8446 §4.4.2.2, RFC 5246 §7.4.1.4.1).
pub(super) async fn no_key_that_the_client_can_check(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).signatures("RSA").config()?;
        let (alert, error) = refused(&acceptor, &config, NAME).await?;
        same!(error.code, Code::NoCommonCipher, "the code ({error})");
        same!(alert, Some(40), "the alert");
    }
    Ok(())
}

pub(super) async fn keys_of_every_kind(lab: Lab) -> Outcome {
    for key in [Key::P256, Key::P384, Key::Rsa, Key::Ed25519] {
        lab.certs().put(NAME, vec![lab.issue(&Leaf::server(NAME).key(key))]);
        let acceptor = lab.acceptor(policy())?;
        for versions in [V12, V13] {
            let config = Peer::new(&lab, versions).config()?;
            connected(&acceptor, &config, NAME).await.doing(format!("a {key:?} key"))?;
        }
    }
    Ok(())
}

pub(super) async fn the_whole_chain_is_sent(lab: Lab) -> Outcome {
    let intermediate = lab.authority().intermediate();
    let identity = intermediate.issue(&Leaf::server(NAME));
    lab.certs().put(NAME, vec![identity.clone()]);
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let (client, _) = connected(&acceptor, &Peer::new(&lab, versions).config()?, NAME).await?;
        let chain: Vec<Vec<u8>> = client
            .get_ref()
            .1
            .peer_certificates()
            .unwrap_or_default()
            .iter()
            .map(|one| one.as_ref().to_vec())
            .collect();
        check!(
            chain == identity.chain,
            "{} certificates came, not the {} of the chain",
            chain.len(),
            identity.chain.len()
        );
    }
    Ok(())
}

pub(super) async fn a_new_certificate_is_served_at_once(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let (_older, mut old) = connected(&acceptor, &Peer::new(&lab, BOTH).config()?, NAME).await?;
    let fresh = lab.issue(&Leaf::server(NAME));
    lab.certs().put(NAME, vec![fresh.clone()]);
    let (client, _) = connected(&acceptor, &Peer::new(&lab, BOTH).config()?, NAME).await?;
    check!(shown(&client)? == leaf(&fresh), "the certificate of before is served");
    // What was established goes on.
    super::ends::write(&mut old.stream, b"still here").await.doing("the older connection")?;
    Ok(())
}

pub(super) async fn a_set_that_goes_while_it_is_chosen(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    lab.certs().forget_once();
    let config = Peer::new(&lab, BOTH).config()?;
    let (_client, server) = meet(&acceptor, &config, NAME).await?;
    if let Err(error) = server {
        same!(error.code, Code::BadIdentity, "the code ({error})");
    }
    connected(&acceptor, &config, NAME).await.doing("the next handshake")?;
    Ok(())
}

/// The store may be restarted under the provider.
pub(super) async fn without_a_certificate_store(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let config = Peer::new(&lab, BOTH).config()?;
    lab.slot().clear();
    let (client, server) = meet(&acceptor, &config, NAME).await?;
    let error = server.err().ok_or("a connection without any certificate")?;
    check!(error.code != Code::PeerMisbehaved && error.code != Code::AlertReceived, "the peer is blamed: {error}");
    check!(!error.message.is_empty(), "no message");
    check!(client.is_err(), "the client believes that it is connected");
    lab.slot().put(lab.certs().service());
    connected(&acceptor, &config, NAME).await.doing("when the store is back")?;
    Ok(())
}

/// Alert 80 (internal_error), and the log says which identity it is.
pub(super) async fn a_pair_that_cannot_be_used(lab: Lab) -> Outcome {
    let (one, other) = (lab.issue(&Leaf::server(NAME)), lab.issue(&Leaf::server(NAME)));
    let acceptor = lab.acceptor(policy())?;
    let config = Peer::new(&lab, BOTH).config()?;
    for broken in [
        Identity { key: other.key.clone(), ..one.clone() },
        Identity { key: Secret::new(b"no key".to_vec()), ..one.clone() },
        Identity { chain: vec![b"no certificate".to_vec()], ..one.clone() },
        Identity { chain: vec![], ..one.clone() },
    ] {
        lab.certs().put(NAME, vec![broken]);
        let (client, server) = meet(&acceptor, &config, NAME).await?;
        check!(client.is_err(), "the client believes that it is connected");
        let error = server.err().ok_or("a connection with a pair that does not fit")?;
        same!(error.code, Code::BadIdentity, "the code ({error})");
        check!(error.message.contains(NAME), "the message does not name the identity: {error}");
    }
    lab.certs().put(NAME, vec![]);
    check!(meet(&acceptor, &config, NAME).await?.1.is_err(), "a connection with an empty set");
    lab.certs().put(NAME, vec![one]);
    connected(&acceptor, &config, NAME).await.doing("when the pair is right again")?;
    Ok(())
}
