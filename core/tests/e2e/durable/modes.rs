//! Mail is nobody else's business: what the store makes belongs to its user alone, whatever the umask.

use super::{
    letters::{Ledger, Letter},
    mailboxes,
    peers::Smtp,
    setup,
};
use crate::harness::USER;
use std::{os::unix::fs::PermissionsExt, path::Path};

fn walk(path: &Path, found: &mut Vec<(String, u32)>) {
    let metadata = std::fs::symlink_metadata(path).unwrap();
    found.push((path.display().to_string(), metadata.permissions().mode()));
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            walk(&entry.unwrap().path(), found);
        }
    }
}

#[test]
fn files_have_mode_0600_and_directories_0700() {
    let (ledger, [mailbox, ..]) = (Ledger::default(), mailboxes());
    let server = setup().start();
    let mut smtp = Smtp::open(server.address("smtp")).unwrap();
    for size in [2000, 300_000] {
        assert_eq!(smtp.mail("", &[USER], &Letter::new(format!("mode{size}"), size), || {}).unwrap().code, 250);
        ledger.begin(&Letter::new(format!("mode{size}"), size), &[USER]);
    }
    mailbox.check(&server, &ledger);
    let mut found = Vec::new();
    walk(&server.setup.data_dir().join("store"), &mut found);
    let names = ["mail.sqlite", "mail.sqlite-wal", "mail.sqlite-shm"];
    assert!(names.iter().all(|name| found.iter().any(|(path, _)| path.ends_with(name))), "{found:#?}");
    assert_eq!(found.len(), 7, "the store, its three files, bodies, a directory in it, a body: {found:#?}");
    for (path, mode) in found {
        let right = if mode & 0o170_000 == 0o040_000 { 0o700 } else { 0o600 };
        assert_eq!(mode & 0o7777, right, "{path} has mode {mode:o}");
    }
    let data_dir = std::fs::metadata(server.setup.data_dir()).unwrap().permissions().mode();
    assert_eq!(data_dir & 0o7777, 0o700);
}
