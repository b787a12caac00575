//! Instances in quarantine, and their way out of it.
//!
//! [`watch`] waits for faults. An instance that has too many ([`Faults`]) takes nothing new: its listeners say "try later", its
//! places are emptied, so that calls from other plugins fail at once and they say "try later" in turn. Sessions that run go on.
//! After a time it is started anew ([restart](crate::reload)); the process never ends over it. A restart that fails is tried
//! again after twice the time, for as long as the server runs; the log and `dovetail status` say why, and `dovetail plugin
//! restart` tries at once.
//!
//! **Bounds.** A case for each instance at most.

use super::Server;
use crate::{
    config::Faults,
    plugin::{
        account::{self, Account},
        member::Member,
    },
};
use dovetail_abi::{handle::Interface, protocol_v1::Protocol};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Without anything to wait for, it is looked so often.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// See the module.
#[derive(Default)]
pub struct Ward(Mutex<Cases>);

#[derive(Default)]
struct Cases {
    by_instance: BTreeMap<String, Case>,
    /// How often an instance was started anew.
    restarts: BTreeMap<String, u64>,
}

/// An instance that had too many faults.
#[derive(Debug, Clone)]
pub struct Case {
    /// The generation that it is about.
    pub generation: u64,
    /// Where it is.
    pub stage: Stage,
    /// How many attempts there were since it was well.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub failure: Option<String>,
}

/// Where a case is.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// In quarantine; the next attempt is at this time.
    Waiting(Instant),
    /// Started anew at this time, and watched.
    Recovering(Instant),
}

impl Ward {
    /// The case of an instance's generation, if it is one.
    pub fn case(&self, instance: &str, generation: u64) -> Option<Case> {
        self.lock().by_instance.get(instance).filter(|case| case.generation == generation).cloned()
    }

    /// How often an instance was started anew.
    pub fn restarts(&self, instance: &str) -> u64 {
        self.lock().restarts.get(instance).copied().unwrap_or(0)
    }

    /// Begins to wait for the next attempt; gives for how long. A case that was recovering goes on.
    fn wait(&self, member: &Member, faults: &Faults) -> Duration {
        let mut cases = self.lock();
        let entry = cases.by_instance.entry(member.config.instance.clone());
        let stage = Stage::Recovering(Instant::now());
        let case = entry.or_insert(Case { generation: member.generation, stage, attempts: 0, failure: None });
        case.generation = member.generation;
        let wait = faults.backoff(case.attempts);
        let now = Instant::now();
        case.stage = Stage::Waiting(now.checked_add(wait).unwrap_or(now));
        wait
    }

    fn restarted(&self, old: &Member, new: &Member) {
        let mut cases = self.lock();
        *cases.restarts.entry(new.config.instance.clone()).or_default() += 1;
        if let Some(case) = cases.by_instance.get_mut(&new.config.instance) {
            if case.generation == old.generation {
                let attempts = case.attempts.saturating_add(1);
                let stage = Stage::Recovering(Instant::now());
                *case = Case { generation: new.generation, stage, attempts, failure: None };
            }
        }
    }

    fn failed(&self, old: &Member, message: &str) {
        let mut cases = self.lock();
        let case = cases.by_instance.get_mut(&old.config.instance);
        if let Some(case) = case.filter(|case| case.generation == old.generation) {
            case.attempts = case.attempts.saturating_add(1);
            case.failure = Some(message.to_owned());
        }
    }

    /// Ends the cases of those that are well again or gone; gives in how long another may be well.
    fn discharge(&self, members: &[Arc<Member>], window: Duration) -> Duration {
        let mut next = LOOK_EVERY;
        let mut cases = self.lock();
        cases.restarts.retain(|name, _| members.iter().any(|member| member.config.instance == *name));
        cases.by_instance.retain(|name, case| {
            let is_it = |member: &&Arc<Member>| member.config.instance == *name && member.generation == case.generation;
            let Some(member) = members.iter().find(is_it) else { return false };
            let Stage::Recovering(since) = case.stage else { return true };
            let quiet = quiet_for(member.host.account(), since);
            match window.checked_sub(quiet) {
                Some(left) if !left.is_zero() => {
                    next = next.min(left);
                    true
                }
                _ => {
                    tracing::info!(plugin = %name, generation = case.generation, quiet = ?window, "the instance that was started anew has had no fault since: it is healthy again");
                    false
                }
            }
        });
        next
    }

    fn lock(&self) -> MutexGuard<'_, Cases> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For how long there was no fault.
fn quiet_for(account: &Account, since: Instant) -> Duration {
    account.last_fault().map_or(since, |fault| fault.max(since)).elapsed()
}

/// Looks after the instances for ever. Dropped, it leaves them as they are.
pub async fn watch(server: &Arc<Server>) {
    // They end with this future.
    let mut treated = JoinSet::new();
    loop {
        while treated.try_join_next().is_some() {}
        let state = server.state();
        let (members, faults) = (&state.assembly.members, state.config.faults);
        let next = server.ward.discharge(members, faults.window());
        for member in members {
            let account = member.host.account();
            let count = account.faults_within(faults.window());
            if faults.is_too_much(count) && account.quarantine() {
                let (plugin, generation) = (&member.config.instance, member.generation);
                tracing::error!(%plugin, generation, faults = count, window = ?faults.window(), "the instance has too many faults and is quarantined: what is new is told to try later, sessions that run go on (report its panics to the plugin's author)");
            }
            if account.is_quarantined()
                && server
                    .ward
                    .case(&member.config.instance, member.generation)
                    .is_none_or(|case| matches!(case.stage, Stage::Recovering(_)))
            {
                // Entered here, so that it is not treated twice.
                let wait = server.ward.wait(member, &faults);
                treated.spawn(treat(server.clone(), member.clone(), wait));
            }
        }
        drop(state);
        tokio::select! {
            () = account::any_fault() => {}
            () = tokio::time::sleep(next) => {}
            Some(_) = treated.join_next(), if !treated.is_empty() => {}
        }
    }
}

/// Starts an instance anew, as often as it takes.
async fn treat(server: Arc<Server>, member: Arc<Member>, mut wait: Duration) {
    let plugin = &member.config.instance;
    server.empty_places(&member).await;
    loop {
        tracing::warn!(%plugin, generation = member.generation, after = ?wait, "the quarantined instance is started anew after this time; `dovetail plugin restart {plugin}` does it now");
        tokio::time::sleep(wait).await;
        // What came of it is in the log, and another generation may serve by now.
        if server.start_anew(&member).await.is_ok() || server.is_stopping() {
            return;
        }
        wait = server.ward.wait(&member, &server.config().faults);
    }
}

impl Server {
    /// Starts an instance anew now; gives the generation that serves then.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn restart_instance(self: &Arc<Self>, instance: &str) -> Result<u64, String> {
        let state = self.state();
        let member = state.assembly.member(instance).ok_or_else(|| {
            let names: Vec<&str> =
                state.assembly.members.iter().map(|member| member.config.instance.as_str()).collect();
            format!("there is no instance `{instance}` (there are {})", names.join(", "))
        })?;
        match self.start_anew(member).await? {
            Some(new) => Ok(new.generation),
            None => Err(format!("`{instance}` was replaced at this moment; see `dovetail status`")),
        }
    }

    async fn start_anew(self: &Arc<Self>, old: &Arc<Member>) -> Result<Option<Arc<Member>>, String> {
        let plugin = &old.config.instance;
        let outcome = self.restart(old).await;
        match &outcome {
            Ok(Some(new)) => {
                self.ward.restarted(old, new);
                let restarts = self.ward.restarts(plugin);
                tracing::info!(%plugin, generation = new.generation, restarts, build = %new.library.build, "the instance was started anew");
                // The watch sees when it is well.
                account::look();
            }
            Ok(None) => {}
            Err(message) => {
                self.ward.failed(old, message);
                tracing::error!(%plugin, "the instance does not start anew: {message}; remove the cause, then `dovetail plugin restart {plugin}` or `dovetail reload`");
                // One that owns files was stopped before: it is tried again like one with faults.
                if !old.is_running() && !self.is_stopping() {
                    old.host.account().quarantine();
                    account::look();
                }
            }
        }
        outcome
    }

    /// Takes a quarantined instance from its places, if it still stands there. What only core asks of it stays: listeners
    /// know by themselves.
    async fn empty_places(&self, member: &Arc<Member>) {
        let _no_reload = self.reloading.lock().await;
        let assembly = self.assembly();
        if assembly.members.iter().any(|other| Arc::ptr_eq(other, member)) {
            assembly.places.clear_but(&member.config.instance, Protocol::ID);
        }
    }
}
