//! A directory of accounts in a RON file that people can edit (`dovetail.directory/1`), and the operations `dovetail
//! accounts`.
//!
//! * [`content`] is what stands in the file, [`file`] how it is read and replaced, [`live`] how a running server follows it.
//! * [`book`] answers where an address goes and who may use it.
//! * [`password`] (and [`imported`]), [`cache`] and [`gate`] check passwords; [`scram`] has the keys of those that are proved and
//!   not said, [`fakes`] such keys for nobody; [`upgrade`] brings up to date what is kept of them ([`stored`]).
//! * [`directory`] puts it all together.
//! * [`certificate`], [`mapping`] and [`certificate_login`] find the account that a client's certificate stands for.
//! * [`operations`] and [`edit`] change the file.
//!
//! **How it fails.** A file with a mistake is no start; later it changes nothing and is logged with its position. A client
//! whose password cannot be checked now is told to try later.
//!
//! **Bounds.** The file 16 MiB with 100,000 accounts; password checks at once and waiting; remembered passwords; the
//! accounts that an address stands for. RFC 5321 (addresses, postmaster), RFC 5233 (subaddresses), RFC 9106 (argon2), RFC 5802,
//! 5803 and 7677 (SCRAM), RFC 5280
//! (certificates).

mod book;
mod cache;
mod certificate;
mod certificate_login;
mod config;
mod content;
mod directory;
mod edit;
mod fakes;
mod file;
mod fingerprint;
mod gate;
mod imported;
mod live;
mod mapping;
mod misfit;
mod name;
mod operations;
mod password;
mod scram;
mod scratch;
mod stored;
mod table;
mod upgrade;

use cache::Cache;
use config::Config;
use dovetail_sdk::{
    directory::Directory,
    export_plugin,
    operations::{Operation, Operations},
    secret_notice, task, About, Context, Plugin, Problems, Purpose, ReloadFailure, Secret, StartFailure,
};
use fakes::Fakes;
use gate::Gate;
use live::Live;
use mapping::By;
use name::Name;
use scram::Scram;
use scratch::Scratch;
use std::{sync::Arc, time::Instant};
use stored::Costs;
use upgrade::Upgrades;

/// One directory, over one file.
struct Accounts {
    live: Arc<Live>,
    costs: Costs,
    /// Checked in place of a hash for names that have none, so that they take as long.
    decoy: String,
    cache: Cache,
    gate: Gate,
    scratch: Arc<Scratch>,
    scram: Scram,
    /// What new SCRAM keys take, and those of nobody.
    scram_iterations: u32,
    fakes: Fakes,
    upgrades: Arc<Upgrades>,
    /// By what certificates of clients lead to accounts.
    certificate_logins: Vec<By>,
}

impl Plugin for Accounts {
    type Config = Config;

    fn validate(config: &Config, _about: &About, problems: &mut Problems) {
        config.validate(problems);
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let costs = config.costs();
        let accounts = Accounts {
            live: open(&config, &context.about).await?,
            costs,
            decoy: password::decoy(costs.hash).map_err(StartFailure::new)?,
            cache: Cache::new(config.password_cache.time_to_live(), config.password_cache.max_accounts)
                .map_err(StartFailure::new)?,
            gate: Gate::new(config.max_parallel_hashes, config.max_waiting_hashes),
            scratch: Arc::default(),
            scram: config.scram,
            scram_iterations: config.scram_iterations,
            fakes: keys_of_nobody(&config, &context.about).await?,
            upgrades: Arc::new(Upgrades::new(costs)),
            certificate_logins: config.certificate_logins.clone(),
        };
        if !accounts.live.exists() {
            match config.create_first.filter(|_| context.about.purpose == Purpose::Serve) {
                Some(name) => create_first(accounts.live.clone(), name, costs).await?,
                None => tracing::warn!(
                    "there are no accounts yet: {} does not exist; add one with `dovetail accounts add ADDRESS`",
                    accounts.live.path().display()
                ),
            }
        }
        Ok(accounts)
    }

    async fn reload(&self) -> Result<(), ReloadFailure> {
        self.upgrades.reset();
        let live = self.live.clone();
        let read = task::spawn_blocking(move || live.reread()).await.map_err(ReloadFailure::new)?;
        read.map_err(|error| ReloadFailure::new(format!("{error}; the accounts known so far stay in force")))
    }

    fn operations() -> Vec<Operation> {
        operations::describe()
    }
}

async fn open(config: &Config, about: &About) -> Result<Arc<Live>, StartFailure> {
    let (path, settings) = (config.path(about), config.settings(about));
    let opened = task::spawn_blocking(move || Live::open(path, settings, Instant::now())).await;
    let live = opened.map_err(StartFailure::new)?.map_err(StartFailure::new)?;
    Ok(Arc::new(live))
}

/// The keys of nobody. Where no client is served nothing is written for them.
async fn keys_of_nobody(config: &Config, about: &About) -> Result<Fakes, StartFailure> {
    if about.purpose != Purpose::Serve {
        return Fakes::passing().map_err(StartFailure::new);
    }
    let path = config.secret_path(about);
    let opened = task::spawn_blocking(move || Fakes::open(&path)).await;
    opened.map_err(StartFailure::new)?.map_err(StartFailure::new)
}

/// Makes the first account and hands its password over.
async fn create_first(live: Arc<Live>, name: Name, costs: Costs) -> Result<(), StartFailure> {
    let password = password::generate().map_err(StartFailure::new)?;
    let secret = Secret::new(password.as_bytes().to_vec());
    let (label, changed) = (format!("the password of {name}"), live.clone());
    let made = task::spawn_blocking(move || {
        let stored = costs.store(password.as_bytes()).map_err(StartFailure::new)?;
        changed.change(|content| edit::add(content, name, stored)).map_err(StartFailure::new)
    });
    made.await.map_err(StartFailure::new)??;
    secret_notice(label, secret, "first-password").inspect_err(|_| {
        // An account whose password nobody knows would keep the next start from making one. Nothing else is in the file.
        if let Err(error) = std::fs::remove_file(live.path()) {
            tracing::error!("{} cannot be removed: {error}", live.path().display());
        }
    })
}

export_plugin! {
    plugin: Accounts,
    id: "accounts-file",
    summary: "Accounts, passwords and aliases in a file that people can edit",
    command: "accounts",
    provides: [Directory, Operations],
    requires: [],
}
