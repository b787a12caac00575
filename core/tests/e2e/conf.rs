//! What `conf/` shows works, and the reference knows every option there is.

use crate::harness::{dovetail, run, run_ok};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conf")
}

fn reference() -> String {
    fs::read_to_string(folder().join("dovetail.ron")).unwrap()
}

/// What `dovetail check` says of a config that must be refused.
fn refused(config: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dovetail.ron");
    fs::write(&path, config).unwrap();
    let (status, _, stderr) = run(dovetail().args(["check", "--config"]).arg(&path));
    assert!(!status.success(), "{config}");
    stderr
}

#[test]
fn every_example_is_good() {
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "ron") {
            let said = run_ok(dovetail().args(["check", "--config"]).arg(&path));
            assert!(said.starts_with("ok: ") && said.contains(" 0 warnings"), "{}: {said}", path.display());
            seen.insert(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    assert!(seen.contains("dovetail.ron") && seen.contains("dev.ron") && seen.len() >= 4, "{seen:?}");
}

/// A line `// name: value,` of the reference is an option at its default: without its slashes it is good too.
#[test]
fn every_default_of_the_reference_is_good() {
    let mut taken = 0;
    let text = reference();
    let lines = text.lines().map(|line| {
        let (indent, text) = line.split_at(line.len() - line.trim_start().len());
        let option = text.strip_prefix("// ").filter(|option| is_option(option));
        taken += usize::from(option.is_some());
        format!("{indent}{}\n", option.unwrap_or(text))
    });
    let all: String = lines.collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dovetail.ron");
    fs::write(&path, all).unwrap();
    run_ok(dovetail().args(["check", "--config"]).arg(&path));
    assert!(taken > 40, "{taken} options were found");
}

fn is_option(text: &str) -> bool {
    let name = text.split_once(": ").map_or("", |(name, _)| name);
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && text.ends_with(',')
}

/// Each place that has options is given one that does not exist; the refusal names those that do.
#[test]
fn the_reference_names_every_option() {
    let core =
        "(nope: 1, hostname: \"h\", data_dir: \"d\", log: (nope: 1), login_blocking: (nope: 1), faults: (nope: 1),
        plugins: {\"p\": (nope: 1)}, listeners: {\"l\": (nope: 1), \"m\": (proxy: (nope: 1))})";
    let sections = "(hostname: \"h\", data_dir: \"d\", plugins: {
        \"tls-rustls\": (config: (nope: 1)), \"cert-store\": (config: (nope: 1)), \"accounts-file\": (config: (nope: 1)),
        \"hash\": (plugin: \"accounts-file\", config: (password_hash: (nope: 1))),
        \"cache\": (plugin: \"accounts-file\", config: (password_cache: (nope: 1))),
        \"store-sqlite\": (config: (nope: 1)), \"delivery\": (config: (nope: 1)), \"smtp\": (config: (nope: 1)),
        \"pop3\": (config: (nope: 1)), \"spool\": (config: (nope: 1)), \"kv-sqlite\": (config: (nope: 1)),
        \"policies\": (plugin: \"smtp\", config: (policies: [(nope: 1)])),
    })";
    let refusals = refused(core) + &refused(sections);
    let lists = refusals.lines().filter(|line| line.contains("nope"));
    let lists: Vec<&str> = lists
        .filter_map(|line| line.split_once(", expected").or(line.split_once("options are:")))
        .map(|(_, list)| list)
        .collect();
    assert_eq!(lists.len(), 18, "{refusals}");
    let reference = reference();
    for list in lists {
        let words = list.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for name in words.filter(|word| !["", "one", "of", "or", "instead", "either"].contains(word)) {
            let known = reference.lines().any(|line| {
                let text = line.trim_start().trim_start_matches("// ").trim_start();
                text.strip_prefix(name).is_some_and(|rest| rest.starts_with(": ") || rest.starts_with("  "))
            });
            assert!(known, "conf/dovetail.ron says nothing of `{name}` (expected{list})");
        }
    }
}
