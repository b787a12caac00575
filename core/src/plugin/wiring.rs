//! Who gets which service: a graph that is whole before anything starts.
//!
//! Missing providers, ambiguous ones, wrong revisions, different layouts and cycles are found here, all at once.

use crate::config::{report::Problems, Config, PluginConfig};
use dovetail_abi::{
    kernel_v1::{InterfaceUse, Need},
    layout,
};
use std::{collections::BTreeSet, sync::Arc};

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
    pub providers: Vec<BTreeSet<(String, usize)>>,
    /// Instances, providers before users.
    pub order: Vec<usize>,
}

/// What the host itself offers.
pub fn is_host_interface(id: &str) -> bool {
    id.starts_with("dovetail.host.")
}

/// Makes the wiring; `needs` is what the sections ask for, for each node. Where the nodes are not `whole`, providers that seem to be missing are not complained about: they may be
/// among those that did not load.
pub fn wire(config: &Config, nodes: &[Node<'_>], needs: &[Vec<Need>], whole: bool, problems: &mut Problems) -> Wiring {
    let mut wiring = Wiring::default();
    for (index, node) in nodes.iter().enumerate() {
        let description = &node.library.description;
        let always = description.requires.iter().filter(|required| !is_host_interface(&required.id));
        let mut wanted: Vec<(&InterfaceUse, Option<&String>)> = always.map(|required| (required, None)).collect();
        for need in needs.get(index).into_iter().flatten() {
            match description.uses.iter().find(|used| used.id.as_str() == need.id) {
                Some(used) => wanted.push((used, need.provider.as_ref())),
                None => problems.0.push(node.config.place.diagnostic(
                    format!(
                        "`{}` asks for {}, which its plugin {} does not list under `uses`",
                        node.config.instance, need.id, node.library.manifest.id
                    ),
                    "report this to the plugin's author",
                )),
            }
        }
        let mut providers = BTreeSet::new();
        for (required, named) in wanted {
            let chosen = named.or_else(|| chosen(config, node, &required.id));
            if !whole && is_missing(nodes, index, &required.id, chosen) {
                continue;
            }
            if let Some(provider) = provider(nodes, index, required, chosen, named.is_some(), problems) {
                providers.insert((required.id.to_string(), provider));
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
    pick(nodes, None, interface, config.services.get(interface), SERVICES)
}

/// The instance that the operator chose for an interface.
fn chosen<'a>(config: &'a Config, node: &'a Node<'_>, interface: &str) -> Option<&'a String> {
    node.config.services.get(interface).or_else(|| config.services.get(interface))
}

/// What names an instance: the option, or the plugin's own section.
const SERVICES: &str = "`services`";
const SECTION: &str = "its section";

fn provider(
    nodes: &[Node<'_>],
    user: usize,
    required: &InterfaceUse,
    chosen: Option<&String>,
    by_section: bool,
    problems: &mut Problems,
) -> Option<usize> {
    let node = &nodes[user];
    let complain = |message: String, help: String, problems: &mut Problems| {
        let message = format!("`{}` needs {}: {message}", node.config.instance, required.id);
        problems.0.push(node.config.place.diagnostic(message, help));
    };
    match pick(nodes, Some(user), &required.id, chosen, if by_section { SECTION } else { SERVICES }) {
        Ok(provider) => {
            let other = &nodes[provider];
            let offered = other.library.description.provides.iter().find(|offer| offer.id == required.id)?;
            if let Err(difference) = layout::compatible(required.layout, offered.layout) {
                complain(
                    format!(
                        "what `{}` ({}) provides is laid out differently from what {} expects: {}",
                        other.config.instance,
                        build(other),
                        build(node),
                        difference
                            .between(&format!("`{}`", node.config.instance), &format!("`{}`", other.config.instance)),
                    ),
                    "build both with the same release of the SDK, or of the package that declares the interface".into(),
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
fn is_missing(nodes: &[Node<'_>], user: usize, id: &str, chosen: Option<&String>) -> bool {
    let provides = |index: usize| nodes[index].library.description.provides.iter().any(|offer| offer.id == id);
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
    by: &str,
) -> Result<usize, (String, String)> {
    let provides = |node: &Node<'_>| node.library.description.provides.iter().any(|offer| offer.id == interface);
    if let Some(chosen) = chosen {
        let index = nodes
            .iter()
            .position(|node| node.config.instance == *chosen)
            .ok_or_else(|| (format!("{by} names `{chosen}`, which is no instance"), "correct the name".to_owned()))?;
        return if provides(&nodes[index]) {
            Ok(index)
        } else {
            Err((format!("{by} names `{chosen}`, which does not provide it"), "name another instance".to_owned()))
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
    let (base, wanted) = split(interface);
    for node in nodes {
        let offers = node.library.description.provides.iter().map(|offer| offer.id.as_str());
        let offered: Vec<&str> = offers.filter(|id| split(id).0 == base).collect();
        if !offered.is_empty() {
            let older = offered.iter().all(|id| split(id).1 < wanted);
            let cure = if older { "use a newer build of" } else { "use an older build of" };
            return (
                format!("`{}` ({}) provides {} only", node.config.instance, build(node), offered.join(" and ")),
                format!("{cure} {}, or a build of the one that needs it for what is there", node.library.manifest.id),
            );
        }
    }
    ("no plugin instance provides it".to_owned(), hint(interface).to_owned())
}

/// An interface's name and its revision; 0 if it has none.
fn split(interface: &str) -> (&str, u32) {
    let (base, revision) = interface.rsplit_once('/').unwrap_or((interface, ""));
    (base, revision.parse().unwrap_or_default())
}

/// Which build a node's library is.
fn build(node: &Node<'_>) -> String {
    let manifest = &node.library.manifest;
    format!("{} {}, SDK {}", manifest.id, manifest.version, manifest.sdk)
}

/// The plugin of ours that provides an interface.
fn hint(interface: &str) -> &'static str {
    match interface {
        "dovetail.tls/1" => "add \"tls-rustls\": () to `plugins`",
        "dovetail.certs/1" => "add \"cert-store\": () to `plugins`",
        "dovetail.directory/1" => "add \"accounts-file\": () to `plugins`",
        "dovetail.store/1" => "add \"store-sqlite\": () to `plugins`",
        "dovetail.kv/1" => "add \"kv-sqlite\": () to `plugins`",
        "dovetail.spool/1" => "add \"spool\": () to `plugins`",
        "dovetail.delivery/1" => "add \"delivery\": () to `plugins`",
        _ => "add a plugin that provides it (see `dovetail plugin list`)",
    }
}

/// Providers before users; a cycle is printed as a path.
fn order(nodes: &[Node<'_>], providers: &[BTreeSet<(String, usize)>], problems: &mut Problems) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    struct Walk<'a, 'b> {
        nodes: &'a [Node<'b>],
        providers: &'a [BTreeSet<(String, usize)>],
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
            let needs: Vec<usize> = self.providers[index].iter().map(|(_, provider)| *provider).collect();
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
