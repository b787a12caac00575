//! Python's `ssl` module as client and server: the scripts beside this file.

use super::{
    authority::{Authority, Leaf},
    case::{check, same, Doing, Outcome},
    clients::asking,
    lab::{policy, Lab, NAME},
    program::{have, resumed_after_the_first, run, Files, Served, Serving, Talk},
};
use dovetail_sdk::tls::{ClientAuth, ClientPolicy, ServerPolicy, TlsVersion::*};
use tokio::process::Command;

fn script(files: &Files, text: &str) -> Command {
    let mut command = Command::new("python3");
    command.current_dir(files.directory()).args(["-c", text]);
    command
}

fn client(files: &Files, port: u16, version: &str, visits: usize, task: &str) -> Command {
    let mut command = script(files, include_str!("python_client.py"));
    command.args([&port.to_string(), NAME, version, &visits.to_string(), task]);
    command
}

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

pub(super) async fn a_client(lab: Lab) -> Outcome {
    if !have("python3")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    let authority = Authority::new();
    let identity = authority.issue(&Leaf::client("ann.example"));
    files.put_identity("client", &identity)?;
    let asks = asking(ClientAuth::Required, &[&authority], vec![]);
    for version in VERSIONS {
        let acceptor = lab.acceptor(ServerPolicy { alpn: vec!["imap".into()], ..asks.clone() })?;
        let served = Served::start(acceptor, 1, Talk::Ping).await?;
        let said = run(&mut client(&files, served.port, version, 1, "ping"), b"").await?;
        check!(said.content, "Python is not content by {version}:\n{}", said.text);
        let facts = served.facts().await?;
        same!(facts[0].version, version, "the version in the facts");
        same!(facts[0].alpn.as_deref(), Some("imap"), "the application protocol in the facts");
        same!(facts[0].peer_chain.first(), identity.chain.first(), "the client's certificate in the facts");
        check!(
            said.text.contains(&facts[0].cipher) || version == "TLSv1.2",
            "Python has another cipher:\n{}",
            said.text
        );
    }
    Ok(())
}

pub(super) async fn a_client_comes_back(lab: Lab) -> Outcome {
    if !have("python3")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    for version in VERSIONS {
        let served = Served::start(lab.acceptor(policy())?, 5, Talk::Ping).await?;
        let said = run(&mut client(&files, served.port, version, 5, "ping"), b"").await?;
        check!(said.content, "Python is not content by {version}:\n{}", said.text);
        resumed_after_the_first(&served.facts().await?).doing(version)?;
        same!(said.text.matches("reused=True").count(), 4, "the visits that Python says were resumed");
    }
    Ok(())
}

pub(super) async fn a_client_moves_much(lab: Lab) -> Outcome {
    if !have("python3")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    for version in VERSIONS {
        let served = Served::start(lab.acceptor(policy())?, 1, Talk::Large(8 << 20)).await?;
        let said = run(&mut client(&files, served.port, version, 1, "8388608"), b"").await?;
        check!(said.content, "Python is not content by {version}:\n{}", said.text);
        served.facts().await?;
    }
    Ok(())
}

pub(super) async fn a_server(lab: Lab) -> Outcome {
    if !have("python3")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    files.put_identity("server", &lab.issue(&Leaf::server(NAME)))?;
    let identity = lab.issue(&Leaf::client("relay.example"));
    let serving = Serving::start(&mut script(&files, include_str!("python_server.py")), "port").await?;
    for (version, wanted) in [(Tls12, "TLSv1.2"), (Tls13, "TLSv1.3")] {
        let policy = ClientPolicy { min_version: version, max_version: version, ..lab.client_policy() };
        let with = ClientPolicy { alpn: vec!["imap".into()], identity: Some(identity.clone()), ..policy.clone() };
        let (facts, answer) = serving.visit(&lab.connector(with)?, NAME).await.doing(wanted)?;
        same!(answer, format!("{wanted} imap relay.example {NAME} ping"), "what Python says of the connection");
        same!(facts.version, wanted, "the version in the facts");
        check!(serving.visit(&lab.connector(policy)?, NAME).await.is_err(), "Python serves without a certificate");
    }
    Ok(())
}
