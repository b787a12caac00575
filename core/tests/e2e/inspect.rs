//! What plugin files say of themselves, read without loading them.

use crate::{
    bad::library::{echo_bytes, library, manifest},
    harness::{dovetail, plugin_dir, run, run_ok, Setup, BINARY},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// All plugins of this build.
fn plugins() -> Vec<PathBuf> {
    let is_plugin = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libdovetail_") && name.ends_with(".so")
    };
    let mut files: Vec<PathBuf> =
        fs::read_dir(plugin_dir()).unwrap().map(|e| e.unwrap().path()).filter(is_plugin).collect();
    files.sort();
    files
}

fn inspect(files: &[impl AsRef<Path>]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(["plugin", "inspect"]).args(files.iter().map(AsRef::as_ref));
    command
}

fn json(command: &mut Command) -> Vec<Value> {
    serde_json::from_str(&run_ok(command.arg("--json"))).unwrap()
}

/// Which libraries of ours the system's loader opened for a command.
pub fn loaded(command: &mut Command) -> usize {
    let dir = tempfile::tempdir().unwrap();
    run_ok(command.env("LD_DEBUG", "files").env("LD_DEBUG_OUTPUT", dir.path().join("ld")));
    let told: Vec<String> =
        fs::read_dir(dir.path()).unwrap().map(|e| fs::read_to_string(e.unwrap().path()).unwrap()).collect();
    assert!(told.concat().contains("libc.so"), "LD_DEBUG tells nothing here");
    told.concat().lines().filter(|line| line.contains("libdovetail_") && line.contains("generating link map")).count()
}

#[test]
fn every_plugin_tells_id_version_interfaces_sdk_and_compiler() {
    let files = plugins();
    let all = json(&mut inspect(&files));
    assert_eq!(all.len(), files.len());
    let rustc = run_ok(Command::new("rustc").arg("--version"));
    for (file, told) in files.iter().zip(&all) {
        assert_eq!(told["file"], *file.to_str().unwrap());
        assert_eq!((&told["version"], &told["sdk"], &told["kernel"]), (&"0.1.0".into(), &"0.1.0".into(), &1.into()));
        assert_eq!(told["rustc"], rustc.trim());
        assert_eq!((&told["panic"], &told["obstacle"]), (&"unwind".into(), &Value::Null));
        assert!(
            told["summary"].as_str().unwrap().len() > 10 && told["target"].as_str().unwrap().contains("linux"),
            "{told}"
        );
        assert!(!told["provides"].as_array().unwrap().is_empty(), "{told}");
    }
    let of = |id: &str| all.iter().find(|told| told["id"] == id).unwrap_or_else(|| panic!("no {id} in {all:?}"));
    let has = |list: &Value, interface: &str| list.as_array().unwrap().iter().any(|id| id == interface);
    for id in ["accounts-file", "cert-store", "delivery", "pop3", "smtp", "store-sqlite", "tls-rustls"] {
        of(id);
    }
    assert!(has(&of("smtp")["provides"], "dovetail.protocol/1"));
    assert!(
        has(&of("smtp")["requires"], "dovetail.delivery/1") && has(&of("smtp")["requires"], "dovetail.directory/1")
    );
    assert!(has(&of("store-sqlite")["provides"], "dovetail.store/1"));
    assert_eq!(of("cert-store")["command"], "certs");
    assert_eq!(of("accounts-file")["command"], "accounts");
}

#[test]
fn people_get_it_as_text() {
    let file = plugin_dir().join("libdovetail_pop3.so");
    let text = run_ok(&mut inspect(&[&file]));
    let rustc = run_ok(Command::new("rustc").arg("--version"));
    let mut lines = text.lines();
    assert_eq!(lines.next(), file.to_str());
    assert!(lines.next().unwrap().starts_with("  id        pop3 0.1.0: "), "{text}");
    let build = lines.next().unwrap().strip_prefix("  build     ").unwrap();
    assert!(build.len() == 16 && build.bytes().all(|digit| digit.is_ascii_hexdigit()), "{text}");
    assert!(lines.next().unwrap().starts_with("  provides  dovetail.protocol/1"), "{text}");
    assert!(lines.next().unwrap().contains("dovetail.store/1"), "{text}");
    let built = lines.next().unwrap();
    assert!(built.starts_with("  built     kernel 1, SDK 0.1.0, rustc ") && built.contains(rustc.trim()), "{text}");
    assert_eq!((lines.next(), lines.next()), (Some("  loadable  yes"), None));
}

#[test]
fn nothing_is_loaded() {
    assert_eq!(loaded(&mut inspect(&plugins())), 0);
    assert_eq!(loaded(dovetail().args(["plugin", "list"])), 0);
    assert_eq!(loaded(dovetail().arg("--help")), 0);
    // The measure itself: a check loads what the config names.
    let setup = Setup::new(&crate::bad::echo_with("\"echo\": (),"));
    assert_eq!(loaded(setup.dovetail().arg("check")), 1);
}

/// Overwrites all that could be run, with what kills a process that runs it.
fn without_code(bytes: &[u8]) -> Vec<u8> {
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let half = |at: usize| u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()) as usize;
    // The section headers of a 64-bit ELF file: type at 4, flags at 8, offset at 24, size at 32.
    let (start, size, count) = (word(40), half(58), half(60));
    let mut damaged = bytes.to_vec();
    let mut overwritten = 0;
    for header in (0..count).map(|index| start + index * size) {
        let kind = u32::from_le_bytes(bytes[header + 4..header + 8].try_into().unwrap());
        let (executable, constructors) = (word(header + 8) & 4 != 0, kind == 14);
        if executable || constructors {
            damaged[word(header + 24)..][..word(header + 32)].fill(0xcc);
            overwritten += 1;
        }
    }
    assert!(overwritten >= 2, "neither code nor constructors were found");
    damaged
}

#[test]
fn a_library_whose_code_is_destroyed_still_tells() {
    let whole = echo_bytes();
    let (_dir, path) = library(&without_code(&whole));
    let told = json(&mut inspect(&[&path]));
    let mut expected = json(&mut inspect(&[plugin_dir().join("libdovetail_test_echo.so")]));
    expected[0]["file"] = path.to_str().unwrap().into();
    assert_eq!(told, expected);
}

#[test]
fn a_library_of_another_machine_or_kernel_tells_and_says_why_it_cannot_be_loaded() {
    let mut foreign = echo_bytes();
    foreign[18..20].copy_from_slice(&22_u16.to_le_bytes());
    let mut other = echo_bytes();
    let at = manifest(&other) + 8;
    other[at] = 7;
    for (bytes, kernel, why) in
        [(foreign, 1, "is built for ELF machine 22"), (other, 7, "is built for plugin kernel 7")]
    {
        let (_dir, path) = library(&bytes);
        let told = json(&mut inspect(&[&path]));
        assert_eq!((&told[0]["id"], &told[0]["kernel"]), (&"echo".into(), &kernel.into()));
        assert!(told[0]["obstacle"].as_str().unwrap().contains(why), "{told:?}");
        let text = run_ok(&mut inspect(&[&path]));
        assert!(text.contains("  id        echo 0.1.0") && text.contains("  loadable  no: "), "{text}");
    }
}

#[test]
fn what_is_no_plugin_is_told_and_the_others_are_printed() {
    let (_dir, path) = library(b"a text, not a library");
    let good = plugin_dir().join("libdovetail_smtp.so");
    let (status, stdout, stderr) = run(&mut inspect(&[&path, &good]));
    assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.contains(path.to_str().unwrap()) && stderr.contains("is not an ELF shared library"), "{stderr}");
    assert!(stdout.contains("  id        smtp "), "{stdout}");
}

#[test]
fn the_list_has_every_plugin_that_a_server_would_find() {
    let list = json(dovetail().args(["plugin", "list"]));
    let ids: Vec<&str> = list.iter().map(|told| told["id"].as_str().unwrap()).collect();
    for id in ["accounts-file", "cert-store", "delivery", "echo", "pop3", "smtp", "store-sqlite", "tls-rustls"] {
        assert_eq!(ids.iter().filter(|other| **other == id).count(), 1, "{ids:?}");
    }
    let text = run_ok(dovetail().args(["plugin", "list"]));
    assert!(text.lines().next().unwrap().starts_with("plugin "), "{text}");
    assert_eq!(text.lines().count(), list.len() + 1);
    assert!(text.lines().any(|line| line.starts_with("pop3 ") && line.contains("dovetail.protocol/1")), "{text}");
}
