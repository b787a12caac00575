//! Whether libraries fit this server: the host's interfaces as they know them, and those of theirs that core itself uses.
//!
//! Whether they fit one another is for the [`wiring`]. What does not fit is one line that names the instance, its plugin and
//! the SDK that this was built with, the type that differs, and the cure.

use super::{
    host::InstanceHost,
    wiring::{self, Node},
};
use crate::{config::report::Problems, telemetry::log::Log};
use dovetail_abi::{
    certs_admin_v1::CertsAdmin, certs_v1::Certs, handle::Interface, kernel_v1::InterfaceUse, known, layout,
    operations_v1::Operations, protocol_v1::Protocol, tls_v1::Tls,
};
use std::path::PathBuf;

/// What core asks of plugins.
const USED_BY_CORE: [&str; 5] = [Protocol::ID, Tls::ID, Certs::ID, CertsAdmin::ID, Operations::ID];

/// Checks all libraries.
pub fn check(nodes: &[Node<'_>], problems: &mut Problems) {
    let host = InstanceHost::new("check", PathBuf::new(), Log::default());
    for node in nodes {
        let manifest = &node.library.manifest;
        let build = format!("`{}` ({} {}, SDK {})", node.config.instance, manifest.id, manifest.version, manifest.sdk);
        let mut complain = |message: String, help: &str| problems.0.push(node.config.place.diagnostic(message, help));
        for required in node.library.description.requires.iter().filter(|r| wiring::is_host_interface(&r.id)) {
            let needs = format!("{build} needs {} of this server", required.id);
            match host_difference(&host, required) {
                None => {}
                Some(HostLack::Other(difference)) => {
                    complain(format!("{needs}: {}", difference.between("the plugin", "this server")), SAME_SDK);
                }
                Some(HostLack::Absent(offers)) => complain(
                    format!("{needs}: {offers}"),
                    "update the server, or use a build of the plugin that fits this release",
                ),
            }
        }
        for offer in node.library.description.provides.iter().filter(|o| USED_BY_CORE.contains(&o.id.as_str())) {
            let differs = known::layout(&offer.id).and_then(|ours| layout::compatible(ours, offer.layout).err());
            if let Some(difference) = differs {
                let differs = difference.between("this server", "the plugin");
                complain(format!("{build} provides another {} than this server uses: {differs}", offer.id), SAME_SDK);
            }
        }
    }
}

const SAME_SDK: &str = "build the plugin with this release's SDK";

/// Why the host cannot give what is asked of it.
pub enum HostLack {
    /// It does not offer it; what it offers instead.
    Absent(String),
    /// It is laid out in another way.
    Other(layout::Difference),
}

/// One of the host's own interfaces, as a library knows it, against ours.
pub fn host_difference(host: &InstanceHost, required: &InterfaceUse) -> Option<HostLack> {
    let Some(offered) = host.query(&required.id) else {
        let base = required.id.split('/').next().unwrap_or_default();
        // There is no host interface of more than a few revisions.
        let known: Vec<String> =
            (1..=9).map(|revision| format!("{base}/{revision}")).filter(|id| host.query(id).is_some()).collect();
        let told = match known.is_empty() {
            true => format!("{} {} has no such interface", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
            false => format!("{} {} has {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), known.join(" and ")),
        };
        return Some(HostLack::Absent(told));
    };
    layout::compatible(required.layout, offered.layout()).err().map(HostLack::Other)
}
