//! The joint: every type and every call that crosses from the host to a plugin or back.
//!
//! **Layers.** [`manifest`] (L0) is an ELF note that can be read without running the plugin. [`kernel_v1`] (L1) is the root
//! module: describe, prepare, start, instance. The `*_v1` modules (L2) are the interfaces, one revision a file, each a
//! frozen set of types once 1.0.0 is out.
//!
//! **How an interface is written.** [`interface!`] takes one declaration and makes four things of it: the provider trait in
//! plain Rust, the client that callers hold, the `repr(C)` table between them, and glue that contains panics in every
//! method, poll and drop. [`wire_struct!`] does the same for data: a plain struct and its `repr(C)` twin.
//!
//! **How it fails.** A panic in a plugin becomes a [`CallFailure::Panicked`] at the caller; nothing unwinds across the
//! boundary. What cannot be contained: a panic while unwinding, stack overflow, abort, out of memory.
//!
//! **Bounds.** A pending poll allocates nothing through any number of levels, once a future or stream has been polled by
//! its task for the first time (see [`waker`]).

mod bytes;
pub mod contained;
pub mod failure;
pub mod future;
pub mod handle;
pub mod heap;
mod interface;
#[doc(hidden)]
pub mod kind;
pub mod known;
pub mod layout;
pub mod manifest;
pub mod note;
pub mod place;
pub mod scope;
pub mod secret;
pub mod stream;
pub mod waker;
pub mod wire;
pub mod wording;

pub mod certs_admin_v1;
pub mod certs_v1;
pub mod console_v1;
pub mod delivery_v1;
pub mod directory_v1;
pub mod fault_v1;
pub mod files_v1;
pub mod forms_v1;
pub mod kernel_v1;
pub mod kv_v1;
pub mod listeners_v1;
pub mod log_v1;
pub mod metrics_v1;
pub mod net_v1;
pub mod operations_v1;
pub mod policy_v1;
pub mod protocol_v1;
pub mod spool_v1;
pub mod store_v1;
pub mod task_v1;
pub mod tickets_v1;
pub mod time_v1;
pub mod tls_v1;

pub use bytes::Bytes;
pub use failure::CallFailure;
pub use future::AbiFuture;
pub use handle::{AnyHandle, Interface, Slot};
pub use secret::Secret;
pub use stream::Stream;
pub use wire::Wire;

/// What the macros name; not for direct use.
#[doc(hidden)]
pub mod reexport {
    pub use abi_stable;
}
