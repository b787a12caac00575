//! What SEARCH finds (RFC 9051 section 6.4.4). A key is looked at for all messages at once: the cheap keys of an AND narrow
//! what the dear ones must look at, an OR asks its second key only about what the first has not found.
//!
//! * Flags, dates and sizes: the view's columns ([`columns`]).
//! * Common header fields: texts of the whole mailbox in one piece, shared by all sessions ([`cache`]).
//! * Other fields, and bodies: read and decoded, many messages at a time ([`text`]).
//!
//! There is no index to pay for at delivery.

pub mod cache;
pub mod columns;
pub mod evaluate;
pub mod fields;
pub mod text;
