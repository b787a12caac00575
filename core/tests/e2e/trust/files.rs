//! Files: who could have written them is known before anything in them runs, and what runs is a copy.

use crate::{
    bad::{
        echo_with,
        library::{echo_bytes, library, manifest},
        refused,
    },
    harness::{run_ok, Setup},
};
use std::{
    fs::{self, Permissions},
    os::unix::fs::{symlink, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

fn with_path(path: &Path, more: &str) -> String {
    echo_with(&format!("\"echo\": (path: {path:?}{more}),"))
}

/// A library with the manifest of a plugin, whose constructor makes the file that is given, and nothing else.
fn with_constructor(dir: &Path) -> (PathBuf, PathBuf) {
    let bytes = echo_bytes();
    // The note: three numbers, the owner, and what the second number says.
    let begin = manifest(&bytes) - 4 - 12 - 12;
    let said = u32::from_le_bytes(bytes[begin + 4..begin + 8].try_into().unwrap()) as usize;
    let note = dir.join("note");
    fs::write(&note, &bytes[begin..begin + 12 + 12 + said]).unwrap();
    let (source, made, mark) = (dir.join("early.c"), dir.join("libearly.so"), dir.join("mark"));
    let text = format!(
        "#include <fcntl.h>\n\
         __asm__(\".section .note.dovetail,\\\"a\\\",@note\\n.balign 4\\n.incbin \\\"{}\\\"\\n.previous\");\n\
         __attribute__((constructor)) static void early(void) {{ open(\"{}\", O_CREAT, 0600); }}\n",
        note.display(),
        mark.display()
    );
    fs::write(&source, text).unwrap();
    run_ok(Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&made).arg(&source));
    fs::set_permissions(&made, Permissions::from_mode(0o644)).unwrap();
    (made, mark)
}

/// A library's constructors run when it is loaded, before it could be asked anything. So everything that can be known from
/// outside is asked before.
#[test]
fn constructors_run_only_in_what_was_checked() {
    let dir = tempfile::Builder::new().prefix("dovetail-e2e-").tempdir().unwrap();
    let (library, mark) = with_constructor(dir.path());
    let wrong = format!(", sha256: {:?}", "0".repeat(64));
    refused(&with_path(&library, &wrong), &[("(path", &["the config pins 000"])]);
    fs::set_permissions(&library, Permissions::from_mode(0o646)).unwrap();
    refused(&with_path(&library, ""), &[("(path", &["can be written by others (mode 646)"])]);
    fs::set_permissions(&library, Permissions::from_mode(0o644)).unwrap();
    let whole = fs::read(&library).unwrap();
    let half = dir.path().join("libhalf.so");
    fs::write(&half, &whole[..whole.len() - 1]).unwrap();
    fs::set_permissions(&half, Permissions::from_mode(0o644)).unwrap();
    refused(&with_path(&half, ""), &[("(path", &["is cut short"])]);
    assert!(!mark.exists(), "a constructor ran in what is refused");
    // What nothing speaks against is loaded, and there its code runs.
    refused(&with_path(&library, ""), &[("(path", &["has a manifest but no entry point"])]);
    assert!(mark.exists());
}

/// What counts is where a link leads.
#[test]
fn a_link_is_as_safe_as_where_it_leads() {
    let (dir, file) = library(&echo_bytes());
    let elsewhere = tempfile::Builder::new().prefix("dovetail-e2e-").tempdir().unwrap();
    let link = elsewhere.path().join("liblink.so");
    symlink(&file, &link).unwrap();
    let server = Setup::new(&with_path(&link, "")).start();
    assert_eq!(server.connect("l").line(), "hello");
    drop(server);
    fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
    let told = format!("{} can be written by others (mode 777)", dir.path().display());
    refused(&with_path(&link, ""), &[("(path", &[&told])]);
}

/// An installer that writes over the file, instead of putting another one into its place, would change the code of a
/// running process.
#[test]
fn a_file_that_is_written_over_changes_no_running_server() {
    let (_dir, file) = library(&echo_bytes());
    let server = Setup::new(&with_path(&file, "")).start();
    let mut open = server.connect("l");
    assert_eq!(open.line(), "hello");
    let len = fs::metadata(&file).unwrap().len();
    // The same file: cut to nothing, then filled with what is no code.
    fs::write(&file, vec![0xcc; usize::try_from(len).unwrap()]).unwrap();
    assert_eq!(open.ask("on"), "on");
    let mut new = server.connect("l");
    assert_eq!((new.line(), new.ask("new")), ("hello".into(), "new".into()));
    server.stop();
}
