//! `dovetail init`: from nothing to a server that can be started.
//!
//! It writes the config and a hardened systemd unit, makes the data directory, and lets the server's own user make the
//! certificate and the first account in it, by the commands of the plugins that the config names. At the end it says what
//! is left to do.
//!
//! **It never overwrites.** What is there just as it would write it is kept, so that a second run, or one after a failure,
//! does the rest; if a file is there that says something else, nothing at all is done. A certificate that is there and lacks a
//! name that was asked for is refused too; that an account is there already, and a given password was not set, is warned of.
//!
//! **How it fails**: with exit code 1 and what to do; what was made until then stays for the next run.

mod account;
mod config;
mod file;
mod guide;
mod owner;
mod plan;
mod unit;

use super::{child::Child, output, Common};
use clap::Args;
use file::State;
use plan::Plan;
use std::{net::IpAddr, path::PathBuf, process::ExitCode};

/// What `init` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
The data directory is --data-dir DIR, or /var/lib/dovetail. Nothing that exists is overwritten.\n\n\
Example:\n  dovetail init --domain example.org --hostname mail.example.org --address you@example.org")]
pub struct Init {
    /// The domain whose mail this server takes
    #[arg(long)]
    domain: String,
    /// The server's own name, which other servers and clients connect to, such as mail.example.org
    #[arg(long)]
    hostname: String,
    /// Where the config goes
    #[arg(long, value_name = "DIR", default_value = "/etc/dovetail")]
    dir: PathBuf,
    /// Who the server runs as: a name, or a number; by default `dovetail`, and without root privileges the caller
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Where the systemd unit goes
    #[arg(long, value_name = "DIR", default_value = "/etc/systemd/system")]
    unit_dir: PathBuf,
    /// Write no systemd unit
    #[arg(long)]
    no_unit: bool,
    /// The first account, which gets postmaster's mail too; by default postmaster@DOMAIN
    #[arg(long)]
    address: Option<String>,
    /// Read the first account's password from standard input, instead of making one and showing it
    #[arg(long)]
    password_stdin: bool,
    /// Listen on this address only; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<IpAddr>,
    /// A further name in the certificate; may be given several times
    #[arg(long, value_name = "NAME")]
    san: Vec<String>,
    /// Print the files that would be written, and do nothing
    #[arg(long)]
    print: bool,
}

/// Does it, or prints what it would do.
pub fn run(common: &Common, init: &Init) -> Result<ExitCode, String> {
    let plan = Plan::new(common, init)?;
    if init.print {
        print(&plan, common.json);
        return Ok(ExitCode::SUCCESS);
    }
    let states = plan.files().iter().map(|file| file.state()).collect::<Vec<_>>();
    let conflicts: Vec<String> = states.iter().filter_map(|state| state.as_ref().err().cloned()).collect();
    if !conflicts.is_empty() {
        return Err(conflicts.join("\n"));
    }
    // Before anything is made: it may not come.
    let given = if init.password_stdin { Some(account::read_password()?) } else { None };

    let mut done = guide::Done::default();
    let owner = owner::find(&plan, &mut done)?;
    let user = owner.as_user();
    Child::new()?.user(user).run(&["--version"], None)?;
    for (file, state) in plan.files().iter().zip(states) {
        let made = state == Ok(State::Missing);
        if made {
            file.write(owner.group_of(file))?;
        }
        done.step(made, &file.path, file.what);
    }
    let made = owner.data_dir(&plan.data_dir)?;
    done.step(made, &plan.data_dir, "data directory");

    let child = Child::new()?.option("--config", plan.config_path()).user(user);
    let certificate = certificate(&child, &plan)?;
    done.step(certificate, &plan.data_dir.join("certs").join(format!("{}.crt", plan.hostname)), "certificate");
    done.account = account::make(&child, &plan.address, given)?;
    child.run(&["check"], None)?;
    done.dns = child.run(&["dns", &plan.domain], None)?;
    done.show(&plan, &owner, common.json);
    Ok(ExitCode::SUCCESS)
}

/// The server's own certificate, self-signed, unless there is one of its name; says whether it was made.
fn certificate(child: &Child, plan: &Plan) -> Result<bool, String> {
    let folder = plan.data_dir.join("certs");
    let folder = folder.to_str().ok_or("the data directory's name is not UTF-8")?;
    let there = std::fs::exists(folder).map_err(|error| format!("{folder}: {error}"))?;
    if there {
        let list = child.json(&["certs", "list", "--dir", folder], None)?;
        let rows = list.as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(row) = rows.iter().find(|row| row["name"] == *plan.hostname) {
            return match plan.sans.iter().find(|san| !is_for(row, san)) {
                None => Ok(false),
                Some(san) => Err(format!(
                    "the certificate {name} is there already and is not for {san}; it was left as it is (leave `--san {san}` out, \
                     or make another with `dovetail certs create --replace --dir {folder} --common-name {name} --san {san}`)",
                    name = plan.hostname
                )),
            };
        }
    }
    let mut words = vec!["certs", "create", "--dir", folder, "--name", &plan.hostname, "--common-name", &plan.hostname];
    for san in &plan.sans {
        words.extend(["--san", san]);
    }
    child.run(&words, None).map(|_| true)
}

/// Whether a certificate, as `certs list` tells of it, has a name that `certs create` would take so. Of names in other letters,
/// which stand in it as xn--, nobody can tell here.
fn is_for(row: &serde_json::Value, san: &str) -> bool {
    let bare = san.trim();
    let (kind, value) = bare.split_once(':').unwrap_or(("", bare));
    let is_kind = ["dns", "ip", "email"].iter().any(|known| known.eq_ignore_ascii_case(kind));
    let wanted = if is_kind { value.trim() } else { bare }.trim_end_matches('.');
    let ip: Option<IpAddr> = wanted.trim_matches(['[', ']']).parse().ok();
    let names = row["names"].as_array().map(Vec::as_slice).unwrap_or_default();
    !wanted.is_ascii()
        || names.iter().filter_map(serde_json::Value::as_str).any(|name| {
            name.eq_ignore_ascii_case(wanted)
                || ip.is_some_and(|ip| name.parse().is_ok_and(|other: IpAddr| other == ip))
        })
}

fn print(plan: &Plan, json: bool) {
    if json {
        let files: Vec<_> = plan
            .files()
            .iter()
            .map(|file| serde_json::json!({ "path": file.path, "mode": format!("{:04o}", file.mode), "text": file.text }))
            .collect();
        output::json(&serde_json::json!({ "files": files }).to_string());
        return;
    }
    for file in plan.files() {
        output::line(&format!("==> {} (mode {:04o})", file.path.display(), file.mode));
        output::line(&file.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_was_written() {
        let row = serde_json::json!({ "names": ["mail.example.org", "2001:db8::1", "you@example.org"] });
        for there in [
            "mail.example.org",
            "Mail.example.org.",
            "DNS:mail.example.org",
            "[2001:DB8::1]",
            "IP: 2001:db8:0::1",
            "you@example.org",
        ] {
            assert!(is_for(&row, there), "{there}");
        }
        assert!(is_for(&row, "b\u{fc}cher.example"), "nobody can tell");
        for missing in ["imap.example.org", "2001:db8::2", "192.0.2.1", "email:ann@example.org"] {
            assert!(!is_for(&row, missing), "{missing}");
        }
    }
}
