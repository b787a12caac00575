//! Suites that say whether a provider does what its interface promises; the server's own providers pass the same.

#[cfg(feature = "tls-conformance")]
pub mod tls;
