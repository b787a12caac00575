//! A directory: who may log in, and where addresses go.

#[cfg(test)]
mod tests;

use dovetail_sdk::{
    directory::{
        AddressKind, AuthOutcome, AuthStatus, CertificateAttempt, CertificateOutcome, Directory, DirectoryFailure,
        DirectoryProvider, LoginMethods, PasswordAttempt, Proven, Resolution, ScramKeys, ScramRequest,
    },
    export_plugin, About, Context, Plugin, Problems, StartFailure,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The instance's section in the server's configuration.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Domains that are ours.
    domains: Vec<String>,
    /// Addresses that can log in, with what their password hashes to.
    #[serde(default)]
    accounts: BTreeMap<String, Hash>,
}

/// What is kept of a password.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
enum Hash {
    /// SHA-256, in 64 hexadecimal digits.
    Sha256(String),
}

/// One instance. All names are in lower case.
struct {{Name}} {
    domains: Vec<String>,
    accounts: BTreeMap<String, Hash>,
}

impl Plugin for {{Name}} {
    type Config = Config;

    fn validate(config: &Config, _about: &About, problems: &mut Problems) {
        for (address, Hash::Sha256(digits)) in &config.accounts {
            if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                problems.error(format!("the hash of {address} has not 64 hexadecimal digits"), "make it with sha256sum");
            }
            if !config.domains.iter().any(|domain| Some(domain.as_str()) == domain_of(address)) {
                problems.error(format!("{address} is in none of the `domains`"), "add its domain, or correct it");
            }
        }
    }

    async fn start(config: Config, _context: Context) -> Result<Self, StartFailure> {
        Ok({{Name}} {
            domains: config.domains.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
            accounts: config.accounts.into_iter().map(|(address, hash)| (address.to_ascii_lowercase(), hash)).collect(),
        })
    }
}

impl DirectoryProvider for {{Name}} {
    async fn authenticate(&self, attempt: PasswordAttempt) -> Result<AuthOutcome, DirectoryFailure> {
        let name = attempt.authentication_id.to_ascii_lowercase();
        let acts_as = attempt.authorization_id.to_ascii_lowercase();
        let for_another = !acts_as.is_empty() && acts_as != name;
        // Hashed whether or not the name exists, so that the time does not tell.
        let found: String = Sha256::digest(attempt.password.expose()).iter().map(|octet| format!("{octet:02x}")).collect();
        let is_right = match self.accounts.get(&name) {
            Some(Hash::Sha256(digits)) => same(digits.to_ascii_lowercase().as_bytes(), found.as_bytes()),
            None => false,
        };
        Ok(match is_right && !for_another {
            true => AuthOutcome { status: AuthStatus::Accepted, account: Some(name) },
            false => AuthOutcome { status: AuthStatus::Rejected, account: None },
        })
    }

    async fn authenticate_certificate(&self, _: CertificateAttempt) -> Result<CertificateOutcome, DirectoryFailure> {
        Err(DirectoryFailure { message: "this directory finds nobody by certificate".to_owned() })
    }

    /// What is kept is no SCRAM key, so sessions offer nothing but to take the password.
    fn login_methods(&self) -> Result<LoginMethods, DirectoryFailure> {
        Ok(LoginMethods::default())
    }

    async fn scram_keys(&self, _: ScramRequest) -> Result<ScramKeys, DirectoryFailure> {
        Err(DirectoryFailure::new("there are no SCRAM keys here"))
    }

    async fn authorize(&self, _: Proven) -> Result<AuthOutcome, DirectoryFailure> {
        Err(DirectoryFailure::new("there are no SCRAM keys here"))
    }

    async fn resolve(&self, address: String) -> Result<Resolution, DirectoryFailure> {
        let address = address.to_ascii_lowercase();
        let is_ours = domain_of(&address).is_some_and(|domain| self.domains.iter().any(|ours| ours == domain));
        Ok(match (self.accounts.contains_key(&address), is_ours) {
            (true, _) => Resolution { kind: AddressKind::Local, accounts: vec![address] },
            (false, true) => Resolution { kind: AddressKind::Unknown, accounts: vec![] },
            (false, false) => Resolution { kind: AddressKind::Remote, accounts: vec![] },
        })
    }

    async fn may_send_as(&self, account: String, address: String) -> Result<bool, DirectoryFailure> {
        Ok(account.eq_ignore_ascii_case(&address))
    }
}

fn domain_of(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain)
}

/// Compares in a time that does not depend on where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

export_plugin! {
    plugin: {{Name}},
    id: "{{name}}",
    summary: "Accounts from the configuration",
    provides: [Directory],
    requires: [],
}
