//! The instances of one config: found, loaded, prepared and wired; then started and stopped.

use super::{
    closure,
    finder::Finder,
    fit,
    host::InstanceHost,
    load::{self, Loaded},
    member::Member,
    places::Places,
    wiring::{self, Node},
};
use crate::{
    config::{report::Problems, Config, PluginConfig},
    telemetry::log::Log,
};
use dovetail_abi::{
    handle::Interface,
    kernel_v1::{Diagnostic, Need, PrepareInput, Prepared, Purpose},
    AnyHandle,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// All instances, wired.
pub struct Assembly {
    /// The instances, in the order of the config.
    pub members: Vec<Arc<Member>>,
    /// What was worth a warning.
    pub warnings: Vec<Diagnostic>,
    /// The instances, providers before users.
    pub order: Vec<usize>,
    /// Where their services stand.
    pub places: Places,
}

/// How libraries are loaded.
#[derive(Debug, Clone, Default)]
pub struct Loading {
    /// Where to search.
    pub finder: Finder,
    /// Where private copies go; `None` loads the files themselves.
    pub copies: Option<PathBuf>,
    /// What single instances run, by name, whatever the config says.
    pub chosen: BTreeMap<String, Chosen>,
}

/// A library that is not the one of the config.
#[derive(Debug, Clone)]
pub enum Chosen {
    /// One that is to be loaded.
    File(PathBuf),
    /// One that is loaded.
    Loaded(Arc<Loaded>),
}

impl Loading {
    /// The file of an instance's library, going by the config.
    ///
    /// # Errors
    /// If it is to be searched for and is not found.
    pub fn configured(&self, config: &Config, plugin: &PluginConfig) -> Result<PathBuf, String> {
        match &plugin.path {
            Some(path) => Ok(config.config_dir.join(path)),
            None => self.finder.find(&plugin.plugin).map(|found| found.path).map_err(|error| error.to_string()),
        }
    }
}

impl Assembly {
    /// Finds, loads, prepares and wires the instances of a config; `only` limits it to those and what they need.
    ///
    /// # Errors
    /// Everything that is wrong, at once. Nothing was started.
    pub fn prepare(
        config: &Config,
        loading: &Loading,
        log: &Log,
        only: Option<&str>,
        purpose: Purpose,
    ) -> Result<Assembly, Problems> {
        // For a part of the config it does not matter what is wrong elsewhere in it.
        let blocked = only.is_none() || config.broken;
        let mut problems = if blocked { config.problems.clone() } else { Problems::default() };
        let wanted: Vec<&PluginConfig> = match only {
            Some(only) => closure::of(config, &loading.finder, only, &mut problems),
            None => config.plugins.iter().collect(),
        };
        let mut libraries: BTreeMap<PathBuf, Arc<Loaded>> = BTreeMap::new();
        let mut nodes: Vec<Node<'_>> = Vec::new();
        for &plugin in &wanted {
            match load_one(config, plugin, loading, &mut libraries) {
                Ok(library) => nodes.push(Node { config: plugin, library }),
                // What somebody chose has no place in the config.
                Err(message) if loading.chosen.contains_key(&plugin.instance) => problems.error(message, ""),
                Err(message) => problems.0.push(plugin.place.diagnostic(message, "")),
            }
        }
        // Who is missing cannot be said of a config that is not whole.
        let whole = !problems.has_errors() && nodes.len() == wanted.len();
        // Prepared first: a section may ask for services of its own.
        let mut unprepared = Problems::default();
        let prepared = prepare_all(config, &nodes, purpose, &mut unprepared);
        let needs: Vec<Vec<Need>> = prepared.iter().map(needs_of).collect();
        let wiring = wiring::wire(config, &nodes, &needs, whole, &mut problems);
        fit::check(&nodes, &mut problems);
        problems.0.append(&mut unprepared.0);
        if only.is_none() {
            check_listeners(config, &nodes, whole, &mut problems);
        }
        if problems.has_errors() {
            return Err(problems);
        }
        let mut warnings = problems.0;
        let mut members = Vec::new();
        for ((node, prepared), providers) in nodes.iter().zip(prepared).zip(&wiring.providers) {
            if let Some(prepared) = &prepared {
                warnings.extend(prepared.warnings().unwrap_or_default());
            }
            let host = InstanceHost::new(&node.config.instance, config.data_dir.clone(), log.clone());
            let needs = providers
                .iter()
                .filter_map(|(id, provider)| Some((id.clone(), nodes.get(*provider)?.config.instance.clone())))
                .collect();
            members.push(Arc::new(Member::new(node.config.clone(), node.library.clone(), host, needs, prepared)));
        }
        Ok(Assembly { members, warnings, order: wiring.order, places: Places::default() })
    }

    /// Starts all instances, providers first.
    ///
    /// # Errors
    /// What the first instance that does not start says; those before it have been stopped again.
    pub async fn start(&self) -> Result<(), Problems> {
        for member in self.ordered() {
            match member.start(&self.places).await {
                Ok(offers) => {
                    for (interface, provider) in offers {
                        self.places.place(&member.config.instance, &interface).fill(provider);
                    }
                }
                Err(message) => {
                    self.stop().await;
                    return Err(Problems(vec![did_not_start(member, &message)]));
                }
            }
        }
        Ok(())
    }

    /// Stops all instances, users first, and waits for their tasks.
    pub async fn stop(&self) {
        for member in self.ordered().rev() {
            member.take_from(&self.places).await;
        }
    }

    /// The instances, providers before users.
    pub fn ordered(&self) -> impl DoubleEndedIterator<Item = &Arc<Member>> {
        self.order.iter().filter_map(|&index| self.members.get(index))
    }

    /// The instance of a name.
    pub fn member(&self, instance: &str) -> Option<&Arc<Member>> {
        self.members.iter().find(|member| member.config.instance == instance)
    }

    /// What an instance provides, as interface `I`.
    ///
    /// # Errors
    /// If it does not, or in another shape.
    pub fn service<I: Interface>(&self, instance: &str) -> Result<I, String> {
        let any: Option<AnyHandle> = self.places.get(instance, I::ID);
        if any.is_none() && self.member(instance).is_some_and(|member| member.host.account().is_quarantined()) {
            return Err(format!(
                "`{instance}` is quarantined for its faults (`dovetail status` says until when, `dovetail plugin restart \
                 {instance}` starts it anew now)"
            ));
        }
        any.ok_or_else(|| format!("`{instance}` provides no {}", I::ID))?.checked()
    }

    /// The instance that provides an interface to core.
    ///
    /// # Errors
    /// None, several, or another revision.
    pub fn provider_for_core(&self, config: &Config, interface: &str) -> Result<String, String> {
        let nodes: Vec<Node<'_>> =
            self.members.iter().map(|m| Node { config: &m.config, library: m.library.clone() }).collect();
        wiring::for_core(config, &nodes, interface)
            .map(|index| self.members[index].config.instance.clone())
            .map_err(|(message, help)| format!("{interface}: {message} ({help})"))
    }

    /// The private copies of libraries in use.
    pub fn copies(&self) -> Vec<PathBuf> {
        self.members.iter().filter_map(|member| member.library.copy.clone()).collect()
    }
}

/// What a section asks for; nothing, if it was found wrong or its plugin panicked.
fn needs_of(prepared: &Option<Prepared>) -> Vec<Need> {
    prepared.as_ref().and_then(|prepared| prepared.needs().ok()).unwrap_or_default()
}

/// What is said of an instance that did not start.
pub fn did_not_start(member: &Member, message: &str) -> Diagnostic {
    let message = format!("`{}` did not start: {message}", member.config.instance);
    member.config.place.diagnostic(message, "")
}

fn load_one(
    config: &Config,
    plugin: &PluginConfig,
    loading: &Loading,
    libraries: &mut BTreeMap<PathBuf, Arc<Loaded>>,
) -> Result<Arc<Loaded>, String> {
    let path = match loading.chosen.get(&plugin.instance) {
        Some(Chosen::Loaded(library)) => return Ok(library.clone()),
        Some(Chosen::File(path)) => path.clone(),
        None => loading.configured(config, plugin)?,
    };
    if plugin.sha256.is_none() {
        if let Some(library) = libraries.get(&path) {
            return same_id(library, plugin).map(|()| library.clone());
        }
    }
    let library = load::load(&path, plugin.sha256.as_deref(), loading.copies.as_deref()).map_err(|e| e.to_string())?;
    same_id(&library, plugin)?;
    let library = Arc::new(library);
    libraries.insert(path, library.clone());
    Ok(library)
}

fn same_id(library: &Loaded, plugin: &PluginConfig) -> Result<(), String> {
    if library.manifest.id == plugin.plugin {
        return Ok(());
    }
    Err(format!(
        "{} is plugin `{}`, not `{}` (correct `path`, or say `plugin: \"{}\"`)",
        library.path.display(),
        library.manifest.id,
        plugin.plugin,
        library.manifest.id
    ))
}

fn prepare_all(
    config: &Config,
    nodes: &[Node<'_>],
    purpose: Purpose,
    problems: &mut Problems,
) -> Vec<Option<Prepared>> {
    let prepare = |node: &Node<'_>| match prepare_one(config, node.config, &node.library, purpose) {
        Ok(prepared) => Some(prepared),
        Err(found) => {
            problems.0.extend(found);
            None
        }
    };
    nodes.iter().map(prepare).collect()
}

/// Has a library read the section of an instance.
///
/// # Errors
/// What is wrong with it, each with the instance's name.
pub fn prepare_one(
    config: &Config,
    plugin: &PluginConfig,
    library: &Loaded,
    purpose: Purpose,
) -> Result<Prepared, Vec<Diagnostic>> {
    let shown = |path: &Path| path.to_string_lossy().into_owned();
    let input = PrepareInput {
        instance: plugin.instance.clone(),
        section: plugin.section.section(),
        hostname: config.hostname.clone(),
        data_dir: shown(&config.data_dir),
        config_dir: shown(&config.config_dir),
        purpose,
        build: library.build.clone(),
    };
    let named = |mut diagnostic: Diagnostic| {
        diagnostic.message = format!("`{}`: {}", plugin.instance, diagnostic.message);
        diagnostic
    };
    library.prepare(input).map_err(|found| found.into_iter().map(named).collect())
}

/// What listeners need: a protocol, and for TLS a provider and certificates.
fn check_listeners(config: &Config, nodes: &[Node<'_>], whole: bool, problems: &mut Problems) {
    use dovetail_abi::{certs_v1::Certs, protocol_v1::Protocol, tls_v1::Tls};
    for listener in &config.listeners {
        let Some(node) = nodes.iter().find(|node| node.config.instance == listener.options.protocol) else {
            continue;
        };
        if !node.library.description.provides.iter().any(|offer| offer.id == Protocol::ID) {
            problems.0.push(listener.place.diagnostic(
                format!(
                    "listener `{}` wants protocol `{}`, which is a plugin but no protocol",
                    listener.name, listener.options.protocol
                ),
                "name an instance that provides dovetail.protocol/1",
            ));
        }
        if !whole || listener.options.tls == crate::config::TlsMode::Off {
            continue;
        }
        for interface in [Tls::ID, Certs::ID] {
            if let Err((message, help)) = wiring::for_core(config, nodes, interface) {
                problems.0.push(
                    listener
                        .place
                        .diagnostic(format!("listener `{}` needs {interface} for TLS: {message}", listener.name), help),
                );
            }
        }
    }
}
