//! Swapping the library of one instance while the server runs: `dovetail plugin swap`.
//!
//! A swap is a reload of the config that is in service, with every library as it is loaded but that one: what else has been
//! written or built meanwhile is not touched. All that a reload proves is proved, and the generation before serves on if
//! anything fails. Sessions that run go on with the library that they began with.
//!
//! A swap holds until the server stops, until it is taken back, or until the config says something else of the instance's
//! library than it did (`plugin`, `path`, `sha256`). Until then the library runs as it was loaded, even if its file is built
//! again or removed: a reload does not look at it, only the next swap does. Where the file is the one that the config finds
//! anyway there is nothing to hold.
//!
//! **How it fails.** A file that others can write, that is no plugin or another one, that does not fit this server, or that a
//! `sha256` of the config does not name, is refused in one line. So is an instance that owns files: two copies of its library
//! in one process would not know of each other's locks.

use super::shape::Shape;
use crate::{
    config::{Config, PluginConfig, Problems},
    plugin::{
        generation::Generation,
        instance::{Assembly, Chosen, Loading},
        load::LoadError,
        member::Member,
        probe, trust,
    },
    server::{Server, State},
};
use dovetail_abi::operations_v1::Report;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a reload is to bring.
#[derive(Debug, Clone)]
pub enum Aim {
    /// What the config says now.
    Config,
    /// This file for an instance, and nothing else.
    File(String, PathBuf),
    /// What the config in service says of an instance's library, and nothing else.
    Back(String),
}

impl Aim {
    /// What it is called in the log.
    pub fn word(&self) -> &'static str {
        match self {
            Aim::Config => "reload",
            Aim::File(..) | Aim::Back(_) => "swap",
        }
    }
}

/// What a config says of an instance's library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    plugin: String,
    path: Option<PathBuf>,
    sha256: Option<String>,
}

impl Configured {
    /// By this config of an instance.
    pub fn of(plugin: &PluginConfig) -> Self {
        Configured { plugin: plugin.plugin.clone(), path: plugin.path.clone(), sha256: plugin.sha256.clone() }
    }
}

/// One swapped library.
#[derive(Debug, Clone)]
pub struct Swap {
    /// What the config said when it was swapped.
    configured: Configured,
    /// The file that the config had found.
    pub from: PathBuf,
}

/// The instances whose library was swapped, by name.
#[derive(Debug, Clone, Default)]
pub struct Swaps(BTreeMap<String, Swap>);

impl Swaps {
    /// The swap of an instance, if there was one.
    pub fn of(&self, instance: &str) -> Option<&Swap> {
        self.0.get(instance)
    }

    /// Those that a config leaves as they are.
    fn kept_by(&self, config: &Config) -> Swaps {
        let is_kept = |(name, swap): &(&String, &Swap)| {
            let plugin = config.plugins.iter().find(|plugin| plugin.instance == **name);
            plugin.is_some_and(|plugin| Configured::of(plugin) == swap.configured)
        };
        Swaps(self.0.iter().filter(is_kept).map(|(name, swap)| (name.clone(), swap.clone())).collect())
    }

    /// Writes them into a shape, for whoever compares it with a config.
    pub fn mark(&self, shape: &mut Shape) {
        for instance in &mut shape.instances {
            instance.swapped = self.of(&instance.name).map(|swap| swap.configured.clone());
        }
    }

    /// Tells the log which of these are not there any more.
    pub fn say_what_ended(&self, now: &Swaps) {
        for (plugin, swap) in self.0.iter().filter(|(name, _)| now.of(name).is_none()) {
            tracing::info!(%plugin, "the swap of the library has ended; it runs what the config says (before the swap: {})", swap.from.display());
        }
    }
}

/// What a reload goes by: a config, and how its libraries are loaded.
pub struct Source {
    /// The config.
    pub config: Config,
    /// The libraries.
    pub loading: Loading,
    /// The swaps that will be then.
    pub swaps: Swaps,
}

impl Server {
    /// What a reload with this aim goes by.
    ///
    /// # Errors
    /// If the config cannot be read, or a file is not to be swapped in.
    pub(super) fn source(&self, aim: &Aim, running: &State) -> Result<Source, Problems> {
        let library = |name: &str| running.assembly.member(name).map(|member| Chosen::Loaded(member.library.clone()));
        let (name, file) = match aim {
            Aim::Config => {
                let config = self.origin.read()?;
                // To find what else is wrong, nothing is written.
                let copies = (!config.problems.has_errors()).then(|| self.libraries());
                let mut loading = self.origin.loading(&config, copies);
                let swaps = running.swaps.kept_by(&config);
                loading.chosen = swaps.0.keys().filter_map(|name| Some((name.clone(), library(name)?))).collect();
                return Ok(Source { config, loading, swaps });
            }
            Aim::File(name, file) => (name, Some(file)),
            Aim::Back(name) => (name, None),
        };
        let config = (*running.config).clone();
        let mut loading = self.origin.loading(&config, Some(self.libraries()));
        let mut swaps = running.swaps.clone();
        let others = config.plugins.iter().map(|plugin| &plugin.instance).filter(|other| *other != name);
        loading.chosen = others.filter_map(|other| Some((other.clone(), library(other)?))).collect();
        let swapped = swaps.0.remove(name);
        // Not the instance's own: that may be of an earlier config which meant the same library.
        let plugin = config.plugins.iter().find(|plugin| plugin.instance == *name);
        let (Some(file), Some(plugin), Some(member)) = (file, plugin, running.assembly.member(name)) else {
            return Ok(Source { config, loading, swaps });
        };
        fits(plugin, file).map_err(|message| Problems::one(message, ""))?;
        let found = loading.configured(&config, plugin).ok();
        if !found.is_some_and(|found| is_same_file(&found, file)) {
            let from = swapped.map_or_else(|| member.library.path.clone(), |swap| swap.from);
            swaps.0.insert(name.clone(), Swap { configured: Configured::of(plugin), from });
        }
        loading.chosen.insert(name.clone(), Chosen::File(file.clone()));
        Ok(Source { config, loading, swaps })
    }

    /// Swaps the library of an instance for a file.
    ///
    /// # Errors
    /// Why not; nothing has changed then.
    pub async fn swap(self: &Arc<Self>, id: &str, file: PathBuf) -> Result<Report, Problems> {
        let member = swappable(&self.assembly(), id).map_err(|message| Problems::one(message, ""))?;
        let aim = Aim::File(member.config.instance.clone(), file);
        self.swapped(&member, aim).await
    }

    /// Gives an instance the library of the config back.
    ///
    /// # Errors
    /// Why not; nothing has changed then.
    pub async fn swap_back(self: &Arc<Self>, id: &str) -> Result<Report, Problems> {
        let member = swappable(&self.assembly(), id).map_err(|message| Problems::one(message, ""))?;
        let name = &member.config.instance;
        if self.state().swaps.of(name).is_none() {
            let message = format!("`{name}` runs the library that the config finds, {}", member.library.path.display());
            return Err(Problems::one(message, "there is nothing to take back"));
        }
        let aim = Aim::Back(name.clone());
        self.swapped(&member, aim).await
    }

    async fn swapped(self: &Arc<Self>, before: &Arc<Member>, aim: Aim) -> Result<Report, Problems> {
        self.change(aim).await?;
        let state = self.state();
        let name = &before.config.instance;
        let gone = || Problems::one(format!("`{name}` was removed by another reload meanwhile"), "");
        let now = state.assembly.member(name).ok_or_else(gone)?;
        let swap = state.swaps.of(name);
        let report = report(before, now, swap);
        if swap.is_some() && !Arc::ptr_eq(before, now) {
            tracing::warn!(plugin = %name, file = %now.library.path.display(), "the library was swapped; a restart forgets it (to keep it: `path` in the config)");
        }
        Ok(report)
    }
}

/// The instance of this name, else the only one of a plugin of this id; it must not own files.
fn swappable(assembly: &Assembly, id: &str) -> Result<Arc<Member>, String> {
    let mut of_plugin = assembly.members.iter().filter(|member| member.library.manifest.id == id);
    let names = |members: &mut dyn Iterator<Item = &Arc<Member>>| {
        members.map(|member| format!("`{}`", member.config.instance)).collect::<Vec<_>>().join(", ")
    };
    let member = match (assembly.member(id), of_plugin.next(), of_plugin.next()) {
        (Some(named), _, _) => named,
        (None, Some(only), None) => only,
        (None, None, _) => {
            let all = names(&mut assembly.members.iter());
            return Err(format!("no instance here is called `{id}` or is a plugin `{id}` (there are {all})"));
        }
        (None, Some(first), Some(second)) => {
            let all = names(&mut [first, second].into_iter().chain(of_plugin));
            return Err(format!("{all} are all plugin `{id}` (name one of them)"));
        }
    };
    if member.library.manifest.exclusive {
        return Err(owns_files(&member.config.instance));
    }
    Ok(member.clone())
}

fn owns_files(name: &str) -> String {
    format!(
        "`{name}` owns files, and two copies of its library in one process would not respect each other's locks \
         (put the file in the place of the old one, and restart the server)"
    )
}

/// Whether a file may be loaded for an instance. What is found here has not run, and takes no memory.
fn fits(plugin: &PluginConfig, file: &Path) -> Result<(), String> {
    let name = &plugin.instance;
    let manifest = trust::check(file)
        .map_err(LoadError::from)
        .and_then(|real| Ok(probe::probe_as(&real, file)?))
        .map_err(|e| e.to_string())?;
    if manifest.id != plugin.plugin {
        return Err(format!(
            "{} is plugin `{}`, but `{name}` is an instance of `{}` (give a build of that; another plugin is a change of the config)",
            file.display(),
            manifest.id,
            plugin.plugin
        ));
    }
    if manifest.exclusive {
        return Err(owns_files(name));
    }
    Ok(())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// What is said of a swap that worked.
fn report(before: &Arc<Member>, now: &Arc<Member>, swap: Option<&Swap>) -> Report {
    let name = &now.config.instance;
    let file = now.library.path.display().to_string();
    let (was, is) = (before.about(), now.about());
    let changed = !Arc::ptr_eq(before, now);
    let first = match changed {
        true => format!(
            "`{name}` is generation {} now: {} {}, build {}, from {file} (before: {}, build {})",
            is.generation, is.plugin, is.version, is.build, was.version, was.build
        ),
        false => format!("`{name}` runs {file} already, build {}: nothing has changed", is.build),
    };
    let mut lines = vec![first];
    if let Some(swap) = swap {
        lines.push(format!(
            "this holds until the server stops: to keep it, say `path: {file:?}` for `{name}` in the config, or put the file in the \
             place of {}; `dovetail plugin swap {name} --back` takes it back",
            swap.from.display()
        ));
    }
    let entry = |about: &Generation, file: String| {
        let mut entry = serde_json::to_value(about).unwrap_or_default();
        entry["file"] = file.into();
        entry
    };
    let json = serde_json::json!({
        "changed": changed,
        "now": entry(&is, file),
        "before": entry(&was, before.library.path.display().to_string()),
        "swapped_from": swap.map(|swap| swap.from.display().to_string()),
    });
    Report { lines, json: json.to_string(), ..Report::default() }
}
