//! The configuration of `dovetail serve --dev`: a whole server on unprivileged loopback ports.

use super::{model::Config, report::Problems};
use std::path::{Path, PathBuf};

/// The text; also the smallest complete example.
pub const TEXT: &str = include_str!("../../../conf/dev.ron");
/// What messages call it.
pub const NAME: &str = "conf/dev.ron (built in)";

/// The development configuration with its data in `data_dir`.
///
/// # Errors
/// None, unless the built-in text is wrong; a test loads it.
pub fn config(data_dir: &Path) -> Result<Config, Problems> {
    let absolute = std::path::absolute(data_dir).map_err(|error| {
        Problems::one(
            format!("the data directory {} cannot be used: {error}", data_dir.display()),
            "name another with --data-dir",
        )
    })?;
    let mut config = Config::parse(NAME, TEXT.to_owned(), &absolute)?;
    config.data_dir = absolute;
    Ok(config)
}

/// Where `--dev` keeps its data unless `--data-dir` says otherwise: the user's data directory.
pub fn default_data_dir() -> PathBuf {
    let base = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share")));
    base.unwrap_or_else(|| PathBuf::from(".")).join("dovetail-dev")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_configuration_is_good_and_stays_on_loopback() {
        let config = config(Path::new("/tmp/x")).unwrap();
        assert_eq!(config.hostname, "localhost");
        for listener in &config.listeners {
            for bind in &listener.options.bind {
                assert!(bind.ip().is_loopback() && bind.port() > 1023, "{bind}");
            }
        }
    }
}
