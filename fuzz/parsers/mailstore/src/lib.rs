//! What the store reads from its disk. The format is the library's own business, so its modules are compiled in here once
//! more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]

#[path = "../../../../plugins/store/mailstore/src/account.rs"]
mod account;
#[path = "../../../../plugins/store/mailstore/src/backend.rs"]
mod backend;
#[path = "../../../../plugins/store/mailstore/src/body.rs"]
mod body;
#[path = "../../../../plugins/store/mailstore/src/codec.rs"]
mod codec;
#[path = "../../../../plugins/store/mailstore/src/collector.rs"]
mod collector;
#[path = "../../../../plugins/store/mailstore/src/committer.rs"]
mod committer;
#[path = "../../../../plugins/store/mailstore/src/error.rs"]
mod error;
#[path = "../../../../plugins/store/mailstore/src/limits.rs"]
mod limits;
#[path = "../../../../plugins/store/mailstore/src/memory.rs"]
mod memory;
#[path = "../../../../plugins/store/mailstore/src/names.rs"]
mod names;
#[path = "../../../../plugins/store/mailstore/src/plan/mod.rs"]
mod plan;
#[path = "../../../../plugins/store/mailstore/src/store.rs"]
mod store;
#[path = "../../../../plugins/store/mailstore/src/types.rs"]
mod types;
#[path = "../../../../plugins/store/mailstore/src/uidset.rs"]
mod uidset;

pub use types::*;
pub use store::*;

mod rows;

pub use rows::store_rows;
