//! What a plugin can do to the process, item by item, as far as no other test tries it; `docs/src/plugins/trust.md` lists all
//! of them, with the test of each.

mod files;
mod listed;
mod process;
mod stuck;

use crate::harness::{Client, Server, Setup, MAIL_CONFIG};

/// A mail server with an instance `bomb` of the test plugin `panics`, on a listener of that name.
fn mail_with_bomb() -> Setup {
    let config = MAIL_CONFIG
        .replace("data_dir:", "services: {\"dovetail.directory/1\": \"accounts-file\"},\n    data_dir:")
        .replace("plugins: {", "plugins: {\n        \"bomb\": (plugin: \"panics\"),")
        .replace("listeners: {", "listeners: {\n        \"bomb\": (protocol: \"bomb\", bind: [\"127.0.0.1:0\"]),");
    Setup::mail_with(&config)
}

/// A session of the test plugin.
#[track_caller]
fn session(server: &Server, listener: &str) -> Client {
    let mut client = server.connect(listener);
    assert_eq!(client.line(), "ready");
    client
}
