//! `client_certificates` of a listener: whether clients show certificates, and which ones are good.
//!
//! The trust anchors and revocation lists are in files beside the config: PEM with any number of blocks and text around them,
//! or DER with one. They are read with the config, so `dovetail check` finds what is wrong with them, and a reload that finds
//! other contents makes the listener anew. What is inside a certificate or a list is for the TLS provider to judge.
//!
//! **Bounds.** 100 files of each kind, [`MAX_FILE`] octets a file.

use super::{document::Piece, file, range, report::Problems, TlsMode};
use data_encoding::BASE64;
use dovetail_abi::tls_v1::{ClientAuth, ClientCertificates};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A file of certificates or of lists larger than this is not read.
pub const MAX_FILE: u64 = 4 << 20;

/// The option's group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename = "client_certificates")]
pub struct ClientOptions {
    /// Whether clients show one.
    pub mode: ClientMode,
    /// Files with the certificates of those who vouch for clients: PEM with any number, or DER. At most 100; at least one,
    /// unless `mode` is `Off`. Relative to the config's directory.
    #[serde(default)]
    pub anchors: Vec<PathBuf>,
    /// Files with revocation lists, likewise. With any, a certificate whose issuer has no list, or only one that is past its
    /// next update, is refused.
    #[serde(default)]
    pub crls: Vec<PathBuf>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions { mode: ClientMode::Off, anchors: Vec::new(), crls: Vec::new() }
    }
}

/// Whether clients show certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ClientMode {
    /// They are not asked.
    Off,
    /// They are asked; one that is shown must be good.
    Optional,
    /// They are asked, and without a good one there is no connection.
    Required,
}

/// What the files held.
#[derive(Clone, Default)]
pub struct ClientFiles(Arc<Held>);

#[derive(Default)]
struct Held {
    anchors: Vec<Vec<u8>>,
    crls: Vec<Vec<u8>>,
    /// Which of them are from where, for messages of those who know them by their numbers.
    origins: Vec<String>,
}

impl std::fmt::Debug for ClientFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientFiles({} anchors, {} lists)", self.0.anchors.len(), self.0.crls.len())
    }
}

impl ClientFiles {
    /// Reads what the options of a listener name; `piece` is the listener.
    pub fn read(options: &ClientOptions, piece: &Piece, directory: &Path, problems: &mut Problems) -> ClientFiles {
        if options.mode == ClientMode::Off {
            return ClientFiles::default();
        }
        let group = inner(piece, "client_certificates");
        let mut origins = Vec::new();
        let mut all = |name: &str, files: &[PathBuf], kind: &Kind| {
            let piece = inner(&group, name);
            let mut found = Vec::new();
            for path in files {
                match file::read(&directory.join(path), MAX_FILE)
                    .map_err(|error| error.to_string())
                    .and_then(|octets| kind.find(octets))
                {
                    Ok(mut more) => {
                        let first = found.len() + 1;
                        found.append(&mut more);
                        origins.push(match found.len() {
                            last if last == first => format!("{} {first} is from {}", kind.one, path.display()),
                            last => format!("{}s {first} to {last} are from {}", kind.one, path.display()),
                        });
                    }
                    Err(error) => problems.0.push(piece.diagnostic(
                        format!("`client_certificates`: `{name}`: {}: {error}", path.display()),
                        format!("name a readable file with {}, PEM or DER", kind.what),
                    )),
                }
            }
            found
        };
        let anchors = all("anchors", &options.anchors, &CERTIFICATES);
        let crls = all("crls", &options.crls, &LISTS);
        ClientFiles(Arc::new(Held { anchors, crls, origins }))
    }

    /// As a TLS provider gets it.
    pub fn policy(&self, options: &ClientOptions) -> ClientCertificates {
        let mode = match options.mode {
            ClientMode::Off => return ClientCertificates::off(),
            ClientMode::Optional => ClientAuth::Optional,
            ClientMode::Required => ClientAuth::Required,
        };
        ClientCertificates { mode, anchors: self.0.anchors.clone(), crls: self.0.crls.clone() }
    }

    /// Which anchor and which list is from which file; empty without any.
    pub fn origins(&self) -> String {
        self.0.origins.join(", ")
    }

    /// What stands for the contents where they are compared; `None` without any.
    pub fn hash(&self) -> Option<String> {
        let Held { anchors, crls, .. } = &*self.0;
        if anchors.is_empty() && crls.is_empty() {
            return None;
        }
        let mut hash = Sha256::new();
        for list in [anchors, crls] {
            hash.update((list.len() as u64).to_be_bytes());
            for item in list {
                hash.update((item.len() as u64).to_be_bytes());
                hash.update(item);
            }
        }
        Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Checks the options of a listener, without a look at the files.
pub fn check(options: &ClientOptions, tls: TlsMode, name: &str, piece: &Piece, problems: &mut Problems) {
    let what = |list: &str| format!("listener `{name}`: `client_certificates`: `{list}`");
    range::count(&what("anchors"), options.anchors.len(), piece, problems);
    range::count(&what("crls"), options.crls.len(), piece, problems);
    let mut complain = |message: &str, help: &str| {
        let message = format!("listener `{name}`: `client_certificates` {message}");
        problems.0.push(inner(piece, "client_certificates").diagnostic(message, help));
    };
    if options.mode == ClientMode::Off {
        return;
    }
    if tls == TlsMode::Off {
        complain("without TLS", "set `tls: Explicit` or `tls: Implicit`");
    }
    if options.anchors.is_empty() {
        complain(
            "without `anchors`: no certificate could ever be good",
            "name a file with the certificates of those who vouch for clients, as in `anchors: [\"clients-ca.pem\"]`",
        );
    }
}

/// A part of a piece, or the piece itself if it is not written down there.
fn inner(piece: &Piece, name: &str) -> Piece {
    let entries = piece.entries(&mut Problems::default());
    entries.into_iter().find(|entry| entry.name == name).map_or_else(|| piece.clone(), |entry| entry.piece)
}

/// What a file is expected to hold.
struct Kind {
    what: &'static str,
    one: &'static str,
    labels: &'static [&'static str],
}

const CERTIFICATES: Kind =
    Kind { what: "certificates", one: "trust anchor", labels: &["CERTIFICATE", "X509 CERTIFICATE"] };
const LISTS: Kind = Kind { what: "revocation lists", one: "revocation list", labels: &["X509 CRL", "CRL"] };

impl Kind {
    /// What a file's octets hold, each as DER.
    fn find(&self, octets: Vec<u8>) -> Result<Vec<Vec<u8>>, String> {
        if octets.is_empty() {
            return Err("it is empty".to_owned());
        }
        if octets.first() == Some(&SEQUENCE) {
            return match is_whole(&octets) {
                true => Ok(vec![octets]),
                false => Err("it begins as DER, and is cut off or goes on behind its end".to_owned()),
            };
        }
        let text = String::from_utf8(octets).map_err(|_| "it is neither PEM nor DER".to_owned())?;
        self.blocks(&text)
    }

    /// The blocks of a PEM file (RFC 7468). Text around them is no error; a block of another kind is.
    fn blocks(&self, text: &str) -> Result<Vec<Vec<u8>>, String> {
        let mut found = Vec::new();
        let mut open: Option<(usize, String)> = None;
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let (number, line) = (number + 1, line.trim());
            if let Some(label) = between(line, "-----BEGIN ") {
                if let Some((began, _)) = open {
                    return Err(format!("the block that begins in line {began} has no end"));
                }
                if !self.labels.contains(&label) {
                    return Err(format!(
                        "line {number} begins a block of the kind {label:?}; {} were expected",
                        self.what
                    ));
                }
                open = Some((number, String::new()));
            } else if between(line, "-----END ").is_some() {
                let (began, base64) =
                    open.take().ok_or_else(|| format!("line {number} ends a block that has no beginning"))?;
                let der = BASE64.decode(base64.as_bytes()).ok().filter(|der| is_whole(der));
                found.push(der.ok_or_else(|| format!("the block that begins in line {began} is damaged"))?);
            } else if let Some((_, base64)) = &mut open {
                base64.extend(line.split_whitespace());
            }
        }
        match open {
            Some((began, _)) => Err(format!("the block that begins in line {began} has no end")),
            None if found.is_empty() => {
                Err(format!("there is no PEM block in it, and it is no DER; {} were expected", self.what))
            }
            None => Ok(found),
        }
    }
}

fn between<'a>(line: &'a str, begin: &str) -> Option<&'a str> {
    line.strip_prefix(begin)?.strip_suffix("-----")
}

const SEQUENCE: u8 = 0x30;

/// Whether this is one SEQUENCE in DER, as long as it says (X.690 section 8.1.3).
fn is_whole(der: &[u8]) -> bool {
    let Some((&[SEQUENCE, first], rest)) = der.split_first_chunk::<2>() else { return false };
    let width = usize::from(first & 0x7f);
    if first < 0x80 {
        return rest.len() == width;
    }
    let Some((length, content)) = rest.split_at_checked(width).filter(|_| (1..=4).contains(&width)) else {
        return false;
    };
    length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)) == content.len()
}

#[cfg(test)]
mod tests;
