//! IMAP end to end.

mod client;
mod dialogues;
mod stress;
