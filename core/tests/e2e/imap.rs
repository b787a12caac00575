//! IMAP end to end.

mod announce;
mod client;
mod dialogues;
mod limits;
mod starttls;
mod stress;
