//! The plugin's section of the configuration.

use std::path::PathBuf;

use dovetail_sdk::{About, Problems};
use serde::Deserialize;

/// Values in a database.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The database; relative to the data directory.
    pub file: PathBuf,
    /// Most entries of one namespace: at least 1.
    pub max_entries: u64,
    /// What has ended is removed so often, in seconds: 1 to 86400. It is not shown to anybody meanwhile.
    pub sweep_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config { file: "kv.sqlite".into(), max_entries: 1_000_000, sweep_seconds: 60 }
    }
}

impl Config {
    /// Finds what cannot work.
    pub fn check(&self, about: &About, problems: &mut Problems) {
        if self.file.file_name().is_none() {
            problems
                .error("file names no file", format!("name one below {}, or leave it out", about.data_dir.display()));
        }
        if self.max_entries == 0 {
            problems.error("max_entries is 0, so nothing could be kept", "set 1 or more, or leave it out");
        }
        if !(1..=DAY).contains(&self.sweep_seconds) {
            problems
                .error(format!("sweep_seconds is {}", self.sweep_seconds), format!("set 1 to {DAY}, or leave it out"));
        }
    }
}

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use crate::service::Values;
    use dovetail_testkit::TestHost;

    #[test]
    fn sections() {
        let host = TestHost::new();
        assert_eq!(host.check::<Values>("(max_entries: 1, sweep_seconds: 86400)"), Ok(vec![]));
        for (section, words) in [
            ("(file: \"\")", "names no file"),
            ("(file: \"kv/..\")", "names no file"),
            ("(max_entries: 0)", "max_entries is 0"),
            ("(sweep_seconds: 0)", "sweep_seconds is 0"),
            ("(sweep_seconds: 86401)", "sweep_seconds is 86401"),
            ("(max_entrys: 1)", "max_entrys"),
        ] {
            let found = host.check::<Values>(section).unwrap_err();
            assert!(found[0].message.contains(words), "{section}: {found:?}");
        }
    }
}
