//! The two ways to the same code.

use std::future::Future;

/// The server's side of a TLS handshake.
pub mod acceptor {
    use super::Future;
    use crate::{error::Error, host::Plugin, work::tls};
    use dovetail::plugin::tickets::Tickets;
    use dovetail_abi::{handle::Interface, Stream};
    use dovetail_sdk::{
        certs::Certs,
        tls::{HostTickets, ServerPolicy, Tls, TlsAcceptorProvider, TlsConnection, TlsError},
    };
    use std::sync::Arc;
    use tokio_rustls::TlsConnector;

    /// Shakes hands over a stream.
    pub trait Accept: Fn(Stream) -> Self::Handshake {
        /// Until it is done.
        type Handshake: Future<Output = Result<TlsConnection, TlsError>> + Send + 'static;
    }

    impl<F, H> Accept for F
    where
        F: Fn(Stream) -> H,
        H: Future<Output = Result<TlsConnection, TlsError>> + Send + 'static,
    {
        type Handshake = H;
    }

    /// The source, compiled in; and a client for it.
    ///
    /// # Errors
    /// If there is no certificate for it.
    pub fn direct() -> Result<(impl Accept, TlsConnector), Error> {
        let (certs, client) = tls::client()?;
        let acceptor = Arc::new(boundary_direct::acceptor(policy(), Certs::new(certs), HostTickets::new(Tickets))?);
        let accept = move |stream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await }
        };
        Ok((accept, client))
    }

    /// The plugin, loaded; and a client for it.
    ///
    /// # Errors
    /// If the plugin is not there or does not fit.
    pub async fn through() -> Result<(impl Accept, TlsConnector), Error> {
        let (certs, client) = tls::client()?;
        let plugin = Plugin::start("tls-rustls", &[Certs::new(certs).erase()]).await?;
        let acceptor = plugin.provided::<Tls>()?.acceptor(policy())?;
        let accept = move |stream| {
            // The instance lives as long as somebody accepts by it.
            let _ = &plugin;
            acceptor.accept(stream)
        };
        Ok((accept, client))
    }

    fn policy() -> ServerPolicy {
        ServerPolicy::of("submissions")
    }
}

/// A protocol that serves sessions.
pub mod protocol {
    use super::Future;
    use crate::{
        error::Error,
        fakes,
        host::{self, Plugin},
    };
    use boundary_direct::{Config, Conversation, Figures, Services};
    use dovetail_abi::{
        handle::Interface,
        protocol_v1::{Protocol, SessionFailure, SessionStart},
        scope, CallFailure,
    };
    use dovetail_sdk::{delivery::Delivery, directory::Directory, protocol::Session, Service};
    use std::sync::Arc;

    /// Serves a session.
    pub trait Serve: Fn(SessionStart) -> Self::Served {
        /// Until it has ended.
        type Served: Future<Output = Result<(), SessionFailure>> + Send + 'static;
    }

    impl<F, S> Serve for F
    where
        F: Fn(SessionStart) -> S,
        S: Future<Output = Result<(), SessionFailure>> + Send + 'static,
    {
        type Served = S;
    }

    /// The source, compiled in; in the scope that the SDK puts around a session.
    ///
    /// # Errors
    /// If the host lacks a service.
    pub fn direct() -> Result<impl Serve, Error> {
        let host = host::for_direct("smtp")?;
        let services = Services {
            directory: Service::fixed(Directory::new(fakes::Directory)),
            delivery: Service::fixed(Delivery::new(fakes::Delivery)),
            figures: Figures::default(),
            policies: Default::default(),
        };
        let instance = Arc::new((Config::default(), services));
        Ok(move |start: SessionStart| {
            let scope = host.scope(Some(&start.info.id));
            let instance = instance.clone();
            let served = async move {
                let (config, services) = &*instance;
                Conversation::new(Session::new(start), config, services).run().await
            };
            scope::scoped(scope, served)
        })
    }

    /// The plugin, loaded; taken from its place for each session, as core does.
    ///
    /// # Errors
    /// If the plugin is not there or does not fit.
    pub async fn through() -> Result<impl Serve, Error> {
        let services = [Directory::new(fakes::Directory).erase(), Delivery::new(fakes::Delivery).erase()];
        let plugin = Plugin::start("smtp", &services).await?;
        let place = plugin.place(Protocol::ID)?;
        Ok(move |start| {
            // The instance lives as long as somebody is served by it.
            let _ = &plugin;
            let place = place.clone();
            async move {
                let protocol = place.get().ok_or(CallFailure::Unavailable)?.checked::<Protocol>();
                protocol.map_err(SessionFailure::new)?.serve(start).await
            }
        })
    }
}
