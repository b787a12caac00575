//! Which instances a part of a server consists of, by what the plugins' files say of themselves: nothing is loaded.
//!
//! An operation without a running server needs one instance and what that requires. What is wrong with the others, in their
//! sections or their files, is not its business.

use super::{
    finder::{Finder, Found},
    probe, wiring,
};
use crate::config::{report::Problems, Config, PluginConfig};
use dovetail_abi::{handle::Interface, operations_v1::Operations};
use std::collections::BTreeSet;

/// The file of an instance's plugin, with its manifest.
///
/// # Errors
/// If there is none, or it is no plugin.
pub fn locate(config: &Config, finder: &Finder, plugin: &PluginConfig) -> Result<Found, String> {
    match &plugin.path {
        Some(path) => {
            let path = config.config_dir.join(path);
            let manifest = probe::read(&path).map_err(|error| error.to_string())?;
            Ok(Found { path, manifest })
        }
        None => finder.find(&plugin.plugin).map_err(|error| error.to_string()),
    }
}

/// The instances that offer a command's operations, in the order of the config.
pub fn offering<'a>(config: &'a Config, finder: &Finder, command: &str) -> Vec<(&'a PluginConfig, Found)> {
    let is_offering = |found: &Found| {
        found.manifest.command.as_deref() == Some(command)
            && found.manifest.provides.iter().any(|id| id == Operations::ID)
    };
    let located = config.plugins.iter().filter_map(|plugin| Some((plugin, locate(config, finder, plugin).ok()?)));
    located.filter(|(_, found)| is_offering(found)).collect()
}

/// The instance `only` and all that could provide what it needs, in the order of the config. Where something is needed that
/// nobody here provides, what is wrong with the config and with files that could not be read is added to `problems`: it may
/// be there.
pub fn of<'a>(config: &'a Config, finder: &Finder, only: &str, problems: &mut Problems) -> Vec<&'a PluginConfig> {
    let located: Vec<Result<Found, String>> =
        config.plugins.iter().map(|plugin| locate(config, finder, plugin)).collect();
    let provides = |index: usize, id: &str| {
        located[index].as_ref().is_ok_and(|found| found.manifest.provides.iter().any(|provided| provided == id))
    };
    let all = 0..config.plugins.len();
    let mut keep = BTreeSet::new();
    let mut lacking = false;
    let mut open: Vec<usize> = all.clone().filter(|&index| config.plugins[index].instance == only).collect();
    lacking |= open.is_empty();
    while let Some(index) = open.pop() {
        if !keep.insert(index) {
            continue;
        }
        let plugin = &config.plugins[index];
        // A file that cannot be read is complained about when it is loaded.
        let requires = located[index].as_ref().map(|found| found.manifest.requires.as_slice()).unwrap_or_default();
        for id in requires.iter().filter(|id| !wiring::is_host_interface(id)) {
            let providers: Vec<usize> = match plugin.services.get(id).or_else(|| config.services.get(id)) {
                Some(chosen) => all.clone().filter(|&other| config.plugins[other].instance == *chosen).collect(),
                None => all.clone().filter(|&other| other != index && provides(other, id)).collect(),
            };
            lacking |= providers.is_empty();
            open.extend(providers);
        }
    }
    if lacking {
        if problems.0.is_empty() {
            problems.0.clone_from(&config.problems.0);
        }
        let unread = all.filter(|index| !keep.contains(index));
        problems.0.extend(unread.filter_map(|index| {
            Some(config.plugins[index].place.diagnostic(located[index].as_ref().err()?.clone(), ""))
        }));
    }
    keep.into_iter().map(|index| &config.plugins[index]).collect()
}
