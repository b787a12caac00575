//! Who gets which service: a graph that is whole before anything starts.
//!
//! Missing providers, ambiguous ones, wrong revisions, different layouts and cycles are found here, all at once.

use crate::config::{report::Problems, Config, PluginConfig};
use dovetail_abi::{kernel_v1::InterfaceUse, layout};
use std::{collections::BTreeMap, sync::Arc};

use super::load::Loaded;

/// A library with the instance's place in the config.
pub struct Node<'a> {
    /// The instance's config.
    pub config: &'a PluginConfig,
    /// Its library.
    pub library: Arc<Loaded>,
}

/// The wiring: for each instance, by interface, the index of the provider; and an order to start in.
#[derive(Debug, Default)]
pub struct Wiring {
    /// For each instance, the interfaces it requires with their providers.
    pub providers: Vec<BTreeMap<String, usize>>,
    /// Instances, providers before users.
    pub order: Vec<usize>,
}

/// What the host itself offers.
pub fn is_host_interface(id: &str) -> bool {
    id.starts_with("dovetail.host.")
}

/// Makes the wiring. Where the nodes are not `whole`, providers that seem to be missing are not complained about: they may be
/// among those that did not load.
pub fn wire(config: &Config, nodes: &[Node<'_>], whole: bool, problems: &mut Problems) -> Wiring {
    let mut wiring = Wiring::default();
    for (index, node) in nodes.iter().enumerate() {
        let mut providers = BTreeMap::new();
        for required in &node.library.description.requires {
            if is_host_interface(&required.id) {
                continue;
            }
            if !whole && is_missing(config, nodes, index, required) {
                continue;
            }
            if let Some(provider) = provider(config, nodes, index, required, problems) {
                providers.insert(required.id.to_string(), provider);
            }
        }
        wiring.providers.push(providers);
    }
    wiring.order = order(nodes, &wiring.providers, problems);
    wiring
}

/// The one provider of an interface for core itself.
///
/// # Errors
/// As for instances: none, several, or another revision.
pub fn for_core(config: &Config, nodes: &[Node<'_>], interface: &str) -> Result<usize, (String, String)> {
    pick(nodes, None, interface, config.services.get(interface))
}

fn provider(
    config: &Config,
    nodes: &[Node<'_>],
    user: usize,
    required: &InterfaceUse,
    problems: &mut Problems,
) -> Option<usize> {
    let node = &nodes[user];
    let chosen = node.config.services.get(required.id.as_str()).or_else(|| config.services.get(required.id.as_str()));
    let complain = |message: String, help: String, problems: &mut Problems| {
        let message = format!("`{}` needs {}: {message}", node.config.instance, required.id);
        problems.0.push(node.config.place.diagnostic(message, help));
    };
    match pick(nodes, Some(user), &required.id, chosen) {
        Ok(provider) => {
            let other = &nodes[provider];
            let offered = other.library.description.provides.iter().find(|offer| offer.id == required.id)?;
            if let Err(difference) = layout::compatible(required.layout, offered.layout) {
                complain(
                    format!(
                        "what `{}` ({}, SDK {}) provides is laid out differently from what {} (SDK {}) expects: {difference}",
                        other.config.instance,
                        other.library.manifest.version,
                        other.library.manifest.sdk,
                        node.library.manifest.version,
                        node.library.manifest.sdk,
                    ),
                    "build both with the same SDK release".into(),
                    problems,
                );
                return None;
            }
            Some(provider)
        }
        Err((message, help)) => {
            complain(message, help, problems);
            None
        }
    }
}

/// Whether no node could provide this.
fn is_missing(config: &Config, nodes: &[Node<'_>], user: usize, required: &InterfaceUse) -> bool {
    let id = required.id.as_str();
    let chosen = nodes[user].config.services.get(id).or_else(|| config.services.get(id));
    let provides = |index: usize| nodes[index].library.description.provides.iter().any(|offer| offer.id == required.id);
    match chosen {
        Some(chosen) => !nodes.iter().any(|node| node.config.instance == *chosen),
        None => !(0..nodes.len()).any(|index| index != user && provides(index)),
    }
}

fn pick(
    nodes: &[Node<'_>],
    user: Option<usize>,
    interface: &str,
    chosen: Option<&String>,
) -> Result<usize, (String, String)> {
    let provides = |node: &Node<'_>| node.library.description.provides.iter().any(|offer| offer.id == interface);
    if let Some(chosen) = chosen {
        let index = nodes.iter().position(|node| node.config.instance == *chosen).ok_or_else(|| {
            (format!("`services` names `{chosen}`, which is no instance"), "correct the name".to_owned())
        })?;
        return if provides(&nodes[index]) {
            Ok(index)
        } else {
            Err((format!("`services` names `{chosen}`, which does not provide it"), "name another instance".to_owned()))
        };
    }
    let mut candidates = (0..nodes.len()).filter(|&index| Some(index) != user && provides(&nodes[index]));
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => Ok(only),
        (Some(first), Some(second)) => Err((
            format!("`{}` and `{}` both provide it", nodes[first].config.instance, nodes[second].config.instance),
            format!("choose with `services: {{\"{interface}\": \"{}\"}}`", nodes[first].config.instance),
        )),
        (None, _) => Err(missing(nodes, interface)),
    }
}

fn missing(nodes: &[Node<'_>], interface: &str) -> (String, String) {
    let base = interface.split('/').next().unwrap_or(interface);
    for node in nodes {
        for offer in &node.library.description.provides {
            if offer.id.split('/').next() == Some(base) {
                return (
                    format!("`{}` provides {} only", node.config.instance, offer.id),
                    "use builds of both that share a revision".to_owned(),
                );
            }
        }
    }
    ("no plugin instance provides it".to_owned(), hint(interface).to_owned())
}

/// The plugin of ours that provides an interface.
fn hint(interface: &str) -> &'static str {
    match interface {
        "dovetail.tls/1" => "add \"tls-rustls\": () to `plugins`",
        "dovetail.certs/1" => "add \"cert-store\": () to `plugins`",
        "dovetail.directory/1" => "add \"accounts-file\": () to `plugins`",
        "dovetail.store/1" => "add \"store-sqlite\": () to `plugins`",
        "dovetail.delivery/1" => "add \"delivery\": () to `plugins`",
        _ => "add a plugin that provides it (see `dovetail plugin list`)",
    }
}

/// Providers before users; a cycle is printed as a path.
fn order(nodes: &[Node<'_>], providers: &[BTreeMap<String, usize>], problems: &mut Problems) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    struct Walk<'a, 'b> {
        nodes: &'a [Node<'b>],
        providers: &'a [BTreeMap<String, usize>],
        marks: Vec<Mark>,
        path: Vec<usize>,
        order: Vec<usize>,
    }
    impl Walk<'_, '_> {
        fn visit(&mut self, index: usize, problems: &mut Problems) {
            match self.marks[index] {
                Mark::Done => return,
                Mark::Open => {
                    let start = self.path.iter().position(|&at| at == index).unwrap_or(0);
                    let mut names: Vec<&str> =
                        self.path[start..].iter().map(|&at| self.nodes[at].config.instance.as_str()).collect();
                    names.push(&self.nodes[index].config.instance);
                    problems.0.push(self.nodes[index].config.place.diagnostic(
                        format!("the instances need each other in a circle: {}", names.join(" -> ")),
                        "break it with `services`",
                    ));
                    return;
                }
                Mark::New => {}
            }
            self.marks[index] = Mark::Open;
            self.path.push(index);
            let needs: Vec<usize> = self.providers[index].values().copied().collect();
            for provider in needs {
                self.visit(provider, problems);
            }
            self.path.pop();
            self.marks[index] = Mark::Done;
            self.order.push(index);
        }
    }
    let mut walk = Walk { nodes, providers, marks: vec![Mark::New; nodes.len()], path: Vec::new(), order: Vec::new() };
    for index in 0..nodes.len() {
        walk.visit(index, problems);
    }
    walk.order
}
