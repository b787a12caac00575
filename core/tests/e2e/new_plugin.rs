//! `dovetail plugin new`: each kind builds outside of this repository, passes its own tests, is verified, and serves; the loop of
//! edit, build and swap keeps sessions.
//!
//! The crates are built by the cargo that builds this test, with the registry that is there. That costs some minutes of
//! processor time the first time; what is compiled stays below the target directory.

use crate::{
    harness::{dovetail, run, run_ok, Setup, MAIL_CONFIG, PASSWORD, USER},
    imap::client::Imap,
    mail::{after_trace, assert_same, hard_message},
    other_rustc::clean,
    policy::{greeted, setup},
    tls::HOST,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The listener `imap`, with passwords without TLS.
const INSECURE: &str = "\"imap\", bind: [\"127.0.0.1:0\"], insecure_auth: true";

/// They share what they compile, so one at a time.
pub static BUILDING: Mutex<()> = Mutex::new(());

/// A crate that was just made.
struct Made {
    /// The folder it is in.
    dir: tempfile::TempDir,
    name: &'static str,
    _alone: MutexGuard<'static, ()>,
}

/// Where the crates are compiled.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-plugin")
}

pub fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

impl Made {
    fn new(name: &'static str, kind: &str) -> Made {
        let alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = tempfile::tempdir().unwrap();
        let sdk = top().join("sdk");
        let told =
            run_ok(dovetail().args(["plugin", "new", name, "--kind", kind, "--sdk"]).arg(sdk).current_dir(dir.path()));
        assert!(told.contains("cargo test"), "{told}");
        let made = Made { dir, name, _alone: alone };
        // The versions that are here, since nothing is fetched.
        fs::copy(top().join("Cargo.lock"), made.folder().join("Cargo.lock")).unwrap();
        made
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join(self.name)
    }

    fn cargo(&self, word: &str) {
        let target = target();
        let mut cargo = Command::new(env!("CARGO"));
        clean(&mut cargo);
        // The compiler that builds this test.
        if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN") {
            cargo.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        cargo.args([word, "--quiet", "--offline", "--target-dir"]).arg(target).current_dir(self.folder());
        run_ok(cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_TEST_DEBUG", "0"));
    }

    /// Tests and builds it; gives the library, where its README says that it is.
    fn build(&self) -> PathBuf {
        self.cargo("build");
        let file = format!("lib{}.so", self.name.replace('-', "_"));
        let built = target().join("debug").join(&file);
        let library = self.folder().join("target/debug").join(&file);
        fs::create_dir_all(library.parent().unwrap()).unwrap();
        // A new file takes the name, as after a build.
        let staged = library.with_extension("new");
        fs::copy(built, &staged).unwrap();
        fs::rename(staged, &library).unwrap();
        library
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.folder().join(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {}", path.display());
        fs::write(path, text.replace(from, to)).unwrap();
    }
}

fn verify(library: &Path, section: Option<&str>) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("section.ron");
    fs::write(&file, section.unwrap_or("()")).unwrap();
    run_ok(dovetail().args(["plugin", "verify", "--section"]).arg(file).arg(library));
}

#[test]
fn a_protocol_is_made_tested_verified_served_and_swapped() {
    let made = Made::new("line-counter", "protocol");
    made.cargo("test");
    let library = made.build();
    verify(&library, None);
    made.edit("dovetail.ron", "127.0.0.1:7777", "127.0.0.1:0");
    made.edit("dovetail.ron", "data_dir: \"data\"", "data_dir: \"DATA\"");
    let config = fs::read_to_string(made.folder().join("dovetail.ron")).unwrap();
    let config = config.replace("target/debug", library.parent().unwrap().to_str().unwrap());
    let server = Setup::new(&config).start();
    let mut before = server.connect("line-counter");
    assert_eq!(before.line(), "hello");
    assert_eq!(before.ask("four"), "4 octets");

    made.edit("src/lib.rs", "{} octets", "{} bytes");
    let library = made.build();
    run_ok(server.dovetail().args(["plugin", "swap", "line-counter"]).arg(&library));
    let mut after = server.connect("line-counter");
    assert_eq!((after.line().as_str(), after.ask("four").as_str()), ("hello", "4 bytes"));
    // Who was there goes on as it was.
    assert_eq!(before.ask("three"), "5 octets");
    assert_eq!(before.ask("QUIT"), "bye");
}

#[test]
fn a_policy_is_made_tested_verified_and_decides() {
    let made = Made::new("no-spam", "policy");
    made.cargo("test");
    let library = made.build();
    verify(&library, Some("(refuse: [\"spam.example\"])"));
    let instances = format!("\"no-spam\": (path: {library:?}, config: (refuse: [\"spam.example\"])), \"spool\": (),");
    let server = setup("(instance: \"no-spam\")", &instances).start();
    let mut client = greeted(&server);
    assert_eq!(client.ask("MAIL FROM:<x@spam.example>"), "550 5.7.1 Your domain is not welcome here");
    assert!(client.ask("MAIL FROM:<x@example.com>").starts_with("250 "));
}

#[test]
fn a_directory_is_made_tested_verified_and_asked() {
    let made = Made::new("our-people", "directory");
    made.cargo("test");
    let library = made.build();
    verify(&library, Some("(domains: [\"example.org\"])"));
    let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let directory = format!(
        "\"our-people\": (path: {library:?}, config: (domains: [\"example.test\"], accounts: {{\"ann@example.test\": Sha256({hash:?})}})),"
    );
    let config = MAIL_CONFIG.replace("\"accounts-file\": (config: (domains: [\"example.test\"])),", &directory);
    assert!(config.contains("our-people"), "{config}");
    let server = Setup::new(&config.replace("\"imap\", bind: [\"127.0.0.1:0\"]", INSECURE)).start();
    Imap::login(server.address("imap"), "ann@example.test", "secret").command("SELECT INBOX").ok();
    let mut stranger = server.connect("imap");
    stranger.line();
    assert!(stranger.ask("a LOGIN ann@example.test wrong").starts_with("a NO "));
}

#[test]
fn a_tls_provider_is_made_tested_verified_and_serves() {
    let made = Made::new("our-tls", "tls");
    made.cargo("test");
    let library = made.build();
    verify(&library, None);
    let config = MAIL_CONFIG.replace("\"tls-rustls\": ()", &format!("\"our-tls\": (path: {library:?})"));
    assert!(config.contains("our-tls"), "{config}");
    let server = Setup::mail_with(&config).start();

    let mut implicit = server.connect_tls("imaps");
    assert!(implicit.line().starts_with("* OK"));
    let login = format!("LOGIN {USER} \"{PASSWORD}\"");
    assert!(implicit.ask(&format!("a {login}")).starts_with("a OK "));

    let mut plain = server.connect("imap");
    assert!(plain.line().starts_with("* OK"));
    assert!(plain.ask(&format!("a {login}")).starts_with("a NO "), "no password goes in the clear");
    assert!(plain.ask("b STARTTLS").starts_with("b OK "));
    let mut explicit = plain.start_tls(&server.setup, HOST);
    assert!(explicit.ask(&format!("c {login}")).starts_with("c OK "));
}

#[test]
fn a_store_is_made_tested_verified_and_keeps_mail() {
    let made = Made::new("our-mail", "store");
    made.cargo("test");
    let library = made.build();
    verify(&library, None);
    let config = MAIL_CONFIG.replace("\"store-sqlite\": ()", &format!("\"our-mail\": (path: {library:?})"));
    assert!(config.contains("our-mail"), "{config}");
    let server = Setup::mail_with(&config.replace("\"imap\", bind: [\"127.0.0.1:0\"]", INSECURE)).start();
    let messages =
        [hard_message("one"), b"Subject: two\r\n\r\n2\r\n".to_vec(), b"Subject: three\r\n\r\n3\r\n".to_vec()];
    for message in &messages {
        server.leave(message);
    }

    let mut imap = Imap::login(server.address("imap"), USER, PASSWORD);
    let selected = imap.command("SELECT INBOX").ok();
    assert!(selected.texts().contains(&"* 3 EXISTS"), "{selected:?}");
    let fetched = imap.command("FETCH 1:3 (UID ENVELOPE BODY.PEEK[])").ok();
    for (response, message) in fetched.untagged.iter().zip(&messages) {
        assert_same(after_trace(&response.literals[0]), message, "FETCH");
    }
    assert!(fetched.untagged.len() == 3 && fetched.untagged[1].text.contains("\"two\""), "{fetched:?}");

    let stored = imap.command("STORE 2 +FLAGS (\\Deleted $Done)").ok();
    assert!(stored.texts().iter().any(|text| text.contains("\\Deleted") && text.contains("$Done")), "{stored:?}");
    let copied = imap.command("COPY 1:2 Archive").ok();
    assert!(copied.status.contains(" 1:2 1:2]"), "{copied:?}");
    assert_eq!(imap.command("EXPUNGE").ok().texts(), ["* 2 EXPUNGE"]);
    let archive = imap.command("SELECT Archive").ok();
    assert!(archive.texts().contains(&"* 2 EXISTS"), "{archive:?}");
    let flags = imap.command("FETCH 2 (FLAGS BODY.PEEK[TEXT])").ok();
    assert!(flags.untagged[0].text.contains("$Done") && flags.untagged[0].literals[0] == b"2\r\n", "{flags:?}");

    let left = server.mailbox(USER, PASSWORD);
    assert_eq!(left.len(), 2);
    for (got, message) in left.iter().zip([&messages[0], &messages[2]]) {
        assert_same(after_trace(got), message, "RETR");
    }
}

#[test]
fn what_cannot_be_made_is_said_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("there")).unwrap();
    let sdk = top().join("sdk");
    for (name, sdk, part) in [
        ("Upper", sdk.as_path(), "no name for a plugin"),
        ("there", sdk.as_path(), "is there already"),
        ("fresh", dir.path(), "is not the SDK"),
    ] {
        let (status, _, told) = run(dovetail().args(["plugin", "new", name, "--sdk"]).arg(sdk).current_dir(dir.path()));
        assert!(!status.success() && told.contains(part) && told.lines().count() == 1, "{name}: {told}");
    }
    assert!(!dir.path().join("fresh").exists());
}
