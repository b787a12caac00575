//! IMAP end to end.

mod announce;
mod bye;
pub mod client;
mod dialogues;
mod large;
mod limits;
mod search;
mod server;
mod starttls;
mod stress;
