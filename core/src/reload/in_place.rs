//! Restarting an instance where it stands: for one that owns files, so that two of it must never run at once.
//!
//! Its places are held: what was begun is finished with the old instance, new work waits ([`crate::plugin::slot`]). When nobody
//! holds the old one any more, or after [`FINISH_LIMIT`], it is stopped, the new one is started and stands where the old one
//! stood. Whoever is wired to it goes on and meets the new one; objects that the old one gave out, such as open mailboxes, must
//! say by themselves that it has been stopped.
//!
//! **How it fails.** If the new one does not start, the old one is started again. If that does not start either, nobody stands
//! there: services that need it say "try later", and the next reload tries again.

use super::plan::{Change, Kind, Plan};
use crate::{
    config::{Config, Problems},
    plugin::{
        instance::{did_not_start, prepare_one, Assembly},
        member::Member,
        places::{Held, Places},
    },
    server::State,
};
use dovetail_abi::kernel_v1::{Diagnostic, Prepared, Purpose};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// What was begun with the old instance gets so long to finish.
pub const FINISH_LIMIT: Duration = Duration::from_secs(5);
/// How often is looked whether the old one is still used.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Why an instance was not restarted.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why the new one did not start.
    pub message: String,
    /// Why the old one did not start again, if it did not.
    pub stopped: Option<String>,
}

/// Stops `old` and starts `new` in its place. `again` is the old one's section, prepared, for the case that the new one does
/// not start. Both may be the same member; it was prepared again beforehand then.
///
/// # Errors
/// What failed. Unless [`Failure::stopped`] says otherwise, the old one runs.
pub async fn restart(
    old: &Arc<Member>,
    new: &Arc<Member>,
    again: Option<Prepared>,
    places: &Places,
) -> Result<(), Failure> {
    let (plugin, began) = (&old.config.instance, Instant::now());
    let held = places.hold(plugin);
    tracing::info!(%plugin, "the instance is restarted in its place: new work waits, what was begun is finished");
    if !finished(old, &held).await {
        tracing::warn!(%plugin, within = ?FINISH_LIMIT, "what was begun with the instance has not finished; it is restarted all the same, and clients are told to try again");
    }
    old.stop().await;
    if let Some(again) = again {
        old.prepare_again(again);
    }
    let message = match start(new, places).await {
        Ok(()) => {
            tracing::info!(%plugin, generation = new.generation, build = %new.library.build, held = ?began.elapsed(), "the instance was restarted in its place");
            return Ok(());
        }
        Err(message) => message,
    };
    let stopped = match old.is_prepared() {
        true => start(old, places).await.err(),
        false => Some(message.clone()),
    };
    Err(Failure { message, stopped })
}

/// Waits until only its places hold the instance, then takes it from them, so that nobody new can. `false` if others hold it
/// all the same.
async fn finished(old: &Member, held: &Held) -> bool {
    let all = async {
        while old.holders() > held.providers() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        held.cease();
        while old.holders() > 0 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let finished = tokio::time::timeout(FINISH_LIMIT, all).await.is_ok();
    held.cease();
    finished
}

/// Starts an instance and puts it into its places. If it does not start, nothing of it is left running.
async fn start(member: &Member, places: &Places) -> Result<(), String> {
    match member.start_in_time(places).await {
        Ok(offers) => {
            for (interface, provider) in offers {
                places.place(&member.config.instance, &interface).fill(provider);
            }
            Ok(())
        }
        Err(message) => {
            member.stop().await;
            Err(message)
        }
    }
}

/// An instance that a reload restarts.
pub struct Restart {
    old: Arc<Member>,
    new: Arc<Member>,
    again: Prepared,
}

/// Prepares what a plan restarts, in the order of starting: both sections are read by the library that runs, so that no second
/// copy of it comes into play.
///
/// # Errors
/// What is wrong with a section.
pub fn prepare(running: &State, config: &Config, next: &mut Assembly, plan: &Plan) -> Result<Vec<Restart>, Problems> {
    let mut restarts = Vec::new();
    for &index in &next.order {
        let Some(new) = next.members.get_mut(index) else { continue };
        let name = new.config.instance.clone();
        let Some(old) = running.assembly.member(&name) else { continue };
        if plan.of(Kind::Instance, &name) != Some(Change::Restarted) {
            continue;
        }
        let library = &old.library;
        let section = prepare_one(config, &new.config, library, Purpose::Serve).map_err(Problems)?;
        let again = prepare_one(&running.config, &old.config, library, Purpose::Serve).map_err(Problems)?;
        if let Some(new) = Arc::get_mut(new) {
            new.library = library.clone();
        }
        new.prepare_again(section);
        restarts.push(Restart { old: old.clone(), new: new.clone(), again });
    }
    Ok(restarts)
}

/// Restarts them one after the other. If one does not start, those before it are put back.
///
/// # Errors
/// What did not start.
pub async fn all(restarts: Vec<Restart>, places: &Places) -> Result<(), Problems> {
    let mut done = Vec::new();
    for Restart { old, new, again } in restarts {
        let Err(failure) = restart(&old, &new, Some(again), places).await else {
            done.push((old, new));
            continue;
        };
        let mut problems = Problems(vec![did_not_start(&new, &failure.message)]);
        problems.0.extend(failure.stopped.map(|why| did_not_come_back(&old, &why)));
        for (old, new) in done.iter().rev() {
            if let Err(failure) = restart(new, old, None, places).await {
                problems.0.push(did_not_come_back(old, &failure.message));
            }
        }
        return Err(problems);
    }
    Ok(())
}

fn did_not_come_back(old: &Member, why: &str) -> Diagnostic {
    let name = &old.config.instance;
    let message = format!("`{name}` is stopped: it did not start again with its section of before either: {why}");
    old.config.place.diagnostic(message, "remove the cause and reload; until then clients are told to try later")
}
