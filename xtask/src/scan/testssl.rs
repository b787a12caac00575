//! testssl.sh: protocols, cipher suites, certificates, and all vulnerabilities that have a name.

use super::{finding::Found, server::HOST, Target};
use crate::error::Error;
use serde::Deserialize;
use std::{fs, process::Command};

/// An entry of its JSON.
#[derive(Deserialize)]
struct Entry {
    id: String,
    severity: String,
    finding: String,
}

/// Scans a port.
pub fn scan(target: &Target<'_>) -> Result<Vec<Found>, Error> {
    let json = target.file("testssl.json");
    let mut command = Command::new("testssl");
    command.args(["--quiet", "--warnings", "off", "--color", "0", "--nodns", "none", "--ip", "127.0.0.1"]);
    command.args(["--connect-timeout", "20", "--openssl-timeout", "20"]).arg("--add-ca").arg(target.ca);
    command.arg("--jsonfile").arg(&json);
    if target.quick {
        command.args(["-p", "-s", "-f", "-P", "-S", "-U"]);
    }
    if let Some(protocol) = target.port.starttls {
        command.args(["--starttls", protocol]);
    }
    command.arg(format!("{HOST}:{}", target.number));
    // How it ends says how much it found.
    target.run(&mut command, "testssl.txt")?;
    let text = fs::read_to_string(&json).map_err(Error::file(&json))?;
    read(&text)
}

fn read(json: &str) -> Result<Vec<Found>, Error> {
    let entries: Vec<Entry> =
        serde_json::from_str(json).map_err(|source| Error::Json { what: "what testssl.sh wrote".into(), source })?;
    let bad = entries.iter().filter(|entry| !GOOD.contains(&entry.severity.as_str()));
    let mut found: Vec<Found> = bad.map(|entry| Found::new(&entry.id, &entry.severity, &entry.finding)).collect();
    // What is always asked, up to the last; without it the scan broke off.
    let missing = ASKED.iter().filter(|id| !entries.iter().any(|entry| entry.id == **id));
    found.extend(missing.map(|id| Found::new(*id, "MISSING", "the scan did not get so far")));
    Ok(found)
}

/// Its name.
pub const NAME: &str = "testssl.sh";
/// What is no finding. `WARN` is one: something could not be found out.
const GOOD: [&str; 4] = ["OK", "INFO", "LOW", "DEBUG"];
const ASKED: &[&str] = &["TLS1_2", "TLS1_3", "heartbleed", "secure_renego", "RC4"];

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(more: &str) -> String {
        let asked = ASKED.iter().map(|id| format!(r#"{{"id":"{id}","severity":"OK","finding":"not offered"}}"#));
        format!("[{}{more}]", asked.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn what_is_above_low_is_found() {
        let entry = |severity| format!(r#",{{"id":"x","ip":"h/1","port":"1","severity":"{severity}","finding":"f"}}"#);
        for severity in ["OK", "INFO", "LOW", "DEBUG"] {
            assert_eq!(read(&entries(&entry(severity))).unwrap(), [], "{severity}");
        }
        for severity in ["MEDIUM", "HIGH", "CRITICAL", "FATAL", "WARN"] {
            assert_eq!(read(&entries(&entry(severity))).unwrap(), [Found::new("x", severity, "f")]);
        }
    }

    #[test]
    fn a_scan_that_broke_off_is_no_pass() {
        assert_eq!(read("[]").unwrap().len(), ASKED.len());
        assert!(read("").is_err());
    }
}
