//! How a server is.

use crate::{config::TlsMode, server::Server};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;

/// A server's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// Dovetail's version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Its name.
    pub hostname: String,
    /// Its data.
    pub data_dir: String,
    /// For how many seconds it has been running.
    pub uptime_seconds: u64,
    /// Its listeners.
    pub listeners: Vec<ListenerStatus>,
    /// Its instances.
    pub plugins: Vec<PluginStatus>,
}

/// A listener's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListenerStatus {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub bind: Vec<String>,
    /// The instance that serves it.
    pub protocol: String,
    /// `off`, `explicit` or `implicit`.
    pub tls: String,
    /// Sessions now.
    pub sessions: u32,
    /// Sessions since the start.
    pub served: u64,
}

/// An instance's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PluginStatus {
    /// Its name.
    pub instance: String,
    /// The plugin's id.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The library.
    pub file: String,
    /// What it provides.
    pub provides: Vec<String>,
    /// Tasks now.
    pub tasks: usize,
    /// Panics since the start.
    pub panics: u64,
}

impl Status {
    /// A server's state.
    pub fn of(server: &Server) -> Status {
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            hostname: server.config().hostname.clone(),
            data_dir: server.config().data_dir.display().to_string(),
            uptime_seconds: server.started().elapsed().as_secs(),
            listeners: server
                .listeners()
                .iter()
                .map(|listener| ListenerStatus {
                    name: listener.config.name.clone(),
                    bind: listener.bound.iter().map(ToString::to_string).collect(),
                    protocol: listener.config.options.protocol.clone(),
                    tls: match listener.config.options.tls {
                        TlsMode::Off => "off",
                        TlsMode::Explicit => "explicit",
                        TlsMode::Implicit => "implicit",
                    }
                    .to_owned(),
                    sessions: listener.limit.total(),
                    served: listener.served.load(Ordering::Relaxed),
                })
                .collect(),
            plugins: server
                .assembly()
                .members
                .iter()
                .map(|member| PluginStatus {
                    instance: member.config.instance.clone(),
                    plugin: member.library.manifest.id.clone(),
                    version: member.library.manifest.version.clone(),
                    file: member.library.path.display().to_string(),
                    provides: member.library.manifest.provides.clone(),
                    tasks: member.host.tasks(),
                    panics: member.host.panics(),
                })
                .collect(),
        }
    }
}
