//! Write Dovetail plugins in plain async Rust.
//!
//! A plugin is a `cdylib` crate with one type that implements [`Plugin`], the provider trait of each interface it provides,
//! and one [`export_plugin!`] that says so. It can be built anywhere, with any rustc from the one named in `Cargo.toml` on,
//! and, from version 1.0.0 of the interfaces on, keeps working with later servers.
//!
//! ```
//! use dovetail_sdk::{export_plugin, protocol::*, Context, Plugin, StartFailure};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     #[serde(default)]
//!     greeting: String,
//! }
//!
//! struct Hello {
//!     greeting: String,
//! }
//!
//! impl Plugin for Hello {
//!     type Config = Config;
//!     async fn start(config: Config, _context: Context) -> Result<Self, StartFailure> {
//!         Ok(Hello { greeting: config.greeting })
//!     }
//! }
//!
//! impl ProtocolProvider for Hello {
//!     fn traits(&self) -> ProtocolTraits {
//!         ProtocolTraits { alpn: vec![], try_later: b"later\r\n".to_vec() }
//!     }
//!     async fn serve(&self, mut session: Session) -> Result<(), SessionFailure> {
//!         session.stream.queue(self.greeting.as_bytes());
//!         session.stream.flush().await?;
//!         Ok(())
//!     }
//! }
//!
//! export_plugin! {
//!     plugin: Hello,
//!     id: "hello",
//!     summary: "Greets and goes",
//!     provides: [Protocol],
//!     requires: [],
//! }
//! # fn main() {}
//! ```
//!
//! **What runs where.** The host owns the only runtime. From tokio use `io-util`, `sync` and `macros`; for timers, tasks,
//! threads and connections use [`time`], [`task`] and [`net`], which look the same. `tracing` events go to the host's log
//! with the instance's and the session's name.
//!
//! **How it fails.** A panic in any of the plugin's code ends the session, load or call that it happened in, and is reported
//! with text and place. It never ends the process, except while unwinding, on stack overflow or on abort.

mod config;
mod export;
mod fault;
#[doc(hidden)]
pub mod glue;
#[doc(hidden)]
pub mod host;
pub mod line;
mod log;
mod login;
mod plugin;
mod service;

pub mod metrics;
pub mod net;
pub mod operations;
pub mod protocol;
pub mod task;
pub mod time;
pub mod tls;

pub use config::{Diagnostic, Section, Severity};
pub use dovetail_abi::{interface, wire_enum, wire_struct, Bytes, CallFailure, Secret, Stream};
pub use host::{notice, secret_notice};
pub use plugin::{About, Context, Need, Plugin, Problems, Purpose, ReloadFailure, StartFailure};
pub use service::Service;

/// `dovetail.certs/1`: certificate stores.
pub mod certs {
    pub use dovetail_abi::certs_admin_v1::{
        CertsAdmin, CertsAdminProvider, CertsJudge, CertsJudgeProvider, Choice, ChoiceReason, PairFacts,
    };
    pub use dovetail_abi::certs_v1::{Certs, CertsFailure, CertsProvider, Identity};
}

/// `dovetail.host.listeners/1`: what the server listens on.
pub mod listeners {
    pub use dovetail_abi::listeners_v1::{HostListeners, HostListenersProvider, ListenerInfo, ListenerTls};
}

/// `dovetail.directory/1`: accounts and addresses.
pub mod directory {
    pub use dovetail_abi::directory_v1::{
        AddressKind, AuthOutcome, AuthStatus, CertificateAttempt, CertificateOutcome, Directory, DirectoryFailure,
        DirectoryProvider, LoginMethods, PasswordAttempt, Proven, Resolution, ScramKeys, ScramRequest,
    };
}

/// `dovetail.delivery/1`: where an accepted message goes.
pub mod delivery {
    pub use dovetail_abi::delivery_v1::{
        Answer, Delivery, DeliveryFailure, DeliveryProvider, Envelope, RecipientRequest, Verdict,
    };
}

/// `dovetail.policy/1`: decisions on the way of a mail.
pub mod policy {
    pub use dovetail_abi::policy_v1::{
        Decision, HeaderAction, HeaderEdit, Policy, PolicyFailure, PolicyProvider, PolicyVerdict, Question, Reply,
        Stage,
    };
}

/// `dovetail.spool/1`: whole messages before their delivery.
pub mod spool {
    pub use dovetail_abi::spool_v1::{
        Spool, SpoolErrorCode, SpoolFailure, SpoolProvider, SpoolWriter, SpoolWriterProvider, Spooled, SpooledProvider,
    };
}

/// `dovetail.kv/1`: small durable values by name.
pub mod kv {
    pub use dovetail_abi::kv_v1::{
        Kv, KvEntry, KvErrorCode, KvFailure, KvProvider, KvSwap, MAX_KEY, MAX_LIST, MAX_NAMESPACE, MAX_VALUE,
    };
}

/// `dovetail.store/1`: mailboxes.
pub mod store {
    pub use dovetail_abi::store_v1::{
        column, flag, special_use, Append, Appended, Body, BodyProvider, BodyReader, BodyReaderProvider, BodySink,
        BodySinkProvider, Copied, Expunged, FlagAction, FlagChange, Flags, FlagsChanged, Mailbox, MailboxEntry,
        MailboxProvider, MailboxState, MessageColumns, Pieces, Slice, Store, StoreErrorCode, StoreFailure,
        StoreProvider, UidRange, Usage,
    };
}

/// What the macros name; not for direct use.
#[doc(hidden)]
pub use dovetail_abi as abi;
// What the derive of the layout looks for at the root of the crate that it is told of by `declares_interfaces!`.
#[doc(hidden)]
pub use dovetail_abi::reexport::abi_stable::*;

/// Stands once at the root of a crate that declares interfaces of its own by [`interface!`] and [`wire_struct!`].
///
/// Providers and users of an interface share the crate that declares it: types are compared by name and by package. Give that
/// package a version 1.x, since every 0.x minor counts as another package. Never change what was published: a further revision
/// is a further module.
///
/// ```
/// dovetail_sdk::declares_interfaces!(); // once, at the crate's root
///
/// pub mod v1 {
///     use dovetail_sdk::CallFailure;
///
///     dovetail_sdk::interface! {
///         /// Counts.
///         pub interface Counter, provider CounterProvider, table CounterVt = "example.counter/1" {
///             /// Adds `by` and gives the sum.
///             now fn add(by: u64) -> Result<u64, CallFailure>;
///         }
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! declares_interfaces {
    () => {
        #[doc(hidden)]
        extern crate dovetail_sdk as abi_stable;
    };
}
