//! `openssl s_client` and `openssl s_server` as peers.

use super::{
    authority::{Authority, Leaf},
    case::{check, same, Doing, Failed, Outcome},
    clients::asking,
    flow::numbered,
    lab::{policy, Lab, NAME},
    program::{content, have, resumed_after_the_first, run, Files, Served, Serving, Talk, PING},
};
use dovetail_sdk::tls::{ClientAuth, ClientPolicy, ServerPolicy, TlsErrorCode as Code, TlsVersion::*};
use tokio::process::Command;

/// Ends when the server does, and only then.
fn client(files: &Files, address: &str) -> Command {
    let mut command = Command::new("openssl");
    command.current_dir(files.directory()).args(["s_client", "-ign_eof", "-connect", address, "-servername", NAME]);
    command.args(["-CAfile", "ca.pem", "-verify_hostname", NAME, "-verify_return_error"]);
    command
}

const VERSIONS: [(&str, &str); 2] = [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")];

pub(super) async fn s_client(lab: Lab) -> Outcome {
    if !have("openssl")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    for (option, version) in VERSIONS {
        let acceptor = lab.acceptor(ServerPolicy { alpn: vec!["imap".into()], ..policy() })?;
        let served = Served::start(acceptor, 1, Talk::Ping).await?;
        let mut command = client(&files, &served.address());
        let said = run(command.args([option, "-alpn", "pop3,imap"]), PING.as_bytes()).await?;
        content(&said).doing(version)?;
        for wanted in ["Verify return code: 0 (ok)", "ALPN protocol: imap", version] {
            check!(said.text.contains(wanted), "s_client does not say {wanted:?}:\n{}", said.text);
        }
        check!(!said.text.contains("unexpected eof"), "the connection ends without close_notify:\n{}", said.text);
        let facts = served.facts().await?;
        same!(facts[0].version, version, "the version in the facts");
        same!(facts[0].server_name.as_deref(), Some(NAME), "the server name in the facts");
        same!(facts[0].alpn.as_deref(), Some("imap"), "the application protocol in the facts");
        check!(facts[0].exporter.is_some(), "no exporter by {version} with the extended master secret");
    }
    Ok(())
}

pub(super) async fn s_client_comes_back(lab: Lab) -> Outcome {
    if !have("openssl")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    for (option, version) in VERSIONS {
        let served = Served::start(lab.acceptor(policy())?, 4, Talk::Ping).await?;
        for turn in 0..4 {
            let mut command = client(&files, &served.address());
            command.args([option, "-sess_out", "session"]);
            if turn > 0 {
                command.args(["-sess_in", "session"]);
            }
            let said = run(&mut command, PING.as_bytes()).await?;
            content(&said).doing(format!("visit {turn} by {version}"))?;
            let reused = said.text.contains("Reused, TLSv1.");
            same!(reused, turn > 0, "whether s_client says Reused at visit {turn} by {version}");
        }
        resumed_after_the_first(&served.facts().await?).doing(version)?;
    }
    Ok(())
}

/// RFC 5077 §3.3, RFC 8446 §4.6.1: the lifetime is the host's.
pub(super) async fn s_client_sees_the_tickets_lifetime(lab: Lab) -> Outcome {
    if !have("openssl")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    lab.tickets().set_lifetime(4321);
    for (option, version) in VERSIONS {
        let acceptor = super::lab::acceptor(&lab.another().await?, policy())?;
        let served = Served::start(acceptor, 1, Talk::Ping).await?;
        let mut command = client(&files, &served.address());
        let said = run(command.args([option, "-sess_out", "session"]), PING.as_bytes()).await?;
        let mut command = Command::new("openssl");
        command.current_dir(files.directory()).args(["sess_id", "-in", "session", "-text", "-noout"]);
        let session = run(&mut command, b"").await?;
        let hint = session.text.lines().find(|line| line.contains("lifetime hint")).unwrap_or_default();
        let seconds: Option<u32> = hint.split_whitespace().find_map(|word| word.parse().ok());
        check!(
            seconds.is_some_and(|seconds| (1..=4321).contains(&seconds)),
            "the ticket by {version} says {seconds:?} s, where the host says 4321:\n{}{}",
            session.text,
            said.text
        );
    }
    Ok(())
}

pub(super) async fn s_client_shows_a_certificate(lab: Lab) -> Outcome {
    if !have("openssl")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    let authority = Authority::new();
    let identity = authority.issue(&Leaf::client("ann.example"));
    files.put_identity("client", &identity)?;
    let asks = asking(ClientAuth::Required, &[&authority], vec![]);
    for (option, version) in VERSIONS {
        let served = Served::start(lab.acceptor(asks.clone())?, 2, Talk::Ping).await?;
        let mut command = client(&files, &served.address());
        let said = run(command.args([option, "-cert", "client.pem", "-key", "client.key"]), PING.as_bytes()).await?;
        content(&said).doing(version)?;
        // Without one.
        let said = run(client(&files, &served.address()).arg(option), PING.as_bytes()).await?;
        check!(content(&said).is_err(), "s_client is served without a certificate");
        let mut outcomes = served.outcomes().await?.into_iter();
        let facts = outcomes.next().ok_or("no connection")??;
        same!(facts.peer_chain.first(), identity.chain.first(), "the client's certificate in the facts");
        let code = outcomes.next().and_then(Result::err).map(|error| error.code);
        same!(code, Some(Code::NoPeerCertificate), "the code without one");
    }
    Ok(())
}

pub(super) async fn s_client_moves_much(lab: Lab) -> Outcome {
    if !have("openssl")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    let data = numbered(LARGE);
    for (option, version) in VERSIONS {
        let served = Served::start(lab.acceptor(policy())?, 1, Talk::Large(LARGE)).await?;
        let said = run(client(&files, &served.address()).args([option, "-quiet"]), &data).await?;
        check!(said.out == data, "{} bytes of {LARGE} came by {version}, or others", said.out.len());
        check!(said.content, "s_client is not content by {version}");
        served.facts().await?;
    }
    Ok(())
}

/// RFC 8446 §4.2.3, RFC 9325 §3.5: no renegotiation. `R` on a line asks for it.
pub(super) async fn s_client_cannot_renegotiate(lab: Lab) -> Outcome {
    if !have("openssl")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    let served = Served::start(lab.acceptor(policy())?, 1, Talk::Ping).await?;
    let mut command = Command::new("openssl");
    command.current_dir(files.directory()).args(["s_client", "-tls1_2", "-connect", &served.address()]);
    let said = run(command.args(["-servername", NAME, "-CAfile", "ca.pem"]), b"R\nping\n").await?;
    check!(said.text.contains("RENEGOTIATING"), "s_client did not ask:\n{}", said.text);
    let chains = said.text.matches("verify return:1").count();
    check!(chains == 2, "{chains} certificates were verified, not the 2 of one handshake:\n{}", said.text);
    Ok(())
}

async fn server(files: &Files, options: &[&str]) -> Result<Serving, Failed> {
    let mut command = Command::new("openssl");
    command.current_dir(files.directory()).args(["s_server", "-accept", "127.0.0.1:0", "-rev"]);
    command.args(["-cert", "server.pem", "-key", "server.key"]).args(options);
    Serving::start(&mut command, "ACCEPT").await
}

pub(super) async fn s_server(lab: Lab) -> Outcome {
    if !have("openssl")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    files.put_identity("server", &lab.issue(&Leaf::server(NAME)))?;
    let serving = server(&files, &["-alpn", "imap"]).await?;
    for (version, wanted) in [(Tls12, "TLSv1.2"), (Tls13, "TLSv1.3")] {
        let policy = ClientPolicy { min_version: version, max_version: version, ..lab.client_policy() };
        let connector = lab.connector(ClientPolicy { alpn: vec!["imap".into()], ..policy })?;
        let (facts, answer) = serving.visit(&connector, NAME).await.doing(wanted)?;
        same!(answer, "gnip", "what s_server answers");
        same!(facts.version, wanted, "the version in the facts");
        same!(facts.alpn.as_deref(), Some("imap"), "the application protocol in the facts");
        check!(serving.visit(&connector, "other.example").await.is_err(), "s_server is believed to be another");
    }
    Ok(())
}

pub(super) async fn s_server_asks_for_a_certificate(lab: Lab) -> Outcome {
    if !have("openssl")? {
        return Ok(());
    }
    let files = Files::new(&lab)?;
    files.put_identity("server", &lab.issue(&Leaf::server(NAME)))?;
    let identity = lab.issue(&Leaf::client("relay.example"));
    let serving = server(&files, &["-Verify", "2", "-CAfile", "ca.pem", "-verify_return_error"]).await?;
    for version in [Tls12, Tls13] {
        let policy = ClientPolicy { min_version: version, max_version: version, ..lab.client_policy() };
        let without = lab.connector(policy.clone())?;
        check!(serving.visit(&without, NAME).await.is_err(), "s_server is content without a certificate");
        let with = lab.connector(ClientPolicy { identity: Some(identity.clone()), ..policy })?;
        same!(serving.visit(&with, NAME).await?.1, "gnip", "what s_server answers");
    }
    Ok(())
}

const LARGE: usize = 8 << 20;
