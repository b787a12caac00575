//! Which server a command means: its config and its data directory.

use super::Common;
use crate::{
    config::{dev, Config, Problems},
    datadir,
    plugin::finder::Finder,
    server::Source,
};
use std::path::{Path, PathBuf};

/// The config that is used where none is named.
pub const SYSTEM_CONFIG: &str = "/etc/dovetail/dovetail.ron";

/// Finds config and data directory.
///
/// `--config` names both. `--data-dir` alone means the server that last ran there, else a development server. Without
/// either it is the system's config if there is one, else the development server's default place.
///
/// # Errors
/// If the config is bad.
pub fn find(common: &Common) -> Result<(Config, Source), Problems> {
    if let Some(path) = &common.config {
        return load(path, common.data_dir.as_deref());
    }
    match &common.data_dir {
        Some(data_dir) => match noted(data_dir) {
            Some(path) => load(&path, Some(data_dir)),
            None => Ok((dev::config(data_dir)?, Source::Dev)),
        },
        None if Path::new(SYSTEM_CONFIG).exists() => load(Path::new(SYSTEM_CONFIG), None),
        None => Ok((dev::config(&dev::default_data_dir())?, Source::Dev)),
    }
}

/// As [`find`], for commands that only need to know where the data is.
///
/// # Errors
/// If the config does not say that.
pub fn find_data(common: &Common) -> Result<(Config, Source), String> {
    let (config, source) = find(common).map_err(|problems| problems.to_string())?;
    if config.data_dir.as_os_str().is_empty() {
        return Err(config.problems.to_string());
    }
    Ok((config, source))
}

fn load(path: &Path, data_dir: Option<&Path>) -> Result<(Config, Source), Problems> {
    let mut config = Config::load(path)?;
    if let Some(data_dir) = data_dir {
        config.data_dir = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    }
    Ok((config, Source::File(path.to_owned())))
}

/// The config file of the server that last ran on a data directory.
fn noted(data_dir: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(datadir::config_note(data_dir)).ok()?;
    (!text.is_empty()).then(|| PathBuf::from(text)).filter(|path| path.exists())
}

/// Where plugins are searched.
pub fn finder(common: &Common, config: Option<&Config>) -> Finder {
    let configured = config.map(|config| config.plugin_dirs.clone()).unwrap_or_default();
    Finder::new(common.plugin_dir.iter().cloned().chain(configured))
}
