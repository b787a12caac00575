//! A plugin that another compiler built, outside of this repository, loads and serves.
//!
//! Debian's `rustc-web` and `cargo-web` are that compiler; where they are not installed a nightly toolchain of rustup is. The
//! crate is built in a folder of its own with the registry that is there. That costs about a minute and a half of processor time
//! the first time; what is compiled stays below the target directory.

use crate::{
    bad::with,
    harness::{dovetail, plugin_dir, run_ok, Setup},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const MANIFEST: &str = r#"[package]
name = "stranger"
version = "1.2.3"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
dovetail-sdk = { path = "SDK" }
serde = { version = "1", features = ["derive"] }

[workspace]

[profile.dev]
debug = false
"#;

const SOURCE: &str = r#"//! Says how long each line is.
use dovetail_sdk::{export_plugin, line::Line, protocol::*, task, Context, Plugin, StartFailure};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    greeting: String,
}

struct Stranger(Config);

impl Plugin for Stranger {
    type Config = Config;
    async fn start(config: Config, _: Context) -> Result<Self, StartFailure> {
        Ok(Stranger(config))
    }
}

impl ProtocolProvider for Stranger {
    fn traits(&self) -> ProtocolTraits {
        ProtocolTraits { alpn: vec![], try_later: b"later\r\n".to_vec() }
    }
    async fn serve(&self, mut session: Session) -> Result<(), SessionFailure> {
        session.stream.queue(format!("{}\r\n", self.0.greeting).as_bytes());
        while let Line::Good(line) = session.stream.read_line(100).await? {
            assert!(line != b"PANIC", "a panic of another standard library");
            let length = task::spawn(async move { line.len() }).await.unwrap_or_default();
            session.stream.queue(format!("{length}\r\n").as_bytes());
        }
        session.stream.close().await?;
        Ok(())
    }
}

export_plugin! {
    plugin: Stranger,
    id: "stranger",
    summary: "Says how long each line is",
    provides: [Protocol],
    requires: [],
}
"#;

/// A compiler that is not ours.
struct Other {
    cargo: Vec<PathBuf>,
    rustc: PathBuf,
    version: String,
}

/// What a plugin's manifest tells of its compiler.
fn compiler_of(library: &Path) -> String {
    let told = run_ok(dovetail().args(["plugin", "inspect", "--json"]).arg(library));
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told[0]["obstacle"], serde_json::Value::Null, "{told}");
    told[0]["rustc"].as_str().unwrap().to_owned()
}

/// What a command prints, if there is one and it succeeds.
fn answer(command: &mut Command) -> Option<String> {
    let output = clean(command).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Without what the cargo that runs this test says to those that it starts.
pub fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let told = name.starts_with("CARGO") && name != "CARGO_HOME";
        if told || name.starts_with("RUST") && name != "RUSTUP_HOME" {
            command.env_remove(name);
        }
    }
    // A test must not bring a toolchain up to date.
    command.env("RUSTUP_AUTO_INSTALL", "0")
}

/// Finds one; in CI there is one.
fn other(ours: &str) -> Option<Other> {
    let debian = PathBuf::from("/usr/bin/rustc");
    if let Some(version) = answer(Command::new(&debian).arg("--version")).filter(|version| version != ours) {
        return Some(Other { cargo: vec!["/usr/bin/cargo".into()], rustc: debian, version });
    }
    let nightly = answer(Command::new("rustup").args(["which", "--toolchain", "nightly", "rustc"])).map(PathBuf::from);
    if let Some(rustc) = nightly {
        if let Some(version) = answer(Command::new(&rustc).arg("--version")).filter(|version| version != ours) {
            return Some(Other {
                cargo: ["rustup", "run", "nightly", "cargo"].map(PathBuf::from).into(),
                rustc,
                version,
            });
        }
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "there is no other compiler, and in CI nothing skips (apt-get install rustc-web cargo-web)"
    );
    eprintln!("SKIPPED: there is no compiler but {ours}");
    None
}

/// Builds the crate, and gives the library.
fn build(other: &Other, folder: &Path) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::create_dir(folder.join("src")).unwrap();
    let manifest = MANIFEST.replace("SDK", &top.join("sdk").display().to_string());
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/lib.rs"), SOURCE).unwrap();
    // The versions that are in the registry here.
    fs::copy(top.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("other-rustc");
    let mut command = Command::new(&other.cargo[0]);
    command.args(&other.cargo[1..]).args(["build", "--offline", "--quiet"]).current_dir(folder);
    let command = clean(&mut command).env("RUSTC", &other.rustc).env("CARGO_TARGET_DIR", &target);
    // The crate has another folder each time.
    run_ok(command.env("CARGO_INCREMENTAL", "0"));
    // Another run may build here at the same time: what is loaded is this one's.
    let library = folder.join("libstranger.so");
    fs::copy(target.join("debug/libstranger.so"), &library).unwrap();
    library
}

#[test]
fn a_plugin_of_another_compiler_loads_and_serves() {
    let ours = compiler_of(&plugin_dir().join("libdovetail_test_echo.so"));
    let Some(other) = other(&ours) else { return };
    let dir = tempfile::Builder::new().prefix("dovetail-e2e-").tempdir().unwrap();
    let library = build(&other, dir.path());
    let theirs = compiler_of(&library);
    assert!(theirs == other.version && theirs != ours, "{theirs} and {ours}");

    let section = dir.path().join("section.ron");
    fs::write(&section, "(greeting: \"well met\")").unwrap();
    run_ok(dovetail().args(["plugin", "verify"]).arg(&library).arg("--section").arg(&section));

    let plugins =
        format!("\"stranger\": (path: {library:?}, config: (greeting: \"well met\")),\n        \"echo\": (),");
    let listeners = "\"stranger\": (protocol: \"stranger\", bind: [\"127.0.0.1:0\"]),\n        \
                     \"echo\": (protocol: \"echo\", bind: [\"127.0.0.1:0\"])";
    let server = Setup::new(&with(&plugins, listeners)).start();
    let (mut client, mut beside) = (server.connect("stranger"), server.connect("echo"));
    assert_eq!((client.line(), beside.line()), ("well met".to_owned(), "hello".to_owned()));
    assert_eq!((client.ask("four"), client.ask("")), ("4".to_owned(), "0".to_owned()));
    // Its panics are contained like ours.
    client.send("PANIC\r\n");
    assert!(client.rest().is_empty());
    let record = server.wait_for_log("a panic of another standard library");
    assert!(record.contains(" error stranger") && record.contains("src/lib.rs:"), "{record}");
    let mut next = server.connect("stranger");
    assert_eq!((next.line(), next.ask("on")), ("well met".to_owned(), "2".to_owned()));
    assert_eq!(beside.ask("on"), "on");
    server.stop();
}
