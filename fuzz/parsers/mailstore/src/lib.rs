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
    pub(crate) mod digest;
    pub(crate) mod error;
    pub(crate) mod limits;
    pub(crate) mod memory;
    pub(crate) mod names;
    pub(crate) mod observer;
    pub(crate) mod options;
    pub(crate) mod plan;
    pub(crate) mod read;
    pub(crate) mod store;
    pub(crate) mod summary;
    pub(crate) mod types;
    pub(crate) mod uidset;
    pub(crate) mod view;
}

mod rows;

// The modules know one another as `crate::...`.
use library::{
    account, backend, body, codec, collector, committer, digest, error, limits, memory, names, observer, options, plan,
    read, store, summary, types, uidset, view,
};

pub use store::*;
pub use types::*;

pub use rows::store_rows;
