//! What the accounts plugin reads from a file that people edit.
//!
//! A plugin is a shared library that nobody links, so its modules are compiled in here once more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]

#[path = "../../../../plugins/accounts-file/src/book.rs"]
mod book;
#[path = "../../../../plugins/accounts-file/src/content.rs"]
mod content;
#[path = "../../../../plugins/accounts-file/src/misfit.rs"]
mod misfit;
#[path = "../../../../plugins/accounts-file/src/name.rs"]
mod name;
#[path = "../../../../plugins/accounts-file/src/password.rs"]
mod password;
#[path = "../../../../plugins/accounts-file/src/table.rs"]
mod table;

mod text;

pub use text::accounts;
