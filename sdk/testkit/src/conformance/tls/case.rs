//! One case, and how it is run.
//!
//! A case has a thread and a runtime of its own, and [`LIMIT`]: a provider that waits for ever, or spins, fails by name and does
//! not take the others with it.

use super::{lab::Lab, subject::Subject};
use std::{
    fmt::{self, Display},
    future::Future,
    panic::{catch_unwind, AssertUnwindSafe},
    pin::Pin,
    sync::{mpsc, Arc},
    time::Duration,
};

/// A case gets so long in real time, unless it is told otherwise.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A requirement, and what shows whether it is kept.
#[derive(Clone, Copy)]
pub struct Case {
    /// `topic::what_holds`.
    pub name: &'static str,
    /// What a provider has to do, and where that is written.
    pub requirement: &'static str,
    pub(super) run: fn(Lab) -> Running,
    pub(super) limit: Duration,
}

pub(super) type Running = Pin<Box<dyn Future<Output = Outcome>>>;
pub(super) type Outcome = Result<(), Failed>;

/// Why a provider does not pass a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{case}: {what}\n  required: {requirement}")]
pub struct Failure {
    /// The case.
    pub case: &'static str,
    /// What is required.
    pub requirement: &'static str,
    /// What happened instead.
    pub what: String,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}

impl Case {
    /// The case with another limit than [`LIMIT`].
    pub fn within(self, limit: Duration) -> Self {
        Case { limit, ..self }
    }

    /// Runs the case with one provider: where it needs both sides of a connection from providers, this is both.
    ///
    /// # Errors
    /// What the provider did that it must not, or did not do.
    pub fn run(&self, subject: &Arc<dyn Subject>) -> Result<(), Failure> {
        self.run_between(subject, subject)
    }

    /// Runs the case with two providers. The first serves, the second is the client, in those cases that have a second.
    ///
    /// # Errors
    /// As [`Case::run`].
    pub fn run_between(&self, server: &Arc<dyn Subject>, client: &Arc<dyn Subject>) -> Result<(), Failure> {
        let (done, ended) = mpsc::channel();
        let (server, client, run) = (server.clone(), client.clone(), self.run);
        let body = move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| in_runtime(run, server, client)));
            // The receiver is gone only after the limit.
            let _ =
                done.send(outcome.unwrap_or_else(|panic| Err(Failed(format!("the case panicked: {}", text(&*panic))))));
        };
        let spawned = std::thread::Builder::new().name(self.name.to_owned()).spawn(body);
        let outcome = match spawned {
            Err(error) => Err(Failed(format!("no thread for the case: {error}"))),
            Ok(_) => ended.recv_timeout(self.limit).unwrap_or_else(|_| {
                Err(Failed(format!("it did not end within {} s: something waits for ever", self.limit.as_secs())))
            }),
        };
        outcome.map_err(|Failed(what)| Failure { case: self.name, requirement: self.requirement, what })
    }
}

fn in_runtime(run: fn(Lab) -> Running, server: Arc<dyn Subject>, client: Arc<dyn Subject>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let lab = Lab::open(server, client).await?;
        run(lab.clone()).await?;
        match lab.panics().as_slice() {
            [] => Ok(()),
            panics => Err(Failed(format!("the provider panicked: {}", panics.join("; ")))),
        }
    });
    // What hangs in a blocking task is not waited for.
    runtime.shutdown_background();
    outcome
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// What did not hold. Made of any error by `?`.
#[derive(Debug)]
pub(super) struct Failed(pub(super) String);

impl<E: Display> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed(error.to_string())
    }
}

/// Adds what was being done.
pub(super) trait Doing<T> {
    fn doing(self, what: impl Display) -> Result<T, Failed>;
}

impl<T, E: Into<Failed>> Doing<T> for Result<T, E> {
    fn doing(self, what: impl Display) -> Result<T, Failed> {
        self.map_err(|error| Failed(format!("{what}: {}", error.into().0)))
    }
}

/// Waits for both, or for the first that fails: the other would wait for what never comes.
pub(super) async fn both<A, B, E: Into<Failed>, F: Into<Failed>>(
    (what, one): (&str, impl Future<Output = Result<A, E>>),
    (other_what, other): (&str, impl Future<Output = Result<B, F>>),
) -> Result<(A, B), Failed> {
    tokio::try_join!(async { one.await.doing(what) }, async { other.await.doing(other_what) })
}

/// Waits for what has to come soon, so that a case says what it waited for in vain.
pub(super) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> Result<T, Failed> {
    tokio::time::timeout(SOON, future).await.map_err(|_| Failed(format!("{what} waits for ever")))
}

/// Far more than anything in memory takes, and less than [`LIMIT`].
const SOON: Duration = Duration::from_secs(20);

/// Ends the case unless a condition holds.
macro_rules! check {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err($crate::conformance::tls::case::Failed(format!($($what)+)));
        }
    };
}

/// Ends the case unless two values are equal.
macro_rules! same {
    ($found:expr, $wanted:expr, $($what:tt)+) => {
        match (&$found, &$wanted) {
            (found, wanted) => {
                if *found != *wanted {
                    let what = format!($($what)+);
                    return Err($crate::conformance::tls::case::Failed(format!("{what}: {found:?}, not {wanted:?}")));
                }
            }
        }
    };
}

pub(super) use {check, same};
