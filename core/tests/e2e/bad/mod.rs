//! Servers that must not start: each says why in one line a problem, with place and cure, and leaves nothing behind.

mod certificates;
mod config;
pub mod library;
mod start;
mod wiring;

use crate::harness::{run, Setup};
use std::path::Path;

/// What a refused start said.
pub struct Refusal {
    /// What it was tried on.
    pub setup: Setup,
    /// The lines that are no log records.
    pub errors: Vec<String>,
    /// The log records.
    pub records: Vec<String>,
}

/// A problem as it should be told: the text in the config that it points at (empty: no place), and parts of its line.
pub type Expected<'a> = (&'a str, &'a [&'a str]);

/// A config with one listener `l` of the test protocol `echo`, and these plugins.
pub fn echo_with(plugins: &str) -> String {
    with(plugins, r#""l": (protocol: "echo", bind: ["127.0.0.1:0"])"#)
}

/// A config with these plugins and listeners.
pub fn with(plugins: &str, listeners: &str) -> String {
    format!(
        "(\n    hostname: \"mail.example.test\",\n    data_dir: \"data\",\n    plugins: {{\n        {plugins}\n    }},\n    \
         listeners: {{\n        {listeners}\n    }},\n)\n"
    )
}

/// `serve` and `check` both refuse this config, and say the same; `check` writes nothing.
#[track_caller]
pub fn refused(config: &str, expected: &[Expected<'_>]) -> Refusal {
    let setup = Setup::new(config);
    let checked = check(&setup, expected);
    let refusal = refused_start(setup, expected);
    assert_eq!(refusal.errors, checked, "serve and check say different things");
    refusal
}

/// `check` refuses this setup; gives what it says.
#[track_caller]
pub fn check(setup: &Setup, expected: &[Expected<'_>]) -> Vec<String> {
    let (status, stdout, stderr) = run(setup.dovetail().arg("check"));
    assert_eq!(status.code(), Some(1), "{stdout}{stderr}");
    assert_eq!(stdout, "");
    let told: Vec<String> = stderr.lines().map(str::to_owned).collect();
    assert_told(setup, &told, expected);
    assert!(!setup.data_dir().exists(), "check wrote something");

    let (status, stdout, stderr) = run(setup.dovetail().args(["check", "--json"]));
    assert_eq!((status.code(), stderr.as_str()), (Some(1), ""), "{stdout}");
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json, serde_json::json!({ "ok": false, "problems": told }));
    told
}

/// `serve` refuses this setup.
#[track_caller]
pub fn refused_start(setup: Setup, expected: &[Expected<'_>]) -> Refusal {
    let mut server = setup.spawn();
    let status = server.wait();
    let log = server.log();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(!log.contains("panicked at") && !log.contains("RUST_BACKTRACE"), "{log}");
    // Records begin with their time.
    let (records, errors): (Vec<String>, Vec<String>) = log.lines().map(str::to_owned).partition(|line| {
        let date = line.as_bytes().get(..5).unwrap_or_default();
        date.ends_with(b"-") && date[..4].iter().all(u8::is_ascii_digit)
    });
    assert_told(&server.setup, &errors, expected);
    assert!(!records.iter().any(|record| record.contains(" core: ready")), "{log}");
    assert_tidy(&server.setup.data_dir());
    Refusal { setup: server.into_setup(), errors, records }
}

#[track_caller]
fn assert_told(setup: &Setup, told: &[String], expected: &[Expected<'_>]) {
    let text = std::fs::read_to_string(&setup.config).unwrap();
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (at, parts) in expected {
        let start = match at {
            &"" => "error: ".to_owned(),
            marker => format!("{}:{}: error: ", setup.config.display(), place(&text, marker)),
        };
        let fits = |line: &String| line.starts_with(&start) && parts.iter().all(|part| line.contains(part));
        assert!(told.iter().any(fits), "no line begins with {start:?} and has {parts:?} in\n{}", told.join("\n"));
    }
}

/// `line:column` of a text in a file, from 1.
fn place(text: &str, marker: &str) -> String {
    let at = text.find(marker).unwrap_or_else(|| panic!("{marker:?} is not in {text}"));
    let before = &text[..at];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{}:{column}", before.matches('\n').count() + 1)
}

/// A server that did not start has left at most its lock, its note and copies of libraries; no socket and no data.
#[track_caller]
fn assert_tidy(data_dir: &Path) {
    let mut open = vec![data_dir.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(data_dir).unwrap();
            let known = ["lock", "run", "run/config", "run/plugins"].iter().any(|known| name == Path::new(known));
            let copy = name.starts_with("run/plugins") && path.extension().is_some_and(|ending| ending == "so");
            // What the operator put there before.
            let given = name.starts_with("certs");
            assert!(known || copy || given, "{} was left behind", path.display());
            if path.is_dir() {
                open.push(path);
            }
        }
    }
}
