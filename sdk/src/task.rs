//! Tasks and blocking work on the host's runtime, in tokio's words. What an instance spawns ends with it.

use crate::host;
use dovetail_abi::{
    scope,
    task_v1::{Job, JobProvider, Task},
    AbiFuture, CallFailure,
};
use std::{
    future::Future,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};
use tokio::sync::oneshot;

/// The task gave no result: it panicked, was aborted, or the server stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the task ended without a result")]
pub struct JoinError;

/// Waits for a spawned task's result. Dropping it lets the task go on.
#[derive(Debug)]
pub struct JoinHandle<T> {
    result: oneshot::Receiver<T>,
    task: Option<Task>,
}

impl<T> JoinHandle<T> {
    /// Drops the task at its next pause. Blocking work that has begun goes on to its end.
    pub fn abort(&self) {
        if let Some(task) = &self.task {
            // A task that is gone needs no end.
            let _ = task.abort();
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.result).poll(cx).map_err(|_| JoinError)
    }
}

/// Runs a future on the host's runtime, beside the caller. It keeps the caller's session in its log lines.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (done, result) = oneshot::channel();
    let task = host::current().and_then(|host| {
        host.task
            .spawn(AbiFuture::new(async move {
                // Nobody may be waiting for the result.
                let _ = done.send(future.await);
            }))
            .ok()
    });
    JoinHandle { result, task }
}

/// Runs blocking work on a thread of the host's pool.
pub fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let (done, result) = oneshot::channel();
    let work = Mutex::new(Some(Box::new(move || {
        // Nobody may be waiting for the result.
        let _ = done.send(work());
    }) as Box<dyn FnOnce() + Send>));
    if let Some(host) = host::current() {
        // A host that takes no more work is stopping; the handle then says so.
        let _ = host.task.blocking(Job::new(Once(work)));
    }
    JoinHandle { result, task: None }
}

struct Once(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl JobProvider for Once {
    fn run(&self) -> Result<(), CallFailure> {
        let work = self.0.lock().map_err(|_| CallFailure::Panicked)?.take();
        if let Some(work) = work {
            work();
        }
        Ok(())
    }
}

/// Starts a thread of the plugin's own that is counted to this instance, as are its log lines and panics.
///
/// # Errors
/// If the system gives no thread.
pub fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<std::thread::JoinHandle<()>> {
    let place = scope::current();
    // It is counted while it runs; a host that does not count is no reason not to run it.
    let counted = host::current().and_then(|host| host.task.thread(name.to_owned()).ok());
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _counted = counted;
        match place {
            Some(place) => scope::run(place, work),
            None => work(),
        }
    })
}
