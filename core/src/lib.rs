//! The core of Dovetail: it owns sockets, time and processes. All that mail people argue about is in plugins.
//!
//! The way through the code: [`cli`] reads the arguments; [`config`] turns RON into typed configuration with positions;
//! [`plugin`] finds, loads and wires plugins; [`server`] puts it together, [`reload`] changes it while it runs; [`net`] and
//! [`session`] carry connections;
//! [`control`] answers administrators; [`telemetry`] writes the log and shows figures.

pub mod cli;
pub mod config;
pub mod control;
pub mod datadir;
pub mod net;
pub mod notify;
pub mod plugin;
pub mod reload;
pub mod runtime;
pub mod server;
pub mod session;
pub mod telemetry;
