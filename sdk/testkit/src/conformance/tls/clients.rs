//! Certificates of clients (RFC 8446 §4.3.2, §4.4.2.4; RFC 5280).

use super::{
    authority::{Authority, Leaf},
    case::{check, same, Doing, Failed, Outcome},
    lab::{policy, Lab, NAME},
    peer::{connected, meet, refused, Peer, Versions, V12, V13},
};
use dovetail_sdk::{
    certs::Identity,
    tls::{ClientAuth, ClientCertificates, ServerPolicy, TlsErrorCode as Code},
};
use tokio::io::AsyncReadExt;

const CLIENT: &str = "ann.example";

/// A listener for clients that one of these authorities vouches for.
pub(super) fn asking(mode: ClientAuth, anchors: &[&Authority], crls: Vec<Vec<u8>>) -> ServerPolicy {
    let anchors = anchors.iter().map(|authority| authority.der.clone()).collect();
    ServerPolicy { clients: ClientCertificates { mode, anchors, crls }, ..policy() }
}

/// What the acceptor says of a client that it must refuse, and that must learn why by one of these alerts.
async fn judged(
    lab: &Lab,
    policy: ServerPolicy,
    shown: Option<Identity>,
    versions: Versions,
    alerts: &[u8],
) -> Result<Code, Failed> {
    let peer = Peer { identity: shown, ..Peer::new(lab, versions) };
    let (alert, error) = refused(&lab.acceptor(policy)?, &peer.config()?, NAME).await?;
    check!(alert.is_some_and(|alert| alerts.contains(&alert)), "the alert is {alert:?}, not one of {alerts:?}");
    Ok(error.code)
}

pub(super) async fn off_asks_for_none(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).showing(authority.issue(&Leaf::client(CLIENT))).config()?;
        let (_, server) = connected(&acceptor, &config, NAME).await?;
        same!(server.facts.peer_chain.len(), 0, "certificates in the facts");
    }
    Ok(())
}

pub(super) async fn optional_takes_none_and_a_good_one(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let identity = authority.issue(&Leaf::client(CLIENT));
    let acceptor = lab.acceptor(asking(ClientAuth::Optional, &[&authority], vec![]))?;
    for versions in [V12, V13] {
        let peer = Peer::new(&lab, versions);
        let (_, server) = connected(&acceptor, &peer.config()?, NAME).await.doing("without one")?;
        same!(server.facts.peer_chain.len(), 0, "certificates in the facts of a client that showed none");
        let (_, server) =
            connected(&acceptor, &peer.showing(identity.clone()).config()?, NAME).await.doing("with one")?;
        check!(server.facts.peer_chain == identity.chain, "the facts have another chain than the client's");
    }
    Ok(())
}

pub(super) async fn optional_refuses_a_bad_one(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let stranger = Authority::new().issue(&Leaf::client(CLIENT));
    for versions in [V12, V13] {
        let policy = asking(ClientAuth::Optional, &[&authority], vec![]);
        let code = judged(&lab, policy, Some(stranger.clone()), versions, &[48]).await?;
        same!(code, Code::PeerCertificateUntrusted, "the code");
    }
    Ok(())
}

pub(super) async fn required_takes_a_good_one(lab: Lab) -> Outcome {
    let (authority, other) = (Authority::new(), Authority::new());
    let acceptor = lab.acceptor(asking(ClientAuth::Required, &[&other, &authority], vec![]))?;
    for versions in [V12, V13] {
        for identity in [authority.issue(&Leaf::client(CLIENT)), authority.intermediate().issue(&Leaf::client(CLIENT))]
        {
            let config = Peer::new(&lab, versions).showing(identity.clone()).config()?;
            let (_, server) = connected(&acceptor, &config, NAME).await?;
            same!(server.facts.peer_chain.first(), identity.chain.first(), "the leaf in the facts");
        }
    }
    Ok(())
}

/// Alert 116 in TLS 1.3 (RFC 8446 §4.4.2.4); 40 before (RFC 5246 §7.4.6), or the newer one, which says more.
pub(super) async fn required_refuses_none(lab: Lab) -> Outcome {
    let authority = Authority::new();
    for (versions, alerts) in [(V12, &[40_u8, 116][..]), (V13, &[116])] {
        let policy = asking(ClientAuth::Required, &[&authority], vec![]);
        let code = judged(&lab, policy, None, versions, alerts).await?;
        same!(code, Code::NoPeerCertificate, "the code");
    }
    Ok(())
}

pub(super) async fn an_untrusted_one(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let stranger = Authority::new();
    for shown in [stranger.issue(&Leaf::client(CLIENT)), stranger.intermediate().issue(&Leaf::client(CLIENT))] {
        for versions in [V12, V13] {
            let policy = asking(ClientAuth::Required, &[&authority], vec![]);
            let code = judged(&lab, policy, Some(shown.clone()), versions, &[48]).await?;
            same!(code, Code::PeerCertificateUntrusted, "the code");
        }
    }
    Ok(())
}

pub(super) async fn an_expired_one(lab: Lab) -> Outcome {
    let authority = Authority::new();
    for (years, alerts) in [((2001, 2002), &[45_u8][..]), ((2090, 2095), &[42, 45])] {
        let shown = authority.issue(&Leaf::client(CLIENT).years(years.0, years.1));
        for versions in [V12, V13] {
            let policy = asking(ClientAuth::Required, &[&authority], vec![]);
            let code = judged(&lab, policy, Some(shown.clone()), versions, alerts).await?;
            same!(code, Code::PeerCertificateExpired, "the code of one that is good from {} to {}", years.0, years.1);
        }
    }
    Ok(())
}

pub(super) async fn a_revoked_one(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let (good, bad) = (Leaf::client(CLIENT), Leaf::client(CLIENT));
    let list = authority.revokes(&[1, bad.serial(), 2]);
    let policy = asking(ClientAuth::Required, &[&authority], vec![list]);
    for versions in [V12, V13] {
        let shown = Some(authority.issue(&bad));
        let code = judged(&lab, policy.clone(), shown, versions, &[44]).await?;
        same!(code, Code::PeerCertificateRevoked, "the code");
        let config = Peer::new(&lab, versions).showing(authority.issue(&good)).config()?;
        connected(&lab.acceptor(policy.clone())?, &config, NAME).await.doing("one that is not on the list")?;
    }
    Ok(())
}

/// With any list, a certificate whose issuer has none is refused.
pub(super) async fn one_of_unknown_state(lab: Lab) -> Outcome {
    let (listed, unlisted) = (Authority::new(), Authority::new());
    let policy = asking(ClientAuth::Required, &[&listed, &unlisted], vec![listed.revokes(&[1])]);
    for versions in [V12, V13] {
        let shown = Some(unlisted.issue(&Leaf::client(CLIENT)));
        let code = judged(&lab, policy.clone(), shown, versions, &[42, 43, 44, 46, 48]).await?;
        same!(code, Code::PeerCertificateRevoked, "the code");
        let config = Peer::new(&lab, versions).showing(listed.issue(&Leaf::client(CLIENT))).config()?;
        connected(&lab.acceptor(policy.clone())?, &config, NAME).await.doing("one whose issuer has a list")?;
    }
    Ok(())
}

/// Each certificate on the way to the anchor has an issuer whose list is asked.
pub(super) async fn a_revoked_authority_in_between(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let between = authority.intermediate();
    let identity = between.issue(&Leaf::client(CLIENT));
    let good = vec![authority.revokes(&[]), between.revokes(&[])];
    let revoked = vec![authority.revokes(&[between.serial]), between.revokes(&[])];
    let unknown = vec![between.revokes(&[])];
    for versions in [V12, V13] {
        let acceptor = lab.acceptor(asking(ClientAuth::Required, &[&authority], good.clone()))?;
        let config = Peer::new(&lab, versions).showing(identity.clone()).config()?;
        connected(&acceptor, &config, NAME).await.doing("with empty lists of both")?;
        for (lists, what) in [(&revoked, "revoked"), (&unknown, "of unknown state")] {
            let policy = asking(ClientAuth::Required, &[&authority], lists.clone());
            let code = judged(&lab, policy, Some(identity.clone()), versions, &[42, 43, 44, 46, 48]).await?;
            same!(code, Code::PeerCertificateRevoked, "the code where the authority in between is {what}");
        }
    }
    Ok(())
}

/// RFC 5280 §4.2.1.12.
pub(super) async fn a_servers_certificate_is_no_clients(lab: Lab) -> Outcome {
    let authority = Authority::new();
    for versions in [V12, V13] {
        let policy = asking(ClientAuth::Required, &[&authority], vec![]);
        let shown = Some(authority.issue(&Leaf::server(CLIENT)));
        let code = judged(&lab, policy, shown, versions, &[42, 43, 46, 48]).await?;
        check!(
            matches!(code, Code::BadPeerCertificate | Code::PeerCertificateUntrusted),
            "the code of a certificate for servers is {code:?}"
        );
    }
    Ok(())
}

pub(super) async fn policies_that_cannot_be(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let anchors = vec![authority.der.clone()];
    for mode in [ClientAuth::Optional, ClientAuth::Required] {
        for (anchors, crls, what) in [
            (vec![], vec![], "no anchors"),
            (vec![b"rubbish".to_vec()], vec![], "an anchor that is none"),
            (vec![vec![]], vec![], "an empty anchor"),
            (anchors.clone(), vec![b"rubbish".to_vec()], "a revocation list that is none"),
            (anchors.clone(), anchors.clone(), "a certificate as a revocation list"),
        ] {
            let policy = ServerPolicy { clients: ClientCertificates { mode, anchors, crls }, ..policy() };
            match lab.tls().acceptor(policy) {
                Ok(_) => check!(false, "an acceptor was made with {what}"),
                Err(error) => same!(error.code, Code::BadPolicy, "the code for {what} ({error})"),
            }
        }
    }
    Ok(())
}

/// Nothing of the application's may be read from a client that is refused, however early it writes.
pub(super) async fn nothing_is_read_of_a_refused_one(lab: Lab) -> Outcome {
    let authority = Authority::new();
    let acceptor = lab.acceptor(asking(ClientAuth::Required, &[&authority], vec![]))?;
    let (client, server) = meet(&acceptor, &Peer::new(&lab, V13).config()?, NAME).await?;
    check!(server.is_err(), "the client is let in");
    if let Ok(mut client) = client {
        // It may not have noticed yet that it is refused.
        let _ = super::ends::write(&mut client, b"a LOGIN ann secret\r\n").await;
        let mut answer = Vec::new();
        let read = client.read_to_end(&mut answer).await;
        check!(read.is_err() && answer.is_empty(), "the refused client reads {answer:?} and then {read:?}");
    }
    Ok(())
}
