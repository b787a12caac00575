//! What root does in a stopped server's directories: as their owner, with what only root may read.

use super::{is_root, owner_and_mode, with_password, Root, ADDRESS, HOST};
use crate::harness::{have, run_ok};
use std::{
    fs,
    os::unix::fs::{chown, PermissionsExt},
    path::Path,
    process::{Command, Stdio},
};

const PAIR: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out c -days 9 \
                    -subj /CN=mail.example.test -addext subjectAltName=DNS:mail.example.test 2>/dev/null && cat k c >pair.pem";

/// All that is in a folder belongs to this user, keys and accounts to nobody else.
#[track_caller]
fn assert_owned(folder: &Path, uid: u32) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let (user, group, mode) = owner_and_mode(&path);
        assert_eq!((user, group), (uid, uid), "{}", path.display());
        assert!(path.extension().is_none_or(|extension| extension != "key") || mode == 0o600, "{}", path.display());
        if path.is_dir() {
            assert_owned(&path, uid);
        }
    }
}

#[test]
fn root_works_as_the_owner_of_the_directory() {
    if !is_root() || !have("openssl") {
        return;
    }
    let (root, uid) = (Root::new(), 61_000_000 + std::process::id() % 1_000_000);
    with_password(root.init(&["--user", &uid.to_string(), "--address", ADDRESS, "--password-stdin"]));
    let private = root.path("private");
    fs::create_dir(&private).unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).unwrap();
    run_ok(Command::new("sh").args(["-c", PAIR]).current_dir(&private));
    let dovetail = || {
        let mut command = Command::new(root.path("bin/dovetail"));
        command.arg("--config").arg(root.config()).stdin(Stdio::null());
        command
    };
    let old = fs::read(root.path("data/certs").join(format!("{HOST}.crt"))).unwrap();
    run_ok(dovetail().args(["certs", "import", "--name", HOST, "--replace"]).arg(private.join("pair.pem")));
    assert_ne!(fs::read(root.path("data/certs").join(format!("{HOST}.crt"))).unwrap(), old);
    fs::write(private.join("password"), "correct horse").unwrap();
    run_ok(dovetail().args(["accounts", "add", "bob@example.test", "--password-file"]).arg(private.join("password")));
    assert_owned(&root.path("data"), uid);

    // The same for a folder that is named, and what is root's own stays root's.
    let theirs = root.path("theirs");
    fs::create_dir(&theirs).unwrap();
    chown(&theirs, Some(uid), Some(uid)).unwrap();
    for (folder, uid) in [(theirs, uid), (root.path("new"), 0)] {
        let mut create = Command::new(root.path("bin/dovetail"));
        run_ok(create.args(["certs", "create", "--name", HOST, "--common-name", HOST, "--dir"]).arg(&folder));
        assert_eq!(owner_and_mode(&folder.join(format!("{HOST}.key"))), (uid, uid, 0o600));
        assert_owned(&folder, uid);
    }
}
