//! The folder's files as such: who may read and write them, and what has no business there.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Finding;
use crate::create::requested_key;
use crate::folder::{key_in, PairFiles};
use crate::follow::record::STAGED;
use crate::input::Input;
use crate::name::CertName;
use crate::publish::{STAGE, SWAP};

/// What is in the folder, by name.
#[derive(Default)]
struct Seen {
    keys: BTreeSet<CertName>,
    certificates: BTreeSet<CertName>,
    requests: BTreeSet<CertName>,
}

pub(super) fn check(folder: &Path, findings: &mut Vec<Finding>) {
    let owner = check_folder(folder, findings);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // The look at the pairs says it, too, with the same words.
        Err(_) => return,
    };
    let mut seen = Seen::default();
    let mut leftovers = 0;
    for entry in entries.flatten() {
        let path = entry.path();
        let file_name = entry.file_name().to_string_lossy().into_owned();
        if [STAGE, SWAP, STAGED].iter().any(|begin| file_name.starts_with(*begin)) {
            leftovers += 1;
            continue;
        }
        // A link's target is what is read.
        let Ok(meta) = fs::metadata(&path) else {
            findings.push(Finding::error(
                "permissions",
                &file_name,
                "it can't be looked at: a link that leads nowhere?",
            ));
            continue;
        };
        check_file(&file_name, &meta, owner, findings);
        sort(&file_name, &mut seen, findings);
    }
    if leftovers > 0 {
        let message = format!(
            "{leftovers} files of an import that was interrupted, or that is running just now: the next `certs create`, \
             `import` or `renew` puts this in order"
        );
        findings.push(Finding::warning("leftover", folder.display(), message));
    }
    for name in seen.keys.difference(&seen.certificates) {
        let message = "there is no certificate for this key: bring it with `dovetail certs import`, or remove the key";
        findings.push(Finding::warning("lone-key", name, message));
    }
    for name in seen.requests.difference(&seen.keys) {
        let message = "there is a signing request and no key: an answer to it could not be used";
        findings.push(Finding::warning("lone-request", name, message));
    }
    for name in seen.requests.intersection(&seen.keys) {
        check_request(folder, name, findings);
    }
}

/// Who owns the folder, and who may write to it.
fn check_folder(folder: &Path, findings: &mut Vec<Finding>) -> Option<u32> {
    let meta = fs::metadata(folder).ok()?;
    let shown = folder.display();
    if meta.mode() & 0o002 != 0 {
        let message = format!("everybody can put certificates and keys there: chmod 700 {shown}");
        findings.push(Finding::error("folder", &shown, message));
    } else if meta.mode() & 0o020 != 0 {
        let message = format!("its group can put certificates and keys there: chmod 700 {shown}, if that isn't wanted");
        findings.push(Finding::warning("folder", &shown, message));
    }
    Some(meta.uid())
}

fn check_file(file_name: &str, meta: &Metadata, owner: Option<u32>, findings: &mut Vec<Finding>) {
    let mode = meta.mode() & 0o7777;
    if file_name.ends_with(".key") && mode & 0o077 != 0 {
        let message = format!(
            "others than its owner can read or change this private key (mode {mode:04o}): chmod 600, and think about a \
             new key if strangers could have read it"
        );
        findings.push(Finding::error("key-permissions", file_name, message));
    } else if mode & 0o022 != 0 && meta.is_file() {
        let message = format!("others than its owner can change it (mode {mode:04o}): chmod 644");
        findings.push(Finding::error("permissions", file_name, message));
    }
    if owner.is_some_and(|owner| meta.uid() != owner && meta.uid() != 0) {
        let message = "it belongs to another user than the folder, who can change it: chown it";
        findings.push(Finding::error("permissions", file_name, message));
    } else if owner.is_some_and(|owner| meta.uid() != owner) && file_name.ends_with(".key") {
        let message =
            "it belongs to root and the folder doesn't: a server that runs as the folder's owner can't read it";
        findings.push(Finding::error("permissions", file_name, message));
    }
}

/// Notes a file of a pair; says what others are.
fn sort(file_name: &str, seen: &mut Seen, findings: &mut Vec<Finding>) {
    if file_name.starts_with('.') {
        return;
    }
    let parts = file_name.rsplit_once('.').filter(|(_, ending)| ["key", "crt", "csr", "follow"].contains(ending));
    let Some((stem, ending)) = parts else {
        let looks = [".pem", ".cer", ".cert", ".pfx", ".p12", ".der"].iter().any(|ending| file_name.ends_with(ending));
        if looks {
            let message = "it isn't looked at: bring it in with `dovetail certs import`, or move it away";
            findings.push(Finding::warning("foreign-file", file_name, message));
        }
        return;
    };
    match (CertName::new(stem), ending) {
        (Ok(name), "key") => drop(seen.keys.insert(name)),
        (Ok(name), "crt") => drop(seen.certificates.insert(name)),
        (Ok(name), "csr") => drop(seen.requests.insert(name)),
        (Ok(_), _) => {}
        (Err(error), _) => {
            findings.push(Finding::warning("name", file_name, format!("it isn't served: {error}")));
        }
    }
}

/// A request for another key than the one beside it: its answer wouldn't fit.
fn check_request(folder: &Path, name: &CertName, findings: &mut Vec<Finding>) {
    let files = PairFiles::of(folder, name);
    let Ok(key) = key_in(&files.key) else {
        return;
    };
    let message = match Input::read(&files.csr).ok().and_then(|input| requested_key(&input.bytes)) {
        Some(requested) if requested == key.fingerprint() => return,
        Some(_) => "the signing request was made for another key: make a new one with `dovetail certs csr`",
        None => "the signing request can't be read: make a new one with `dovetail certs csr`",
    };
    findings.push(Finding::warning("request", name, message));
}
