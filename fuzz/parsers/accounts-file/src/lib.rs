//! What the accounts plugin reads from a file that people edit.
//!
//! A plugin is a shared library that nobody links, so its modules are compiled in here once more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]
// Their own tests are run where they live.
#![cfg(not(test))]

#[path = "../../../../plugins/accounts-file/src"]
mod plugin {
    pub(crate) mod book;
    pub(crate) mod content;
    pub(crate) mod fingerprint;
    pub(crate) mod imported;
    pub(crate) mod misfit;
    pub(crate) mod name;
    pub(crate) mod password;
    pub(crate) mod scram;
    pub(crate) mod scratch;
    pub(crate) mod stored;
    pub(crate) mod table;
}

mod text;

// The modules know one another as `crate::...`.
use plugin::{book, content, fingerprint, imported, misfit, name, password, scram, scratch, stored, table};

pub use text::accounts;
