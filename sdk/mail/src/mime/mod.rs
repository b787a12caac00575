//! The structure of a message: which parts it has, where they stand, what their headers say.
//!
//! [`Scanner`] finds it in one pass while the message comes in; [`Summary`] is what it found, and has a compact stable
//! form to be stored beside the message ([`Summary::encode`]). With it IMAP's ENVELOPE and BODYSTRUCTURE need no body,
//! and `BODY[1.2]` is a read of octets ([`locate`]). Beside it stands what searches need: [`fields`] of a raw header,
//! [`decode_words`], [`Decoder`] for transfer encodings, [`TextReader`] and [`Finder`] for text, [`sent_day`].
//!
//! - How it fails: it doesn't. Mail has every mistake there is, so each reader here makes something sensible of whatever
//!   it gets; only decoding a stored summary has an error, because what was stored is ours.
//! - Limits: [`Limits`] for a scan; no reader keeps a body or a line, what is kept between pieces is bounded.
//! - RFC 2045, 2046, 2047, 2183, 2231 and 5322 for messages, RFC 3501 and 9051 for what is asked about them.

mod addresses;
mod charset;
mod codec;
mod content;
mod date;
mod fields;
mod limits;
mod locate;
mod params;
mod scanner;
mod summary;
mod text;
mod transfer;
mod words;

pub use addresses::{addresses, ListedAddress, MAX_ADDRESSES};
pub use codec::SummaryError;
pub use date::{sent_day, Day};
pub use fields::{fields, find, select, unfold, Field, Fields, Pick};
pub use limits::Limits;
pub use locate::{locate, part_at, Section};
pub use scanner::Scanner;
pub use summary::{Disposition, Envelope, Kind, Param, Part, Summary};
pub use text::{fold_case, Finder, TextReader};
pub use transfer::{Decoder, Encoding};
pub use words::decode_words;

#[cfg(test)]
mod tests;
