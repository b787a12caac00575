//! The source of two plugins, compiled in: what the same code costs without a boundary.
//!
//! The files are those of `plugins/smtp` and `plugins/tls-rustls`, taken by path, without the `lib.rs` that makes a plugin
//! of them: two exported plugins cannot be linked together. SMTP's stand at the top, since they name each other from there.
//!
//! What stays between caller and callee: the code is written for the SDK, so a `Stream` is still a table of functions, and
//! a service is still asked through its client. The difference to a plugin is therefore what crossing adds: another
//! library's code and wakers, and the handles and futures in which core holds a protocol or an acceptor.

// The unit tests in these files are the plugins' own, and run there.
#![cfg(not(test))]

#[path = "../../../../plugins/smtp/src/answer.rs"]
mod answer;
#[path = "../../../../plugins/smtp/src/commands/mod.rs"]
mod commands;
#[path = "../../../../plugins/smtp/src/config.rs"]
mod config;
#[path = "../../../../plugins/smtp/src/conversation.rs"]
mod conversation;
#[path = "../../../../plugins/smtp/src/counters.rs"]
mod counters;
#[path = "../../../../plugins/smtp/src/data/mod.rs"]
mod data;
#[path = "../../../../plugins/smtp/src/figures.rs"]
mod figures;
#[path = "../../../../plugins/smtp/src/params.rs"]
mod params;
#[path = "../../../../plugins/smtp/src/reply.rs"]
mod reply;
#[path = "../../../../plugins/smtp/src/state.rs"]
mod state;

mod tls;

pub use config::Config;
pub use conversation::{Conversation, Services};
pub use figures::Figures;
pub use tls::acceptor;
