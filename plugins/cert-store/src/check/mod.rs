//! Everything that is wrong in the certificate folder, or soon will be: what `certs check` reports.
//!
//! Nothing is changed, and nothing needs a server: what only the configuration knows (the host name, the listeners) is told
//! by the caller as far as there is one. Each finding has a code that stays the same, for scripts; [`CODES`] are all of them.
//! A folder that can't be read is a finding, too.

mod files;
mod names;
mod pair;
#[cfg(test)]
mod tests;

use std::path::Path;

use dovetail_sdk::listeners::ListenerInfo;
use serde::Serialize;
use time::OffsetDateTime;

use crate::import::roots::Roots;
use crate::live::Live;
use crate::name::CertName;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing to do.
    Ok,
    /// Somebody should look at it; clients still get what they accept.
    Warning,
    /// Clients or the server refuse something now, or a key isn't safe.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What it is, for scripts: one of [`CODES`].
    pub code: &'static str,
    /// The pair, the file or the host that it is about.
    pub about: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Finding {
    fn error(code: &'static str, about: impl ToString, message: impl ToString) -> Self {
        Self { level: Level::Error, code, about: about.to_string(), message: message.to_string() }
    }

    fn warning(code: &'static str, about: impl ToString, message: impl ToString) -> Self {
        Self { level: Level::Warning, code, about: about.to_string(), message: message.to_string() }
    }
}

/// What is known of the server that serves the folder.
#[derive(Debug, Default)]
pub struct Around {
    /// The server's host name.
    pub hostname: Option<String>,
    /// The pair that the store's section names as its default.
    pub default: Option<CertName>,
    /// The listeners of its configuration.
    pub listeners: Vec<ListenerInfo>,
}

/// What was looked at, and what was found.
#[derive(Debug)]
pub struct Checked {
    /// The pairs that can be served.
    pub good: usize,
    /// The names that have a certificate.
    pub pairs: usize,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
}

/// Checks a folder. `hosts` are names that clients connect to, beside the server's own.
pub fn check(folder: &Path, around: &Around, hosts: &[String], now: OffsetDateTime) -> Checked {
    check_with(folder, around, hosts, &Roots::of_this_machine(), now)
}

/// The same where these roots are known.
fn check_with(folder: &Path, around: &Around, hosts: &[String], known: &Roots, now: OffsetDateTime) -> Checked {
    let mut findings = Vec::new();
    if !folder.is_dir() {
        let message = "there is no such folder: make a certificate with `dovetail certs create`, or bring one with \
                       `dovetail certs import`";
        findings.push(Finding::error("folder", folder.display(), message));
        return Checked { good: 0, pairs: 0, findings };
    }
    files::check(folder, &mut findings);
    let live = Live::new(folder.to_owned(), around.default.clone());
    if let Err(error) = live.rescan(now) {
        findings.push(Finding::error("folder", folder.display(), error));
    }
    let snapshot = live.snapshot();
    let broken = live.all_broken();
    for (name, reason) in broken.iter() {
        findings.push(Finding::error("unusable", name, reason));
    }
    for pair in snapshot.pairs() {
        pair::check(folder, &pair.identity, known, now, &mut findings);
    }
    names::check(folder, &snapshot, around, hosts, now, &mut findings);
    findings.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| (&a.about, a.code).cmp(&(&b.about, b.code))));
    findings.dedup();
    let good = snapshot.pairs().count();
    Checked { good, pairs: good + broken.len(), findings }
}

/// Every code, and what it stands for.
pub const CODES: [(&str, &str); 29] = [
    ("authority", "a server's certificate that is an authority's, or an issuer's that isn't"),
    ("chain", "an intermediate certificate is missing"),
    ("chain-expiry", "a certificate of the chain expires before the server's own"),
    ("chain-order", "the file isn't in order, or has certificates that don't belong to it"),
    ("curve", "a P-521 key, which some clients refuse"),
    ("default", "the store's default doesn't exist"),
    ("expired", "a certificate has expired"),
    ("expiry", "a certificate expires soon"),
    ("extension", "a critical extension that not all clients know"),
    ("follow", "a followed pair isn't in step"),
    ("folder", "the folder can't be read, or strangers can write to it"),
    ("foreign-file", "a file that the store doesn't know"),
    ("host", "no certificate is for a host name"),
    ("key-permissions", "others can read a private key"),
    ("leftover", "a change was interrupted"),
    ("listener", "a listener names a certificate that doesn't exist"),
    ("lone-key", "a key without a certificate"),
    ("lone-request", "a signing request without a key"),
    ("name", "a file that isn't served because of its name"),
    ("no-names", "a certificate without alternative names"),
    ("not-for-servers", "a certificate that isn't meant for servers"),
    ("not-yet-valid", "a certificate isn't valid yet"),
    ("nss", "an Ed25519 key, which NSS clients refuse"),
    ("permissions", "others can change a file or read a key in it, or it belongs to somebody else"),
    ("request", "a signing request for another key"),
    ("self-signed", "a certificate that no client trusts by itself"),
    ("shadowed", "a certificate that another one for the same names goes before"),
    ("signature", "a signature that clients refuse, here or in the chain"),
    ("unusable", "a pair that can't be read, or doesn't match"),
];
