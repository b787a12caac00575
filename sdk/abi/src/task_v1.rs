//! `dovetail.host.task/1`: tasks and blocking work on the host's runtime, counted to their instance.

use crate::{wire_as_is, AbiFuture, CallFailure};

/// A task: a future without a result.
pub type TaskFuture = AbiFuture<()>;
wire_as_is!(TaskFuture);

crate::interface! {
    /// A task that was spawned. Dropping the handle lets the task go on.
    pub interface Task, provider TaskProvider, table TaskVt = "dovetail.host.task.handle/1" {
        /// Drops the task at its next pause.
        now fn abort() -> Result<(), CallFailure>;
    }
}

crate::interface! {
    /// Work that blocks its thread.
    pub interface Job, provider JobProvider, table JobVt = "dovetail.host.task.job/1" {
        /// Does the work. Called once.
        now fn run() -> Result<(), CallFailure>;
    }
}

crate::interface! {
    /// A thread of the plugin's own, counted as long as this is held.
    pub interface Thread, provider ThreadProvider, table ThreadVt = "dovetail.host.task.thread/1" {
        /// What the host knows the thread by.
        now fn name() -> Result<String, CallFailure>;
    }
}

crate::interface! {
    /// The host's executor. What an instance spawns is cancelled when the instance has stopped.
    pub interface HostTask, provider HostTaskProvider, table HostTaskVt = "dovetail.host.task/1" {
        /// Runs a future to its end on the host's runtime.
        now fn spawn(future: TaskFuture) -> Result<Task, CallFailure>;
        /// Runs blocking work on a thread of the host's pool.
        now fn blocking(job: Job) -> Result<(), CallFailure>;
        /// Counts a thread that the plugin starts by itself.
        now fn thread(name: String) -> Result<Thread, CallFailure>;
    }
}
