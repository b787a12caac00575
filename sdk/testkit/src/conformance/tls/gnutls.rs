//! `gnutls-cli` as the peer.

use super::{
    authority::{Authority, Leaf},
    case::{check, same, Doing, Outcome},
    clients::asking,
    lab::{policy, Lab, NAME},
    program::{content, have, resumed_after_the_first, run, Files, Served, Talk, PING},
};
use dovetail_sdk::tls::{ClientAuth, ServerPolicy, TlsErrorCode as Code};
use tokio::process::Command;

fn client(files: &Files, port: u16, priority: &str) -> Command {
    let mut command = Command::new("gnutls-cli");
    command.current_dir(files.directory()).args(["--x509cafile", "ca.pem", "--verify-hostname", NAME]);
    command.args(["--sni-hostname", NAME, "--priority", priority, "--port", &port.to_string(), "127.0.0.1"]);
    command
}

const VERSIONS: [(&str, &str); 2] =
    [("NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLSv1.2"), ("NORMAL:-VERS-ALL:+VERS-TLS1.3", "TLSv1.3")];

pub(super) async fn a_client(lab: Lab) -> Outcome {
    if !have("gnutls-cli")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    for (priority, version) in VERSIONS {
        let acceptor = lab.acceptor(ServerPolicy { alpn: vec!["imap".into()], ..policy() })?;
        let served = Served::start(acceptor, 1, Talk::Ping).await?;
        let mut command = client(&files, served.port, priority);
        let said = run(command.args(["--alpn", "pop3", "--alpn", "imap"]), PING.as_bytes()).await?;
        content(&said).doing(version)?;
        check!(!said.text.contains("not properly terminated"), "no close_notify comes:\n{}", said.text);
        let facts = served.facts().await?;
        same!(facts[0].version, version, "the version in the facts");
        same!(facts[0].server_name.as_deref(), Some(NAME), "the server name in the facts");
        same!(facts[0].alpn.as_deref(), Some("imap"), "the application protocol in the facts");
        check!(facts[0].exporter.is_some(), "no exporter by {version} with the extended master secret");
    }
    Ok(())
}

/// RFC 9266 §4.2: TLS 1.2 without the extended master secret binds no channel.
pub(super) async fn a_client_without_extended_master_secret(lab: Lab) -> Outcome {
    if !have("gnutls-cli")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    let served = Served::start(lab.acceptor(policy())?, 1, Talk::Ping).await?;
    let mut command = client(&files, served.port, "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH");
    content(&run(&mut command, PING.as_bytes()).await?)?;
    let facts = served.facts().await?;
    same!(facts[0].exporter, None, "the exporter");
    Ok(())
}

pub(super) async fn a_client_comes_back(lab: Lab) -> Outcome {
    if !have("gnutls-cli")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    for (priority, version) in VERSIONS {
        let served = Served::start(lab.acceptor(policy())?, 2, Talk::Ping).await?;
        let mut command = client(&files, served.port, priority);
        let said = run(command.args(["--resume", "--waitresumption"]), b"ping\nping\n").await?;
        content(&said).doing(version)?;
        check!(
            said.text.contains("This is a resumed session"),
            "gnutls-cli is not resumed by {version}:\n{}",
            said.text
        );
        resumed_after_the_first(&served.facts().await?).doing(version)?;
    }
    Ok(())
}

pub(super) async fn a_client_shows_a_certificate(lab: Lab) -> Outcome {
    if !have("gnutls-cli")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    let authority = Authority::new();
    let identity = authority.issue(&Leaf::client("ann.example"));
    files.put_identity("client", &identity)?;
    let asks = asking(ClientAuth::Required, &[&authority], vec![]);
    for (priority, version) in VERSIONS {
        let served = Served::start(lab.acceptor(asks.clone())?, 2, Talk::Ping).await?;
        let mut command = client(&files, served.port, priority);
        command.args(["--x509certfile", "client.pem", "--x509keyfile", "client.key"]);
        content(&run(&mut command, PING.as_bytes()).await?).doing(version)?;
        let said = run(&mut client(&files, served.port, priority), PING.as_bytes()).await?;
        check!(content(&said).is_err(), "gnutls-cli is served without a certificate");
        let mut outcomes = served.outcomes().await?.into_iter();
        let facts = outcomes.next().ok_or("no connection")??;
        same!(facts.peer_chain.first(), identity.chain.first(), "the client's certificate in the facts");
        let code = outcomes.next().and_then(Result::err).map(|error| error.code);
        same!(code, Some(Code::NoPeerCertificate), "the code without one");
    }
    Ok(())
}
