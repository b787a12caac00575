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
    /// The host's executor. What an instance spawns is cancelled when the instance has stopped.
    pub interface HostTask, provider HostTaskProvider, table HostTaskVt = "dovetail.host.task/1" {
        /// Runs a future to its end on the host's runtime.
        now fn spawn(future: TaskFuture) -> Result<Task, CallFailure>;
        /// Runs blocking work on a thread of the host's pool.
        now fn blocking(job: Job) -> Result<(), CallFailure>;
    }
}
