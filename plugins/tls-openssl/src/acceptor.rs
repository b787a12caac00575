//! The server's side: one acceptor per listener.
//!
//! A handshake begins in a context without certificates. When the ClientHello is read, the certificate store is asked, and the
//! handshake goes on in the context made for that identity set.

use super::{
    clients::Clients,
    clock,
    context::common,
    conversation,
    errors::{failure, internal, SSL2},
    facts, ffi,
    guard::contained,
    hello::{self, SERVER_NAME},
    identity::IdentitySet,
    policy::{self, Versions},
    shake,
    tickets::{Keys, Tickets},
};
use dovetail_sdk::{
    tls::{Cache, Identities, ServerPolicy, TlsAcceptorProvider, TlsConnection, TlsError, TlsErrorCode, MAX_SETS},
    Stream,
};
use openssl::{
    error::ErrorStack,
    ssl::{
        select_next_proto, AlpnError, ClientHelloResponse, Ssl, SslAlert, SslContext, SslContextBuilder, SslMethod,
        SslOptions, SslRef,
    },
};
use std::sync::Arc;

/// See the module.
pub(crate) struct Acceptor {
    listener: Arc<Listener>,
    base: SslContext,
}

/// What the ClientHello's callback needs.
struct Listener {
    place: String,
    certificate: Option<String>,
    versions: Versions,
    alpn: Vec<u8>,
    clients: Clients,
    identities: Arc<Identities<IdentitySet>>,
    tickets: Option<Arc<Tickets>>,
    contexts: Cache<Served>,
}

/// What was made for an identity set.
struct Served {
    context: SslContext,
    keys: Option<Keys>,
}

impl Acceptor {
    /// # Errors
    /// [`TlsErrorCode::BadPolicy`] if the policy asks for what cannot be.
    pub(crate) fn new(
        policy: ServerPolicy,
        identities: Arc<Identities<IdentitySet>>,
        tickets: Arc<Tickets>,
    ) -> Result<Self, TlsError> {
        let place = format!("listener {}", policy.listener);
        let listener = Arc::new(Listener {
            versions: policy::versions(&place, policy.min_version, policy.max_version, policy.profile)?,
            alpn: policy::alpn(&place, &policy.alpn)?,
            clients: Clients::new(&place, &policy.clients)?,
            certificate: policy.certificate,
            identities,
            tickets: policy.tickets.then_some(tickets),
            contexts: Cache::new(MAX_SETS),
            place,
        });
        let base = base(&listener).map_err(|error| {
            let text = format!("OpenSSL cannot do what the policy says: {}", super::errors::describe(&error));
            failure(TlsErrorCode::BadPolicy, &listener.place, text)
        })?;
        Ok(Acceptor { listener, base })
    }

    fn connection(&self) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.base)?;
        conversation::begin(&mut ssl)?;
        ssl.param_mut().set_time(clock::now_for_certificates());
        ssl.set_accept_state();
        Ok(ssl)
    }
}

impl TlsAcceptorProvider for Acceptor {
    async fn accept(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        let place = &self.listener.place;
        let ssl = self.connection().map_err(|error| internal(place, &error))?;
        let tls = shake::hands(place, ssl, stream).await?;
        let server_name = conversation::of(tls.ssl()).and_then(|conversation| conversation.server_name.clone());
        let facts = facts::of(tls.ssl(), server_name, self.listener.clients.are_asked());
        Ok(TlsConnection { stream: Stream::new(tls), facts })
    }
}

/// The context that handshakes begin in: all that matters before there is a certificate, and tickets.
fn base(listener: &Arc<Listener>) -> Result<SslContext, ErrorStack> {
    let mut builder = listener.context()?;
    if let Some(tickets) = &listener.tickets {
        ffi::set_ticket_keys(&mut builder)?;
        ffi::set_ticket_contents(&mut builder, tickets.lifetime())?;
    }
    let listener = listener.clone();
    builder.set_client_hello_callback(move |ssl, alert| {
        let chosen = contained(Err((SslAlert::INTERNAL_ERROR, None)), || {
            listener.on_hello(ssl).map_err(|(alert, error)| (alert, Some(error)))
        });
        chosen.map(|()| ClientHelloResponse::SUCCESS).map_err(|(answer, error)| {
            *alert = answer;
            let place = &listener.place;
            let error = error
                .unwrap_or_else(|| failure(TlsErrorCode::Provider, place, "the TLS provider failed; see its panic"));
            if let Some(conversation) = conversation::of_mut(ssl) {
                conversation.failure = Some(error);
            }
            ErrorStack::get()
        })
    });
    Ok(builder.build())
}

impl Listener {
    /// What all contexts of the listener have in common.
    fn context(&self) -> Result<SslContextBuilder, ErrorStack> {
        let mut builder = common(SslMethod::tls_server(), self.versions)?;
        self.clients.apply(&mut builder)?;
        if self.tickets.is_some() {
            // Each resumption brings a new one, so one is enough for a client with one connection at a time.
            builder.set_num_tickets(1)?;
        } else {
            builder.set_options(SslOptions::NO_TICKET);
            builder.set_num_tickets(0)?;
        }
        if !self.alpn.is_empty() {
            let ours = self.alpn.clone();
            builder.set_alpn_select_callback(move |_, offered| {
                contained(None, || select_next_proto(&ours, offered).and_then(|chosen| within(offered, chosen)))
                    .ok_or(AlpnError::ALERT_FATAL)
            });
        }
        // Says that a server name was heard (RFC 6066 §3); it decides nothing.
        builder.set_servername_callback(|_, _| Ok(()));
        Ok(builder)
    }

    /// Chooses what the ClientHello asks for, or the alert that it gets.
    fn on_hello(&self, ssl: &mut SslRef) -> Result<(), (SslAlert, TlsError)> {
        let said = |code, text: &str| failure(code, &self.place, text);
        let ours = |error: ErrorStack| (SslAlert::INTERNAL_ERROR, internal(&self.place, &error));
        if ssl.client_hello_isv2() {
            return Err((SslAlert::PROTOCOL_VERSION, said(TlsErrorCode::NoCommonVersion, SSL2)));
        }
        let name = ffi::hello_extension(ssl, SERVER_NAME).map_or(Ok(None), hello::server_name).map_err(|_| {
            let text = "the peer broke the TLS protocol: its server name is no host name";
            (SslAlert::ILLEGAL_PARAMETER, said(TlsErrorCode::PeerMisbehaved, text))
        })?;
        let served = self.choose(name.as_deref())?;
        ssl.set_ssl_context(&served.context).map_err(ours)?;
        let ring = served.keys.as_ref().and_then(Keys::current).filter(|ring| !ring.is_empty());
        if ring.is_none() {
            ssl.set_num_tickets(0).map_err(ours)?;
        }
        if let Some(conversation) = conversation::of_mut(ssl) {
            conversation.server_name = name;
            conversation.ring = ring;
            conversation.lifetime = self.tickets.as_ref().map_or(0, |tickets| tickets.lifetime());
        }
        Ok(())
    }

    fn choose(&self, server_name: Option<&str>) -> Result<Arc<Served>, (SslAlert, TlsError)> {
        let ours = |error| (SslAlert::INTERNAL_ERROR, error);
        let found = self.identities.find(self.certificate.as_deref(), server_name).map_err(ours)?;
        if let Some(set) = found {
            return self.served(&set).map_err(ours);
        }
        let (alert, text) = match server_name {
            Some(name) => (
                SslAlert::UNRECOGNIZED_NAME,
                format!("no certificate for the name {name}, which the client asks for, and no default; add one with: dovetail certs create, or certs import"),
            ),
            None => (
                SslAlert::HANDSHAKE_FAILURE,
                "the client names no server, and there is no default certificate; add one with: dovetail certs create, or certs import".into(),
            ),
        };
        Err((alert, failure(TlsErrorCode::UnknownServerName, &self.place, text)))
    }

    /// What is made for an identity set, now or before.
    fn served(&self, set: &IdentitySet) -> Result<Arc<Served>, TlsError> {
        if let Some(served) = self.contexts.get(set.id) {
            return Ok(served);
        }
        let make = || {
            let mut builder = self.context()?;
            set.apply(&mut builder)?;
            let keys = match &self.tickets {
                Some(tickets) => Some(Keys::new(tickets.clone(), self.ticket_context(set)?)),
                None => None,
            };
            Ok(Served { context: builder.build(), keys })
        };
        let served = make().map_err(|error: ErrorStack| {
            let text = format!("OpenSSL cannot serve its certificate: {}", super::errors::describe(&error));
            failure(TlsErrorCode::BadIdentity, &self.place, text)
        })?;
        Ok(self.contexts.insert(set.id, served))
    }

    /// Where tickets are good: with this provider, these clients, and these certificates.
    fn ticket_context(&self, set: &IdentitySet) -> Result<Vec<u8>, ErrorStack> {
        Ok([&b"tls-openssl"[..], self.clients.digest(), &set.digest()?].concat())
    }
}

/// The part of `whole` that equals `part`: OpenSSL wants a pointer into what the client sent.
fn within<'a>(whole: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    let mut rest = whole;
    while let Some((len, names)) = rest.split_first() {
        let (name, tail) = names.split_at_checked(usize::from(*len))?;
        if name == part {
            return Some(name);
        }
        rest = tail;
    }
    None
}
