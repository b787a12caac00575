//! `250` means durable: kills, failing disks, cut connections, stops and crowds, each against a model of what must be there.
//!
//! A test keeps a [`letters::Ledger`] of what it sent and what was answered, and looks at the mailboxes through
//! [`mailbox::Mailbox`], which knows what must still be there, what must be gone, and that nothing comes twice.

mod crash;
mod cuts;
mod drain;
mod faults;
mod letters;
mod load;
mod mailbox;
mod modes;
mod partial;
mod peers;
pub mod random;
mod stress;
mod uids;

use crate::harness::{Server, Setup, MAIL_CONFIG, PASSWORD, USER};
use mailbox::Mailbox;

/// The accounts of [`setup`]; all have [`PASSWORD`].
const ACCOUNTS: [&str; 3] = [USER, "bob@example.test", "cid@example.test"];

/// A mail server with [`ACCOUNTS`] that takes passwords without TLS, so that many connections cost little.
fn setup() -> Setup {
    setup_with("")
}

/// The same with more options at the top of the config.
fn setup_with(options: &str) -> Setup {
    let config = MAIL_CONFIG.replace("tls: Explicit", "tls: Explicit, insecure_auth: true").replacen(
        "data_dir:",
        &format!("{options}\n    data_dir:"),
        1,
    );
    let setup = Setup::mail_with(&config);
    for account in &ACCOUNTS[1..] {
        setup.add_account(account, PASSWORD);
    }
    setup
}

/// What is known of the mailboxes of [`ACCOUNTS`].
fn mailboxes() -> [Mailbox; 3] {
    ACCOUNTS.map(Mailbox::new)
}

/// The server has nothing to be ashamed of.
#[track_caller]
fn assert_sound(server: &Server) {
    let log = server.log();
    assert!(!log.contains("panic"), "{log}");
}

/// A number from the environment, for longer runs than CI's.
pub fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is `{text}`, not a number")),
        Err(_) => default,
    }
}
