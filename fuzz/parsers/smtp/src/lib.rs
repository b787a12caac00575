//! What the SMTP plugin reads from strangers: command lines and the content of `DATA`; and what policies
//! would change of it.
//!
//! A plugin is a shared library that nobody links, so its modules are compiled in here once more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]
// Their own tests are run where they live.
#![cfg(not(test))]

#[path = "../../../../plugins/smtp/src"]
mod plugin {
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
#[path = "../../pieces.rs"]
mod pieces;

mod command;
mod content;
mod header;

// The modules know one another as `crate::...`.
use plugin::{answer, commands, config, conversation, counters, data, figures, params, policy, reply, state};

pub use command::smtp_command;
pub use content::smtp_data;
pub use header::smtp_header;
