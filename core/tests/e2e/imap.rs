//! IMAP end to end.

mod dialogues;
