//! Where programs put their certificates, and what a path says about a pair.
//!
//! | program | layout |
//! |---|---|
//! | certbot | `live/NAME/privkey.pem`, `fullchain.pem`, links into `archive/NAME/` with numbers |
//! | acme.sh | `NAME/` or `NAME_ecc/` with `fullchain.cer` and `NAME.key` |
//! | Caddy | `certificates/ISSUER/NAME/NAME.crt` and `.key`; `wildcard_.` for `*.` |
//! | Dovecot, Postfix | the files that `dovecot.conf` or `main.cf` names |
//! | others | `NAME.key` and `NAME.crt` (`.cer`, `.pem`) in one folder, or `NAME.pem` with both |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::{config, Source};

/// Whose layout a file is in. The first are preferred where one pair is in several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// Named by Dovecot's configuration.
    Dovecot,
    /// Named by Postfix's configuration.
    Postfix,
    /// certbot's `live` or `archive`.
    Certbot,
    /// A folder of acme.sh.
    AcmeSh,
    /// Caddy's storage.
    Caddy,
    /// Files beside each other.
    Files,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dovecot => "Dovecot",
            Self::Postfix => "Postfix",
            Self::Certbot => "certbot",
            Self::AcmeSh => "acme.sh",
            Self::Caddy => "Caddy",
            Self::Files => "files",
        })
    }
}

/// What a path says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose layout it is.
    pub program: Program,
    /// What the program calls the certificate, if the path says so.
    pub name: Option<String>,
}

/// What can be said of paths once all of them are known.
pub struct Layouts {
    acme_sh: BTreeSet<PathBuf>,
    named: BTreeMap<PathBuf, Program>,
    /// certbot's names, and the version that counts: `None` where `live` has it.
    certbot: BTreeMap<(PathBuf, String), Option<u64>>,
    is_config: BTreeSet<PathBuf>,
}

impl Layouts {
    /// Looks at all paths, and at configurations.
    pub fn of(sources: &[Source]) -> Self {
        let mut this = Self {
            acme_sh: BTreeSet::new(),
            named: BTreeMap::new(),
            certbot: BTreeMap::new(),
            is_config: BTreeSet::new(),
        };
        for source in sources {
            let path = &source.path;
            if config::is_config(path) {
                this.is_config.insert(path.clone());
                let program = match path.extension().is_some_and(|ending| ending == "cf") {
                    true => Program::Postfix,
                    false => Program::Dovecot,
                };
                this.named.extend(config::named_by(source).into_iter().map(|named| (named, program)));
            }
            if file_name(path) == "fullchain.cer" {
                this.acme_sh.extend(path.parent().map(Path::to_owned));
            }
            this.note_certbot(path);
        }
        this
    }

    /// Whether the file holds settings and neither certificate nor key.
    pub fn is_config(&self, path: &Path) -> bool {
        self.is_config.contains(path)
    }

    /// What the path says; `None` for a copy or an older version that doesn't count.
    pub fn place(&self, path: &Path) -> Option<Place> {
        if let Some((_, name, version)) = certbot(path) {
            let key = (root_of(path, 3), name.clone());
            return match (version, self.certbot.get(&key).copied().flatten()) {
                (None, _) => Some(Place { program: Program::Certbot, name: Some(name) }),
                (Some(version), Some(newest)) if version == newest => {
                    Some(Place { program: Program::Certbot, name: Some(name) })
                }
                _ => None,
            };
        }
        if let Some(program) = self.named.get(path) {
            return Some(Place { program: *program, name: None });
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        let folder_name = file_name(folder);
        if self.acme_sh.contains(folder) {
            let name = folder_name.strip_suffix("_ecc").unwrap_or(&folder_name).to_owned();
            return Some(Place { program: Program::AcmeSh, name: Some(name) });
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let in_caddys = path.ancestors().nth(3).is_some_and(|above| file_name(above) == "certificates");
        if in_caddys && stem == folder_name.as_str() {
            let name = folder_name.strip_prefix("wildcard_").map_or(folder_name.clone(), |rest| format!("*{rest}"));
            return Some(Place { program: Program::Caddy, name: Some(name) });
        }
        let name = (!GENERIC.contains(&stem.to_ascii_lowercase().as_str())).then(|| stem.into_owned());
        Some(Place { program: Program::Files, name })
    }

    fn note_certbot(&mut self, path: &Path) {
        let Some((_, name, version)) = certbot(path) else {
            return;
        };
        let newest = self.certbot.entry((root_of(path, 3), name)).or_insert(version);
        // What `live` shows counts, whatever its archive has.
        *newest = match (*newest, version) {
            (Some(a), Some(b)) => Some(a.max(b)),
            _ => None,
        };
    }
}

/// A file of certbot: which of its files, of which name, which version (`None` in `live`).
fn certbot(path: &Path) -> Option<(&'static str, String, Option<u64>)> {
    let folder = path.parent()?;
    let (name, kind) = (file_name(folder), file_name(folder.parent()?));
    let stem = file_name(path).strip_suffix(".pem")?.to_owned();
    let digits = stem.trim_start_matches(|c: char| !c.is_ascii_digit());
    let which = CERTBOT.into_iter().find(|which| stem.strip_suffix(digits) == Some(which))?;
    match (kind.as_str(), digits) {
        ("live", "") => Some((which, name, None)),
        ("archive", digits) => Some((which, name, Some(digits.parse().ok()?))),
        _ => None,
    }
}

fn root_of(path: &Path, up: usize) -> PathBuf {
    path.ancestors().nth(up).unwrap_or(Path::new("/")).to_owned()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

const CERTBOT: [&str; 4] = ["cert", "chain", "fullchain", "privkey"];

/// File names that say nothing about what is in them.
const GENERIC: [&str; 15] = [
    "ca",
    "cert",
    "certificate",
    "chain",
    "combined",
    "default",
    "domain",
    "fullchain",
    "key",
    "privkey",
    "private",
    "public",
    "server",
    "ssl",
    "tls",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn places(paths: &[&str]) -> Vec<Option<(Program, Option<String>)>> {
        let sources: Vec<Source> =
            paths.iter().map(|path| Source { path: path.into(), bytes: Vec::new().into() }).collect();
        let layouts = Layouts::of(&sources);
        let place = |path: &&str| layouts.place(Path::new(path)).map(|place| (place.program, place.name));
        paths.iter().map(place).collect()
    }

    fn some(program: Program, name: &str) -> Option<(Program, Option<String>)> {
        Some((program, (!name.is_empty()).then(|| name.to_owned())))
    }

    #[test]
    fn certbots_live_counts_and_without_it_the_newest_of_the_archive() {
        let both = places(&[
            "/etc/letsencrypt/live/a.test/privkey.pem",
            "/etc/letsencrypt/archive/a.test/privkey1.pem",
            "/etc/letsencrypt/archive/b.test/privkey2.pem",
            "/etc/letsencrypt/archive/b.test/privkey10.pem",
        ]);
        let (a, b) = (some(Program::Certbot, "a.test"), some(Program::Certbot, "b.test"));
        assert_eq!(both, [a, None, None, b]);
    }

    #[test]
    fn folders_of_other_programs_say_the_name() {
        let found = places(&[
            "/home/ann/.acme.sh/a.test_ecc/fullchain.cer",
            "/home/ann/.acme.sh/a.test_ecc/a.test.key",
            "/var/lib/caddy/certificates/acme-v02/wildcard_.b.test/wildcard_.b.test.crt",
            "/srv/certs/c.test.pem",
            "/srv/certs/server.key",
        ]);
        let acme = some(Program::AcmeSh, "a.test");
        let expected = [
            acme.clone(),
            acme,
            some(Program::Caddy, "*.b.test"),
            some(Program::Files, "c.test"),
            some(Program::Files, ""),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_configuration_says_whose_files_they_are() {
        let config = Source { path: "/e/main.cf".into(), bytes: b"smtpd_tls_cert_file = /ssl/x.pem".to_vec().into() };
        let layouts = Layouts::of(&[config]);
        assert!(layouts.is_config(Path::new("/e/main.cf")));
        assert_eq!(layouts.place(Path::new("/ssl/x.pem")).unwrap().program, Program::Postfix);
    }
}
