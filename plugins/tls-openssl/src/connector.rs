//! The client's side: one connector per policy.

use super::{
    clients, clock,
    context::common,
    conversation,
    errors::{describe, failure, internal},
    facts, ffi,
    guard::contained,
    hello::is_host_name,
    identity::Pair,
    policy,
    sessions::Sessions,
    shake,
};
use dovetail_sdk::{
    tls::{ClientPolicy, TlsConnection, TlsConnectorProvider, TlsError, TlsErrorCode, TlsProfile},
    Stream,
};
use openssl::{
    error::ErrorStack,
    ssl::{Ssl, SslContext, SslMethod, SslSessionCacheMode, SslVerifyMode},
    x509::verify::{X509CheckFlags, X509VerifyFlags},
};
use std::{net::IpAddr, sync::Arc};

/// See the module.
pub(crate) struct Connector {
    context: SslContext,
    /// Of this context alone.
    sessions: Arc<Sessions>,
    alpn: Vec<String>,
}

impl Connector {
    /// # Errors
    /// [`TlsErrorCode::BadPolicy`] if the policy asks for what cannot be, or a trust anchor cannot be read;
    /// [`TlsErrorCode::BadIdentity`] if the identity cannot be shown.
    pub(crate) fn new(policy: &ClientPolicy) -> Result<Self, TlsError> {
        let versions = policy::versions(PLACE, policy.min_version, policy.max_version, TlsProfile::Intermediate)?;
        let anchors = clients::anchors(PLACE, &policy.anchors)?;
        let alpn = policy::alpn(PLACE, &policy.alpn)?;
        let identity = policy.identity.as_ref().map(Pair::new).transpose()?;
        let sessions = Arc::new(Sessions::default());
        let make = || {
            let mut builder = common(SslMethod::tls_client(), versions)?;
            builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
            let keeper = sessions.clone();
            builder.set_new_session_callback(move |ssl, session| contained((), || keeper.keep(ssl, session)));
            builder.set_verify(SslVerifyMode::PEER);
            builder.set_cert_store(clients::store(&anchors, &[])?);
            builder.verify_param_mut().set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
            if !alpn.is_empty() {
                builder.set_alpn_protos(&alpn)?;
            }
            if let Some(identity) = &identity {
                identity.apply(&mut builder)?;
            }
            Ok(builder.build())
        };
        let context = make().map_err(|error: ErrorStack| {
            failure(
                TlsErrorCode::BadPolicy,
                PLACE,
                format!("OpenSSL cannot do what the policy says: {}", describe(&error)),
            )
        })?;
        Ok(Connector { context, sessions, alpn: policy.alpn.clone() })
    }

    fn connection(&self, name: &Name<'_>) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        conversation::begin(&mut ssl)?;
        let parameters = ssl.param_mut();
        parameters.set_time(clock::now_for_certificates());
        // As all do now: only the names in the subjectAltName count (RFC 9525 §2), a wildcard stands for one whole label.
        parameters.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS | X509CheckFlags::NEVER_CHECK_SUBJECT);
        match name {
            Name::Host(host) => {
                parameters.set_host(host)?;
                ssl.set_hostname(host)?;
            }
            Name::Address(address) => parameters.set_ip(*address)?,
        }
        if let Some(conversation) = conversation::of_mut(&mut ssl) {
            conversation.server_name = Some(name.text());
        }
        if let Some(session) = self.sessions.take(&name.text()) {
            ffi::resume(&mut ssl, &session)?;
        }
        ssl.set_connect_state();
        Ok(ssl)
    }
}

enum Name<'a> {
    Host(&'a str),
    Address(IpAddr),
}

impl<'a> Name<'a> {
    fn text(&self) -> String {
        match self {
            Name::Host(host) => host.to_ascii_lowercase(),
            Name::Address(address) => address.to_string(),
        }
    }

    fn parse(text: &'a str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Name::Address(address));
        }
        is_host_name(text).then(|| Name::Host(text.strip_suffix('.').unwrap_or(text)))
    }
}

impl TlsConnectorProvider for Connector {
    async fn connect(&self, stream: Stream, server_name: String) -> Result<TlsConnection, TlsError> {
        let place = format!("TLS to {server_name}");
        let ssl = {
            let name = Name::parse(&server_name).ok_or_else(|| {
                failure(TlsErrorCode::BadPolicy, &place, "this is neither a DNS name nor an IP address")
            })?;
            self.connection(&name).map_err(|error| internal(&place, &error))?
        };
        let tls = shake::hands(&place, ssl, stream).await?;
        self.sessions.keep_renewed(tls.ssl());
        let facts = facts::of(tls.ssl(), Some(server_name), true);
        if facts.alpn.as_ref().is_some_and(|chosen| !self.alpn.contains(chosen)) {
            let text = "the peer broke the TLS protocol: it chose an application protocol that was not offered";
            return Err(failure(TlsErrorCode::PeerMisbehaved, &place, text));
        }
        Ok(TlsConnection { stream: Stream::new(tls), facts })
    }
}

const PLACE: &str = "TLS client";
