//! The plugin's config section.

use crate::{
    book::Settings,
    mapping::{self, By},
    name::{DomainName, Name},
    password::Cost,
    scram::{self, Scram},
    stored::Costs,
};
use dovetail_mail::sasl::scram::MAX_ITERATIONS;
use dovetail_sdk::{About, Problems};
use std::{path::PathBuf, time::Duration};

/// What an operator may set; everything has a default.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The accounts file. Default: `accounts.ron` in the data directory.
    pub file: Option<PathBuf>,
    /// Domains that are ours even if no account or alias is in them. Mail to postmaster is taken in each. Default:
    /// `hostname`.
    pub domains: Option<Vec<DomainName>>,
    /// An account that is made with a random password when the accounts file does not exist. The password is shown once on
    /// a terminal, else written to `first-password` in the data directory.
    pub create_first: Option<Name>,
    /// What begins a subaddress, as in `you+shop@example.org`: one of `+ - = _ # % & ! ~ ^`, or `None` for no subaddresses.
    pub subaddress_separator: Option<char>,
    /// What the hash of a new password (argon2id) costs; a login costs as much, unless the password is remembered.
    pub password_hash: Cost,
    /// How many passwords are checked at once: 1 to 64. Each takes the memory of its hash and keeps a core busy.
    pub max_parallel_hashes: usize,
    /// How many more may wait, up to 100000, before clients are told to try later.
    pub max_waiting_hashes: usize,
    /// Right passwords that are remembered, as a keyed hash in memory, so that not each login costs a whole hash.
    pub password_cache: PasswordCache,
    /// Whether SCRAM-SHA-256 (and -PLUS, under TLS) is offered: `Auto`, if every account that may log in has keys for it; `On`, to
    /// all, and accounts without keys cannot log in with a client that takes it; `Off`, to nobody, and new passwords get no keys.
    /// Keys are made with each new password, and at the first login with an older one by a mechanism that says it.
    pub scram: Scram,
    /// Iterations of new SCRAM keys: 10000 to 10000000. A client computes them at each login, and whoever has stolen the accounts
    /// file at each guess.
    pub scram_iterations: u32,
    /// By what the certificate of a client leads to the account that it may log in to without a password, on listeners that
    /// verify certificates of clients: `Key`, its key is among the account's `certificates` in the accounts file;
    /// `AlternativeName` and `Subject`, the account's address is in the certificate, so that whoever issues them says who may
    /// log in as whom. They are tried in this order. An empty list lets nobody in by certificate. `Subject` is for old
    /// authorities, and only where each anchor may vouch for every account: bounds that an anchor itself has (`nameConstraints`)
    /// are not kept for subjects. Default: `[Key, AlternativeName]`.
    pub certificate_logins: Vec<By>,
}

/// How long, and how many, right passwords are remembered.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordCache {
    /// For so many seconds; 0 turns it off. A changed password ends it at once.
    pub seconds: u32,
    /// For so many accounts; 0 turns it off.
    pub max_accounts: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            file: None,
            domains: None,
            create_first: None,
            subaddress_separator: Some('+'),
            password_hash: Cost::default(),
            max_parallel_hashes: 2,
            max_waiting_hashes: 100,
            password_cache: PasswordCache::default(),
            scram: Scram::default(),
            scram_iterations: scram::DEFAULT_ITERATIONS,
            certificate_logins: mapping::DEFAULT.to_vec(),
        }
    }
}

impl Default for PasswordCache {
    fn default() -> Self {
        PasswordCache { seconds: 600, max_accounts: 100_000 }
    }
}

impl Config {
    /// Finds what the types allow and we don't.
    pub fn validate(&self, problems: &mut Problems) {
        if let Err(error) = self.password_hash.check() {
            problems.error(format!("`password_hash`: {error}"), "leave it out for argon2id with 19 MiB and 2 passes");
        }
        if !(1..=MAX_PARALLEL).contains(&self.max_parallel_hashes) {
            let found = self.max_parallel_hashes;
            problems.error(
                format!("`max_parallel_hashes` is {found}; it must be 1 to {MAX_PARALLEL}"),
                "take the number of cores that logins may keep busy",
            );
        }
        if self.max_waiting_hashes > MAX_WAITING {
            let found = self.max_waiting_hashes;
            problems.error(
                format!("`max_waiting_hashes` is {found}; it must be at most {MAX_WAITING}"),
                "clients would give up long before their turn",
            );
        }
        if let Some(separator) = self.subaddress_separator.filter(|separator| !"+-=_#%&!~^".contains(*separator)) {
            problems.error(
                format!("`subaddress_separator` is {separator:?}, which cannot divide a name from its subaddress"),
                "take '+' or '-', or `None` to have no subaddresses",
            );
        }
        if !(scram::MIN_ITERATIONS..=MAX_ITERATIONS).contains(&self.scram_iterations) {
            let (found, least) = (self.scram_iterations, scram::MIN_ITERATIONS);
            problems.error(
                format!("`scram_iterations` is {found}; it must be {least} to {MAX_ITERATIONS}"),
                format!("leave it out for {}", scram::DEFAULT_ITERATIONS),
            );
        }
        if let Some(by) = twice(&self.certificate_logins) {
            problems.error(format!("`certificate_logins` has {by:?} twice"), "name each once");
        }
        if let Some(name) = self.create_first.as_ref().filter(|name| name.is_catch_all()) {
            problems.error(
                format!("`create_first` is {name}, which is not one account"),
                "name one, such as you@example.org",
            );
        }
    }

    /// Where the accounts file is.
    pub fn path(&self, about: &About) -> PathBuf {
        match &self.file {
            Some(path) => about.config_dir.join(path),
            None => about.in_data_dir("accounts.ron"),
        }
    }

    /// The secret behind the SCRAM keys of names that have none.
    pub fn secret_path(&self, about: &About) -> PathBuf {
        about.in_data_dir("scram-secret")
    }

    /// What it costs to keep a password.
    pub fn costs(&self) -> Costs {
        let scram = (self.scram != Scram::Off).then_some(self.scram_iterations);
        Costs { hash: self.password_hash, scram }
    }

    /// What the book of accounts needs to know.
    pub fn settings(&self, about: &About) -> Settings {
        let domains = match &self.domains {
            Some(domains) => domains.clone(),
            // A host name that is no domain (a bare IP address) is not ours to take mail for.
            None => about.hostname.parse().into_iter().collect(),
        };
        Settings { domains, separator: self.subaddress_separator }
    }
}

impl PasswordCache {
    /// How long.
    pub fn time_to_live(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

fn twice(rules: &[By]) -> Option<By> {
    rules.iter().enumerate().find(|(at, by)| rules.iter().take(*at).any(|before| before == *by)).map(|(_, by)| *by)
}

const MAX_PARALLEL: usize = 64;
const MAX_WAITING: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Accounts;
    use dovetail_testkit::TestHost;

    #[test]
    fn subjects_are_believed_only_if_the_operator_says_so() {
        assert_eq!(Config::default().certificate_logins, [By::Key, By::AlternativeName]);
    }

    #[tokio::test]
    async fn good_and_bad_sections() {
        let host = TestHost::new();
        for good in [
            "()",
            "(file: \"/etc/dovetail/accounts.ron\", domains: [\"Example.org\"], create_first: \"you@localhost\")",
            "(subaddress_separator: None, password_cache: (seconds: 0))",
            "(certificate_logins: [])",
            "(scram: Off)",
            "(scram: On, scram_iterations: 10000)",
            "(certificate_logins: [Subject, Key])",
            "(subaddress_separator: '-', password_hash: (memory_kib: 65536), max_parallel_hashes: 4)",
        ] {
            assert_eq!(host.check::<Accounts>(good), Ok(vec![]), "{good}");
        }
        for (bad, words) in [
            ("(fil: \"x\")", "fil"),
            ("(domains: [\"a_b\"])", "domain"),
            ("(create_first: \"you\")", "no @"),
            ("(create_first: \"*@x.org\")", "not one account"),
            ("(subaddress_separator: '@')", "cannot divide"),
            ("(scram: Maybe)", "Auto"),
            ("(scram_iterations: 9999)", "must be 10000 to 10000000"),
            ("(scram_iterations: 10000001)", "must be 10000 to 10000000"),
            ("(certificate_logins: [Issuer])", "AlternativeName"),
            ("(certificate_logins: [Key, Subject, Key])", "twice"),
            ("(max_parallel_hashes: 0)", "1 to 64"),
            ("(max_waiting_hashes: 1000000)", "at most"),
            ("(password_hash: (memory_kib: 1))", "memory must be"),
        ] {
            let found = host.check::<Accounts>(bad).unwrap_err();
            assert!([&found[0].message, &found[0].help].iter().any(|said| said.contains(words)), "{bad}: {found:?}");
        }
    }
}
