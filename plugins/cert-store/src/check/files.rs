//! The folder's files as such: who may read and write them, and what has no business there.
//!
//! Every file that others can read is looked into for a private key, whatever it is called. Bound: what one input may have.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Finding;
use crate::create::requested_key;
use crate::folder::{key_in, PairFiles};
use crate::import::contents;
use crate::input::Input;
use crate::name::CertName;
use crate::publish::{STAGE, STAGED_RECORD, SWAP};

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
        if [STAGE, SWAP, STAGED_RECORD].iter().any(|begin| file_name.starts_with(*begin)) {
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
        check_file(&file_name, Access::of(&meta), owner, || holds_key(&path), findings);
        sort(&file_name, &mut seen, findings);
    }
    if leftovers > 0 {
        let message = format!(
            "{leftovers} files of a change that was interrupted, or that is running just now: the next `certs create`, \
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

/// Who may do what with a file.
#[derive(Clone, Copy)]
struct Access {
    mode: u32,
    owner: u32,
    is_file: bool,
}

impl Access {
    fn of(meta: &Metadata) -> Self {
        Self { mode: meta.mode() & 0o7777, owner: meta.uid(), is_file: meta.is_file() }
    }
}

/// `holds_key` looks into the file.
fn check_file(
    file_name: &str,
    access: Access,
    folder_owner: Option<u32>,
    holds_key: impl FnOnce() -> bool,
    findings: &mut Vec<Finding>,
) {
    let Access { mode, owner, is_file } = access;
    let is_key = ending_of(file_name) == "key";
    if is_key && mode & 0o077 != 0 {
        let message = format!(
            "others than its owner can read or change this private key (mode {mode:04o}): chmod 600, and think about a \
             new key if strangers could have read it"
        );
        findings.push(Finding::error("key-permissions", file_name, message));
    } else if is_file && mode & 0o044 != 0 && holds_key() {
        let message = format!(
            "there is a private key in it, and others than its owner can read it (mode {mode:04o}): chmod 600, and think \
             about a new key if strangers could have read it"
        );
        findings.push(Finding::error("permissions", file_name, message));
    } else if mode & 0o022 != 0 && is_file {
        let message = format!("others than its owner can change it (mode {mode:04o}): chmod 644");
        findings.push(Finding::error("permissions", file_name, message));
    }
    if folder_owner.is_some_and(|folder| owner != folder && owner != 0) {
        let message = "it belongs to another user than the folder, who can change it: chown it";
        findings.push(Finding::error("permissions", file_name, message));
    } else if folder_owner.is_some_and(|folder| owner != folder) && is_key {
        let message =
            "it belongs to root and the folder doesn't: a server that runs as the folder's owner can't read it";
        findings.push(Finding::error("permissions", file_name, message));
    }
}

/// Whether there is a private key in the file that nobody needs a password for.
fn holds_key(path: &Path) -> bool {
    let Ok(input) = Input::read(path) else {
        return false;
    };
    let understood = contents::read(&input, None).is_ok_and(|contents| !contents.keys.is_empty());
    // A kind of key that can't be served is a key all the same, and so is one beside something damaged.
    let text = String::from_utf8_lossy(&input.bytes);
    let mut blocks = text.split("-----BEGIN ").skip(1);
    understood || blocks.any(is_open_key)
}

/// Whether a PEM block, from its label on, is a private key without a password.
fn is_open_key(block: &str) -> bool {
    let label = block.split("-----").next().unwrap_or_default();
    label.ends_with("PRIVATE KEY") && !label.contains("ENCRYPTED") && !block.contains("Proc-Type: 4,ENCRYPTED")
}

/// What follows the last dot, in small letters.
fn ending_of(file_name: &str) -> String {
    file_name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// Notes a file of a pair; says what others are.
fn sort(file_name: &str, seen: &mut Seen, findings: &mut Vec<Finding>) {
    if file_name.starts_with('.') {
        return;
    }
    let parts = file_name.rsplit_once('.').filter(|(_, ending)| OWN.contains(ending));
    let Some((stem, ending)) = parts else {
        let ending = ending_of(file_name);
        let message = if OWN.contains(&ending.as_str()) {
            "it isn't looked at, for its ending isn't in small letters: rename it, bring it in with `dovetail certs import`, \
             or move it away"
        } else if FOREIGN.contains(&ending.as_str()) {
            "it isn't looked at: bring it in with `dovetail certs import`, or move it away"
        } else {
            return;
        };
        findings.push(Finding::warning("foreign-file", file_name, message));
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

/// What the store's own files end with.
const OWN: [&str; 4] = ["key", "crt", "csr", "follow"];
/// What others call files with certificates and keys.
const FOREIGN: [&str; 13] =
    ["pem", "cer", "cert", "der", "pfx", "p12", "p7b", "p7c", "p8", "pk8", "pvk", "jks", "keystore"];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file_name: &str, mode: u32, owner: u32, folder_owner: u32) -> Vec<(&'static str, String)> {
        let mut findings = Vec::new();
        let access = Access { mode, owner, is_file: true };
        check_file(file_name, access, Some(folder_owner), || false, &mut findings);
        findings.into_iter().map(|finding| (finding.code, finding.message)).collect()
    }

    #[test]
    fn a_file_of_somebody_else_is_theirs_to_change() {
        let (server, stranger, root) = (1000, 1001, 0);
        for (file_name, owner, folder_owner, word) in [
            ("mail.key", server, server, None),
            ("mail.crt", root, root, None),
            ("mail.crt", stranger, server, Some("another user")),
            ("mail.key", stranger, server, Some("another user")),
            ("mail.key", server, root, Some("another user")),
            ("mail.key", root, server, Some("can't read")),
            ("mail.KEY", root, server, Some("can't read")),
            ("mail.crt", root, server, None),
        ] {
            let found = found(file_name, 0o600, owner, folder_owner);
            match (word, &found[..]) {
                (None, []) => {}
                (Some(word), [("permissions", message)]) => assert!(message.contains(word), "{message}"),
                _ => panic!("{file_name} of {owner} in the folder of {folder_owner}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_key_under_a_password_is_not_open() {
        for (block, open) in [
            ("PRIVATE KEY-----\nMC4C", true),
            ("DSA PRIVATE KEY-----\nMC4C", true),
            ("ENCRYPTED PRIVATE KEY-----\nMC4C", false),
            ("RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nMC4C", false),
            ("PUBLIC KEY-----\nMC4C", false),
            ("", false),
        ] {
            assert_eq!(is_open_key(block), open, "{block}");
        }
    }
}
