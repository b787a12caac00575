//! The steps of a plugin's lives, each with its finding.

use super::{
    instance::Tried,
    traces::{self, Traces},
    Notes, Order,
};
use crate::plugin::load::Loaded;
use dovetail_abi::kernel_v1::{Diagnostic, Need, Prepared};
use std::time::Duration;

/// Threads and files that were told to go may take so long.
const SETTLE: Duration = Duration::from_secs(5);

/// Prepares it, lets it live twice, and looks what it leaves. What goes wrong in the first life would only go wrong again.
pub async fn two(order: &Order, loaded: &Loaded, before: &Traces, notes: &mut Notes<'_>) {
    let Some(pure) = prepared_twice(order, loaded, before, notes).await else {
        return;
    };
    if let Err(error) = std::fs::create_dir_all(order.data_dir()) {
        return notes.note("start", Err(format!("cannot make {}: {error}", order.data_dir().display())));
    }
    let mut kept: Option<Traces> = None;
    for life in ["first life", "second life"] {
        let left = one(order, loaded, life, notes).await;
        // Threads and files of a section that is not read purely, or of tasks that run, were told of.
        if left == Left::Nothing && pure {
            notes.begin("leaks");
            let now = Traces::settled(before, SETTLE).await;
            notes.note("threads", threads(&now, before).map(|text| format!("{text} after its {life}")));
            let open = open(order, &now, before, kept.as_ref());
            notes.note("open files", open.map(|text| format!("{text} after its {life}")));
            kept = Some(now);
        }
        if notes.failed {
            return;
        }
    }
    notes.begin("beside");
    notes.note("beside", beside(order, loaded).await);
}

/// A reload that changes a section starts the new generation beside the old one, which ends first.
async fn beside(order: &Order, loaded: &Loaded) -> Result<String, String> {
    if loaded.manifest.exclusive {
        return Ok("it owns files: at a reload it is restarted in its place".into());
    }
    let told = |who: &'static str| move |why: String| format!("{who}: {why}");
    let (old, new) = (Tried::new(order, loaded), Tried::new(order, loaded));
    let (first, _) = old.start().await.map_err(told("the old generation"))?;
    let (second, _) = new.start().await.map_err(told("a new generation beside the old one"))?;
    let ended = told("the old generation beside a new one");
    old.stop(&first).await.map_err(ended)?;
    old.end_tasks().await.map_err(ended)?;
    drop(first);
    let later = told("a new generation after the old one's end");
    new.query(&second).map_err(later)?;
    new.serve(&second).await.transpose().map_err(later)?;
    new.stop(&second).await.map_err(later)?;
    new.end_tasks().await.map_err(later)?;
    Ok("a new generation starts beside the old one, and goes on without it".into())
}

/// What a section amounts to.
type Answer = Result<(Vec<Diagnostic>, Vec<Need>), Vec<Diagnostic>>;

fn answer(outcome: &Result<Prepared, Vec<Diagnostic>>) -> Answer {
    match outcome {
        Ok(prepared) => Ok((prepared.warnings().unwrap_or_default(), prepared.needs().unwrap_or_default())),
        Err(problems) => Err(problems.clone()),
    }
}

/// Whether it prepares without touching anything; `None` if it does not take its section.
async fn prepared_twice(order: &Order, loaded: &Loaded, before: &Traces, notes: &mut Notes<'_>) -> Option<bool> {
    let files = traces::files(&order.folder);
    notes.begin("prepare");
    let first = answer(&loaded.prepare(order.input(loaded)));
    let second = answer(&loaded.prepare(order.input(loaded)));
    let good = first.is_ok();
    notes.note(
        "prepare",
        match &first {
            Ok((warnings, _)) if warnings.is_empty() => Ok("it takes its section".into()),
            Ok((warnings, _)) => Ok(format!("it takes its section, and warns: {}", told(warnings))),
            Err(problems) => Err(format!("{} (give a section that it takes with --section)", told(problems))),
        },
    );
    notes.begin("purity");
    let now = Traces::settled(before, SETTLE).await;
    let outcome = pure(order, first == second, &files, &now, before);
    let pure = outcome.is_ok();
    notes.note("purity", outcome);
    good.then_some(pure)
}

fn told(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

type Files = std::collections::BTreeSet<(std::path::PathBuf, u64)>;

/// Whether preparing left everything as it was.
fn pure(order: &Order, same: bool, files: &Files, now: &Traces, before: &Traces) -> Result<String, String> {
    if !same {
        return Err("it says something else of the same section the second time; prepare must not remember".into());
    }
    let after = traces::files(&order.folder);
    if let Some((path, _)) = after.symmetric_difference(files).next() {
        let path = path.strip_prefix(&order.folder).unwrap_or(path);
        return Err(format!("it touched {} in prepare; files are for start", path.display()));
    }
    let (threads, open) = (now.new_threads(before), now.new_open(before));
    if !threads.is_empty() {
        return Err(format!("it started threads in prepare: {}; threads are for start", threads.join(", ")));
    }
    if !open.is_empty() {
        return Err(format!("it opened files in prepare: {}; files are for start", open.join(", ")));
    }
    Ok("prepared twice: the same answer, no file, no thread".into())
}

/// What a life leaves behind, as far as the host knows.
#[derive(PartialEq)]
enum Left {
    Nothing,
    /// Work that does not end.
    Tasks,
    /// It did not begin.
    Unborn,
}

async fn one(order: &Order, loaded: &Loaded, life: &str, notes: &mut Notes<'_>) -> Left {
    let tried = Tried::new(order, loaded);
    let step = |step: &str| format!("{step}, {life}");
    notes.begin(&step("start"));
    let started = tried.start().await;
    let Some(instance) = started.as_ref().ok().map(|(instance, _)| instance.clone()) else {
        notes.note("start", started.map(|(_, text)| text));
        return Left::Unborn;
    };
    notes.note("start", started.map(|(_, text)| format!("its {life} begins; {text}")));
    notes.begin(&step("query"));
    notes.note("query", tried.query(&instance));
    notes.begin(&step("serve"));
    if let Some(outcome) = tried.serve(&instance).await {
        notes.note("serve", outcome);
    }
    notes.begin(&step("reload"));
    notes.note("reload", tried.reload(&instance).await);
    notes.note("holders", tried.holders(&instance).await);
    notes.begin(&step("stop"));
    notes.note("stop", tried.stop(&instance).await);
    notes.begin(&step("tasks"));
    let ended = tried.end_tasks().await;
    let left = if ended.is_ok() { Left::Nothing } else { Left::Tasks };
    notes.note("tasks", ended);
    notes.begin(&step("drop"));
    drop(instance);
    notes.note("drop", tried.dropped());
    left
}

fn threads(now: &Traces, before: &Traces) -> Result<String, String> {
    let left = now.new_threads(before);
    match left.is_empty() {
        true => Ok("none is left".into()),
        false => Err(format!("{} of its threads run on: {}; join them in stop", left.len(), left.join(", "))),
    }
}

/// A library may keep something open once for all instances. What a further life adds, and what is in the data directory,
/// should have been closed.
fn open(order: &Order, now: &Traces, before: &Traces, kept: Option<&Traces>) -> Result<String, String> {
    let new = now.new_open(before);
    let data = order.data_dir().display().to_string();
    let added = kept.map(|kept| now.new_open(kept)).unwrap_or_default();
    let left: Vec<&String> = new.iter().filter(|target| target.starts_with(&data) || added.contains(target)).collect();
    if let Some(first) = left.first() {
        return Err(format!("{} left open, such as {first}; close them in stop", left.len()));
    }
    Ok(match new.first() {
        None => "none is left open".to_owned(),
        Some(first) => format!("none but {} of the library's own, such as {first},", new.len()),
    })
}
