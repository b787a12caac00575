//! `dovetail tls explain`: which certificate a client gets from the running server, and why.

use super::{output, place, Common};
use crate::control::{
    explain::{Certificate, Explanation},
    message::{Answer, Call},
};
use crate::plugin::generation::Generation;
use clap::{Args, Subcommand};
use dovetail_abi::operations_v1::Table;
use std::process::ExitCode;

/// What can be asked about TLS.
#[derive(Debug, Subcommand)]
pub enum TlsCommand {
    /// Say which certificate a client gets, and why, and by which rules TLS is spoken
    Explain(Explain),
}

/// What `explain` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:\n  dovetail tls explain imaps mail.example.org\n  dovetail tls explain submission --json\n\n\
Without NAME it is for a client that sends no server name. Ends with 1 if the client gets no certificate.")]
pub struct Explain {
    /// The listener, as in `dovetail status`
    listener: String,
    /// The server name that the client asks for (SNI)
    name: Option<String>,
}

/// Asks the running server.
pub fn run(common: &Common, command: &TlsCommand) -> Result<ExitCode, String> {
    let TlsCommand::Explain(explain) = command;
    let call = Call::ExplainTls { listener: explain.listener.clone(), server_name: explain.name.clone() };
    let Answer::ExplainTls(explanation) = place::running(common)?.call(call, |_| {})? else {
        return Err(
            "the server answered something else than an explanation (use the `dovetail` of the running server)".into(),
        );
    };
    if common.json {
        output::json(&serde_json::to_string(&explanation).map_err(|error| error.to_string())?);
    } else {
        print(&explanation);
    }
    Ok(if explanation.certificate.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(shown: &Explanation) {
    let client = match &shown.server_name {
        Some(name) => format!("a client that asks {} for \"{name}\"", shown.listener),
        None => format!("a client that asks {} for no name", shown.listener),
    };
    match &shown.certificate {
        Some(certificate) => {
            output::line(&format!("{client} gets the certificate \"{}\": {}", certificate.name, why(certificate)));
            print_certificate(certificate);
        }
        None => output::line(&format!(
            "{client} gets no certificate, and its handshake fails: {}",
            shown.refusal.as_deref().unwrap_or("nobody says why")
        )),
    }
    output::line("");
    let mut rows = vec![
        ("listener", format!("{} on {}, served by {}", shown.listener, shown.bind.join(" "), shown.protocol)),
        ("TLS begins", begins(shown)),
        ("done by", shown.provider.as_ref().map_or_else(|| "nobody".to_owned(), provider)),
        ("versions", format!("{} (profile {})", shown.versions.join(" and "), shown.profile)),
        (
            "ALPN",
            match shown.alpn.is_empty() {
                true => "whatever is offered is ignored".to_owned(),
                false => format!("{}; an offer without it is refused, and none is needed", shown.alpn.join(" or ")),
            },
        ),
        (
            "clients show",
            match shown.client_certificates.as_str() {
                "off" => "no certificate".to_owned(),
                mode => format!("a certificate ({mode}): {}", shown.client_anchors),
            },
        ),
    ];
    rows.push(("tickets", if shown.session_tickets { "given out" } else { "not given out" }.to_owned()));
    for (head, text) in rows {
        output::line(&format!("{head:<13} {text}"));
    }
}

fn why(certificate: &Certificate) -> String {
    let fits = certificate.fits.as_deref().unwrap_or_default();
    match certificate.reason.as_str() {
        "exact" => format!("the name {fits} is in it"),
        "wildcard" => format!("the name fits {fits} in it"),
        "listener" => "no certificate has the name, and the listener says `certificate`".to_owned(),
        _ => "no certificate has the name, and this is the default".to_owned(),
    }
}

fn print_certificate(certificate: &Certificate) {
    let columns = ["PAIR", "KEY", "FOR", "ISSUED BY", "UNTIL", "STATE", "SHA-256"];
    let rows = certificate.pairs.iter().map(|pair| {
        let until = pair.not_after.get(..10).unwrap_or(&pair.not_after).to_owned();
        vec![
            pair.name.clone(),
            pair.key.clone(),
            pair.names.join(", "),
            pair.issuer.clone(),
            until,
            pair.state.clone(),
            pair.sha256.clone(),
        ]
    });
    output::line("");
    output::show_table(&Table { columns: columns.map(str::to_owned).to_vec(), rows: rows.collect() });
    if certificate.pairs.len() > 1 {
        output::line("\nthe client gets the first of these whose kind of key it accepts");
    }
    for problem in &certificate.problems {
        output::line(&format!("\nnot served: {problem}"));
    }
    if !certificate.others.is_empty() {
        output::line(&format!("\nfor the same name, and after this one: {}", certificate.others.join(", ")));
    }
}

/// The instance and the plugin that it is of: with `serve --tls-provider` another than the config says.
fn provider(provider: &Generation) -> String {
    format!("{provider}, which is plugin {} {}", provider.plugin, provider.version)
}

fn begins(shown: &Explanation) -> String {
    match (shown.tls.as_str(), shown.require_tls) {
        ("implicit", _) => "with the connection".to_owned(),
        (_, true) => "when the client asks for it, and nothing else is served before".to_owned(),
        (_, false) => "when the client asks for it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_is_told_beside_the_name_of_its_instance() {
        let instance = Generation {
            instance: "tls-rustls".into(),
            plugin: "tls-openssl".into(),
            version: "0.1.0".into(),
            build: "ab".into(),
            generation: 1,
        };
        assert_eq!(provider(&instance), "tls-rustls 1 (build ab), which is plugin tls-openssl 0.1.0");
    }
}
