//! What a client gets that speaks TLS with a listener: which certificate and why, and by which rules.
//!
//! Nothing is opened and nobody connects: the certificate store is asked as a handshake would ask it, and the rules are those
//! that the listener in service was made with.

use crate::{
    config::{
        clients::ClientMode,
        model::{MinTls, Profile},
        TlsMode,
    },
    plugin::generation::Generation,
    server::Server,
};
use dovetail_abi::{
    certs_admin_v1::{CertsAdmin, ChoiceReason, PairFacts},
    certs_v1::Certs,
    handle::Interface,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A server name has at most so many octets (RFC 1035 section 2.3.4); more is no name that a client could send.
const MAX_NAME: usize = 254;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// The listener.
    pub listener: String,
    /// Its addresses.
    pub bind: Vec<String>,
    /// The instance that serves it.
    pub protocol: String,
    /// `implicit` or `explicit`.
    pub tls: String,
    /// Whether nothing else is served before TLS.
    pub require_tls: bool,
    /// The server name that a client asks for.
    pub server_name: Option<String>,
    /// What it gets.
    pub certificate: Option<Certificate>,
    /// Why it gets none; its handshake fails then.
    pub refusal: Option<String>,
    /// Who does TLS.
    pub provider: Option<Generation>,
    /// The profile.
    pub profile: String,
    /// The versions that are spoken.
    pub versions: Vec<String>,
    /// The application protocols; an offer in which none is ends with an alert. Empty: whatever is offered is ignored.
    pub alpn: Vec<String>,
    /// Whether clients show certificates: `off`, `optional` or `required`.
    pub client_certificates: String,
    /// Which of them are good.
    pub client_anchors: String,
    /// Whether clients come back with tickets.
    pub session_tickets: bool,
}

/// What a client gets.
#[derive(Debug, Serialize, Deserialize)]
pub struct Certificate {
    /// The identity set's name, as a listener's `certificate` names it.
    pub name: String,
    /// `exact`, `wildcard`, `listener` or `default`.
    pub reason: String,
    /// The name in the certificate that fits.
    pub fits: Option<String>,
    /// Its pairs; a client gets the first whose kind of key it accepts.
    pub pairs: Vec<Pair>,
    /// What is wrong with files that would be served as well, or in its place.
    pub problems: Vec<String>,
    /// Identity sets that have the same name in their certificates, and come after this one.
    pub others: Vec<String>,
}

/// One pair.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pair {
    /// The name that it is stored under.
    pub name: String,
    /// The kind of key.
    pub key: String,
    /// The names that it is for.
    pub names: Vec<String>,
    /// Who issued it.
    pub issuer: String,
    /// The first moment of its validity.
    pub not_before: String,
    /// The last one.
    pub not_after: String,
    /// `valid`, `expired` or `not yet valid`.
    pub state: String,
    /// SHA-256 of the certificate.
    pub sha256: String,
}

impl From<PairFacts> for Pair {
    fn from(facts: PairFacts) -> Self {
        let PairFacts { name, key, names, issuer, not_before, not_after, state, sha256 } = facts;
        Pair { name, key, names, issuer, not_before, not_after, state, sha256 }
    }
}

/// Explains a listener to a client that asks for a name.
///
/// # Errors
/// If there is no such listener, it does no TLS, or nobody can ask for the name.
pub fn explain(server: &Server, listener: &str, server_name: Option<String>) -> Result<Explanation, String> {
    let state = server.state();
    let found = state.listeners.iter().find(|other| other.config.name == listener).ok_or_else(|| {
        let names: Vec<&str> = state.listeners.iter().map(|listener| listener.config.name.as_str()).collect();
        format!("there is no listener `{listener}` (there are {})", names.join(", "))
    })?;
    let options = &found.config.options;
    let tls = match options.tls {
        TlsMode::Off => return Err(format!("the listener `{listener}` does no TLS (`tls: Off` in its config)")),
        TlsMode::Explicit => "explicit",
        TlsMode::Implicit => "implicit",
    };
    let server_name = server_name.map(|name| asked_for(&name)).transpose()?;
    let admin = state
        .assembly
        .provider_for_core(&state.config, Certs::ID)
        .and_then(|name| state.assembly.service::<CertsAdmin>(&name))?;
    let (certificate, refusal) = match admin.explain(options.certificate.clone(), server_name.clone()) {
        Err(failure) => (None, Some(failure.message)),
        Ok(None) => (None, Some("there is no certificate for it, and no default".to_owned())),
        Ok(Some(choice)) => {
            let reason = match choice.reason {
                ChoiceReason::Exact => "exact",
                ChoiceReason::Wildcard => "wildcard",
                ChoiceReason::Listener => "listener",
                _ => "default",
            };
            let certificate = Certificate {
                name: choice.certificate,
                reason: reason.to_owned(),
                fits: choice.fits,
                pairs: choice.pairs.into_iter().map(Pair::from).collect(),
                problems: choice.problems,
                others: choice.others,
            };
            (Some(certificate), None)
        }
    };
    let (profile, only_newest) = match options.tls_profile {
        Profile::Modern => ("Modern", true),
        Profile::Intermediate => ("Intermediate", options.min_tls == MinTls::Tls13),
    };
    let versions = if only_newest { ["TLS 1.3"].as_slice() } else { &["TLS 1.2", "TLS 1.3"] };
    Ok(Explanation {
        listener: listener.to_owned(),
        bind: found.bound.iter().map(ToString::to_string).collect(),
        protocol: options.protocol.clone(),
        tls: tls.to_owned(),
        require_tls: options.require_tls,
        server_name,
        certificate,
        refusal,
        provider: found.tls_by.as_deref().cloned(),
        profile: profile.to_owned(),
        versions: versions.iter().map(|&version| version.to_owned()).collect(),
        alpn: found.traits.alpn.clone(),
        client_certificates: match options.client_certificates.mode {
            ClientMode::Off => "off",
            ClientMode::Optional => "optional",
            ClientMode::Required => "required",
        }
        .to_owned(),
        client_anchors: found.config.client_files.origins(),
        session_tickets: options.session_tickets,
    })
}

/// The name as a client would send it (RFC 6066 section 3).
fn asked_for(name: &str) -> Result<String, String> {
    let is_octet = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    if name.parse::<IpAddr>().is_ok() {
        return Err(format!("no client asks for `{name}`: an address is no server name (leave the name out)"));
    }
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_octet) {
        return Err(format!(
            "no client asks for `{name}`: give a host name, such as mail.example.org (one with other letters as its xn-- form)"
        ));
    }
    Ok(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_can_ask_for() {
        assert_eq!(asked_for("Mail.Example.ORG."), Ok("mail.example.org".into()));
        for bad in ["", "192.0.2.1", "2001:db8::1", "münchen.example", "a b", "*.example.org"] {
            assert!(asked_for(bad).is_err(), "{bad}");
        }
        assert!(asked_for(&"x".repeat(255)).is_err());
    }
}
