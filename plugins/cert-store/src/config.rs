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
    /// Renew self-signed certificates that were made here, with their keys, 31 days before they expire; such that are valid for
    /// less than 93 days, when a third of that is left.
    pub auto_renew: bool,
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

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_sdk::Purpose;

    #[test]
    fn the_section_may_be_empty_and_the_folder_is_relative_to_the_config() {
        let about = About {
            instance: "certs".into(),
            hostname: "localhost".into(),
            data_dir: "/data".into(),
            config_dir: "/etc/mail".into(),
            purpose: Purpose::Serve,
            build: String::new(),
        };
        assert_eq!(Config::default().folder(&about), std::path::Path::new("/data/certs"));
        let config = Config { dir: Some("pairs".into()), ..Config::default() };
        assert_eq!(config.folder(&about), std::path::Path::new("/etc/mail/pairs"));
    }
}
