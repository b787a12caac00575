//! IMAP end to end.

mod announce;
mod bye;
mod client;
mod dialogues;
mod large;
mod limits;
mod search;
mod server;
mod starttls;
mod stress;
