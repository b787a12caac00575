//! `dovetail dns DOMAIN`: the records to publish for a domain, from what the config really serves.
//!
//! Lines of a zone file (RFC 1035 section 5.1), each with a comment that says what it is for: MX, addresses, SPF (RFC 7208),
//! DMARC (RFC 7489), TLSA (RFC 6698, 7672) and SRV (RFC 6186, 8314). Nothing is printed that this server doesn't serve, and
//! nothing that would have to be filled in: what is not known is said in a comment.
//!
//! **How it fails**: on a bad config. Without access to certificates or accounts it prints the rest and says why.

mod address;
mod records;

use super::{child::Child, output, place, Common};
use crate::{config::is_hostname, config::Config, server::Source};
use clap::Args;
use records::{Facts, Zone};
use serde_json::Value;
use std::{os::unix::fs::MetadataExt, path::Path, process::ExitCode};

/// What `dns` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dovetail dns example.org --config /etc/dovetail/dovetail.ron")]
pub struct Dns {
    /// The domain whose mail comes to this server
    domain: String,
}

/// Prints the records.
pub fn run(common: &Common, dns: &Dns) -> Result<ExitCode, String> {
    let domain = dns.domain.trim_end_matches('.').to_ascii_lowercase();
    if !is_hostname(&domain) {
        return Err(format!("{domain:?} is no domain name: use letters, digits, `-` and `.`, and xn--... for others"));
    }
    let (config, source) = place::find(common).map_err(|problems| problems.to_string())?;
    if config.problems.has_errors() {
        return Err(config.problems.to_string());
    }
    let child = child(common, &config, &source)?;
    let mut hints = Vec::new();
    match is_ours(&child, &domain) {
        Ok(true) => {}
        Ok(false) => hints.push(format!(
            "{domain} is no domain of this server: mail to it is refused until `accounts-file` has it in `domains`, or an \
             account or alias domain is added"
        )),
        Err(error) => hints.push(format!("whether {domain} is a domain of this server is not known: {error}")),
    }
    let keys =
        keys(&child, &config).map_err(|error| hints.push(format!("no TLSA record: {error}"))).unwrap_or_default();
    let addresses = address::of(&config);
    let zone = Zone::new(&Facts { domain: &domain, config: &config, addresses: &addresses, keys: &keys }, hints);
    match common.json {
        true => output::json(&zone.to_json().to_string()),
        false => output::line(zone.to_string().trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Operations of this server; as its user, if we are root and may.
fn child(common: &Common, config: &Config, source: &Source) -> Result<Child, String> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()));
    let mut child = Child::new()?;
    if let Source::File(path) = source {
        child = child.option("--config", absolute(path)?);
    }
    child = child.option("--data-dir", absolute(&config.data_dir)?);
    for dir in &common.plugin_dir {
        child = child.option("--plugin-dir", absolute(dir)?);
    }
    let us = rustix::process::geteuid();
    let owner = std::fs::metadata(&config.data_dir).ok().filter(|data| us.is_root() && data.uid() != 0);
    Ok(child.user(owner.map(|data| (data.uid(), data.gid()))))
}

fn is_ours(child: &Child, domain: &str) -> Result<bool, String> {
    let list = child.json(&["accounts", "list"], None)?;
    let in_domains = list["domains"].as_array().is_some_and(|all| all.iter().any(|one| one == domain));
    Ok(in_domains || list["alias_domains"].get(domain).is_some())
}

/// The SHA-256 of each public key that other servers may see on port 25, in hex: they get the pair whose kind of key they know.
fn keys(child: &Child, config: &Config) -> Result<Vec<String>, String> {
    let listener = records::exchangers(config).next();
    let list = child.json(&["certs", "list"], None)?;
    let rows = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let named = listener.and_then(|listener| listener.options.certificate.as_deref());
    let names = served(rows, named, &config.hostname);
    if names.is_empty() {
        let wanted = named.unwrap_or(&config.hostname);
        return Err(format!("there is no valid certificate for {wanted} (`dovetail certs list`)"));
    }
    names.into_iter().map(|name| key(child, name)).collect()
}

/// The names of the pairs that are served for a host, or by the name that a listener gives; as the store chooses them, and
/// nothing that cannot be used: a record for it would do harm.
fn served<'a>(rows: &'a [Value], named: Option<&str>, host: &str) -> Vec<&'a str> {
    let name = |row: &'a Value| row["name"].as_str().unwrap_or_default();
    let fits = |row: &&Value| match named {
        Some(wanted) => identity(row["name"].as_str().unwrap_or_default()) == identity(wanted),
        None => row["names"].as_array().is_some_and(|names| names.iter().any(|name| matches(name.as_str(), host))),
    };
    let valid: Vec<&Value> = rows.iter().filter(|row| row["state"] == "valid").filter(fits).collect();
    let Some(first) = valid.first().map(|row| identity(name(row))) else { return Vec::new() };
    let mut of_one: Vec<&Value> = valid.into_iter().filter(|row| identity(name(row)) == first).collect();
    if of_one.iter().any(|row| row["issuer"] != SELF_SIGNED) {
        of_one.retain(|row| row["issuer"] != SELF_SIGNED);
    }
    of_one.into_iter().map(name).collect()
}

/// What the pairs `NAME` and `NAME+rsa` have in common.
fn identity(name: &str) -> &str {
    name.split_once('+').map_or(name, |(identity, _)| identity)
}

fn key(child: &Child, name: &str) -> Result<String, String> {
    let shown = child.json(&["certs", "show", name], None)?;
    let hex: String =
        shown["key_sha256"].as_str().unwrap_or_default().chars().filter(char::is_ascii_hexdigit).collect();
    match hex.len() {
        64 => Ok(hex.to_ascii_lowercase()),
        _ => Err(format!("`dovetail certs show {name}` tells no SHA-256 of the key")),
    }
}

/// What `certs list` says of an issuer that is the holder.
const SELF_SIGNED: &str = "self-signed";

/// Whether a certificate's name is for a host: the same, or a wildcard for its first label.
fn matches(name: Option<&str>, host: &str) -> bool {
    let Some(name) = name else { return false };
    let wild = name
        .strip_prefix("*.")
        .zip(host.split_once('.'))
        .is_some_and(|(rest, (_, parent))| rest.eq_ignore_ascii_case(parent));
    wild || name.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_certificates() {
        for (name, yes) in [
            ("mail.example.org", true),
            ("MAIL.example.org", true),
            ("*.example.org", true),
            ("*.org", false),
            ("example.org", false),
            ("*.mail.example.org", false),
        ] {
            assert_eq!(matches(Some(name), "mail.example.org"), yes, "{name}");
        }
        assert!(!matches(None, "mail.example.org"));
    }

    #[test]
    fn a_key_for_each_pair_that_is_served() {
        let row = |name: &str, host: &str, issuer: &str, state: &str| serde_json::json!({"name": name, "names": [host], "issuer": issuer, "state": state});
        let (host, own) = ("mail.test", "self-signed");
        let mut rows = vec![
            row("a", host, own, "expired"),
            row("mail", host, own, "valid"),
            row("mail+rsa", host, own, "valid"),
            row("other", host, "CA", "valid"),
            row("x", "x.test", own, "valid"),
        ];
        assert_eq!(served(&rows, None, host), ["mail", "mail+rsa"]);
        assert_eq!(served(&rows, Some("x"), host), ["x"]);
        assert!(served(&rows, Some("a"), host).is_empty() && served(&rows, None, "no.test").is_empty());
        // One that waits for its authority is not served beside one that has come back from there.
        rows[1] = row("mail", host, "CA", "valid");
        assert_eq!(served(&rows, Some("mail+rsa"), host), ["mail"]);
    }
}
