//! Where a server comes from, so that it can be read again.

use super::trial;
use crate::{
    config::{dev, Config, Problems},
    plugin::{finder::Finder, instance::Loading},
};
use std::path::PathBuf;

/// What a config is read from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A config file.
    File(PathBuf),
    /// The built-in development config.
    Dev,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Origin {
    /// What the config is read from.
    pub source: Source,
    /// Where the data is, whatever the config says. The built-in one does not say it.
    pub data_dir: Option<PathBuf>,
    /// Where the command line has plugins searched, before the config's directories.
    pub plugin_dirs: Vec<PathBuf>,
    /// Who does TLS, whatever the config says: an instance's name or a plugin's id.
    pub tls_provider: Option<String>,
}

impl Origin {
    /// Reads the config.
    ///
    /// # Errors
    /// If it is no config at all; what is wrong in single places is in [`Config::problems`].
    pub fn read(&self) -> Result<Config, Problems> {
        self.overridden(self.written()?)
    }

    /// A config that was read already, with what the command line says instead.
    ///
    /// # Errors
    /// If the command line asks for what cannot be.
    pub fn overridden(&self, mut config: Config) -> Result<Config, Problems> {
        // Of one with mistakes nothing runs; those are told first.
        if let Some(id) = self.tls_provider.as_ref().filter(|_| !config.problems.has_errors()) {
            let finder = self.loading(&config, None).finder;
            trial::tls_provider(&mut config, &finder, id)?;
        }
        Ok(config)
    }

    fn written(&self) -> Result<Config, Problems> {
        match &self.source {
            Source::Dev => dev::config(&self.data_dir.clone().unwrap_or_else(dev::default_data_dir)),
            Source::File(path) => {
                let mut config = Config::load(path)?;
                if let Some(data_dir) = &self.data_dir {
                    config.data_dir = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.clone());
                }
                Ok(config)
            }
        }
    }

    /// How the plugins of its config are loaded. What is in directories is looked at anew.
    pub fn loading(&self, config: &Config, copies: Option<PathBuf>) -> Loading {
        let finder = Finder::new(self.plugin_dirs.iter().chain(&config.plugin_dirs).cloned());
        Loading { finder, copies, ..Loading::default() }
    }
}
