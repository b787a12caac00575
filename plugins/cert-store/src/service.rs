//! The running store: answers who gets which certificate, and follows its folder.
//!
//! At the start every pair is read and proved; one that can't be used is named in the log, and a listener that asks
//! for it gets the reason. After that the folder is looked at every second, and at once after an operation.

use std::sync::Arc;
use std::time::Duration;

use dovetail_sdk::certs::{CertsFailure, CertsProvider, Identity};
use dovetail_sdk::operations::Operation;
use dovetail_sdk::{
    notice, task, time as timer, About, Context, Plugin, Problems, Purpose, ReloadFailure, Secret, StartFailure,
};
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::config::Config;
use crate::create::{create, CreateRequest, San};
use crate::folder::{scan, FolderError};
use crate::live::{Changes, Live};
use crate::name::CertName;
use crate::operations;
use crate::publish::{publish, Existing};

/// The plugin's instance.
pub struct CertStore {
    pub(crate) about: About,
    pub(crate) serving: Arc<Serving>,
}

/// The folder in service and whoever waits for it to change.
pub(crate) struct Serving {
    pub live: Live,
    generation: watch::Sender<u64>,
}

impl Plugin for CertStore {
    type Config = Config;

    fn validate(config: &Config, _about: &About, problems: &mut Problems) {
        config.check(problems);
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let about = context.about;
        let config = Config { create_missing: config.create_missing && about.purpose == Purpose::Serve, ..config };
        let serving = Arc::new(Serving::new(Live::new(config.folder(&about), config.default_name())));
        // Without a server there is no folder but the one that each operation names.
        if about.purpose != Purpose::Standalone {
            let (starting, hostname) = (serving.clone(), about.hostname.clone());
            task::spawn_blocking(move || starting.open(&config, &hostname)).await.map_err(StartFailure::new)??;
            task::spawn(follow(serving.clone()));
        }
        Ok(Self { about, serving })
    }

    async fn reload(&self) -> Result<(), ReloadFailure> {
        let serving = self.serving.clone();
        let looked = task::spawn_blocking(move || serving.refresh(Live::rescan)).await.map_err(ReloadFailure::new)?;
        looked.map_err(|error| ReloadFailure::new(format!("{error}; what was loaded before stays in service")))
    }

    fn operations() -> Vec<Operation> {
        operations::descriptions()
    }
}

impl CertsProvider for CertStore {
    fn resolve(&self, certificate: Option<String>, server_name: Option<String>) -> Result<Option<u64>, CertsFailure> {
        self.serving.resolve(certificate.as_deref(), server_name.as_deref())
    }

    fn load(&self, set: u64) -> Result<Vec<Identity>, CertsFailure> {
        self.serving.load(set)
    }

    async fn changed(&self, seen: u64) -> Result<u64, CertsFailure> {
        let mut generation = self.serving.generation.subscribe();
        let newer = generation.wait_for(|now| *now > seen).await;
        newer.map(|now| *now).map_err(|_| failure("the certificate store has stopped"))
    }
}

impl Serving {
    pub(crate) fn new(live: Live) -> Self {
        let (generation, _) = watch::channel(live.generation());
        Self { live, generation }
    }

    /// The first look at the folder; makes the missing certificate if the config says so.
    fn open(&self, config: &Config, hostname: &str) -> Result<(), StartFailure> {
        let folder = self.live.folder();
        let empty = scan(folder).map_err(StartFailure::new)?.is_empty();
        if empty && config.create_missing {
            self.make_missing(config.default_name(), hostname)?;
        }
        self.refresh(Live::rescan).map_err(StartFailure::new)?;
        if let Some(name) = config.default_name() {
            let found = self.live.snapshot().named(&name).is_some();
            if !found && !self.live.snapshot().is_empty() {
                return Err(StartFailure::new(self.missing(name.as_str())));
            }
        }
        Ok(())
    }

    fn make_missing(&self, name: Option<CertName>, hostname: &str) -> Result<(), StartFailure> {
        let mut request = CreateRequest::for_host(hostname);
        request.name = name;
        if hostname == "localhost" {
            // What a developer types into a client.
            request.sans = ["127.0.0.1", "::1"].into_iter().filter_map(|ip| ip.parse().ok()).map(San::Ip).collect();
        }
        let failed = |error: &dyn std::fmt::Display| {
            StartFailure::new(format!("can't make the missing certificate for {hostname}: {error}"))
        };
        let (pair, certificate) = create(&request, OffsetDateTime::now_utc()).map_err(|error| failed(&error))?;
        publish(self.live.folder(), &pair, Existing::Refuse).map_err(|error| failed(&error))?;
        notice(format!(
            "made a self-signed certificate for {hostname}, SHA-256 fingerprint {}",
            certificate.fingerprint
        ));
        Ok(())
    }

    /// Reads what has changed, tells the log, and wakes whoever waits for a change.
    pub(crate) fn refresh(
        &self,
        look: fn(&Live, OffsetDateTime) -> Result<Changes, FolderError>,
    ) -> Result<(), FolderError> {
        let changes = look(&self.live, OffsetDateTime::now_utc())?;
        for name in &changes.loaded {
            tracing::info!(certificate = %name, "certificate loaded");
        }
        for name in &changes.withdrawn {
            tracing::warn!(certificate = %name, "certificate withdrawn: its file is gone from the folder");
        }
        for error in &changes.failed {
            tracing::error!("{error}");
        }
        if changes.any() {
            self.generation.send_replace(self.live.generation());
        }
        Ok(())
    }

    fn resolve(&self, listener: Option<&str>, server_name: Option<&str>) -> Result<Option<u64>, CertsFailure> {
        if let Some((id, _)) = self.live.snapshot().resolve(listener, server_name) {
            return Ok(Some(id));
        }
        // A certificate that somebody named and that isn't there is an error; none at all is for the host to judge.
        match listener {
            Some(name) => Err(failure(&self.missing(name))),
            None => Ok(None),
        }
    }

    fn load(&self, id: u64) -> Result<Vec<Identity>, CertsFailure> {
        let snapshot = self.live.snapshot();
        let set = snapshot
            .get(id)
            .ok_or_else(|| failure("this certificate was replaced twice since it was chosen: choose again"))?;
        Ok(set
            .identities
            .iter()
            .map(|identity| Identity {
                name: identity.name.to_string(),
                chain: identity.chain.iter().map(|certificate| certificate.der.clone()).collect(),
                key: Secret::new(identity.key.pkcs8().to_vec()),
            })
            .collect())
    }

    /// Why a named certificate isn't served, and what to do.
    fn missing(&self, name: &str) -> String {
        let folder = self.live.folder().display();
        match self.live.broken(name) {
            Some(reason) => reason,
            None => format!(
                "there is no certificate \"{name}\" in {folder}: make one with `dovetail certs create --name {name}`, \
                 or name another one"
            ),
        }
    }
}

/// Follows the folder for as long as the instance lives.
async fn follow(serving: Arc<Serving>) {
    let mut told = false;
    loop {
        timer::sleep(LOOK_EVERY).await;
        let looking = serving.clone();
        match task::spawn_blocking(move || looking.refresh(Live::poll)).await {
            Ok(Err(error)) if !told => {
                tracing::error!("{error}; what was loaded before stays in service");
                told = true;
            }
            Ok(Ok(())) => told = false,
            _ => {}
        }
    }
}

fn failure(message: &str) -> CertsFailure {
    CertsFailure { message: message.to_owned() }
}

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
