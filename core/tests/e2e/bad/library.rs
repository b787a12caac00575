//! Files that are no plugins, or not for this server: found before any of their code can run.

use super::{echo_with, refused};
use crate::harness::{plugin_dir, run_ok, Setup};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// The offset of `e_machine` in an ELF file, and of its class.
const MACHINE: usize = 18;
const CLASS: usize = 4;

/// The bytes of the plugin that these tests damage.
pub fn echo_bytes() -> Vec<u8> {
    fs::read(plugin_dir().join("libdovetail_test_echo.so")).unwrap()
}

/// Writes a library into a directory of its own.
pub fn library(bytes: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempfile::Builder::new().prefix("dovetail-e2e-").tempdir().unwrap();
    let path = dir.path().join("libdamaged.so");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    (dir, path)
}

/// Where the manifest's content begins in the file: at its magic.
pub fn manifest(bytes: &[u8]) -> usize {
    let owner = b"Dovetail\0\0\0\0";
    let is_note = |at: &usize| bytes[at + owner.len() + 4..].starts_with(b"DOVETAIL");
    let at = bytes.windows(owner.len()).enumerate().filter(|(_, window)| window == owner).map(|(at, _)| at);
    at.filter(|at| at + owner.len() + 12 < bytes.len()).find(is_note).unwrap() + owner.len() + 4
}

/// The plugin with another text in its manifest, which stays as long as it was at the summary's cost.
fn with_manifest(from: &str, to: &str) -> Vec<u8> {
    let mut bytes = echo_bytes();
    let begin = manifest(&bytes);
    let said = u32::from_le_bytes(bytes[begin - 4..begin].try_into().unwrap()) as usize;
    // Behind the magic and the kernel's version.
    let range = begin + 12..begin + said;
    let text = String::from_utf8(bytes[range.clone()].to_vec()).unwrap();
    assert!(text.contains(from), "{from:?} is not in {text}");
    let mut changed = text.replace(from, to);
    let summary = "summary=Says every line back (for tests)";
    assert!(changed.contains(summary), "{text}");
    match changed.len().checked_sub(text.len()) {
        Some(more) => changed = changed.replace(summary, &summary[..summary.len() - more]),
        None => changed.push_str(&"\n".repeat(text.len() - changed.len())),
    }
    bytes[range].copy_from_slice(changed.as_bytes());
    bytes
}

/// The plugin with other words of the same length in its code's data, wherever they stand.
fn with_words(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = echo_bytes();
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, w)| *w == from.as_bytes()).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "{from:?} is nowhere");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

fn with_path(path: &Path, more: &str) -> String {
    echo_with(&format!("\"echo\": (path: {path:?}{more}),"))
}

/// The library is refused with these words, in one line at the instance's place that names the file or the instance.
#[track_caller]
fn refused_library(bytes: &[u8], words: &[&str]) {
    let (_dir, path) = library(bytes);
    let by_instance = words.iter().any(|word| word.contains("of this server: ") || word.contains("this server uses: "));
    let shown = if by_instance { "`echo` (echo ".to_owned() } else { path.display().to_string() };
    let words: Vec<&str> = words.iter().copied().chain([shown.as_str()]).collect();
    refused(&with_path(&path, ""), &[("(path", &words)]);
}

#[test]
fn a_text_file() {
    refused_library(b"I am a text, and as such rather long.\n", &["is not an ELF shared library", "cargo build"]);
    refused_library(b"", &["is not an ELF shared library", "too short"]);
    let (_dir, path) = library(b"");
    refused(&with_path(path.parent().unwrap(), ""), &[("(path", &["not a regular file"])]);
    refused(&with_path(&path.with_extension("no"), ""), &[("(path", &["libdamaged.no", "No such file"])]);
}

#[test]
fn a_library_that_is_cut_short() {
    let whole = echo_bytes();
    for len in [5, 15] {
        refused_library(&whole[..len], &["is not an ELF shared library", "too short"]);
    }
    for len in [16, 63, 64, 1000, 4096, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        refused_library(&whole[..len], &["is cut short", &format!("it has {len}"), "copy it again"]);
    }
}

#[test]
fn a_library_of_another_machine() {
    let mut foreign = echo_bytes();
    foreign[MACHINE..MACHINE + 2].copy_from_slice(&22_u16.to_le_bytes());
    refused_library(&foreign, &["is built for ELF machine 22", "build the plugin for this machine"]);
    foreign[CLASS] = 1;
    refused_library(&foreign, &["a 32-bit or big-endian machine"]);
}

#[test]
fn a_plugin_of_another_kernel_version() {
    let mut other = echo_bytes();
    let at = manifest(&other) + 8;
    other[at..at + 4].copy_from_slice(&7_u32.to_le_bytes());
    refused_library(&other, &["(echo 0.1.0) is built for plugin kernel 7, this server has kernel 1", "use a build of"]);
}

#[test]
fn a_plugin_whose_panics_cannot_be_contained() {
    let mut other = echo_bytes();
    let at = manifest(&other);
    let key = b"panic=unwind\n";
    let at = at + other[at..].windows(key.len()).position(|window| window == key).unwrap();
    other[at..at + key.len()].copy_from_slice(b"panic=abort\n\n");
    refused_library(
        &other,
        &["(echo) is built with panic = \"abort\"", "this server", "build it with panic = \"unwind\""],
    );
}

#[test]
fn a_plugin_of_another_target() {
    let other = with_manifest("target=x86_64-unknown-linux-gnu\n", "target=x86_64-unknown-linux-musl\n");
    let told = "(echo 0.1.0) is built for target x86_64-unknown-linux-musl, this server for x86_64-unknown-linux-gnu";
    refused_library(&other, &[told, "build the plugin with --target x86_64-unknown-linux-gnu"]);
}

#[test]
fn a_manifest_that_lies() {
    let cure = "build it again from its sources";
    let more = with_manifest("provides=dovetail.protocol/1 \n", "provides=dovetail.protocol/1 dovetail.tls/1\n");
    let told = "contradicts its own manifest: the manifest says that it provides dovetail.tls/1, its code does not";
    refused_library(&more, &[told, "this server", cure]);
    let less = with_manifest("provides=dovetail.protocol/1 \n", "provides=\n");
    refused_library(&less, &["its code says that it provides dovetail.protocol/1, the manifest does not", cure]);
    let needs = with_manifest("requires=\n", "requires=dovetail.tls/1\n");
    refused_library(&needs, &["the manifest says that it requires dovetail.tls/1, its code does not", cure]);
    let other = with_manifest("id=echo\n", "id=ohce\n");
    refused_library(&other, &["the manifest says that it is `ohce`, its code `echo`", cure]);
}

#[test]
fn a_library_without_an_entry_point() {
    let other = with_words("dovetail_kernel\0", "dovetail_kernex\0");
    refused_library(&other, &["(echo 0.1.0) has a manifest but no entry point `dovetail_kernel`", "export_plugin!"]);
}

#[test]
fn a_plugin_of_another_root_module() {
    // The names of its functions, as the layout has them.
    let other = with_words("describe;query", "descripe;query");
    refused_library(
        &other,
        &[
            "(echo 0.1.0, SDK 0.1.0) does not fit this server (kernel 1 of SDK 0.1.0): ",
            "`Kernel` is `describe` for this server and `descripe` for the plugin",
            "build it again with this release's SDK",
        ],
    );
}

#[test]
fn a_protocol_of_another_shape_than_the_server_uses() {
    let other = with_words("traits;,serve;,,", "trails;,serve;,,");
    refused_library(
        &other,
        &[
            "`echo` (echo 0.1.0, SDK 0.1.0) provides another dovetail.protocol/1 than this server uses: ",
            "in `ProtocolVt` is `traits` for this server and `trails` for the plugin",
            "build the plugin with this release's SDK",
        ],
    );
}

#[test]
fn a_plugin_on_another_foundation() {
    // The header that its root module stands in: 32 octets of text, then two numbers.
    let mut other = echo_bytes();
    let text = b"abi stable library for Rust";
    let places: Vec<usize> =
        other.windows(text.len()).enumerate().filter(|(_, w)| w == text).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        other[at + 36] += 1;
    }
    refused_library(
        &other,
        &["does not fit this server", "it is built on abi_stable 0.12, this server on 0.11", "with this release's SDK"],
    );
}

#[test]
fn a_plugin_that_needs_another_host() {
    let newer = with_words("dovetail.host.net/1", "dovetail.host.net/2");
    let told = "`echo` (echo 0.1.0, SDK 0.1.0) needs dovetail.host.net/2 of this server: dovetail 0.1.0 has dovetail.host.net/1";
    refused_library(&newer, &[told, "update the server, or use a build of the plugin that fits this release"]);
    let unknown = with_words("dovetail.host.net/1", "dovetail.host.nut/1");
    refused_library(&unknown, &["needs dovetail.host.nut/1 of this server: dovetail 0.1.0 has no such interface"]);
    let other = with_words("connect;,,,,lookup;,,HostNetVt", "konnect;,,,,lookup;,,HostNetVt");
    refused_library(
        &other,
        &[
            "needs dovetail.host.net/1 of this server: ",
            "in `HostNetVt` is `konnect` for the plugin and `connect` for this server",
            "build the plugin with this release's SDK",
        ],
    );
}

#[test]
fn a_library_without_a_manifest() {
    let mut other = echo_bytes();
    let at = manifest(&other) - 16;
    other[at] ^= 1;
    refused_library(&other, &["no Dovetail plugin", "export_plugin!"]);
    let mut other = echo_bytes();
    let at = manifest(&other);
    other[at] ^= 1;
    refused_library(&other, &["does not begin with the magic"]);
}

#[test]
fn a_library_that_others_can_write() {
    let (_dir, path) = library(&echo_bytes());
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let shown = format!("{} can be written by others (mode 666)", path.display());
    refused(&with_path(&path, ""), &[("(path", &[&shown, "chmod go-w"])]);
}

#[test]
fn a_library_in_a_directory_that_others_can_write() {
    let (dir, path) = library(&echo_bytes());
    fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
    let shown = format!("{} can be written by others (mode 777)", dir.path().display());
    refused(&with_path(&path, ""), &[("(path", &[&shown, "chmod go-w"])]);
    // By the search as well as by path.
    let setup = Setup::new(&echo_with("\"echo\": (),"));
    let (status, _, stderr) = crate::harness::run(
        Command::new(crate::harness::BINARY)
            .arg("--plugin-dir")
            .arg(dir.path())
            .arg("--config")
            .arg(&setup.config)
            .arg("check"),
    );
    assert!(!status.success() && stderr.contains(&shown), "{stderr}");
}

#[test]
fn a_pinned_library() {
    let (_dir, path) = library(&echo_bytes());
    let sum = run_ok(Command::new("sha256sum").arg(&path));
    let sum = sum.split_whitespace().next().unwrap();
    let wrong = "0".repeat(64);
    refused(
        &with_path(&path, &format!(", sha256: {wrong:?}")),
        &[("(path", &["has SHA-256 ", sum, "the config pins 000", "restore the file"])],
    );
    for good in [sum.to_owned(), sum.to_uppercase()] {
        let server = Setup::new(&with_path(&path, &format!(", sha256: {good:?}"))).start();
        assert_eq!(server.connect("l").line(), "hello");
    }
    // A changed file under the pin.
    let mut bytes = echo_bytes();
    bytes.push(0);
    fs::write(&path, bytes).unwrap();
    refused(&with_path(&path, &format!(", sha256: {sum:?}")), &[("(path", &[sum, "the config pins"])]);
}

#[test]
fn another_plugin_than_the_config_says() {
    let path = plugin_dir().join("libdovetail_pop3.so");
    refused(&with_path(&path, ""), &[("(path", &["is plugin `pop3`, not `echo`", "correct `path`"])]);
}

#[test]
fn a_plugin_that_is_nowhere() {
    refused(
        &echo_with("\"echo\": (),\n        \"nope\": ( ),"),
        &[("( )", &["there is no plugin `nope` in ", "build it"])],
    );
}

#[test]
fn a_damaged_plugin_is_named_when_it_is_searched_too() {
    let told = |bytes: &[u8], config: &str| {
        let (dir, path) = library(bytes);
        let setup = Setup::new(config);
        let mut command = Command::new(crate::harness::BINARY);
        let command = command.arg("--plugin-dir").arg(dir.path()).arg("--config").arg(&setup.config).arg("check");
        let (status, _, stderr) = crate::harness::run(command);
        assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
        assert!(stderr.contains("dovetail.ron:5:") && stderr.contains(&path.display().to_string()), "{stderr}");
        stderr
    };
    // What it is can still be read: it is refused rather than searched for elsewhere.
    let mut other = echo_bytes();
    let at = manifest(&other) + 8;
    other[at] = 7;
    assert!(told(&other, &echo_with("\"echo\": (),")).contains("is built for plugin kernel 7"));
    // What it was cannot be known.
    let half = &echo_bytes()[..100_000];
    let stderr = told(half, &echo_with("\"x\": (),").replace("\"echo\"", "\"x\""));
    assert!(stderr.contains("there is no plugin `x` in ") && stderr.contains("is cut short"), "{stderr}");
}

#[test]
fn two_files_of_one_plugin() {
    let (dir, path) = library(&echo_bytes());
    fs::copy(&path, dir.path().join("libagain.so")).unwrap();
    let config =
        echo_with("\"echo\": ( ),").replace("plugins:", &format!("plugin_dirs: [{:?}],\n    plugins:", dir.path()));
    let setup = Setup::new(&config);
    // Without the harness' directory, which comes first.
    let mut command = Command::new(crate::harness::BINARY);
    let (status, _, stderr) = crate::harness::run(command.arg("--config").arg(&setup.config).arg("check"));
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("there are two files for plugin `echo`") && stderr.contains("libagain.so"), "{stderr}");
}
