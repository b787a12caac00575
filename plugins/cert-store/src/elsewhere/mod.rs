//! Certificates as other programs lay them out: certbot, acme.sh, Caddy, Dovecot and Postfix, and the flat `certs` folders
//! of older mail servers.
//!
//! What belongs together is found by what is in the files, never by what they are called: each private key gets the newest
//! certificate that was made for it. Layouts only say which of several copies counts and what a pair should be called, see
//! [`layout`]. Everything that isn't taken is told with its reason, but for what every such folder has plenty of: the
//! certificates of authorities, and older versions that the program keeps itself; these are counted. An authority's own
//! pair is left where it is: a server has no use for it.
//!
//! Files are never changed. Bounds: those of whoever reads the files, [`MAX_PAIRS`] keys, [`MAX_ROUNDS`].

mod config;
pub mod layout;
mod names;
mod pairs;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::encryption::{Opener, MAX_TOTAL_ROUNDS};
use crate::import::contents::{self, Contents};
use crate::import::{pem, ImportError, ImportRequest};
use crate::input::Input;
use crate::key::PrivateKey;
use crate::name::CertName;
use layout::Place;

pub use config::{is_config, named_files};

/// The most keys that are looked at in one survey.
pub const MAX_PAIRS: usize = 1024;

/// The most rounds of password hashing for all files of one survey: a minute, if somebody means it badly.
const MAX_ROUNDS: u64 = 4 * MAX_TOTAL_ROUNDS;

/// A file of another program: its absolute path and its bytes.
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// A complete pair, and what it is called here.
pub struct Found {
    /// Its name.
    pub name: CertName,
    /// The pair.
    pub pair: Pair,
}

/// A private key and its certificate.
pub struct Pair {
    /// Whose layout it is in.
    pub place: Place,
    /// The file with the certificate.
    pub certificate_file: PathBuf,
    /// The file with the key.
    pub key_file: PathBuf,
    /// The certificate, then what is around it and belongs to its chain.
    pub certificates: Vec<Certificate>,
    /// Its key.
    pub key: PrivateKey,
}

impl Pair {
    /// The request to import it as `name`.
    pub fn request(&self, name: CertName, replace: bool) -> Result<ImportRequest, ImportError> {
        let chain: Vec<String> = self
            .certificates
            .iter()
            .map(|certificate| pem::encode("CERTIFICATE", &certificate.der).to_string())
            .collect();
        Ok(ImportRequest {
            certificate: Input::new(shown(&self.certificate_file), chain.concat().into_bytes())?,
            key: Some(Input::new(shown(&self.key_file), self.key.to_pem().as_bytes().to_vec())?),
            password: None,
            name: Some(name),
            replace,
            add: false,
        })
    }
}

/// Something that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Which file, or which group of them.
    pub file: String,
    /// Why, and what to do.
    pub reason: String,
    /// Whether somebody should do something about it.
    pub problem: bool,
}

/// What is in the files.
#[derive(Default)]
pub struct Survey {
    /// Complete pairs, each with a name of its own.
    pub found: Vec<Found>,
    /// What wasn't taken.
    pub left: Vec<Left>,
    /// Whether some of it is encrypted, and no password was given.
    pub wants_password: bool,
}

/// A file that was read.
struct Parsed {
    path: PathBuf,
    place: Place,
    contents: Contents,
}

/// Looks through files. `password` opens encrypted keys.
pub fn survey(sources: Vec<Source>, password: Option<&[u8]>) -> Survey {
    let mut survey = Survey::default();
    let layout = layout::Layouts::of(&sources);
    let mut older = 0;
    let mut rounds = MAX_ROUNDS;
    let mut parsed = Vec::new();
    for source in sources {
        if layout.is_config(&source.path) {
            continue;
        }
        let Some(place) = layout.place(&source.path) else {
            older += 1;
            continue;
        };
        let Source { path, bytes } = source;
        let mut opener = Opener::among_many(password, rounds);
        let contents = read(&path, bytes, &mut opener);
        rounds = rounds.saturating_sub(opener.spent(rounds));
        match contents {
            Ok(contents) => parsed.push(Parsed { path, place, contents }),
            Err(Unread { reason, wants_password }) => {
                survey.wants_password |= wants_password;
                survey.left.push(Left { file: shown(&path), reason, problem: true });
            }
        }
    }
    let pairs = pairs::match_up(parsed, OffsetDateTime::now_utc(), &mut survey);
    names::give(pairs, &mut survey);
    if older > 0 {
        survey.left.push(Left {
            file: format!("{older} files of certbot's archive"),
            reason: "older versions, or those that `live` points to".to_owned(),
            problem: false,
        });
    }
    survey
}

/// A file that holds nothing to work with.
struct Unread {
    reason: String,
    wants_password: bool,
}

fn read(path: &Path, mut bytes: Zeroizing<Vec<u8>>, opener: &mut Opener<'_>) -> Result<Contents, Unread> {
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let input = Input::new(file_name, std::mem::take(&mut *bytes))
        .map_err(|error| Unread { reason: error.to_string(), wants_password: false })?;
    contents::read_with(&input, opener)
        .map_err(|error| Unread { reason: error.to_string(), wants_password: error.wants_password() })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
