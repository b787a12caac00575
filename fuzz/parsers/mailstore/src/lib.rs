//! What the store reads from its disk. The format is the library's own business, so its modules are compiled in here once
//! more.

// The modules are used in part only; what is unused here is used in the library.
#![allow(dead_code, unused_imports)]
// Their own tests are run where they live.
#![cfg(not(test))]

#[path = "../../../../plugins/store/mailstore/src"]
mod library {
    pub(crate) mod account;
    pub(crate) mod backend;
    pub(crate) mod body;
    pub(crate) mod codec;
    pub(crate) mod collector;
    pub(crate) mod committer;
    pub(crate) mod error;
    pub(crate) mod limits;
    pub(crate) mod memory;
    pub(crate) mod names;
    pub(crate) mod plan;
    pub(crate) mod store;
    pub(crate) mod types;
    pub(crate) mod uidset;
}

mod rows;

// The modules know one another as `crate::...`.
use library::{
    account, backend, body, codec, collector, committer, error, limits, memory, names, plan, store, types, uidset,
};

pub use store::*;
pub use types::*;

pub use rows::store_rows;
