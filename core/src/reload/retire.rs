//! Generations that were replaced or removed, until nobody uses them any more.
//!
//! Sessions go on with the protocol instance that they began with. After `retire_seconds` they are asked to end, as at a stop,
//! but are not cut. An instance is stopped when the last handle to its services is gone; one that was removed also waits for
//! the retired instances that are wired to it. A stop of the server does not wait: it stops what is left.

use crate::{
    plugin::{load, member::Member},
    server::State,
    session::Listener,
};
use arc_swap::ArcSwap;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};

/// How often is looked whether an instance is still used.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// See the module.
pub struct Retiring {
    members: Arc<Mutex<Vec<Arc<Member>>>>,
    tasks: Mutex<JoinSet<()>>,
    stopping: watch::Sender<bool>,
}

impl Default for Retiring {
    fn default() -> Self {
        Retiring { members: Arc::default(), tasks: Mutex::default(), stopping: watch::Sender::new(false) }
    }
}

impl Retiring {
    /// Takes instances, users before providers, and listeners whose sessions are asked to end after `grace`.
    pub fn add(
        &self,
        members: Vec<Arc<Member>>,
        listeners: &[Arc<Listener>],
        grace: Duration,
        state: &Arc<ArcSwap<State>>,
    ) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        // A listener holds what it retires, and lives as long as its sessions.
        let listeners: Vec<Weak<Listener>> = listeners.iter().map(Arc::downgrade).collect();
        if !listeners.is_empty() {
            let mut stopping = self.stopping.subscribe();
            tasks.spawn(async move {
                tokio::select! {
                    () = tokio::time::sleep(grace) => {}
                    _ = stopping.wait_for(|stopping| *stopping) => return,
                }
                for listener in listeners.iter().filter_map(Weak::upgrade) {
                    listener.retire.send_replace(true);
                }
            });
        }
        if members.is_empty() {
            return;
        }
        lock(&self.members).extend(members.iter().cloned());
        let (all, state, mut stopping) = (self.members.clone(), state.clone(), self.stopping.subscribe());
        tasks.spawn(async move {
            let mut waiting = members;
            while !waiting.is_empty() {
                if let Some(at) = waiting.iter().position(|member| is_free(member, &all, &state)) {
                    let member = waiting.remove(at);
                    member.stop().await;
                    lock(&all).retain(|other| !Arc::ptr_eq(other, &member));
                    forget_copy(&member, &all, &state);
                    let (plugin, generation) = (&member.config.instance, member.generation);
                    tracing::info!(%plugin, generation, "the replaced instance has ended");
                    continue;
                }
                tokio::select! {
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                    _ = stopping.wait_for(|stopping| *stopping) => return,
                }
            }
        });
    }

    /// Those that have not ended.
    pub fn members(&self) -> Vec<Arc<Member>> {
        lock(&self.members).clone()
    }

    /// The ids of their plugins.
    pub fn plugins(&self) -> BTreeSet<String> {
        self.members().iter().map(|member| member.library.manifest.id.clone()).collect()
    }

    /// Stops what is left, whoever uses it.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        // Each ends an instance at most, which is bounded.
        while tasks.join_next().await.is_some() {}
        let left = std::mem::take(&mut *lock(&self.members));
        for member in left {
            member.stop().await;
        }
    }
}

/// Whether nobody uses an instance, or will.
fn is_free(member: &Arc<Member>, all: &Mutex<Vec<Arc<Member>>>, state: &ArcSwap<State>) -> bool {
    let name = &member.config.instance;
    let state = state.load();
    // Where there is a next generation, it stands at the places, and users meet that.
    if state.assembly.member(name).is_none() {
        let is_user = |other: &Arc<Member>| other.needs.iter().any(|(_, provider)| provider == name);
        if lock(all).iter().any(is_user) {
            return false;
        }
        state.assembly.places.clear(name);
    }
    member.holders() == 0
}

/// Removes the private copy of an instance's library, if no other instance runs it.
fn forget_copy(member: &Member, all: &Mutex<Vec<Arc<Member>>>, state: &ArcSwap<State>) {
    let Some(copy) = &member.library.copy else { return };
    let uses = |other: &Arc<Member>| other.library.copy.as_ref() == Some(copy);
    if state.load().assembly.members.iter().any(uses) || lock(all).iter().any(uses) {
        return;
    }
    if let Err(error) = load::remove_copy(copy) {
        tracing::debug!(copy = %copy.display(), %error, "the copy of a library that is not used any more stays until the next start");
    }
}

fn lock(members: &Mutex<Vec<Arc<Member>>>) -> MutexGuard<'_, Vec<Arc<Member>>> {
    members.lock().unwrap_or_else(PoisonError::into_inner)
}
