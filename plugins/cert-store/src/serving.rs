//! The folder in service: looked at, read, judged, swapped, and told of.
//!
//! At a start with thousands of pairs their keys and certificates are only compared, and proved by signature when the server
//! stands; those of the listeners were proved by the host then.
//!
//! One look at a time. What a look has read is checked by the host's judge, the TLS provider that runs, before it is served;
//! there is no judge before the server stands, and none without a server: then the proof by signature is all, and what is
//! served is checked as soon as there is a judge. A pair that is refused keeps its previous version in service.
//!
//! Fails pair by pair, in the log and in `certs list`; a folder that can't be read leaves everything as it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use dovetail_sdk::certs::{CertsFailure, CertsJudge};
use dovetail_sdk::{notice, task, Secret, StartFailure};
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::clock;
use crate::config::Config;
use crate::create::{create, CreateRequest, San};
use crate::expiry::Expiry;
use crate::figures::Figures;
use crate::folder::{scan, FolderError};
use crate::identity::{Identity, Pair, PairProblem};
use crate::live::{Changes, Found, How, Live};
use crate::name::CertName;
use crate::prove::prove;
use crate::publish::{publish, Existing};

/// The folder in service and whoever waits for it to change.
pub(crate) struct Serving {
    pub live: Live,
    generation: watch::Sender<u64>,
    judge: ArcSwapOption<CertsJudge>,
    /// Whether what is served was only compared, and is still to be proved.
    unproved: AtomicBool,
    /// Held while somebody looks.
    turn: Arc<tokio::sync::Mutex<()>>,
    told: Mutex<Told>,
}

/// What the operator is told.
struct Told {
    expiry: Expiry,
    figures: Figures,
}

/// Why there was no look at the folder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshError {
    /// The folder.
    #[error("{0}; what was loaded before stays in service")]
    Folder(#[from] FolderError),
    /// There is nobody to do the work any more.
    #[error("the certificate store is stopping")]
    Stopping(#[from] task::JoinError),
}

impl Serving {
    pub(crate) fn new(live: Live) -> Self {
        let (generation, _) = watch::channel(live.generation());
        let told = Mutex::new(Told { expiry: Expiry::default(), figures: Figures::new() });
        Self {
            live,
            generation,
            judge: ArcSwapOption::empty(),
            unproved: AtomicBool::new(false),
            turn: Arc::default(),
            told,
        }
    }

    /// The first look at the folder; makes the missing certificate if the config says so. Blocks.
    pub(crate) fn open(&self, config: &Config, hostname: &str) -> Result<(), StartFailure> {
        let folder = self.live.folder();
        let empty = scan(folder).map_err(StartFailure::new)?.is_empty();
        if empty && config.create_missing {
            self.make_missing(config.default_name(), hostname)?;
        }
        let changes = self.live.open(clock::now()).map_err(StartFailure::new)?;
        self.announce(&changes);
        let served = self.served();
        match served.len() {
            0..=PROVED_AT_ONCE => self.withdraw(unproved(served)),
            _ => self.unproved.store(true, Ordering::Relaxed),
        }
        if let Some(name) = config.default_name() {
            let snapshot = self.live.snapshot();
            if snapshot.named(&name).is_none() && !snapshot.is_empty() {
                return Err(StartFailure::new(self.missing(name.as_str())));
            }
        }
        Ok(())
    }

    /// Proves by signature what the start has put off; what fails is withdrawn.
    pub(crate) async fn prove_rest(self: &Arc<Self>) {
        if !self.unproved.swap(false, Ordering::Relaxed) {
            return;
        }
        let served = self.served();
        match task::spawn_blocking(move || unproved(served)).await {
            Ok(failed) => {
                let _turn = self.turn.lock().await;
                self.withdraw(failed);
            }
            // It is stopping.
            Err(_) => self.unproved.store(true, Ordering::Relaxed),
        }
    }

    fn served(&self) -> Vec<Arc<Pair>> {
        self.live.snapshot().pairs().cloned().collect()
    }

    fn withdraw(&self, failed: Vec<(Arc<Pair>, PairProblem)>) {
        for (pair, problem) in failed {
            let changes = self.live.withdraw(&pair, problem, clock::now());
            self.announce(&changes);
        }
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
        let (pair, certificate) = create(&request, clock::now()).map_err(|error| failed(&error))?;
        publish(self.live.folder(), &pair, Existing::Refuse).map_err(|error| failed(&error))?;
        notice(format!(
            "made a self-signed certificate for {hostname}, SHA-256 fingerprint {}",
            certificate.fingerprint
        ));
        Ok(())
    }

    /// Reads what has changed, has it judged, puts it into service, tells the log, and wakes whoever waits for a change.
    pub(crate) async fn refresh(self: &Arc<Self>, how: How) -> Result<Changes, RefreshError> {
        let turn = self.turn.clone().lock_owned().await;
        let me = self.clone();
        let looked = task::spawn_blocking(move || me.live.look(how, clock::now())).await?;
        let found = looked.inspect_err(|_| self.told().figures.looked(None))?;
        let Some(mut found) = found else { return Ok(Changes::default()) };
        self.have_judged(&mut found).await;
        let me = self.clone();
        // Thousands of names take their time to sort.
        let taking = task::spawn_blocking(move || {
            let changes = me.live.take(found, clock::now());
            me.announce(&changes);
            // Whoever asked may have gone; the next look must not overtake this.
            drop(turn);
            changes
        });
        Ok(taking.await?)
    }

    async fn have_judged(&self, found: &mut Found) {
        let Some(judge) = self.judge.load_full() else { return };
        for pair in found.fresh() {
            if let Some(problem) = verdict(&judge, &pair).await {
                found.refuse(&pair, problem);
            }
        }
    }

    /// From now on this one judges; what is served is judged at once, and what another one refused gets another chance.
    pub(crate) fn judged_by(self: &Arc<Self>, judge: CertsJudge) {
        let judge = Arc::new(judge);
        self.judge.store(Some(judge.clone()));
        task::spawn(self.clone().audit(judge));
    }

    async fn audit(self: Arc<Self>, judge: Arc<CertsJudge>) {
        let forgot = {
            let _turn = self.turn.lock().await;
            self.live.forget_verdicts()
        };
        let served = self.served();
        if forgot {
            if let Err(error) = self.refresh(How::Whole).await {
                tracing::error!("{error}");
            }
        }
        for pair in served {
            if !self.judge.load().as_ref().is_some_and(|now| Arc::ptr_eq(now, &judge)) {
                return;
            }
            // One that can't be checked now was good enough to be served until now.
            if let Some(problem @ PairProblem::Refused { .. }) = verdict(&judge, &pair).await {
                let _turn = self.turn.lock().await;
                self.withdraw(vec![(pair, problem)]);
            }
        }
    }

    /// Tells the log, the figures, and whoever waits.
    fn announce(&self, changes: &Changes) {
        match changes.loaded.len() {
            0..=MANY => {
                changes.loaded.iter().for_each(|name| tracing::info!(certificate = %name, "certificate loaded"))
            }
            count => tracing::info!(count, "certificates loaded"),
        }
        for error in &changes.failed {
            tracing::error!("{error}");
        }
        let broken = self.live.all_broken();
        for name in changes.withdrawn.iter().filter(|name| !broken.contains_key(name)) {
            tracing::warn!(certificate = %name, "certificate withdrawn: its file is gone from the folder");
        }
        if changes.turned {
            tracing::info!("a certificate has begun or ended, and another one is served in its place");
        }
        if changes.any() {
            self.generation.send_replace(self.live.generation());
            self.warn_of_ends(clock::now());
        }
        let mut told = self.told();
        told.figures.looked(Some((changes.any(), changes.loaded.len(), changes.failed.len())));
        told.figures.show(&self.live.snapshot(), broken.len(), self.live.turns());
    }

    /// Warns of certificates that expire, each mark once.
    pub(crate) fn warn_of_ends(&self, now: OffsetDateTime) {
        let warnings = self.told().expiry.look(&self.live.snapshot(), now);
        for warning in warnings {
            match warning.expired {
                true => tracing::error!(certificate = %warning.name, "{warning}"),
                false => tracing::warn!(certificate = %warning.name, "{warning}"),
            }
        }
    }

    pub(crate) fn resolve(
        &self,
        listener: Option<&str>,
        server_name: Option<&str>,
    ) -> Result<Option<u64>, CertsFailure> {
        if let Some((id, _)) = self.live.snapshot().resolve(listener, server_name) {
            return Ok(Some(id));
        }
        // A certificate that somebody named and that isn't there is an error; none at all is for the host to judge.
        match listener {
            Some(name) => Err(failure(&self.missing(name))),
            None => Ok(None),
        }
    }

    pub(crate) fn load(&self, id: u64) -> Result<Vec<dovetail_sdk::certs::Identity>, CertsFailure> {
        let snapshot = self.live.snapshot();
        let set = snapshot
            .get(id)
            .ok_or_else(|| failure("this certificate was replaced twice since it was chosen: choose again"))?;
        Ok(set.identities().map(offered).collect())
    }

    /// The generation after `seen`, when it has come.
    pub(crate) async fn changed(&self, seen: u64) -> Result<u64, CertsFailure> {
        let mut generation = self.generation.subscribe();
        let newer = generation.wait_for(|now| *now > seen).await;
        newer.map(|now| *now).map_err(|_| failure("the certificate store has stopped"))
    }

    /// Why a named certificate isn't served, and what to do.
    pub(crate) fn missing(&self, name: &str) -> String {
        let folder = self.live.folder().display();
        match self.live.broken(name).into_iter().next() {
            Some(reason) => reason,
            None => format!(
                "there is no certificate \"{name}\" in {folder}: make one with `dovetail certs create --name {name}`, \
                 or name another one"
            ),
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        // A panic in between loses a warning at most.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those of these pairs whose key doesn't sign for its certificate. Blocks.
fn unproved(pairs: Vec<Arc<Pair>>) -> Vec<(Arc<Pair>, PairProblem)> {
    let mismatch = |pair: &Arc<Pair>| prove(&pair.identity.key, pair.identity.leaf()).err();
    let failed = pairs.into_iter().filter_map(|pair| mismatch(&pair).map(|mismatch| (pair, mismatch)));
    failed.map(|(pair, mismatch)| (pair, PairProblem::Unproved(mismatch))).collect()
}

/// What the judge has against a pair.
async fn verdict(judge: &CertsJudge, pair: &Pair) -> Option<PairProblem> {
    match judge.check(offered(&pair.identity)).await {
        Ok(None) => None,
        Ok(Some(reason)) => Some(PairProblem::Refused { reason }),
        Err(failure) => Some(PairProblem::NotChecked { reason: failure.message }),
    }
}

/// An identity as it crosses to the host.
fn offered(identity: &Identity) -> dovetail_sdk::certs::Identity {
    dovetail_sdk::certs::Identity {
        name: identity.name.to_string(),
        chain: identity.chain.iter().map(|certificate| certificate.der.clone()).collect(),
        key: Secret::new(identity.key.pkcs8().to_vec()),
    }
}

fn failure(message: &str) -> CertsFailure {
    CertsFailure { message: message.to_owned() }
}

/// So many are proved by signature before the start is over; more would keep the server from its work.
const PROVED_AT_ONCE: usize = 1000;
/// Of so many at once each has a line in the log, of more there is one.
const MANY: usize = 20;

#[cfg(test)]
mod tests;
