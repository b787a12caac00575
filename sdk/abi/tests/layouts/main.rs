//! The layouts of all interfaces, as text in `sdk/abi/layouts`: a change of any type that crosses the boundary shows in the
//! diff of the change that makes it.
//!
//! `cargo xtask layouts` writes them anew. An interface that is frozen stands in `layouts/frozen` with the SHA-256 of its
//! snapshot, as `sha256sum` prints it; its snapshot is never written again. What must change gets a further revision in a file
//! of its own.

mod render;
mod source;

use dovetail_abi::known;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// With this variable the snapshots are written instead of compared; `cargo xtask layouts` sets it.
const WRITE: &str = "DOVETAIL_LAYOUTS";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("layouts")
}

/// All snapshots as they should be, by file name.
fn snapshots() -> BTreeMap<String, String> {
    let sources = source::all();
    let numbers = |text: &mut String, source: &source::Source| {
        let numbers = source.numbers();
        if !numbers.is_empty() {
            let _ = write!(text, "\nnumbers of {}\n{numbers}", source.module);
        }
    };
    let mut files = BTreeMap::new();
    for (id, layout) in known::all() {
        let mut text = format!("{id}\n{}", render::render(layout));
        for source in sources.iter().filter(|source| tells_of(source, id)) {
            numbers(&mut text, source);
        }
        let file = format!("{}.txt", id.replace('/', "-"));
        assert!(files.insert(file, text).is_none(), "{id} is listed twice");
    }
    let mut rest = "what is no interface's\n".to_owned();
    for source in sources.iter().filter(|source| !known::all().iter().any(|(id, _)| tells_of(source, id))) {
        numbers(&mut rest, source);
    }
    files.insert("rest.txt".to_owned(), rest);
    files
}

/// Whether the numbers in a file belong to an interface.
fn tells_of(source: &source::Source, id: &str) -> bool {
    match (id, source.module.as_str()) {
        // How a call fails and how a poll answers are words that all share.
        (known::KERNEL, "kernel_v1" | "failure" | "future") | (known::STREAM, "stream") => true,
        _ => source.interfaces().iter().any(|own| own == id),
    }
}

/// The frozen snapshots with their hashes.
fn frozen() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join("frozen")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let (hash, file) =
                line.split_once("  ").unwrap_or_else(|| panic!("layouts/frozen: `{line}` is no line of sha256sum"));
            (file.to_owned(), hash.to_owned())
        })
        .collect()
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What is said of a snapshot.
#[derive(Debug, PartialEq)]
enum Judgement {
    Same,
    /// It may be written anew.
    Other(String),
    /// It may not.
    Frozen(String),
}

fn judge(file: &str, there: &str, now: &str, pinned: Option<&String>) -> Judgement {
    match pinned {
        Some(pinned) if hash(there) != *pinned => {
            Judgement::Frozen(format!("{file} is frozen, and was changed by hand; restore it"))
        }
        _ if there == now => Judgement::Same,
        Some(_) => Judgement::Frozen(format!(
            "{file} is frozen, and its types have changed {}; put them back as they were, and make what is new a further \
             revision in a file of its own",
            difference(there, now)
        )),
        None if there.is_empty() => Judgement::Other(format!("{file} is missing; run `cargo xtask layouts`")),
        None => Judgement::Other(format!(
            "{file}: {}; if this is meant, run `cargo xtask layouts` and commit it with the change",
            difference(there, now)
        )),
    }
}

/// The first line in which two texts differ.
fn difference(there: &str, now: &str) -> String {
    let (mut old, mut new) = (there.lines(), now.lines());
    let mut type_of = "";
    loop {
        let (before, after) = (old.next(), new.next());
        if before != after || before.is_none() {
            let show = |line: Option<&str>| line.unwrap_or("(nothing)").trim().to_owned();
            return format!("in `{type_of}`: was `{}`, is `{}`", show(before), show(after));
        }
        // The line of a type stands at the margin.
        type_of = before.filter(|line| !line.starts_with(' ') && !line.is_empty()).unwrap_or(type_of);
    }
}

#[test]
fn every_interface_is_as_its_snapshot_says() {
    let (expected, frozen) = (snapshots(), frozen());
    let write = std::env::var_os(WRITE).is_some_and(|value| value == "write");
    let mut wrong = Vec::new();
    for (file, text) in &expected {
        let path = folder().join(file);
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        match judge(file, &there, text, frozen.get(file)) {
            Judgement::Same => {}
            Judgement::Other(_) if write => std::fs::write(&path, text).unwrap(),
            Judgement::Other(why) | Judgement::Frozen(why) => wrong.push(why),
        }
    }
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name == "frozen" || expected.contains_key(&name) {
            continue;
        }
        if write && !frozen.contains_key(&name) {
            std::fs::remove_file(folder().join(name)).unwrap();
        } else {
            wrong.push(format!("{name} is the snapshot of no interface; run `cargo xtask layouts`"));
        }
    }
    for file in frozen.keys().filter(|file| !expected.contains_key(*file)) {
        wrong.push(format!("{file} is frozen, and its interface is gone; put it back"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_frozen_is_never_written_again() {
    let (old, new) = ("x/1\n\nstruct X: 4 bytes\n    a: u32\n", "x/1\n\nstruct X: 8 bytes\n    a: u32\n    b: u32\n");
    let said = |judgement: Judgement| match judgement {
        Judgement::Other(why) => format!("other: {why}"),
        Judgement::Frozen(why) => format!("frozen: {why}"),
        Judgement::Same => "same".to_owned(),
    };
    assert_eq!(judge("x", old, old, None), Judgement::Same);
    assert_eq!(judge("x", old, old, Some(&hash(old))), Judgement::Same);
    let told = said(judge("x", old, new, None));
    assert!(
        told.starts_with("other: x: ") && told.contains("was `struct X: 4 bytes`, is `struct X: 8 bytes`"),
        "{told}"
    );
    let told = said(judge("x", old, new, Some(&hash(old))));
    assert!(told.starts_with("frozen: x is frozen, and its types have changed"), "{told}");
    // Nor by hand, together with the types.
    assert!(said(judge("x", new, new, Some(&hash(old)))).starts_with("frozen: x is frozen, and was changed by hand"));
}

#[test]
fn every_interface_that_the_sources_declare_is_listed() {
    let listed: BTreeSet<String> = known::all().iter().map(|(id, _)| (*id).to_owned()).collect();
    let declared: BTreeSet<String> = source::all().iter().flat_map(source::Source::interfaces).collect();
    assert!(declared.len() > 20, "the sources cannot be read any more: {declared:?}");
    let missing: Vec<&String> = declared.difference(&listed).collect();
    assert!(missing.is_empty(), "add {missing:?} to sdk/abi/src/known.rs, then run `cargo xtask layouts`");
}

#[test]
fn a_snapshot_tells_fields_methods_discriminants_and_numbers() {
    let all = snapshots();
    for (file, told) in [
        ("dovetail.tls-1.txt", "struct ServerPolicyAbi of dovetail-abi: "),
        ("dovetail.tls-1.txt", "unsafe fn(*const "),
        ("kernel-1.txt", "(prefix, yes) describe: fn("),
        ("kernel-1.txt", "= RSome { "),
        ("kernel-1.txt", "CallFailure::Panicked = 1"),
        ("kernel-1.txt", "enum Purpose, unknown numbers are Operate"),
        ("kernel-1.txt", "struct InstanceVt of dovetail-abi"),
        ("rest.txt", "const KERNEL: u32 = 1"),
        ("dovetail.store-1.txt", "const "),
    ] {
        assert!(all[file].contains(told), "{file} has no `{told}`:\n{}", all[file]);
    }
}
