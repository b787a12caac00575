//! The two ways to the same code.

use std::future::Future;

/// The server's side of a TLS handshake.
pub mod acceptor {
    use super::Future;
    use crate::{error::Error, fakes, host::Plugin};
    use boundary_direct as direct_code;
    use dovetail_abi::{handle::Interface, Stream};
    use dovetail_sdk::{
        certs::Certs,
        tls::{ServerPolicy, Tls, TlsAcceptorProvider, TlsConnection, TlsError, TlsVersion},
    };
    use std::sync::Arc;

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

    /// The source, compiled in.
    pub fn direct(certs: fakes::Certs) -> Result<impl Accept, Error> {
        let acceptor = Arc::new(direct_code::acceptor(policy(), Certs::new(certs))?);
        Ok(move |stream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await }
        })
    }

    /// The plugin, loaded.
    pub async fn through(certs: fakes::Certs) -> Result<impl Accept, Error> {
        let plugin = Plugin::start("tls-rustls", &[Certs::new(certs).erase()]).await?;
        let acceptor = plugin.provided::<Tls>()?.acceptor(policy())?;
        Ok(move |stream| {
            // The instance lives as long as somebody accepts by it.
            let _ = &plugin;
            acceptor.accept(stream)
        })
    }

    fn policy() -> ServerPolicy {
        ServerPolicy {
            listener: "submissions".into(),
            certificate: None,
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            alpn: Vec::new(),
        }
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
    use boundary_direct::{Config, Conversation, Services};
    use dovetail_abi::{
        handle::Interface,
        protocol_v1::{Protocol, SessionFailure, SessionStart},
        scope,
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
    pub fn direct() -> Result<impl Serve, Error> {
        let host = host::for_direct("smtp")?;
        let services = Services {
            directory: Service::fixed(Directory::new(fakes::Directory)),
            delivery: Service::fixed(Delivery::new(fakes::Delivery)),
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

    /// The plugin, loaded.
    pub async fn through() -> Result<impl Serve, Error> {
        let services = [Directory::new(fakes::Directory).erase(), Delivery::new(fakes::Delivery).erase()];
        let plugin = Plugin::start("smtp", &services).await?;
        let protocol: Protocol = plugin.provided()?;
        Ok(move |start| {
            // The instance lives as long as somebody is served by it.
            let _ = &plugin;
            protocol.serve(start)
        })
    }
}
