//! A plugin that was started by the test's host.

use crate::session::{TestClient, TestSession};
use dovetail_sdk::{
    abi::{
        contained::Contained,
        handle::{Interface, Offer},
        kernel_v1::Instance,
        protocol_v1, AnyHandle, CallFailure,
    },
    operations::{FieldValue, OperationFailure, Operations, OperationsProvider, Progress, Report},
    protocol::{Protocol, ProtocolProvider, SessionFailure},
    Diagnostic, Plugin, StartFailure,
};
use std::{any::Any, cell::RefCell, sync::Arc};
use tokio::task::JoinHandle;

/// Why a plugin did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its section was found wrong.
    #[error("the section is wrong: {}", list(.0))]
    Config(Vec<Diagnostic>),
    /// It refused to start.
    #[error("the plugin did not start: {0}")]
    Start(String),
}

impl From<StartFailure> for StartError {
    fn from(failure: StartFailure) -> Self {
        StartError::Start(failure.message)
    }
}

fn list(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A running plugin. Dropping it drops the plugin; [`Started::stop`] comes first in a server.
pub struct Started<P> {
    instance: Instance,
    plugin: Arc<Contained<P>>,
}

impl<P: Plugin> Started<P> {
    pub(super) fn new(instance: Instance) -> Self {
        // Asks once for anything at all, so that `catch` sees the plugin.
        let _ = instance.query(String::new());
        let plugin = CAUGHT.take().and_then(|caught| caught.downcast::<Arc<Contained<P>>>().ok());
        let plugin = plugin.unwrap_or_else(|| panic!("the instance was not started by this thread's TestHost"));
        Started { instance, plugin: *plugin }
    }

    /// The plugin's own value. Within [`TestHost::run`](super::TestHost::run) its methods find the host.
    pub fn plugin(&self) -> &P {
        self.plugin.value()
    }

    /// The plugin as the provider of an interface, as other plugins see it.
    pub fn query<I: Interface + Offer<P>>(&self) -> I {
        checked(I::offer(&self.plugin))
    }

    /// The plugin as a protocol, as core sees it.
    pub fn protocol(&self) -> protocol_v1::Protocol
    where
        P: ProtocolProvider,
    {
        checked(Protocol::offer(&self.plugin))
    }

    /// Serves a session in a task beside the test, which is the client. Await the task for the session's end.
    pub fn serve(&self, session: TestSession) -> (TestClient, JoinHandle<Result<(), SessionFailure>>)
    where
        P: ProtocolProvider,
    {
        let (start, client) = session.open();
        (client, tokio::spawn(self.protocol().serve(start)))
    }

    /// Runs an operation; nobody watches its progress.
    ///
    /// # Errors
    /// As the operation gives them.
    pub async fn operate(&self, operation: &str, values: Vec<FieldValue>) -> Result<Report, OperationFailure>
    where
        P: OperationsProvider,
    {
        let progress = Progress::new(Unwatched);
        self.query::<Operations>().run(operation.to_owned(), values, progress).await
    }

    /// How many handles to the plugin's services are held, with what [`Plugin::under_way`] says: at none, the server stops a
    /// replaced instance.
    pub fn holders(&self) -> u64 {
        // One is this.
        self.instance.holders().unwrap_or(0).saturating_sub(1)
    }

    /// Stops the instance, as the server does after the last session.
    ///
    /// # Errors
    /// If the plugin panicked.
    pub async fn stop(self) -> Result<(), CallFailure> {
        self.instance.stop().await
    }
}

fn checked<I: Interface>(handle: AnyHandle) -> I {
    handle.checked::<I>().unwrap_or_else(|problem| panic!("the plugin's offer of {}: {problem}", I::ID))
}

thread_local! {
    static CAUGHT: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// The query function of a plugin under test. The glue knows only function pointers, which hold nothing, so the plugin is
/// handed over beside the answer, on the caller's thread; [`Started`] then offers its interfaces by type.
pub(super) fn catch<P: Plugin>(plugin: &Arc<Contained<P>>, _: &str) -> Option<AnyHandle> {
    CAUGHT.set(Some(Box::new(plugin.clone())));
    None
}

struct Unwatched;

impl dovetail_sdk::abi::operations_v1::ProgressProvider for Unwatched {
    fn step(&self, _: String) -> Result<(), CallFailure> {
        Ok(())
    }
}
