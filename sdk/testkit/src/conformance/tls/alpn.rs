//! Application protocols (RFC 7301).

use super::{
    authority::Leaf,
    case::{check, same, Outcome},
    lab::{policy, Lab, NAME},
    peer::{connected, reach, reached, refused, Client, Peer, ServerPeer, V12, V13},
};
use dovetail_sdk::tls::{ClientPolicy, ServerPolicy, TlsErrorCode as Code};

fn speaking(names: &[&str]) -> ServerPolicy {
    ServerPolicy { alpn: names.iter().map(|name| (*name).to_owned()).collect(), ..policy() }
}

fn chosen(client: &Client) -> Option<&[u8]> {
    client.get_ref().1.alpn_protocol()
}

pub(super) async fn the_servers_best_that_is_offered(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(speaking(&["imap", "pop3"]))?;
    for versions in [V12, V13] {
        for (offer, wanted) in
            [(&["imap"][..], "imap"), (&["pop3"], "pop3"), (&["pop3", "imap"], "imap"), (&["h2", "pop3"], "pop3")]
        {
            let (client, server) =
                connected(&acceptor, &Peer::new(&lab, versions).offering(offer).config()?, NAME).await?;
            same!(server.facts.alpn.as_deref(), Some(wanted), "the choice from {offer:?} in the facts");
            same!(chosen(&client), Some(wanted.as_bytes()), "the choice from {offer:?} at the client");
        }
    }
    Ok(())
}

/// RFC 7301 §3.2.
pub(super) async fn nothing_that_fits_is_alert_120(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(speaking(&["imap"]))?;
    for versions in [V12, V13] {
        for offer in [&["h2"][..], &["http/1.1", "pop3"], &["IMAP"], &["ima", "imapx"]] {
            let config = Peer::new(&lab, versions).offering(offer).config()?;
            let (alert, error) = refused(&acceptor, &config, NAME).await?;
            same!(error.code, Code::NoApplicationProtocol, "the code for {offer:?} ({error})");
            same!(alert, Some(120), "the alert for {offer:?}");
        }
    }
    Ok(())
}

pub(super) async fn no_offer_goes_on(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(speaking(&["imap"]))?;
    for versions in [V12, V13] {
        let (client, server) = connected(&acceptor, &Peer::new(&lab, versions).config()?, NAME).await?;
        same!(server.facts.alpn, None, "the facts");
        same!(chosen(&client), None, "at the client");
    }
    Ok(())
}

pub(super) async fn an_offer_is_ignored_where_none_is_spoken(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).offering(&["smtp", "h2"]).config()?;
        let (client, server) = connected(&acceptor, &config, NAME).await?;
        same!(server.facts.alpn, None, "the facts");
        same!(chosen(&client), None, "at the client");
    }
    Ok(())
}

pub(super) async fn of_a_connector(lab: Lab) -> Outcome {
    let offering = ClientPolicy { alpn: vec!["imap".into(), "pop3".into()], ..lab.client_policy() };
    let connector = lab.connector(offering)?;
    let identity = lab.issue(&Leaf::server(NAME));
    for versions in [V12, V13] {
        let server =
            |alpn: &[&'static str]| ServerPeer { alpn: alpn.to_vec(), ..ServerPeer::new(identity.clone(), versions) };
        let (client, _) = reached(&connector, &server(&["pop3"]).config()?, NAME).await?;
        same!(client.facts.alpn.as_deref(), Some("pop3"), "the server's choice");
        let (client, _) = reached(&connector, &server(&[]).config()?, NAME).await?;
        same!(client.facts.alpn, None, "the choice of a server that makes none");
        match reach(&connector, &server(&["h2"]).config()?, NAME).await.0 {
            Ok(_) => check!(false, "a connection although the server refused"),
            Err(error) => check!(
                matches!(error.code, Code::AlertReceived | Code::NoApplicationProtocol),
                "the code of alert 120 is {:?} ({error})",
                error.code
            ),
        }
    }
    Ok(())
}
