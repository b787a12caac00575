//! Configuration: RON in, typed values and diagnostics with `file:line:column` out.
//!
//! A document is taken apart piece by piece ([`document`]), so that one pass reports every error it can find. Each plugin's
//! section is handed to its plugin as text with its position.

pub mod clients;
pub mod dev;
pub mod document;
pub mod faults;
mod file;
pub mod model;
pub mod proxy;
mod range;
pub mod report;

pub use faults::Faults;
pub use model::{Config, ListenerConfig, LogFormat, PluginConfig, TlsMode};
pub(crate) use range::is_hostname;
pub use report::Problems;
