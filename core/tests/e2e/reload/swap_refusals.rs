//! Files that are not swapped in: one line says why, and nothing has changed.

use super::{
    echo, listener,
    swap::{another_build, library},
};
use crate::harness::{run, Server, Setup, MAIL_CONFIG};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// `dovetail plugin swap`, which must not work: the line that it says. The log has it too.
#[track_caller]
fn refused(server: &Server, id: &str, file: &Path) -> String {
    let before = server.status()["plugins"].clone();
    let (status, stdout, stderr) = run(server.dovetail().args(["plugin", "swap", id]).arg(file));
    assert_eq!((status.code(), stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
    let after = server.status()["plugins"].clone();
    let runs = |plugins: &serde_json::Value| -> Vec<String> {
        let all = plugins.as_array().unwrap().iter();
        all.map(|p| format!("{} {} {} {}", p["instance"], p["generation"], p["build"], p["swapped_from"])).collect()
    };
    assert_eq!(runs(&before), runs(&after));
    stderr.trim().to_owned()
}

/// A copy of a library.
fn copy(name: &str, dir: &Path) -> PathBuf {
    let file = dir.join(format!("lib{name}.so"));
    another_build(&library(name), &file, 0x11);
    file
}

#[test]
fn what_is_not_the_plugin_is_refused_and_the_old_one_serves_on() {
    let dir = tempfile::tempdir().unwrap();
    let pinned = "\"pinned\": (plugin: \"echo\", sha256: \"PIN\"),";
    let hash = run(std::process::Command::new("sha256sum").arg(library("test_echo"))).1;
    let pinned = pinned.replace("PIN", hash.split_whitespace().next().unwrap());
    let server = echo(&format!("\"echo\": (),{pinned}"), &listener("l", "echo")).start();
    let mut before = server.connect("l");
    before.line();

    let said = refused(&server, "echo", &copy("test_panics", dir.path()));
    assert!(said.contains("is plugin `panics`, but `echo` is an instance of `echo`"), "{said}");
    let text = dir.path().join("libtext.so");
    fs::write(&text, "no library").unwrap();
    let said = refused(&server, "echo", &text);
    assert!(said.contains("libtext.so is not an ELF"), "{said}");
    let half = copy("test_echo", dir.path());
    let bytes = fs::read(&half).unwrap();
    fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    let said = refused(&server, "echo", &half);
    assert!(said.contains("libtest_echo.so"), "{said}");
    let said = refused(&server, "echo", Path::new("nowhere.so"));
    assert!(
        said.contains("nowhere.so: No such file")
            && said.contains(&*std::env::current_dir().unwrap().to_string_lossy()),
        "{said}"
    );

    let open = copy("test_echo", dir.path());
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let said = refused(&server, "echo", &open);
    assert!(said.contains("can be written by others (mode 777)"), "{said}");
    server.wait_for_log("the swap failed and changed nothing");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();

    let said = refused(&server, "pinned", &open);
    assert!(said.contains(&format!("{} has SHA-256 ", open.display())) && said.contains("the config pins"), "{said}");
    let said = refused(&server, "nobody", &open);
    assert!(
        said.contains("no instance here is called `nobody` or is a plugin `nobody` (there are `echo`, `pinned`)"),
        "{said}"
    );
    let (status, _, stderr) = run(server.dovetail().args(["plugin", "swap", "echo", "--back"]));
    assert!(!status.success() && stderr.contains("there is nothing to take back"), "{stderr}");
    assert_eq!(before.ask("still here"), "still here");
    // The very file that was refused, once it is right.
    assert_eq!(server.swap("echo", &open)["changed"], true);
    assert_eq!(before.ask("still here"), "still here");
}

#[test]
fn what_owns_files_is_refused_and_a_plugin_with_two_instances_wants_a_name() {
    let dir = tempfile::tempdir().unwrap();
    let server = Setup::mail().start();
    let said = refused(&server, "store-sqlite", &copy("store_sqlite", dir.path()));
    assert!(said.contains("`store-sqlite` owns files") && said.contains("restart the server"), "{said}");
    let smtp = copy("smtp", dir.path());
    let said = refused(&server, "smtp", &smtp);
    assert!(said.contains("`mx`, `submission` are all plugin `smtp` (name one of them)"), "{said}");
    server.swap("mx", &smtp);
    assert_eq!((server.generation("mx"), server.generation("submission")), (2, 1));
}

#[test]
fn a_library_that_does_not_start_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Setup::mail_with(MAIL_CONFIG).start();
    // Read at a start only, and by a reload: not by a swap of another instance.
    let accounts = server.setup.data_dir().join("accounts.ron");
    assert!(accounts.exists(), "{accounts:?}");
    let text = fs::read(&accounts).unwrap();
    fs::write(&accounts, "(accounts: {").unwrap();
    server.swap("pop3", &copy("pop3", dir.path()));
    let said = refused(&server, "accounts-file", &copy("accounts_file", dir.path()));
    assert!(said.contains("`accounts-file` did not start: ") && said.contains("accounts.ron"), "{said}");
    // It stays in memory, but not on the disk.
    assert_eq!((server.copies("libaccounts_file"), server.copies("libdovetail_accounts_file")), (0, 1));
    fs::write(&accounts, text).unwrap();
    server.pop(crate::harness::USER, crate::harness::PASSWORD).expect("QUIT", "+OK");
}
