//! The one runtime of the process, for what plugins start from threads of their own.

use std::sync::OnceLock;
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
