//! What several mail plugins share: address syntax, the structure of messages, SASL mechanisms and logins by them, status codes.
//!
//! Everything here but [`login`] is pure: no I/O, no clock, no global state. Input comes from strangers, so each parser has a limit
//! on what it reads, refuses what the grammar does not allow, and returns a typed error that quotes no secret.
//!
//! ```
//! use dovetail_mail::address::{Address, ReversePath};
//!
//! let (path, rest) = ReversePath::parse_prefix(b"<Ann@Example.ORG> SIZE=100")?;
//! assert_eq!(path, ReversePath::Address("Ann@example.org".parse()?));
//! assert_eq!(rest, b" SIZE=100");
//! # Ok::<(), dovetail_mail::address::AddressError>(())
//! ```

pub mod address;
pub mod login;
pub mod mime;
pub mod sasl;
mod secret;
mod status;

pub use secret::Secret;
pub use status::{Class, EnhancedStatus, StatusError};
