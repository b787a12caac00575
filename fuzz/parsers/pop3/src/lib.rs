//! What the POP3 plugin reads from strangers, and how it wraps a message for them.
//!
//! A plugin is a shared library that nobody links, so its modules are compiled in here once more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]

#[path = "../../../../plugins/pop3/src/commands/mod.rs"]
mod commands;
#[path = "../../../../plugins/pop3/src/config.rs"]
mod config;
#[path = "../../../../plugins/pop3/src/conversation.rs"]
mod conversation;
#[path = "../../../../plugins/pop3/src/listing.rs"]
mod listing;
#[path = "../../../../plugins/pop3/src/login.rs"]
mod login;
#[path = "../../../../plugins/pop3/src/maildrop.rs"]
mod maildrop;
#[path = "../../../../plugins/pop3/src/reply.rs"]
mod reply;
#[path = "../../../../plugins/pop3/src/retrieval.rs"]
mod retrieval;
#[path = "../../../../plugins/pop3/src/state.rs"]
mod state;
#[path = "../../../../plugins/pop3/src/stuffing.rs"]
mod stuffing;
#[path = "../../../../plugins/pop3/src/top.rs"]
mod top;
#[path = "../../pieces.rs"]
mod pieces;

mod command;
mod dots;

pub use command::pop3_command;
pub use dots::pop3_dots;
