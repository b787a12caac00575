//! Writing responses, straight into the session's output.
//!
//! Every function appends to a `Vec<u8>` and allocates nothing of its own; none can fail. What a caller hands in may
//! be anything that a message or a mailbox name can hold: whatever would break the syntax is written as a literal.

mod date;
mod fetch;
mod flags;
mod mailbox;
mod numbers;
mod search;
mod strings;
mod uidplus;

pub use date::date_time;
pub use fetch::{fetch_name, section};
pub use flags::flags;
pub use mailbox::mailbox;
pub use numbers::{number, set, SetWriter};
pub use search::{search, Esearch};
pub use strings::{astring, literal8_head, literal_head, nstring, quoted, string};
pub use uidplus::{append_uid, copy_uid};
