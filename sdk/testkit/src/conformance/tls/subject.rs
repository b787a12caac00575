//! What is under test: something that can start instances of a TLS provider.

use crate::TestHost;
use dovetail_sdk::{
    abi::{handle::Offer, kernel_v1::Bound},
    tls::Tls,
    Plugin,
};
use std::{any::Any, future::Future, marker::PhantomData, pin::Pin};

/// A TLS provider as the suite meets it. Each case starts instances of its own; what they are given is the case's.
pub trait Subject: Send + Sync + 'static {
    /// Starts an instance with these services: `dovetail.certs/1`, `dovetail.host.tickets/1` and `dovetail.host.fault/1`, which
    /// take the place of any others of the same id. The services of the host that are not among them are the subject's to
    /// give. It is called, and the instance is used, on one tokio runtime with one thread.
    fn start(&self, services: Vec<Bound>) -> Starting<'_>;
}

/// An instance that is being started; or why it does not start.
pub type Starting<'a> = Pin<Box<dyn Future<Output = Result<Instance, String>> + 'a>>;

/// A running instance.
pub struct Instance {
    /// What it provides.
    pub tls: Tls,
    /// What has to live as long as the instance is used.
    pub keep: Box<dyn Any>,
}

/// A plugin in its own crate's tests, started by [`TestHost`] and never loaded. A library that is loaded by the real host shows
/// more; this is the one that a debugger and a coverage tool see through.
pub struct InMemory<P> {
    section: String,
    plugin: PhantomData<fn() -> P>,
}

impl<P: Plugin> InMemory<P> {
    /// With this section (RON), as in the server's config.
    pub fn new(section: &str) -> Self {
        InMemory { section: section.to_owned(), plugin: PhantomData }
    }
}

impl<P: Plugin> Subject for InMemory<P>
where
    Tls: Offer<P>,
{
    fn start(&self, services: Vec<Bound>) -> Starting<'_> {
        Box::pin(async move {
            let host = TestHost::new();
            let started = host.start::<P>(&self.section, services).await.map_err(|error| error.to_string())?;
            let tls = started.query::<Tls>();
            Ok(Instance { tls, keep: Box::new((started, host)) })
        })
    }
}
