//! How a server is.
//!
//! **Bounds.** [`MAX_BLOCKED`] blocked addresses and [`MAX_SESSIONS`] sessions are named; the numbers are whole.

use crate::{config::TlsMode, plugin::member::Member, server::Server, telemetry::metrics::metrics};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr, sync::atomic::Ordering, time::Instant};

/// So many blocked addresses are named, those that stay blocked longest first.
pub const MAX_BLOCKED: usize = 100;
/// So many sessions are named, the oldest first.
pub const MAX_SESSIONS: usize = 10_000;

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
    /// Open sessions by TLS version; `none` without TLS.
    pub tls: BTreeMap<String, u64>,
    /// Addresses that are shut out for failed logins.
    pub blocked: Blocked,
    /// Instances that a reload replaced or removed and that are still in use.
    #[serde(default)]
    pub retiring: Vec<PluginStatus>,
}

/// Addresses that are shut out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Blocked {
    /// How many.
    pub count: u64,
    /// Some of them.
    pub addresses: Vec<BlockedAddress>,
}

/// An address that is shut out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BlockedAddress {
    /// The address; of IPv6 the /64.
    pub address: IpAddr,
    /// For how many seconds still.
    pub seconds_left: u64,
}

/// The open sessions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SessionList {
    /// How many there are.
    pub count: u64,
    /// Some of them.
    pub sessions: Vec<SessionStatus>,
}

/// An open session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionStatus {
    /// Its id, as in the log.
    pub id: String,
    /// The client.
    pub peer: String,
    /// The listener.
    pub listener: String,
    /// Who has logged in.
    pub account: Option<String>,
    /// The version of TLS.
    pub tls: Option<String>,
    /// Its cipher suite.
    pub cipher: Option<String>,
    /// For how many seconds it has been open.
    pub seconds: u64,
    /// Octets from the client, as they are on the wire.
    pub octets_in: u64,
    /// Octets to the client.
    pub octets_out: u64,
}

impl SessionList {
    /// The open sessions of a server.
    pub fn of(server: &Server) -> SessionList {
        let Some(sessions) = server.listeners().first().map(|listener| listener.sessions.clone()) else {
            return SessionList::default();
        };
        let list = sessions.list(MAX_SESSIONS).into_iter().map(|entry| {
            let known = entry.known();
            let (tls, cipher) = known.tls.unzip();
            let (octets_in, octets_out) = entry.octets.so_far();
            SessionStatus {
                id: entry.id.clone(),
                peer: entry.peer.to_string(),
                listener: entry.listener.clone(),
                account: known.account,
                tls,
                cipher,
                seconds: entry.since.elapsed().as_secs(),
                octets_in,
                octets_out,
            }
        });
        let sessions_shown = list.collect();
        SessionList { count: sessions.count() as u64, sessions: sessions_shown }
    }
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
    /// `running`, or what it is instead.
    pub state: String,
    /// Which of its generations this is; the first is 1.
    pub generation: u64,
    /// Tasks now.
    pub tasks: usize,
    /// Panics since the start.
    pub panics: u64,
    /// What it shows of itself: its gauges, by name.
    pub figures: BTreeMap<String, i64>,
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
            plugins: server.assembly().members.iter().map(|member| PluginStatus::of(member)).collect(),
            tls: server.listeners().first().map(|listener| listener.sessions.by_tls()).unwrap_or_default(),
            blocked: Blocked::of(server, MAX_BLOCKED),
            retiring: server
                .retiring()
                .members()
                .iter()
                .map(|member| PluginStatus { state: "retiring".to_owned(), ..PluginStatus::of(member) })
                .collect(),
        }
    }
}

impl PluginStatus {
    fn of(member: &Member) -> PluginStatus {
        PluginStatus {
            instance: member.config.instance.clone(),
            plugin: member.library.manifest.id.clone(),
            version: member.library.manifest.version.clone(),
            file: member.library.path.display().to_string(),
            provides: member.library.manifest.provides.clone(),
            state: member.state().to_owned(),
            generation: member.generation,
            tasks: member.host.tasks(),
            panics: member.host.panics(),
            figures: metrics().families.gauges(&member.config.instance),
        }
    }
}

impl Blocked {
    /// Who is shut out of a server, at most `max` of them named. All listeners share one list.
    pub fn of(server: &Server, max: usize) -> Blocked {
        let listeners = server.listeners();
        let Some(listener) = listeners.first() else { return Blocked::default() };
        let (count, addresses) = listener.guessers.blocked(Instant::now(), max);
        Blocked {
            count: count as u64,
            addresses: addresses
                .into_iter()
                .map(|(address, left)| BlockedAddress { address, seconds_left: left.as_secs() })
                .collect(),
        }
    }
}
