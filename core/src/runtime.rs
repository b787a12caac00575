//! The one runtime of the process, for what plugins start from threads of their own, and its pulse.

use std::{io, sync::OnceLock, thread, time::Duration};
use tokio::runtime::Handle;

static RUNTIME: OnceLock<Handle> = OnceLock::new();

/// Remembers the runtime; before any plugin is started.
pub fn remember(handle: Handle) {
    // The process has one runtime; a second call would name the same.
    let _ = RUNTIME.set(handle);
}

/// The runtime of the calling thread, or the one that was remembered.
pub fn current() -> Option<Handle> {
    Handle::try_current().ok().or_else(|| RUNTIME.get().cloned())
}

const PULSE: Duration = Duration::from_secs(1);

/// Wakes a thread of the runtime every second. One of them waits for sockets and timers on behalf of all; where that one has
/// gone on to a session that never gives its thread back, nobody would wait for them any more, though other threads are idle.
/// The one that is woken takes its place. With all threads blocked nothing helps.
///
/// # Errors
/// If there can be no thread more.
pub fn keep_pulse(runtime: Handle) -> io::Result<()> {
    let beat = move || loop {
        thread::sleep(PULSE);
        // It has done its work by being there.
        drop(runtime.spawn(async {}));
    };
    thread::Builder::new().name("pulse".into()).spawn(beat).map(drop)
}
