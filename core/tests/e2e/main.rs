//! End to end: the real binary, the real plugins, real sockets, real clients.

mod abuse;
mod accounts;
mod bad;
mod certificates;
mod clients;
mod conf;
mod dev;
mod docs;
mod durable;
mod harness;
mod imap;
mod inspect;
mod log;
mod mail;
mod mx;
mod offline;
mod panics;
mod pipelining;
mod pop3;
mod start;
mod starttls;
mod tls;
mod wrong_port;
