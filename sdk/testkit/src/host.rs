//! An in-memory host for one plugin.
//!
//! It has no files, no sockets of its own and no limits on what it collects: a test is short. What it spawned ends with it.

mod hook;
mod services;
mod slot;
mod started;
mod tickets;

pub use slot::{bound, TestSlot};
pub use started::{StartError, Started};
pub use tickets::TestTickets;

use dovetail_sdk::{
    abi::{
        console_v1::SecretNotice,
        fault_v1::PanicReport,
        kernel_v1::{Bound, PrepareInput, Prepared, StartInput},
        log_v1::LogRecord,
        scope,
    },
    glue,
    host::Host,
    Diagnostic, Plugin, Purpose, Section,
};
use services::State;
use std::{future::Future, path::Path, sync::Arc};

/// A host without a server: starts plugins, and shows what they logged, said and broke.
///
/// ```
/// use dovetail_testkit::TestHost;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let host = TestHost::new();
/// // Plugin code finds the host's timers, tasks and connections within `run`.
/// let answer = host.run(dovetail_sdk::time::timeout(Duration::from_secs(3600), std::future::pending::<()>())).await;
/// assert!(answer.is_err());
/// # }
/// ```
pub struct TestHost {
    state: Arc<State>,
    services: Vec<Bound>,
    host: Arc<Host>,
    /// All but the section.
    input: PrepareInput,
}

impl TestHost {
    /// A host whose instance is named `test`, on the server `mail.example.org`, with a data directory that does not exist.
    /// Make it inside of the test's runtime.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        hook::install();
        let state = Arc::new(State::new());
        let services = services::all(&state);
        let host =
            Host::new(&services).unwrap_or_else(|failure| panic!("the test's host lacks a service: {failure:?}"));
        let input = PrepareInput {
            instance: "test".into(),
            section: Section { file: "test.ron".into(), line: 1, column: 1, text: String::new() },
            hostname: "mail.example.org".into(),
            data_dir: "/nonexistent/dovetail-test/data".into(),
            config_dir: "/nonexistent/dovetail-test/conf".into(),
            purpose: Purpose::Serve,
            build: "0123456789abcdef".into(),
        };
        TestHost { state, services, host, input }
    }

    /// The instance has this name.
    pub fn instance(mut self, name: &str) -> Self {
        name.clone_into(&mut self.input.instance);
        self
    }

    /// The server has this host name.
    pub fn hostname(mut self, name: &str) -> Self {
        name.clone_into(&mut self.input.hostname);
        self
    }

    /// Data and config are in this directory.
    ///
    /// # Panics
    /// If the path is not UTF-8: the server takes none such either.
    pub fn directory(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let text = path.to_str().unwrap_or_else(|| panic!("{} is not UTF-8", path.display()));
        text.clone_into(&mut self.input.data_dir);
        text.clone_into(&mut self.input.config_dir);
        self
    }

    /// The instance is started for something else than to serve.
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.input.purpose = purpose;
        self
    }

    /// Reads and checks a section as `dovetail check` does, and gives the warnings.
    ///
    /// # Errors
    /// All that is wrong with the section.
    pub fn check<P: Plugin>(&self, section: &str) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let prepared = self.prepare::<P>(section)?;
        Ok(prepared.warnings().unwrap_or_default())
    }

    /// Starts an instance with a section (RON) and the services that it requires; see [`bound`] and [`TestSlot`]. One that
    /// the host has, too, takes the place of the host's.
    ///
    /// # Errors
    /// As the plugin gives them.
    pub async fn start<P: Plugin>(
        &self,
        section: &str,
        services: impl IntoIterator<Item = Bound>,
    ) -> Result<Started<P>, StartError> {
        let prepared = self.prepare::<P>(section).map_err(StartError::Config)?;
        let given: Vec<Bound> = services.into_iter().collect();
        let own = self.services.iter().filter(|own| given.iter().all(|given| given.id != own.id)).cloned();
        let services = own.chain(given.clone()).collect();
        let instance = prepared.start(StartInput { services }).await?;
        Ok(Started::new(instance))
    }

    fn prepare<P: Plugin>(&self, section: &str) -> Result<Prepared, Vec<Diagnostic>> {
        let mut input = self.input.clone();
        section.clone_into(&mut input.section.text);
        glue::prepare::<P>(input, started::catch::<P>)
    }

    /// Runs a future where plugin code runs: `dovetail_sdk::{time, task, net}`, `notice` and `tracing` reach this host.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        scope::scoped(self.host.scope(None), future)
    }

    /// Like [`TestHost::run`], as a part of this session.
    pub fn run_in_session<F: Future>(&self, session: &str, future: F) -> impl Future<Output = F::Output> {
        scope::scoped(self.host.scope(Some(session)), future)
    }

    /// Like [`TestHost::run`], for work that does not wait.
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        scope::run(self.host.scope(None), work)
    }

    /// Sets the clock. From here it goes on with tokio's; before, it shows the time of the system.
    pub fn set_unix_milliseconds(&self, now: u64) {
        self.state.clock.set(now);
    }

    /// The ring of TLS ticket keys, which the test may turn.
    pub fn tickets(&self) -> &TestTickets {
        &self.state.tickets
    }

    /// What was logged so far, every level.
    pub fn log(&self) -> Vec<LogRecord> {
        self.state.log.all()
    }

    /// Whether a record's text, or a value of it, holds this text.
    pub fn logged(&self, text: &str) -> bool {
        let holds = |record: &LogRecord| {
            record.message().contains(text) || record.fields().any(|(_, value)| value.contains(text))
        };
        self.log().iter().any(holds)
    }

    /// A figure by its name, labels in the order they were given: `smtp_messages_total{outcome="accepted"}`. For a counter
    /// its sum, for a gauge its value, for a histogram how many values it has; `None` if nobody asked for it.
    pub fn metric(&self, name: &str) -> Option<i64> {
        self.state.metric(name)
    }

    /// The panics that were contained so far.
    pub fn panics(&self) -> Vec<PanicReport> {
        self.state.panics.all()
    }

    /// The lines that were shown to the person at the first start.
    pub fn notices(&self) -> Vec<String> {
        self.state.notices.all()
    }

    /// The secrets that were handed over to that person.
    pub fn secrets(&self) -> Vec<SecretNotice> {
        self.state.secrets.all()
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        self.state.end_tasks();
    }
}

#[cfg(test)]
mod tests;
