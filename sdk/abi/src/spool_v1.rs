//! `dovetail.spool/1`: messages that are whole, sealed and can be read at any place, before and beside their delivery.
//!
//! A spool holds a message for as long as somebody holds its handle; it promises nothing over a restart. What must outlive the
//! process is delivered.

use crate::{wire_enum, wire_struct, Bytes, CallFailure};

wire_enum! {
    /// Why a spool did not do it.
    pub enum SpoolErrorCode: unknown Failed {
        /// An I/O error.
        Failed = 1,
        /// There is no room for it now: try again later.
        Full = 2,
        /// There is no spool now.
        Unavailable = 3,
        /// The message is larger than a message may be.
        TooLarge = 4,
    }
}

wire_struct! {
    /// A spool's failure.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct SpoolFailure => SpoolFailureAbi {
        /// Why, in general.
        pub code: SpoolErrorCode,
        /// What happened, for the log.
        pub message: String,
    }
}

impl From<CallFailure> for SpoolFailure {
    fn from(failure: CallFailure) -> Self {
        SpoolFailure { code: SpoolErrorCode::Unavailable, message: failure.to_string() }
    }
}

crate::interface! {
    /// A sealed message: it never changes.
    pub interface Spooled, provider SpooledProvider, table SpooledVt = "dovetail.spool.message/1" {
        /// Its length in octets.
        now fn length() -> Result<u64, SpoolFailure>;
        /// The length of its header section in octets, with the empty line that ends it; the whole length if there is none.
        now fn header_length() -> Result<u64, SpoolFailure>;
        /// At most `max` octets from `offset` on; fewer, but at least one, are given before the end, and none at the end.
        later fn read(offset: u64, max: u32) -> Result<Bytes, SpoolFailure>;
        /// Another sealed message: this one with its first `skip` octets left out and `prefix` before the rest. Nothing of
        /// the rest is copied.
        later fn edited(prefix: Bytes, skip: u64) -> Result<Spooled, SpoolFailure>;
    }
}

crate::interface! {
    /// A message that comes in. Dropped, it is gone.
    pub interface SpoolWriter, provider SpoolWriterProvider, table SpoolWriterVt = "dovetail.spool.writer/1" {
        /// Appends octets.
        later fn write(piece: Bytes) -> Result<(), SpoolFailure>;
        /// Ends the message; nothing can be written any more.
        later fn seal() -> Result<Spooled, SpoolFailure>;
    }
}

crate::interface! {
    /// A spool.
    pub interface Spool, provider SpoolProvider, table SpoolVt = "dovetail.spool/1" {
        /// Begins a message of about `size` octets (0: unknown). Refuses at once what could never fit.
        later fn begin(size: u64) -> Result<SpoolWriter, SpoolFailure>;
    }
}
