//! What the SMTP plugin reads from strangers: command lines and the content of `DATA`.
//!
//! A plugin is a shared library that nobody links, so its modules are compiled in here once more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]

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
// Once more, for the names that `data` keeps to itself.
#[path = "../../../../plugins/smtp/src/data/decoder.rs"]
mod decoder;
#[path = "../../../../plugins/smtp/src/params.rs"]
mod params;
#[path = "../../../../plugins/smtp/src/reply.rs"]
mod reply;
#[path = "../../../../plugins/smtp/src/state.rs"]
mod state;
#[path = "../../pieces.rs"]
mod pieces;

mod command;
mod content;

pub use command::smtp_command;
pub use content::smtp_data;
