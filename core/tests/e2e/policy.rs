//! Policies, the spool and `kv`, with the test plugin `policy` that says what its section says.

mod failures;
mod headers;
mod kv;
mod spool;
mod stages;
mod swap;
mod wiring;

use crate::{
    harness::{run_ok, Client, Server, Setup, MAIL_CONFIG, PASSWORD, USER},
    imap::client::Imap,
};

/// A server whose `mx` and `submission` ask these policies; `instances` are the policies and what they need. Mail to every
/// address of the domain goes to [`USER`], and IMAP takes passwords without TLS.
pub fn setup(policies: &str, instances: &str) -> Setup {
    let setup = Setup::mail_with(&config(policies, instances));
    run_ok(setup.dovetail().args(["accounts", "alias", "*@example.test", "--to", USER]));
    setup
}

fn config(policies: &str, instances: &str) -> String {
    MAIL_CONFIG
        .replace("(role: Mx)", &format!("(role: Mx, policies: [{policies}])"))
        .replace("(role: Submission)", &format!("(role: Submission, policies: [{policies}])"))
        .replace("\"delivery\": (),", &format!("\"delivery\": (),\n        {instances}\n"))
        .replace("\"imap\", bind: [\"127.0.0.1:0\"]", "\"imap\", bind: [\"127.0.0.1:0\"], insecure_auth: true")
}

/// An instance of the test's policy.
fn rules(name: &str, rules: &str) -> String {
    format!("\"{name}\": (plugin: \"policy\", config: (rules: [{rules}])),")
}

/// Puts another text in the config's place and reloads.
#[track_caller]
pub fn reload(server: &Server, from: &str, to: &str) {
    let text = std::fs::read_to_string(&server.setup.config).unwrap();
    assert!(text.contains(from), "{from:?} is not in {text}");
    std::fs::write(&server.setup.config, text.replace(from, to)).unwrap();
    run_ok(server.dovetail().arg("reload"));
}

/// A session that has said EHLO.
#[track_caller]
pub fn greeted(server: &Server) -> Client {
    let mut client = server.connect("smtp");
    let greeting = client.line();
    assert!(greeting.starts_with("220 "), "{greeting}");
    client.ehlo();
    client
}

const LETTER: &[u8] = b"Subject: a letter\r\nX-Old: goes\r\n\r\nHello.\r\n";

/// What is in the mailbox of this name, whole.
pub fn messages(server: &Server, mailbox: &str) -> Vec<String> {
    let mut imap = Imap::login(server.address("imap"), USER, PASSWORD);
    imap.command(&format!("EXAMINE {mailbox}")).ok();
    let fetched = imap.command("UID FETCH 1:* BODY.PEEK[]").ok();
    let literals = fetched.untagged.iter().flat_map(|response| &response.literals);
    literals.map(|octets| String::from_utf8_lossy(octets).into_owned()).collect()
}

/// How many messages are in INBOX and in Junk.
fn counts(server: &Server) -> (usize, usize) {
    (messages(server, "INBOX").len(), messages(server, "Junk").len())
}
