//! What the POP3 plugin reads from strangers, and how it wraps a message for them.
//!
//! A plugin is a shared library that nobody links, so its modules are compiled in here once more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]
// Their own tests are run where they live.
#![cfg(not(test))]

#[path = "../../../../plugins/pop3/src"]
mod plugin {
    pub(crate) mod commands;
    pub(crate) mod config;
    pub(crate) mod conversation;
    pub(crate) mod figures;
    pub(crate) mod inbox;
    pub(crate) mod listing;
    pub(crate) mod login;
    pub(crate) mod maildrop;
    pub(crate) mod reply;
    pub(crate) mod retrieval;
    pub(crate) mod state;
    pub(crate) mod stuffing;
    pub(crate) mod top;
}
#[path = "../../pieces.rs"]
mod pieces;

mod command;
mod dots;

// The modules know one another as `crate::...`.
use plugin::{
    commands, config, conversation, figures, inbox, listing, login, maildrop, reply, retrieval, state, stuffing, top,
};

pub use command::pop3_command;
pub use dots::pop3_dots;
