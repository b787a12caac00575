//! End to end: the real binary, the real plugins, real sockets, real clients.

mod harness;
mod mail;
mod mx;
mod pipelining;
mod pop3;
mod start;
mod starttls;
mod tls;
mod wrong_port;
