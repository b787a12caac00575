//! What a server consists of, in a form that two of them can be compared by: the running one, and what a config would make.
//!
//! It crosses the control socket, so sections are there as hashes only: they may hold secrets.

use super::{normal::normal, swap::Configured};
use crate::{
    config::{Config, ListenerConfig, Problems, TlsMode},
    plugin::{instance::Assembly, member::Member},
};
use dovetail_abi::{handle::Interface, tls_v1::Tls};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A server's parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// What only a start reads, by the option's name.
    pub fixed: BTreeMap<String, String>,
    /// What can be changed at any time, by the option's name.
    pub settings: BTreeMap<String, String>,
    /// The instances, in the order of the config.
    pub instances: Vec<InstanceShape>,
    /// The listeners, in the order of the config.
    pub listeners: Vec<ListenerShape>,
    /// The instance that does TLS for the listeners.
    pub tls: Option<String>,
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceShape {
    /// Its name.
    pub name: String,
    /// The plugin's id.
    pub plugin: String,
    /// Its library.
    pub library: LibraryShape,
    /// The hash of its section.
    pub section: String,
    /// What it requires, and who provides that.
    pub needs: BTreeSet<(String, String)>,
    /// Whether it must not run twice.
    pub exclusive: bool,
    /// What the config said of its library when that was swapped, if it was.
    #[serde(default)]
    pub swapped: Option<Configured>,
}

/// Which file a library is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryShape {
    /// Device, inode, size and modification time.
    pub stamp: String,
    /// Its SHA-256, if it is pinned.
    pub hash: Option<String>,
}

impl LibraryShape {
    /// Whether both are the same code.
    pub fn is(&self, other: &LibraryShape) -> bool {
        self.stamp == other.stamp || (self.hash.is_some() && self.hash == other.hash)
    }
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerShape {
    /// Its name.
    pub name: String,
    /// The instance that serves it.
    pub protocol: String,
    /// Whether it does TLS.
    pub tls: bool,
    /// Its options as they are written, with what stands for the contents of the files that they name.
    pub options: BTreeMap<String, String>,
}

impl Shape {
    /// What a config with these instances amounts to.
    pub fn of(config: &Config, assembly: &Assembly) -> Shape {
        let pairs = |pairs: &[(&str, String)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<BTreeMap<_, _>>()
        };
        let listeners: Vec<ListenerShape> = config.listeners.iter().map(listener).collect();
        let tls = listeners.iter().any(|listener| listener.tls);
        Shape {
            fixed: pairs(&[("hostname", config.hostname.clone()), ("data_dir", config.data_dir.display().to_string())]),
            settings: pairs(&[
                ("log", format!("{:?}", config.log)),
                ("metrics", format!("{:?}", config.metrics)),
                ("login_blocking", format!("{:?}", config.login_blocking)),
                ("faults", format!("{:?}", config.faults)),
                ("drain_seconds", config.drain.as_secs().to_string()),
                ("retire_seconds", config.retire.as_secs().to_string()),
            ]),
            instances: assembly.members.iter().map(|member| instance(member)).collect(),
            listeners,
            tls: tls.then(|| assembly.provider_for_core(config, Tls::ID).ok()).flatten(),
        }
    }
}

impl Shape {
    /// Takes over from the running server what a reload of this config would: libraries that were swapped.
    pub fn keep_swaps(&mut self, running: &Shape, config: &Config) {
        for instance in &mut self.instances {
            let old = running.instances.iter().find(|old| old.name == instance.name);
            let plugin = config.plugins.iter().find(|plugin| plugin.instance == instance.name);
            let (Some(old), Some(plugin)) = (old, plugin) else { continue };
            if old.swapped.as_ref() == Some(&Configured::of(plugin)) {
                instance.library = old.library.clone();
            }
        }
    }
}

fn instance(member: &Member) -> InstanceShape {
    let section: String =
        Sha256::digest(normal(&member.config.section.text)).iter().map(|byte| format!("{byte:02x}")).collect();
    InstanceShape {
        name: member.config.instance.clone(),
        plugin: member.library.manifest.id.clone(),
        library: member.library.shape.clone(),
        section,
        needs: member.needs.clone(),
        exclusive: member.library.manifest.exclusive,
        swapped: None,
    }
}

fn listener(listener: &ListenerConfig) -> ListenerShape {
    // It was read before, so there is nothing to complain about.
    let entries = listener.place.entries(&mut Problems::default());
    let mut options: BTreeMap<String, String> =
        entries.into_iter().map(|entry| (entry.name, normal(&entry.piece.text))).collect();
    if let Some(hash) = listener.client_files.hash() {
        // Other contents of the files are another option, under the name of those.
        options.entry("client_certificates".to_owned()).or_default().push_str(&hash);
    }
    ListenerShape {
        name: listener.name.clone(),
        protocol: listener.options.protocol.clone(),
        tls: listener.options.tls != TlsMode::Off,
        options,
    }
}
