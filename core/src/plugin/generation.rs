//! Which generation of which instance something is, and which build of the plugin: for status, log and figures.

use super::load::Loaded;
use serde::{Deserialize, Serialize};
use std::fmt;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// The instance's name.
    pub instance: String,
    /// The plugin's id.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// The library's build; see [`super::build`].
    pub build: String,
    /// Counts those that ran under the instance's name, from 1.
    pub generation: u64,
}

impl Generation {
    /// The generation of an instance that runs this library.
    pub fn of(instance: &str, library: &Loaded, generation: u64) -> Self {
        Generation {
            instance: instance.to_owned(),
            plugin: library.manifest.id.clone(),
            version: library.manifest.version.clone(),
            build: library.build.clone(),
            generation,
        }
    }

    /// Tells the log that it is in service.
    pub fn say_started(&self) {
        tracing::info!(plugin = %self.instance, id = %self.plugin, version = %self.version, build = %self.build, generation = self.generation, "the instance has started");
    }
}

impl fmt::Display for Generation {
    /// `imap 2 (build 0123456789abcdef)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (build {})", self.instance, self.generation, self.build)
    }
}
