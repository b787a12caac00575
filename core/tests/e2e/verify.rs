//! `dovetail plugin verify`: our own plugins pass, and each misdeed of the test plugin is found and named.

use crate::harness::{plugin_dir, run, run_ok, BINARY};
use std::{path::PathBuf, process::Command};

fn library(name: &str) -> PathBuf {
    plugin_dir().join(format!("libdovetail_{name}.so"))
}

/// `plugin verify` of a plugin with a section.
fn verify(name: &str, section: &str) -> (Command, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("section.ron");
    std::fs::write(&path, section).unwrap();
    let mut command = Command::new(BINARY);
    command.args(["plugin", "verify"]).arg(library(name)).arg("--section").arg(path);
    (command, dir)
}

/// The checks that failed, with what was found; the exit code tells that there are any.
#[track_caller]
fn failures(name: &str, section: &str, more: &[&str]) -> Vec<(String, String)> {
    let (mut command, _dir) = verify(name, section);
    let (status, stdout, stderr) = run(command.args(more).arg("--json"));
    assert!(stderr.is_empty(), "{stderr}");
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stdout}"));
    let failed = json["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false);
    let failed: Vec<(String, String)> = failed
        .map(|check| (check["check"].as_str().unwrap().to_owned(), check["text"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(
        (status.code(), &json["ok"]),
        (Some(i32::from(!failed.is_empty())), &failed.is_empty().into()),
        "{stdout}"
    );
    failed
}

/// The plugin fails this check only, with these words.
#[track_caller]
fn fails(section: &str, more: &[&str], check: &str, words: &[&str]) {
    let failed = failures("test_panics", section, more);
    assert!(failed.len() == 1 && failed[0].0 == check, "{section}: {failed:?}");
    assert!(words.iter().all(|word| failed[0].1.contains(word)), "{section}: {failed:?}");
}

#[test]
fn all_our_plugins_pass() {
    let sections = |name: &str| match name {
        "accounts_file" => vec!["(domains: [\"example.test\"])"],
        "cert_store" => vec!["()", "(create_missing: true)"],
        "smtp" => vec!["(role: Mx)", "(role: Submission)"],
        _ => vec!["()"],
    };
    let files = std::fs::read_dir(plugin_dir()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names = files.filter_map(|file| Some(file.strip_prefix("libdovetail_")?.strip_suffix(".so")?.to_owned()));
    let ours: Vec<String> = names.filter(|name| !name.starts_with("test_")).collect();
    assert!(ours.len() >= 8, "{ours:?}");
    for name in ours.iter().map(String::as_str).chain(["test_echo", "test_panics"]) {
        for section in sections(name) {
            assert_eq!(failures(name, section, &[]), [], "{name} with {section}");
        }
    }
}

#[test]
fn a_person_reads_a_line_a_check() {
    let text = run_ok(Command::new(BINARY).args(["plugin", "verify"]).arg(library("test_echo")));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with("ok    ")), "{text}");
    assert!(lines[0].starts_with("ok    file        echo 0.1.0, SDK "), "{text}");
    for check in [
        "load",
        "manifest",
        "interfaces",
        "operations",
        "prepare",
        "purity",
        "start",
        "query",
        "serve",
        "reload",
        "holders",
        "stop",
        "tasks",
        "drop",
        "threads",
        "open files",
        "beside",
    ] {
        let head = format!("ok    {check:<10}  ");
        let at = lines.iter().position(|line| line.starts_with(&head)).unwrap();
        let lives = if at < 7 || check == "beside" { 1 } else { 2 };
        assert_eq!(lines.iter().filter(|line| line.starts_with(&head)).count(), lives, "{check}\n{text}");
    }
    let (mut command, _dir) = verify("test_panics", "(does: Refuses)");
    let (status, stdout, _) = run(&mut command);
    assert_eq!(status.code(), Some(1));
    assert!(stdout.contains("\nFAIL  start       it does not start: it refuses (on purpose)\n"), "{stdout}");
}

#[test]
fn what_a_plugin_requires_is_away() {
    let text = run_ok(Command::new(BINARY).args(["plugin", "verify"]).arg(library("pop3")));
    assert!(text.contains("away for the trial: dovetail.directory/1, dovetail.store/1"), "{text}");
}

#[test]
fn a_section_that_it_does_not_take() {
    fails("(unknown: 1)", &[], "prepare", &["section.ron:1:", "unknown", "--section"]);
    let failed = failures("test_asks_either", "()", &[]);
    assert!(failed.len() == 1 && failed[0].1.contains("revision"), "{failed:?}");
    assert_eq!(failures("test_asks_either", "(revision: Two)", &[]), []);
}

#[test]
fn a_panic_in_each_hook() {
    for (place, check) in [
        ("prepare", "prepare"),
        ("start", "start"),
        ("traits", "serve"),
        ("reload", "reload"),
        ("stop", "stop"),
        ("instance drop", "drop"),
    ] {
        let told = format!("panic in {place} (on purpose)");
        fails(&format!("(panic_in: {place:?})"), &[], check, &[&told, "panics/src/lib.rs:"]);
    }
}

#[test]
fn a_prepare_that_is_not_pure() {
    for (does, words) in [
        ("FileInPrepare", "it touched data in prepare"),
        ("ThreadInPrepare", "it started threads in prepare: `early`"),
        ("Forgetful", "it says something else of the same section the second time"),
    ] {
        fails(&format!("(does: {does})"), &[], "purity", &[words]);
    }
}

#[test]
fn what_is_left_behind() {
    fails("(does: LeavesThread)", &[], "threads", &["`left behind`", "join them in stop"]);
    fails("(does: LeavesFile)", &[], "open files", &["/data/open", "close them in stop"]);
    fails("(does: LeavesWork)", &["--seconds", "3"], "tasks", &["1 of its tasks or jobs ran on", "within 3 s"]);
}

#[test]
fn a_plugin_that_can_run_once_only() {
    fails(
        "(does: OneOnly)",
        &[],
        "beside",
        &["a new generation beside the old one: it does not start: there is one already"],
    );
    let text = run_ok(Command::new(BINARY).args(["plugin", "verify"]).arg(library("store_sqlite")));
    assert!(text.contains("ok    beside      it owns files"), "{text}");
}

#[test]
fn a_plugin_that_does_not_go_on() {
    fails("(does: NeverStops)", &["--seconds", "3"], "stop", &["not done within 3 s", "a server goes on without it"]);
    fails("(does: Blocks)", &["--seconds", "3"], "prepare", &["blocks the thread that it is called on"]);
}

#[test]
fn a_plugin_that_ends_the_process() {
    fails("(does: Exits)", &[], "start, first life", &["the process ended with exit status: 3"]);
    fails("(does: Aborts)", &[], "stop, first life", &["the process ended with signal: 6 (SIGABRT)"]);
}

#[test]
fn a_plugin_that_writes_to_standard_output() {
    fails("(does: Prints)", &[], "output", &["`I am a plugin`", "tracing"]);
}

#[test]
fn a_file_that_is_no_plugin_and_an_interface_that_was_bent() {
    let (status, stdout, _) = run(Command::new(BINARY).args(["plugin", "verify", "/etc/hostname"]));
    assert_eq!(status.code(), Some(1));
    assert!(stdout.starts_with("FAIL  file        /etc/hostname is not an ELF shared library"), "{stdout}");
    // An interface of a third party is no business of the server's.
    let (mut command, _dir) = verify("test_counts_bent", "()");
    let text = run_ok(&mut command);
    assert!(text.contains("not this server's: example.counter/1"), "{text}");
}

#[test]
fn nothing_is_left_of_the_trial() {
    let dir = tempfile::tempdir().unwrap();
    run_ok(Command::new(BINARY).env("TMPDIR", dir.path()).args(["plugin", "verify"]).arg(library("test_echo")));
    let (mut command, _section) = verify("test_panics", "(does: Exits)");
    run(command.env("TMPDIR", dir.path()));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
