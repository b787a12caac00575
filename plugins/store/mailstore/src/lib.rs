//! What a mailbox is, written once for every back end: UIDs, flags, modification sequences, expunges, references to
//! bodies, and many deliveries on one fsync.
//!
//! A [`Store`] stands on a [`Backend`]: an ordered key-value store in partitions, one for each account ([`PartKv`]),
//! and bodies ([`Blobs`]). Readers go to the back end directly; changes go through one thread, which plans what waits
//! and commits it together. `Ok` means durable.
//!
//! ```
//! use std::sync::Arc;
//! use dovetail_mailstore::{memory::MemoryBackend, Append, DateTime, Done, MailOp, Options, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::open(Arc::new(MemoryBackend::default()), Options::default())?;
//! let mut sink = store.begin_body(0)?;
//! sink.write(b"Subject: hi\r\n\r\nhello\r\n")?;
//! let body = sink.seal()?;
//! let append = Append {
//!     mailbox: "INBOX".into(),
//!     body,
//!     flags: Default::default(),
//!     internal_date: DateTime { milliseconds: 1_700_000_000_000, offset: 60 },
//!     delivery: None,
//! };
//! let results = store.commit("anna", vec![MailOp::Append(vec![append])])?;
//! assert!(matches!(&results[0], Ok(Done::Appended(done)) if done[0].uid == 1));
//! # Ok(())
//! # }
//! ```
//!
//! **Fails** with [`StoreError`]; `is_temporary` says whether to try again. A back end that fails costs the batch, not
//! the store. **Bounds** are in [`limits`] and [`Options`]. RFC 9051, 3501 (recent), 6154 (SPECIAL-USE), 6851 (MOVE), 7162
//! (CONDSTORE, QRESYNC), 8474 (OBJECTID), 8514 (SAVEDATE).

mod account;
mod backend;
mod body;
mod codec;
mod collector;
mod committer;
mod digest;
mod error;
pub mod limits;
pub mod memory;
mod names;
mod observer;
mod options;
mod plan;
mod read;
mod store;
mod summary;
#[cfg(feature = "testing")]
pub mod testing;
mod types;
mod uidset;
pub mod view;

pub use backend::{
    Backend, Batch, BlobWriter, Blobs, PartCommit, PartKv, PartOutcome, Piece, PieceVisitor, RowVisitor, Version,
};
pub use body::{Body, BodySink};
pub use codec::FORMAT;
pub use collector::Collected;
pub use digest::Digest;
pub use error::{BackendError, StoreError};
pub use names::{check_mailbox_name, INBOX, SEPARATOR};
pub use observer::{Nobody, Observer, Totals};
pub use options::{plain_threads, Clock, Options, Threads};
pub use read::{Listing, Vanished};
pub use store::Store;
pub use summary::{Summarise, Summariser};
pub use types::*;
pub use uidset::{Uid, UidSet};
pub use view::View;
