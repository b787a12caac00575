//! IMAP end to end.

mod announce;
mod bye;
pub mod client;
mod dialogues;
mod large;
mod limits;
mod search;
pub mod server;
mod starttls;
mod stress;
