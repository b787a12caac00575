//! The store's config section.

use std::path::PathBuf;

use dovetail_sdk::{About, Problems};

use crate::name::CertName;

/// Where certificates are, and which one is served when nothing else decides.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder of keys and certificates. Default: `certs` in the data directory.
    pub dir: Option<PathBuf>,
    /// The pair for clients that ask for no name we have, on listeners that name none. Default: the first by name.
    pub default: Option<String>,
    /// Make a self-signed certificate for the server's host name if the folder has none.
    pub create_missing: bool,
}

impl Config {
    /// The folder's path.
    pub fn folder(&self, about: &About) -> PathBuf {
        match &self.dir {
            Some(dir) => about.config_dir.join(dir),
            None => about.in_data_dir("certs"),
        }
    }

    /// The default pair's name, which [`Config::check`] has found usable.
    pub fn default_name(&self) -> Option<CertName> {
        self.default.as_deref().and_then(|name| CertName::new(name).ok())
    }

    /// What the types can't check.
    pub fn check(&self, problems: &mut Problems) {
        if let Some(Err(error)) = self.default.as_deref().map(CertName::new) {
            problems.error(format!("default: {error}"), "give the name that `dovetail certs list` shows");
        }
        if self.dir.as_ref().is_some_and(|dir| dir.as_os_str().is_empty()) {
            problems.error("dir is empty", "give a folder, or leave it out for `certs` in the data directory");
        }
    }
}
