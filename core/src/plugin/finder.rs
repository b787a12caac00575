//! Finding plugins by their id.
//!
//! The first directory that has a plugin of that id wins: those of the command line, of the config, the directory of the
//! executable (and `deps` in it, where cargo puts libraries for tests), then the system's. A plugin that is found and cannot
//! be loaded here is an error of loading, not a reason to search on; a file that cannot even be read is named if nothing is
//! found.

use super::probe::{self, ProbeError};
use dovetail_abi::manifest::Manifest;
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// So many damaged files are named at most.
const MAX_DAMAGED: usize = 3;
/// Where the packages put plugins.
pub const SYSTEM_DIR: &str = "/usr/lib/dovetail/plugins";

/// A plugin's file with its manifest.
#[derive(Debug, Clone)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
}

/// Why a plugin was not found.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No directory has it.
    #[error("{0}")]
    None(String),
    /// One directory has it twice.
    #[error("there are two files for {what}: {first} and {second} (remove one, or give its `path`)")]
    Several {
        /// What was searched.
        what: String,
        /// The first file.
        first: PathBuf,
        /// The second.
        second: PathBuf,
    },
}

/// The directories that are searched.
#[derive(Debug, Clone, Default)]
pub struct Finder {
    directories: Vec<PathBuf>,
    /// What was seen, so that a directory is read once however many plugins a config has.
    seen: Arc<Mutex<HashMap<PathBuf, Arc<Seen>>>>,
}

/// What is in a directory.
#[derive(Debug, Default)]
struct Seen {
    plugins: Vec<Found>,
    /// Files that are no plugins and not other libraries either, with what is wrong.
    damaged: Vec<String>,
}

impl Finder {
    /// Searches `given` first, then the usual places.
    pub fn new(given: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut directories: Vec<PathBuf> = given.into_iter().collect();
        if let Some(beside) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
            directories.push(beside.to_owned());
            directories.push(beside.join("deps"));
        }
        directories.push(SYSTEM_DIR.into());
        // A directory that is named twice would have everything twice.
        let mut known = HashSet::new();
        directories.retain(|directory| known.insert(directory.canonicalize().unwrap_or_else(|_| directory.clone())));
        Finder { directories, seen: Arc::default() }
    }

    /// All plugins, in the order of the search. Files that are no plugins are passed over.
    pub fn all(&self) -> Vec<Found> {
        let mut all: Vec<Found> = Vec::new();
        for directory in &self.directories {
            for found in self.scan(directory).plugins.iter().cloned() {
                let hidden = all
                    .iter()
                    .any(|other| other.manifest.id == found.manifest.id && other.path.parent() != found.path.parent());
                if !hidden {
                    all.push(found);
                }
            }
        }
        all
    }

    /// The plugin of an id.
    ///
    /// # Errors
    /// If there is none, or one directory has two.
    pub fn find(&self, id: &str) -> Result<Found, FindError> {
        self.one(|manifest| manifest.id == id, &format!("plugin `{id}`"))
    }

    /// The plugin whose operations go by a word.
    ///
    /// # Errors
    /// As [`Finder::find`].
    pub fn find_command(&self, word: &str) -> Result<Found, FindError> {
        self.one(|manifest| manifest.command.as_deref() == Some(word), &format!("plugin that offers `{word}`"))
    }

    fn one(&self, matches: impl Fn(&Manifest) -> bool, what: &str) -> Result<Found, FindError> {
        for directory in &self.directories {
            let seen = self.scan(directory);
            let mut hits = seen.plugins.iter().filter(|found| matches(&found.manifest));
            if let Some(first) = hits.next() {
                return match hits.next() {
                    None => Ok(first.clone()),
                    Some(second) => Err(FindError::Several {
                        what: what.to_owned(),
                        first: first.path.clone(),
                        second: second.path.clone(),
                    }),
                };
            }
        }
        let searched: Vec<String> =
            self.directories.iter().filter(|d| d.is_dir()).map(|d| d.display().to_string()).collect();
        let damaged: Vec<String> = self
            .directories
            .iter()
            .flat_map(|directory| self.scan(directory).damaged.clone())
            .take(MAX_DAMAGED)
            .map(|damage| format!("; {damage}"))
            .collect();
        Err(FindError::None(format!(
            "there is no {what} in {} (build it, or name its directory with --plugin-dir or `plugin_dirs`){}",
            searched.join(", "),
            damaged.concat()
        )))
    }

    fn scan(&self, directory: &Path) -> Arc<Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(directory.to_owned()).or_insert_with(|| Arc::new(scan(directory))).clone()
    }
}

/// The plugins in a directory, by file name.
fn scan(directory: &Path) -> Seen {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Seen::default();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        // A directory of builds has thousands of other files.
        .filter(|entry| entry.file_name().as_encoded_bytes().ends_with(b".so"))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    let mut seen = Seen::default();
    for path in paths {
        match probe::read(&path) {
            Ok(manifest) => seen.plugins.push(Found { path, manifest }),
            Err(ProbeError::NoManifest { .. }) => {}
            Err(error) => seen.damaged.push(error.to_string()),
        }
    }
    seen
}
