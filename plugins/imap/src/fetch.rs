//! What FETCH sends (RFC 9051 sections 6.4.5 and 7.5.2, RFC 3516): what is asked for becomes a [`plan::Plan`], messages are
//! taken in batches, and what each item says is written straight into the output.
//!
//! * Flags, sizes and dates come from the store's view in memory, by column.
//! * ENVELOPE, BODYSTRUCTURE and the place of a section come from the summary that the store keeps of each message.
//! * Octets of bodies come in slices, many messages at a time; a large one goes through in pieces.
//!
//! How it fails: a message that is gone is passed over and the command says so; if the store breaks off in the middle of a
//! literal, the connection ends.
//!
//! Bounds: a batch holds [`batch::MAX_OCTETS`] octets of bodies; what is larger than [`batch::LARGE`] is streamed.

pub mod batch;
pub mod binary;
pub mod envelope;
pub mod flags;
pub mod item;
pub mod metadata;
pub mod params;
pub mod plan;
pub mod stream;
pub mod structure;
pub mod summaries;
