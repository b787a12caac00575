//! The source of two plugins, compiled in: what the same code costs without a boundary.
//!
//! The files are those of `plugins/smtp` and `plugins/tls-rustls`, taken by path, without the `lib.rs` that makes a plugin
//! of them: two exported plugins cannot be linked together.
//!
//! What stays between caller and callee: the code is written for the SDK, so a `Stream` is still a table of functions, and
//! a service is still asked through its client. The difference to a plugin is therefore what crossing adds: another
//! library's code and wakers, and the handles and futures in which core holds a protocol or an acceptor.

// The unit tests in these files are the plugins' own, and run there.
#![cfg(not(test))]

#[path = "../../../../plugins/smtp/src"]
#[allow(unused_imports)] // what only the plugin's `lib.rs` names
mod smtp {
    pub(crate) mod answer;
    pub(crate) mod commands;
    pub(crate) mod config;
    pub(crate) mod conversation;
    pub(crate) mod counters;
    pub(crate) mod data;
    pub(crate) mod figures;
    pub(crate) mod params;
    pub(crate) mod policy;
    pub(crate) mod reply;
    pub(crate) mod state;
}
mod tls;

// The modules know one another as `crate::...`.
use smtp::{answer, commands, config, conversation, counters, data, figures, params, policy, reply, state};

pub use config::Config;
pub use conversation::{Conversation, Services};
pub use figures::Figures;
pub use tls::acceptor;
