//! What `init` was asked for, checked, and the files that come of it.

use super::{config, file::Planned, unit, Init};
use crate::{cli::Common, config::is_hostname};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener},
    path::{Path, PathBuf},
};

/// Where data is unless something else is said.
const DATA_DIR: &str = "/var/lib/dovetail";
/// Who the server runs as unless something else is said.
const USER: &str = "dovetail";
/// What a unit's `ProtectHome` and `PrivateTmp` hide.
const HIDDEN: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

/// Everything that is decided.
#[derive(Debug)]
pub struct Plan {
    /// The domain.
    pub domain: String,
    /// The server's name.
    pub hostname: String,
    /// The first account.
    pub address: String,
    /// Further names of the certificate.
    pub sans: Vec<String>,
    /// Where the config is; absolute.
    pub dir: PathBuf,
    /// Where the data is; absolute.
    pub data_dir: PathBuf,
    /// Where plugins are, besides the usual places.
    pub plugin_dirs: Vec<PathBuf>,
    /// Who the server runs as.
    pub user: String,
    /// Whether somebody named that user.
    pub user_is_given: bool,
    /// The addresses to listen on.
    pub listen: Vec<IpAddr>,
    /// This program.
    pub exe: PathBuf,
    /// Where the unit goes, if one is wanted.
    pub unit_dir: Option<PathBuf>,
    files: Vec<Planned>,
}

impl Plan {
    /// Checks what was asked for, and works out the files.
    ///
    /// # Errors
    /// Says what cannot be.
    pub fn new(common: &Common, init: &Init) -> Result<Plan, String> {
        if common.config.is_some() {
            return Err("`init` writes dovetail.ron into a folder: name that with --dir DIR instead of --config".into());
        }
        let domain = name("--domain", &init.domain)?;
        let address = init.address.clone().unwrap_or_else(|| format!("postmaster@{domain}")).to_ascii_lowercase();
        match address.rsplit_once('@') {
            Some((local, domain)) if !local.is_empty() && is_hostname(domain) => {}
            _ => return Err(format!("--address {address:?} is no mail address; give one such as you@{domain}")),
        }
        let exe = std::env::current_exe().map_err(|error| format!("cannot find the program itself: {error}"))?;
        let mut plan = Plan {
            hostname: name("--hostname", &init.hostname)?,
            domain,
            address,
            sans: init.san.clone(),
            dir: absolute(&init.dir)?,
            data_dir: absolute(common.data_dir.as_deref().unwrap_or(Path::new(DATA_DIR)))?,
            plugin_dirs: common.plugin_dir.iter().map(|dir| absolute(dir)).collect::<Result<_, _>>()?,
            user: user(init.user.as_deref())?,
            user_is_given: init.user.is_some(),
            listen: listen(&init.listen),
            exe: absolute(&exe)?,
            unit_dir: if init.no_unit { None } else { Some(absolute(&init.unit_dir)?) },
            files: Vec::new(),
        };
        plan.files.push(Planned {
            path: plan.config_path(),
            what: "config",
            mode: 0o640,
            for_group: true,
            text: config::text(&plan)?,
        });
        if let Some(dir) = &plan.unit_dir {
            let text = unit::text(&plan)?;
            let path = dir.join("dovetail.service");
            plan.files.push(Planned { path, what: "systemd unit", mode: 0o644, for_group: false, text });
        }
        Ok(plan)
    }

    /// The config file.
    pub fn config_path(&self) -> PathBuf {
        self.dir.join("dovetail.ron")
    }

    /// The files to write.
    pub fn files(&self) -> &[Planned] {
        &self.files
    }

    /// What the unit would hide from the server that it starts.
    pub fn warnings(&self) -> Vec<String> {
        if self.unit_dir.is_none() {
            return Vec::new();
        }
        let paths = [&self.exe, &self.dir, &self.data_dir].into_iter().chain(&self.plugin_dirs);
        paths
            .filter(|path| HIDDEN.iter().any(|hidden| path.starts_with(hidden)))
            .map(|path| {
                format!("the unit hides {} from the server (ProtectHome, PrivateTmp): put it elsewhere", path.display())
            })
            .collect()
    }
}

/// The user: as root a system user, else only the caller can own anything.
fn user(given: Option<&str>) -> Result<String, String> {
    let us = rustix::process::geteuid();
    let user = match given {
        Some(user) => user.to_owned(),
        None if us.is_root() => USER.to_owned(),
        None => super::owner::caller(),
    };
    let good = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    if user.is_empty() || user.len() > 32 || user.starts_with('-') || !user.bytes().all(good) {
        return Err(format!("--user {user:?} cannot be a user's name; use letters, digits, `-` and `_`"));
    }
    Ok(user)
}

/// All addresses, unless some are named; without those of a family that this machine has not.
fn listen(given: &[IpAddr]) -> Vec<IpAddr> {
    if !given.is_empty() {
        return given.to_vec();
    }
    let all = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    all.into_iter().filter(|ip| ip.is_ipv4() || TcpListener::bind((*ip, 0)).is_ok()).collect()
}

fn name(option: &str, text: &str) -> Result<String, String> {
    match is_hostname(text) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(format!(
            "{option} {text:?} is no domain name: use letters, digits, `-` and `.`; write other letters as xn--..."
        )),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn plan() -> Plan {
        Plan {
            domain: "example.org".into(),
            hostname: "mail.example.org".into(),
            address: "postmaster@example.org".into(),
            sans: Vec::new(),
            dir: "/etc/dovetail".into(),
            data_dir: DATA_DIR.into(),
            plugin_dirs: Vec::new(),
            user: USER.into(),
            user_is_given: false,
            listen: vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            exe: "/usr/local/bin/dovetail".into(),
            unit_dir: Some("/etc/systemd/system".into()),
            files: Vec::new(),
        }
    }

    #[test]
    fn what_the_unit_hides_is_said() {
        let mut plan = plan();
        assert!(plan.warnings().is_empty());
        plan.exe = "/home/ann/dovetail/target/release/dovetail".into();
        plan.data_dir = "/homestead".into();
        let warnings = plan.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains("/home/ann/"), "{warnings:?}");
    }

    #[test]
    fn names_are_checked_and_written_one_way() {
        assert_eq!(name("--domain", "Example.ORG").unwrap(), "example.org");
        for bad in ["", "a b", "ü.example", "127.0.0.1", "x\n.org"] {
            assert!(name("--domain", bad).unwrap_err().starts_with("--domain "), "{bad}");
        }
        for bad in ["", "-x", "a b", "x;y", "a/b"] {
            user(Some(bad)).unwrap_err();
        }
    }
}
