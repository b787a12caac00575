//! `dovetail.kv/1`: small durable values by name, with an end of their own: greylists, counters, what a plugin remembers.
//!
//! A namespace belongs to who uses it; by custom it is the name of the instance. What a call that changes something has
//! answered is on disk.

use crate::{wire_enum, wire_struct, CallFailure};

/// A namespace has at most so many octets.
pub const MAX_NAMESPACE: usize = 64;
/// A key has at most so many octets.
pub const MAX_KEY: usize = 1024;
/// A value has at most so many octets.
pub const MAX_VALUE: usize = 64 << 10;
/// A list has at most so many entries.
pub const MAX_LIST: u32 = 1000;

wire_enum! {
    /// Why it was not done.
    pub enum KvErrorCode: unknown Failed {
        /// An I/O error.
        Failed = 1,
        /// A name or a value is too long, or a namespace is empty.
        TooLong = 2,
        /// The namespace is full.
        Full = 3,
        /// There is no such service now.
        Unavailable = 4,
    }
}

wire_struct! {
    /// A failure.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct KvFailure => KvFailureAbi {
        /// Why, in general.
        pub code: KvErrorCode,
        /// What happened, for the log.
        pub message: String,
    }
}

impl From<CallFailure> for KvFailure {
    fn from(failure: CallFailure) -> Self {
        KvFailure { code: KvErrorCode::Unavailable, message: failure.to_string() }
    }
}

wire_struct! {
    /// A key with its value.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct KvEntry => KvEntryAbi {
        /// The key.
        pub key: Vec<u8>,
        /// The value.
        pub value: Vec<u8>,
        /// When it ends, in seconds since 1970; `None`: never.
        pub expires_at: Option<u64>,
    }
}

wire_struct! {
    /// A change of one key that depends on what it holds.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct KvSwap => KvSwapAbi {
        /// The key.
        pub key: Vec<u8>,
        /// What it must hold for the change to be made; `None`: nothing.
        pub expected: Option<Vec<u8>>,
        /// What it holds afterwards; `None`: nothing.
        pub value: Option<Vec<u8>>,
        /// How long the value lasts, in seconds; `None`: for ever.
        pub ttl_seconds: Option<u64>,
    }
}

crate::interface! {
    /// Small durable values by name. What has ended is not there for any call.
    pub interface Kv, provider KvProvider, table KvVt = "dovetail.kv/1" {
        /// What a key holds.
        later fn get(namespace: String, key: Vec<u8>) -> Result<Option<KvEntry>, KvFailure>;
        /// Sets a key, for `ttl_seconds` or for ever.
        later fn put(namespace: String, key: Vec<u8>, value: Vec<u8>, ttl_seconds: Option<u64>) -> Result<(), KvFailure>;
        /// Changes a key if it holds what is expected; tells whether it did.
        later fn swap(namespace: String, change: KvSwap) -> Result<bool, KvFailure>;
        /// Removes a key; tells whether it was there.
        later fn remove(namespace: String, key: Vec<u8>) -> Result<bool, KvFailure>;
        /// At most `max` entries whose keys begin with `prefix`, in the order of the keys, from the first after `after` on.
        later fn list(
            namespace: String,
            prefix: Vec<u8>,
            after: Option<Vec<u8>>,
            max: u32,
        ) -> Result<Vec<KvEntry>, KvFailure>;
    }
}
