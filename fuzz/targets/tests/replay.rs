//! The corpus through its targets, on the stable toolchain.
//!
//! A file `good-...` must be taken and a file `bad-...` must not; any other is one that the fuzzer found, and must only
//! break no promise. Of every target there is at least one of the first two. Each file is also tried cut off at many places.

use dovetail_fuzz_targets::{Target, TARGETS};
use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// Larger files don't belong into the repository.
const MAX_FILE: usize = 16 * 1024;
/// So many prefixes of a file are tried.
const PREFIXES: usize = 40;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<_> = listed
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().expect("names are ASCII"), entry.path())
        })
        .collect();
    entries.sort();
    entries
}

/// What is wrong with a file, if anything is.
fn replay(target: Target, name: &str, content: &[u8]) -> Result<(), String> {
    if content.len() > MAX_FILE {
        return Err(format!("{} octets; {MAX_FILE} is the limit", content.len()));
    }
    let taken = catch_unwind(|| target(content)).map_err(|_| "a promise is broken".to_owned())?;
    if name.starts_with("good-") && !taken || name.starts_with("bad-") && taken {
        return Err(format!("taken: {taken}"));
    }
    let step = content.len() / PREFIXES + 1;
    for length in (0..content.len()).step_by(step) {
        catch_unwind(|| target(&content[..length]))
            .map_err(|_| format!("a promise is broken by its first {length} octets"))?;
    }
    Ok(())
}

#[test]
fn every_file_of_the_corpus_passes() {
    let mut wrong = Vec::new();
    for (target, run) in TARGETS {
        let files = entries(&folder("corpus").join(target));
        for prefix in ["good-", "bad-"] {
            if !files.iter().any(|(name, _)| name.starts_with(prefix)) {
                wrong.push(format!("{target}: there is no file {prefix}..."));
            }
        }
        for (name, path) in files {
            if let Err(reason) = replay(*run, &name, &fs::read(path).unwrap()) {
                wrong.push(format!("{target}/{name}: {reason}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_target_has_its_corpus_and_its_fuzzer() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let corpora: BTreeSet<String> = entries(&folder("corpus")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(corpora, targets);
    let fuzzers: BTreeSet<String> =
        entries(&folder("fuzz_targets")).into_iter().map(|(name, _)| name.replace(".rs", "")).collect();
    assert_eq!(fuzzers, targets);
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for target in targets {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is not in fuzz/Cargo.toml");
    }
}
