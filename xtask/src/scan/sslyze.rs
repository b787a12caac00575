//! sslyze: Mozilla's intermediate profile, as Mozilla writes it down.

use super::{finding::Found, server::HOST, Target};
use crate::{error::Error, run};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// How sslyze is called.
pub struct Program {
    /// The folder with its packages, unless it is in `PATH`.
    packages: Option<PathBuf>,
}

impl Program {
    /// That in `PATH`, or that of an earlier run, or fetches it.
    pub fn find(root: &Path, folder: &Path) -> Result<Program, Error> {
        if run::exists("sslyze") {
            return Ok(Program { packages: None });
        }
        let packages = folder.join("sslyze");
        let wanted = root.join("xtask/src/scan/requirements.txt");
        let installed = packages.join("installed");
        let versions = fs::read(&wanted).map_err(Error::file(&wanted))?;
        // Whole and of these versions, or anew.
        if fs::read(&installed).ok().as_ref() != Some(&versions) {
            let _ = fs::remove_dir_all(&packages);
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--disable-pip-version-check"]);
            pip.args(["--no-deps", "--require-hashes", "--target"]).arg(&packages).arg("-r").arg(&wanted);
            run::output(&mut pip)?;
            fs::write(&installed, versions).map_err(Error::file(&installed))?;
        }
        Ok(Program { packages: Some(packages) })
    }

    fn command(&self) -> Command {
        match &self.packages {
            Some(packages) => {
                let mut command = Command::new("python3");
                command.env("PYTHONPATH", packages).args(["-m", "sslyze"]);
                command
            }
            None => Command::new("sslyze"),
        }
    }
}

/// Scans a port.
pub fn scan(target: &Target<'_>) -> Result<Vec<Found>, Error> {
    let mut command = target.sslyze.command();
    command.args(["--mozilla_config", "intermediate", "--certinfo_ca_file"]).arg(target.ca);
    // What the check needs runs by itself; this is what else may not be.
    command.arg("--early_data");
    if let Some(protocol) = target.port.starttls {
        command.args(["--starttls", protocol]);
    }
    command.arg(format!("{HOST}:{}{{127.0.0.1}}", target.number));
    let content = target.run(&mut command, "sslyze.txt")?;
    let path = target.file("sslyze.txt");
    let said = fs::read_to_string(&path).map_err(Error::file(&path))?;
    Ok(read(&said, content))
}

fn read(said: &str, content: bool) -> Vec<Found> {
    let verdict = said.rsplit_once(VERDICT).map_or("", |(_, verdict)| verdict);
    let issues = verdict.lines().filter_map(|line| line.trim().strip_prefix("* "));
    let mut found: Vec<Found> = issues
        .map(|issue| {
            let (id, text) = issue.split_once(": ").unwrap_or((issue, ""));
            Found::new(id, "NOT COMPLIANT", text)
        })
        .collect();
    if found.is_empty() && !(content && verdict.contains("OK - Compliant.")) {
        found.push(Found::new("scan", "MISSING", "the scan did not come to a verdict"));
    }
    let early_data = said.split_once(EARLY_DATA).and_then(|(_, rest)| rest.trim_start().lines().next());
    if early_data.map(str::trim) != Some("Not Supported") {
        found.push(Found::new("early_data", "BAD", early_data.unwrap_or("nothing is said of it")));
    }
    found
}

/// Its name.
pub const NAME: &str = "sslyze";
/// What stands above the verdict.
const VERDICT: &str = "Checking results against Mozilla's \"intermediate\"";
/// What stands above its answer.
const EARLY_DATA: &str = "TLS 1.3 Early Data:";

#[cfg(test)]
mod tests {
    use super::*;

    fn said(early_data: &str, verdict: &str) -> String {
        format!(
            " * TLS 1.3 Early Data:\n          {early_data}\n\n    Checking results against Mozilla's \"intermediate\" configuration. See \
             https://ssl-config.mozilla.org/ for more details.\n\n    mail.scan.test:1: {verdict}\n"
        )
    }

    #[test]
    fn the_verdict_counts() {
        let good = said("Not Supported", "OK - Compliant.");
        assert_eq!(read(&good, true), []);
        assert_eq!(read(&good, false).len(), 1);
        let bad =
            said("Not Supported", "FAILED - Not compliant.\n        * tls_curves: TLS curves {'x'} are supported\n");
        assert_eq!(read(&bad, false), [Found::new("tls_curves", "NOT COMPLIANT", "TLS curves {'x'} are supported")]);
        let early = said("Suppported - Server accepted early data", "OK - Compliant.");
        assert_eq!(read(&early, true).len(), 1);
    }

    #[test]
    fn nothing_is_no_pass() {
        assert_eq!(read("", true).len(), 2);
        assert_eq!(read(&said("Not Supported", "ERROR - Scan did not run successfully"), false).len(), 1);
    }
}
