//! Reload: the config is read again, and what differs is changed under the running server.
//!
//! Everything that can fail comes first: the config, the plugins and the wiring are checked whole; new addresses are bound;
//! instances that stay read their data anew; new generations start beside the old; certificates are proved. If any of that
//! fails, what is new is undone, and the server goes on as it was (but for data that was read anew, which is followed at all
//! times anyway). Next, instances that own files are restarted in their places ([`in_place`]); one that does not start is put
//! back, and all else undone. Then all is switched in one step that cannot fail: services, listeners, addresses, other options.
//!
//! Sessions keep the protocol instance, the TLS and the options that they began with; other services they meet at their
//! places, so those are the new ones at once. What was replaced ends when nobody uses it any more ([`retire`]).

pub mod in_place;
mod normal;
pub mod plan;
mod restart;
pub mod retire;
pub mod shape;
pub mod swap;

use crate::{
    config::{Config, Problems},
    notify,
    plugin::{
        instance::{did_not_start, Assembly},
        listeners::announce,
        load,
        member::{Member, Offer},
    },
    server::{
        doors, figures,
        listeners::{Making, Services},
        Server, State,
    },
    session::Listener,
};
use dovetail_abi::{
    handle::Interface,
    kernel_v1::Purpose,
    operations_v1::{Operations, Report},
};
use plan::{Change, Kind, Plan, Step};
use shape::Shape;
use std::{collections::HashSet, sync::Arc, time::Duration};
use swap::{Aim, Source, Swaps};

/// An operation that runs may keep a reload waiting for so long.
const OPERATIONS_LIMIT: Duration = Duration::from_secs(10);

/// Sockets that are bound and not served yet.
struct Sockets {
    doors: Vec<doors::Fresh>,
    figures: Vec<figures::Fresh>,
}

/// What was started for a reload and is not in service yet.
#[derive(Default)]
struct Started {
    members: Vec<Arc<Member>>,
    /// The places that were empty: instance and interface.
    placed: Vec<(String, String)>,
    /// What comes to stand at a place where the generation before stands.
    pending: Vec<(String, Offer)>,
}

impl Server {
    /// Reads the config again and changes what differs. It runs to its end even if nobody waits for it.
    ///
    /// # Errors
    /// All that is wrong; nothing has changed then.
    pub async fn reload(self: &Arc<Self>) -> Result<Report, Problems> {
        self.change(Aim::Config).await.map(|plan| plan.report(format!("reloaded: {}", plan.summary())))
    }

    /// Reloads with an aim. It runs to its end even if nobody waits for it.
    pub(crate) async fn change(self: &Arc<Self>, aim: Aim) -> Result<Plan, Problems> {
        let me = self.clone();
        let word = aim.word();
        let reloading = tokio::spawn(async move {
            let _one_at_a_time = me.reloading.lock().await;
            notify::reloading();
            let outcome = me.reload_now(&aim).await;
            match &outcome {
                Ok(plan) => {
                    tracing::info!(what = %plan.summary(), "reloaded");
                    notify::ready("serving, reloaded");
                }
                Err(problems) => {
                    for problem in &problems.0 {
                        tracing::error!("{word}: {problem}");
                    }
                    tracing::error!("the {word} failed and changed nothing; the server goes on as it was");
                    me.remove_stale_copies();
                    notify::ready(&format!("serving; the last {word} failed and changed nothing, see the log"));
                }
            }
            outcome
        });
        reloading.await.unwrap_or_else(|error| {
            Err(Problems::one(format!("the {word} ended early: {error}"), "report this as a bug"))
        })
    }

    async fn reload_now(self: &Arc<Self>, aim: &Aim) -> Result<Plan, Problems> {
        if self.is_stopping() {
            return Err(Problems::one("the server is stopping", ""));
        }
        let running = self.state();
        // Reading files and loading libraries takes its time.
        let (config, mut next, swaps) = tokio::task::block_in_place(|| self.prepare_again(aim, &running))?;
        let mut shape = Shape::of(&config, &next);
        swaps.mark(&mut shape);
        let plan = Plan::between(&running.shape_now(), &shape, &self.retiring.plugins());
        refuse_restarts(&config, &plan)?;
        let fresh = self.bind(&config)?;
        let kept = take_over(&mut next, &running, &plan);
        let restarts = in_place::prepare(&running, &config, &mut next, &plan)?;
        if matches!(aim, Aim::Config) {
            read_anew(&kept).await?;
        }
        let _quiet = self.without_operations(&running, &plan).await?;
        let mut started = Started::default();
        let made = match start(&next, &plan, &mut started).await {
            Ok(()) => self.make_listeners(&config, &next, &running, &plan, &started, &fresh.doors).await,
            Err(problems) => Err(problems),
        };
        let (listeners, proved) = match made {
            Ok(made) if !self.is_stopping() => made,
            failed => {
                let problems = failed.err().unwrap_or_else(|| Problems::one("the server is stopping", ""));
                undo(&next, started).await;
                return Err(problems);
            }
        };
        if let Err(problems) = in_place::all(restarts, &next.places).await {
            // Those that were put back have been started anew.
            let was_restarted = |name: &str| plan.of(Kind::Instance, name) == Some(Change::Restarted);
            self.judging.arrange_anew(&self.state, was_restarted);
            undo(&next, started).await;
            return Err(problems);
        }
        for warning in &next.warnings {
            tracing::warn!("{warning}");
        }
        for member in &started.members {
            member.about().say_started();
        }
        running.swaps.say_what_ended(&swaps);
        let state = State { config: Arc::new(config), assembly: Arc::new(next), listeners, shape, proved, swaps };
        self.switch(&running, Arc::new(state), started, fresh);
        if plan.of(Kind::Setting, "log").is_some() {
            // They ask for their level anew; their data they have just read.
            for member in kept {
                if let Err(message) = member.reload().await {
                    tracing::warn!(plugin = %member.config.instance, "{message}");
                }
            }
        }
        Ok(plan)
    }

    /// Removes copies of libraries that were loaded for nothing. To be called by whoever reloads.
    fn remove_stale_copies(&self) {
        let mut in_use = self.assembly().copies();
        in_use.extend(self.retiring.members().iter().filter_map(|member| member.library.copy.clone()));
        if let Err(error) = load::remove_stale_copies(&self.libraries(), &in_use) {
            tracing::debug!(%error, "copies of libraries that are not used stay until the next start");
        }
    }

    /// Binds what is not open yet.
    fn bind(&self, config: &Config) -> Result<Sockets, Problems> {
        let figures = self.figures.bind(&config.metrics.bind);
        let doors = self.doors.bind(&config.listeners);
        match (doors, figures) {
            (Ok(doors), Ok(figures)) => Ok(Sockets { doors, figures }),
            (doors, figures) => {
                let mut problems = doors.err().unwrap_or_default();
                if let Err(message) = figures {
                    problems.error(message, "");
                }
                Err(problems)
            }
        }
    }

    fn prepare_again(&self, aim: &Aim, running: &State) -> Result<(Config, Assembly, Swaps), Problems> {
        let Source { config, loading, swaps } = self.source(aim, running)?;
        let assembly = Assembly::prepare(&config, &loading, &self.log, None, Purpose::Serve)?;
        Ok((config, assembly, swaps))
    }

    /// Where an instance with operations is replaced, none of them may run: it could write what the next one has read.
    async fn without_operations(
        &self,
        running: &State,
        plan: &Plan,
    ) -> Result<Option<tokio::sync::RwLockWriteGuard<'_, ()>>, Problems> {
        let is_concerned = |member: &Arc<Member>| {
            plan.of(Kind::Instance, &member.config.instance) != Some(Change::Kept)
                && member.library.manifest.provides.iter().any(|id| id == Operations::ID)
        };
        if !running.assembly.members.iter().any(is_concerned) {
            return Ok(None);
        }
        match tokio::time::timeout(OPERATIONS_LIMIT, self.operations.write()).await {
            Ok(held) => Ok(Some(held)),
            Err(_) => Err(Problems::one(
                "an operation is running on an instance that changes",
                "reload again when the operation has ended",
            )),
        }
    }

    async fn make_listeners(
        &self,
        config: &Config,
        next: &Assembly,
        running: &State,
        plan: &Plan,
        started: &Started,
        fresh: &[doors::Fresh],
    ) -> Result<(Vec<Arc<Listener>>, HashSet<u64>), Problems> {
        let same_provider = running.shape.tls.as_deref().is_some_and(|tls| {
            let provider = next.provider_for_core(config, dovetail_abi::tls_v1::Tls::ID);
            provider.is_ok_and(|now| now == *tls) && plan.of(Kind::Instance, tls) == Some(Change::Kept)
        });
        let mut making = Making {
            config,
            assembly: next,
            services: Services { places: &next.places, pending: &started.pending },
            common: &self.common,
            running: Some(running),
            proved: if same_provider { running.proved.clone() } else { HashSet::new() },
        };
        let keep = |name: &str| plan.of(Kind::Listener, name) == Some(Change::Kept);
        let listeners = making.all(keep, |listener| self.doors.addresses(listener, fresh)).await?;
        Ok((listeners, making.proved))
    }

    /// The step that cannot fail.
    fn switch(self: &Arc<Self>, old: &State, new: Arc<State>, started: Started, fresh: Sockets) {
        for (instance, (interface, provider)) in started.pending {
            new.assembly.places.place(&instance, &interface).fill(provider);
        }
        self.log.set(new.config.log.clone());
        self.common.guessers.set(new.config.login_blocking);
        for listener in &new.listeners {
            let options = &listener.config.options;
            listener.limit.set(options.max_connections, options.max_connections_per_address);
        }
        self.doors.switch(&new.listeners, fresh.doors);
        self.figures.switch(&new.config.metrics.bind, fresh.figures, &Arc::downgrade(self));
        announce(&new.config);
        self.state.store(new.clone());
        self.judging.arrange(&self.state);
        let mut replaced = Vec::new();
        for listener in &old.listeners {
            let same_name = |other: &&Arc<Listener>| other.config.name == listener.config.name;
            match new.listeners.iter().find(same_name) {
                None => {
                    self.remember_limit(listener.limit.clone());
                    listener.retire.send_replace(true);
                }
                Some(next) if !Arc::ptr_eq(next, listener) && !is_member_kept(old, &new, listener) => {
                    replaced.push(listener.clone());
                }
                Some(_) => {}
            }
        }
        let is_gone = |member: &&Arc<Member>| !new.assembly.members.iter().any(|other| Arc::ptr_eq(other, member));
        let leaving = old.assembly.ordered().rev().filter(is_gone).cloned().collect();
        self.retiring.add(leaving, &replaced, new.config.retire, &self.state);
    }
}

/// Whether the instance that serves a listener is the same before and after.
fn is_member_kept(old: &State, new: &State, listener: &Listener) -> bool {
    let name = &listener.config.options.protocol;
    match (old.assembly.member(name), new.assembly.member(name)) {
        (Some(old), Some(new)) => Arc::ptr_eq(old, new),
        _ => false,
    }
}

fn refuse_restarts(config: &Config, plan: &Plan) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for Step { kind, name, why, .. } in plan.restarts() {
        let help = "undo the change, or restart the server";
        match config.plugins.iter().find(|plugin| *kind == Kind::Instance && plugin.instance == *name) {
            Some(plugin) => {
                let message = format!("`{name}` owns files, so this change needs a restart ({why})");
                problems.0.push(plugin.place.diagnostic(message, help));
            }
            None => problems.error(format!("a change of `{name}` needs a restart"), help),
        }
    }
    if problems.has_errors() {
        return Err(problems);
    }
    Ok(())
}

/// Puts the running instances into the place of those that equal them, and gives these; others count on.
fn take_over(next: &mut Assembly, running: &State, plan: &Plan) -> Vec<Arc<Member>> {
    let mut kept = Vec::new();
    for member in &mut next.members {
        let name = member.config.instance.clone();
        let Some(old) = running.assembly.member(&name) else {
            continue;
        };
        if plan.of(Kind::Instance, &name) == Some(Change::Kept) {
            *member = old.clone();
            kept.push(old.clone());
        } else if let Some(member) = Arc::get_mut(member) {
            member.generation = old.generation + 1;
        }
    }
    next.places = running.assembly.places.clone();
    kept
}

async fn read_anew(kept: &[Arc<Member>]) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for member in kept {
        if let Err(message) = member.reload().await {
            problems.0.push(member.config.place.diagnostic(format!("`{}`: {message}", member.config.instance), ""));
        }
    }
    if problems.has_errors() {
        return Err(problems);
    }
    Ok(())
}

/// Starts what does not run, providers first, but for what is restarted in its place.
async fn start(next: &Assembly, plan: &Plan, started: &mut Started) -> Result<(), Problems> {
    let restarts = |member: &Member| plan.of(Kind::Instance, &member.config.instance) == Some(Change::Restarted);
    for member in next.ordered().filter(|member| member.is_prepared() && !restarts(member)) {
        let name = &member.config.instance;
        started.members.push(member.clone());
        let offers = member.start_in_time(&next.places).await;
        for (interface, provider) in offers.map_err(|message| Problems(vec![did_not_start(member, &message)]))? {
            let place = next.places.place(name, &interface);
            if place.get().is_some() {
                started.pending.push((name.clone(), (interface, provider)));
            } else {
                // Those that start after it may need it at once, and nobody else knows the place.
                place.fill(provider);
                started.placed.push((name.clone(), interface));
            }
        }
    }
    Ok(())
}

async fn undo(next: &Assembly, started: Started) {
    drop(started.pending);
    for (instance, interface) in &started.placed {
        next.places.place(instance, interface).clear();
    }
    for member in started.members.iter().rev() {
        member.stop().await;
    }
}
