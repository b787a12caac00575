//! Which server a command means: its config and its data directory.

use super::Common;
use crate::{
    config::{dev, Config, Problems},
    control::client::Client,
    datadir,
    plugin::finder::Finder,
    server::origin::{Origin, Source},
};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// No path is longer (PATH_MAX).
const MAX_NOTE: u64 = 4096;

/// The config that is used where none is named.
pub const SYSTEM_CONFIG: &str = "/etc/dovetail/dovetail.ron";

/// Finds config and data directory.
///
/// `--config` names both. `--data-dir` alone means the server that last ran there, else a development server. Without
/// either it is the system's config if there is one, else the development server's default place.
///
/// # Errors
/// If the config is bad, or the one that a server last ran with is gone; if `--data-dir` alone names what is not there.
pub fn find(common: &Common) -> Result<(Config, Source), Problems> {
    if let Some(path) = &common.config {
        return load(path, common.data_dir.as_deref());
    }
    match &common.data_dir {
        // A mistyped name would be made a data directory of.
        Some(data_dir) if !data_dir.exists() => {
            let message = format!("there is no data directory {}", data_dir.display());
            Err(Problems::one(message, "correct --data-dir; a server that has not run yet is named with --config"))
        }
        Some(data_dir) => match noted(data_dir)? {
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

/// The server that is meant, which must be running.
///
/// # Errors
/// If it is not, or cannot be reached.
pub fn running(common: &Common) -> Result<Client, String> {
    // It runs, whatever is wrong by now with the config that it was started with.
    let data_dir = match &common.data_dir {
        Some(data_dir) => std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.clone()),
        None => find_data(common)?.0.data_dir,
    };
    let shown = data_dir.display();
    let client = Client::connect(&data_dir).map_err(|error| format!("cannot reach the server of {shown}: {error}"))?;
    client.ok_or_else(|| {
        format!(
            "no server runs on {shown} (start it with `dovetail {}`, or name another with --config or --data-dir)",
            serve(common, find(common).ok().map(|(_, source)| source).as_ref(), Path::new(SYSTEM_CONFIG))
        )
    })
}

/// The command that starts the server of a source, as `dovetail serve` takes its options.
fn serve(common: &Common, source: Option<&Source>, system: &Path) -> String {
    let mut words = match source {
        Some(Source::File(path)) if path == system => "serve".to_owned(),
        Some(Source::File(path)) => format!("serve --config {}", path.display()),
        Some(Source::Dev) => "serve --dev".to_owned(),
        None => "serve --config FILE".to_owned(),
    };
    if let Some(data_dir) = &common.data_dir {
        words.push_str(&format!(" --data-dir {}", data_dir.display()));
    }
    words
}

/// Loads a config; its data may be elsewhere.
///
/// # Errors
/// If the config is bad.
pub fn load(path: &Path, data_dir: Option<&Path>) -> Result<(Config, Source), Problems> {
    let source = Source::File(path.to_owned());
    let origin = Origin {
        source: source.clone(),
        data_dir: data_dir.map(Path::to_owned),
        plugin_dirs: Vec::new(),
        tls_provider: None,
    };
    Ok((origin.read()?, source))
}

/// The config file of the server that last ran on a data directory; none if that was a development server, or none ran.
fn noted(data_dir: &Path) -> Result<Option<PathBuf>, Problems> {
    let note = datadir::config_note(data_dir);
    let bad = |path: &Path, error: io::Error| {
        let help = match error.kind() {
            io::ErrorKind::PermissionDenied => "run the command as the server's user or as root",
            _ => "give --config",
        };
        Problems::one(format!("{}: {error}", path.display()), help)
    };
    let mut text = String::new();
    match File::open(&note).and_then(|file| file.take(MAX_NOTE).read_to_string(&mut text)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(bad(&note, error)),
        Ok(_) if text.is_empty() => return Ok(None),
        Ok(_) => {}
    }
    let path = PathBuf::from(text);
    if !path.try_exists().map_err(|error| bad(&path, error))? {
        let message = format!("{} last ran with {}, which is gone", data_dir.display(), path.display());
        return Err(Problems::one(message, "give --config"));
    }
    Ok(Some(path))
}

/// Where plugins are searched.
pub fn finder(common: &Common, config: Option<&Config>) -> Finder {
    let configured = config.map(|config| config.plugin_dirs.clone()).unwrap_or_default();
    Finder::new(common.plugin_dir.iter().cloned().chain(configured))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_starts_the_server_that_is_meant_is_told() {
        let system = Path::new(SYSTEM_CONFIG);
        let told = |data_dir: Option<&str>, source: Option<Source>| {
            let common =
                Common { config: None, data_dir: data_dir.map(Into::into), plugin_dir: Vec::new(), json: false };
            serve(&common, source.as_ref(), system)
        };
        assert_eq!(told(None, Some(Source::Dev)), "serve --dev");
        assert_eq!(told(Some("/d"), Some(Source::Dev)), "serve --dev --data-dir /d");
        assert_eq!(told(None, Some(Source::File(system.into()))), "serve");
        assert_eq!(told(None, Some(Source::File("/x.ron".into()))), "serve --config /x.ron");
        assert_eq!(told(None, None), "serve --config FILE");
    }

    #[test]
    fn a_data_directory_that_is_not_there_is_no_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("typo");
        let common = Common { config: None, data_dir: Some(data_dir.clone()), plugin_dir: Vec::new(), json: false };
        let error = find(&common).unwrap_err().to_string();
        assert!(error.contains(&format!("there is no data directory {}", data_dir.display())), "{error}");
        assert!(!data_dir.exists());
    }

    #[test]
    fn a_config_that_is_gone_is_named_and_nothing_else_is_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let common = Common { config: None, data_dir: Some(dir.path().into()), plugin_dir: Vec::new(), json: false };
        assert!(matches!(find(&common).unwrap().1, Source::Dev));
        std::fs::create_dir(dir.path().join("run")).unwrap();
        std::fs::write(datadir::config_note(dir.path()), "/nowhere/d.ron").unwrap();
        let expected = format!("{} last ran with /nowhere/d.ron, which is gone (give --config)", dir.path().display());
        assert!(find(&common).unwrap_err().to_string().ends_with(&expected), "{}", find(&common).unwrap_err());
        std::fs::write(datadir::config_note(dir.path()), "").unwrap();
        assert!(matches!(find(&common).unwrap().1, Source::Dev));
    }
}
