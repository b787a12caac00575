//! Helpers for this crate's tests: the `openssl` command as the judge of what we make and the maker of what we read.

use std::io::Write;
use std::process::{Command, Stdio};

/// Runs `openssl ARGS` with `input` on standard input and returns standard output; panics if it fails.
pub fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    let (ok, stdout, stderr) = try_openssl(args, input);
    assert!(ok, "openssl {args:?}: {stderr}");
    stdout
}

/// Like [`openssl`], but tells whether it succeeded.
pub fn try_openssl(args: &[&str], input: &[u8]) -> (bool, Vec<u8>, String) {
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tests need the openssl command");
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    (output.status.success(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
}
