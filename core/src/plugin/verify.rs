//! A plugin's whole life tried out, for its author and for the operator who is to trust it: `dovetail plugin verify`.
//!
//! The file is checked and loaded as a server does it; then it is prepared and lives twice, in a folder of its own: started,
//! asked for what it provides, served a client that leaves at once (protocols), reloaded, stopped. The services that it
//! requires stand empty, as if their providers were away for the moment: a plugin must bear that at any time.
//!
//! **How it fails**: a check that fails is a [`Finding`], and what can still be tried is. This runs in a process of its own, so
//! that a plugin that ends the process is a finding too. **Bounds**: every step has a limit of time; whoever started the
//! process ends it when a step blocks the thread that it is called on.

mod instance;
mod lives;
mod stand_ins;
mod traces;

use super::{
    fit::{host_difference, HostLack},
    host::InstanceHost,
    load::{self, LoadError, Loaded},
    probe, trust, wiring,
};
use crate::telemetry::log::Log;
use dovetail_abi::{
    handle::Interface,
    kernel_v1::{PrepareInput, Purpose, Section},
    known, layout,
    manifest::Manifest,
    operations_v1::{OperationList, Operations},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};
use traces::Traces;

/// What is to be tried.
#[derive(Debug)]
pub struct Order {
    /// The plugin's file.
    pub file: PathBuf,
    /// The section that it is started with.
    pub section: Section,
    /// The directory that relative paths in the section start from.
    pub config_dir: PathBuf,
    /// A folder that belongs to this trial alone. Its data directory is in it.
    pub folder: PathBuf,
    /// A step may take so long.
    pub limit: Duration,
}

/// One check and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was checked, in a word.
    pub check: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub text: String,
}

/// What a trial tells while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    /// A step begins; if nothing more is heard, it went wrong there.
    Begin(String),
    /// A check was done.
    Finding(Finding),
    /// All is told.
    Done,
}

/// Where the findings go.
struct Notes<'a> {
    tell: &'a mut dyn FnMut(Said),
    /// Whether a check failed.
    failed: bool,
}

impl Notes<'_> {
    fn begin(&mut self, step: &str) {
        (self.tell)(Said::Begin(step.to_owned()));
    }

    fn note(&mut self, check: &str, outcome: Result<String, String>) {
        let ok = outcome.is_ok();
        self.failed |= !ok;
        let (Ok(text) | Err(text)) = outcome;
        (self.tell)(Said::Finding(Finding { check: check.to_owned(), ok, text }));
    }
}

/// Tries a plugin out.
///
/// # Errors
/// If there is no runtime to try it on; what is wrong with the plugin is told.
pub fn run(order: &Order, tell: &mut dyn FnMut(Said)) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Threads that have nothing to do must not be taken for the plugin's.
        .thread_keep_alive(Duration::from_millis(10))
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    crate::runtime::remember(runtime.handle().clone());
    let before = Traces::now();
    let mut notes = Notes { tell, failed: false };
    if let Some(loaded) = opened(&order.file, &mut notes) {
        notes.begin("operations");
        notes.note("operations", operations(&loaded));
        runtime.block_on(lives::two(order, &loaded, &before, &mut notes));
    }
    // Work that does not end was told of; it is not waited for.
    runtime.shutdown_background();
    (notes.tell)(Said::Done);
    Ok(())
}

/// Loads the library and compares what it says with this server.
fn opened(file: &Path, notes: &mut Notes<'_>) -> Option<Loaded> {
    notes.begin("file");
    let manifest = trust::check(file).map_err(|error| error.to_string());
    let manifest = manifest.and_then(|real| probe::probe_as(&real, file).map_err(|error| error.to_string()));
    notes.note("file", manifest.as_ref().map(built).map_err(Clone::clone));
    manifest.ok()?;
    notes.begin("load");
    let loaded = match load::load(file, None, None) {
        Ok(loaded) => loaded,
        Err(error) => {
            let check = if matches!(error, LoadError::Contradiction { .. }) { "manifest" } else { "load" };
            notes.note(check, Err(error.to_string()));
            return None;
        }
    };
    notes.note("load", Ok("its root module is that of this server".into()));
    notes.note("manifest", Ok("it says what the code says".into()));
    notes.note("interfaces", interfaces(&loaded));
    Some(loaded)
}

fn built(manifest: &Manifest) -> String {
    let Manifest { id, version, sdk, rustc, target, .. } = manifest;
    format!("{id} {version}, SDK {sdk}, {rustc}, {target}")
}

/// All interfaces that it names and this server knows, host services included, as both know them.
fn interfaces(loaded: &Loaded) -> Result<String, String> {
    let host = InstanceHost::new("verify", PathBuf::new(), Log::default());
    let description = &loaded.description;
    let all = description.provides.iter().chain(&description.requires).chain(&description.uses);
    let (mut same, mut own) = (BTreeSet::new(), BTreeSet::new());
    for used in all {
        let id = used.id.as_str();
        if wiring::is_host_interface(id) {
            match host_difference(&host, used) {
                None => same.insert(id),
                Some(HostLack::Absent(told)) => return Err(format!("it needs {id} of the host; {told}")),
                Some(HostLack::Other(difference)) => {
                    return Err(format!(
                        "{id}: {} (build it with this release's SDK)",
                        difference.between("the plugin", "this server")
                    ))
                }
            };
            continue;
        }
        match known::layout(id) {
            Some(ours) => match layout::compatible(used.layout, ours) {
                Ok(()) => same.insert(id),
                Err(difference) => {
                    return Err(format!(
                        "{id}: {} (build it with this release's SDK)",
                        difference.between("the plugin", "this server")
                    ))
                }
            },
            None if id.starts_with("dovetail.") => {
                return Err(format!(
                    "{id} is none of this release's interfaces (use names of your own for interfaces of your own)"
                ))
            }
            None => own.insert(id),
        };
    }
    let others = if own.is_empty() { String::new() } else { format!("; not this server's: {}", join(own)) };
    Ok(format!("{} are laid out as in this release{others}", same.len()))
}

fn join<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(", ")
}

/// The description of its operations, which is what `--help` shows.
fn operations(loaded: &Loaded) -> Result<String, String> {
    let provides = loaded.description.provides.iter().any(|offer| offer.id == Operations::ID);
    let Some(command) = &loaded.manifest.command else {
        return match provides {
            true => Err("it provides operations, and no `command` to call them by".into()),
            false => Ok("it offers none".into()),
        };
    };
    if !provides {
        return Err(format!("it has the command `{command}`, and does not provide {}", Operations::ID));
    }
    let list = loaded.query::<OperationList>()?.operations().map_err(|failure| failure.to_string())?;
    let mut names = BTreeSet::new();
    for operation in &list {
        if !names.insert(operation.name.as_str()) {
            return Err(format!("there are two operations `{}`", operation.name));
        }
    }
    Ok(format!("dovetail {command} {}", names.into_iter().collect::<Vec<_>>().join("|")))
}

impl Order {
    fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn input(&self, loaded: &Loaded) -> PrepareInput {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        PrepareInput {
            instance: loaded.manifest.id.clone(),
            section: self.section.clone(),
            hostname: "verify.invalid".into(),
            data_dir: shown(&self.data_dir()),
            config_dir: shown(&self.config_dir),
            purpose: Purpose::Serve,
            build: loaded.build.clone(),
        }
    }
}
