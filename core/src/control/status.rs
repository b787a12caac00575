//! How a server is.
//!
//! **Bounds.** [`MAX_BLOCKED`] blocked addresses and [`MAX_SESSIONS`] sessions are named; the numbers are whole.

use crate::{
    config::TlsMode,
    plugin::{account::Sum, generation::Generation, member::Member},
    server::{ward::Stage, Server},
    telemetry::metrics::metrics,
};
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
    /// The generation of the protocol that serves it.
    #[serde(default)]
    pub served_by: Option<Generation>,
    /// The generation of the provider that does its TLS.
    #[serde(default)]
    pub tls_by: Option<Generation>,
    /// Whose login was right.
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
                served_by: Some(Generation::clone(&entry.served_by)),
                tls_by: known.tls_by.as_deref().cloned(),
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
    /// Its library's build: 16 hexadecimal digits, others for each build.
    #[serde(default)]
    pub build: String,
    /// The library.
    pub file: String,
    /// The file that `dovetail plugin swap` put this library in the place of, until a restart or `--back`.
    #[serde(default)]
    pub swapped_from: Option<String>,
    /// What it provides.
    pub provides: Vec<String>,
    /// `running`, or what it is instead: `quarantined` after too many faults, `stopped`, `retiring`.
    pub state: String,
    /// Which of its generations this is; the first is 1.
    pub generation: u64,
    /// Tasks now.
    pub tasks: usize,
    /// Panics since the start, over all generations; of a retiring one its own.
    pub panics: u64,
    /// What it uses.
    #[serde(default)]
    pub usage: Usage,
    /// Panics of this generation within the window of `faults`.
    #[serde(default)]
    pub faults: u64,
    /// How often it was started anew, after faults or by hand.
    #[serde(default)]
    pub restarts: u64,
    /// How it is to come out of quarantine.
    #[serde(default)]
    pub quarantine: Option<Quarantine>,
    /// What it shows of itself: its gauges, by name.
    pub figures: BTreeMap<String, i64>,
}

/// What an instance uses. Sums are over all its generations since the start; those of a retiring one are its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Sessions of this generation that are open.
    pub sessions: u64,
    /// Sessions that began.
    pub sessions_total: u64,
    /// For how many microseconds its sessions and tasks, and TLS handshakes by it, were polled. What other instances do in
    /// such a poll is in it.
    pub poll_microseconds: u64,
    /// Octets from clients of its sessions, as they are on the wire.
    pub octets_in: u64,
    /// Octets to them.
    pub octets_out: u64,
    /// Blocking work of this generation that waits or runs.
    pub jobs: u64,
    /// Threads of this generation.
    pub threads: u64,
    /// What its library has of the heap, all instances of that library together; nothing if the library does not count.
    pub heap: Option<Heap>,
}

/// What a library has of the heap: its Rust code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heap {
    /// Octets now.
    pub octets: u64,
    /// How often it took memory so far.
    pub allocations: u64,
}

/// An instance in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// In so many seconds it is started anew.
    pub next_attempt_seconds: u64,
    /// Attempts since it was well.
    pub attempts: u32,
    /// Why the last one failed.
    pub failure: Option<String>,
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
            plugins: server.assembly().members.iter().map(|member| PluginStatus::in_service(server, member)).collect(),
            tls: server.listeners().first().map(|listener| listener.sessions.by_tls()).unwrap_or_default(),
            blocked: Blocked::of(server, MAX_BLOCKED),
            retiring: server
                .retiring()
                .members()
                .iter()
                .map(|member| PluginStatus {
                    state: "retiring".to_owned(),
                    ..PluginStatus::of(server, member, &member.host.account().own())
                })
                .collect(),
        }
    }
}

impl PluginStatus {
    /// An instance in service, with what its earlier generations used.
    fn in_service(server: &Server, member: &Member) -> PluginStatus {
        let account = member.host.account();
        let quarantined = account.is_quarantined();
        let quarantine = quarantined.then(|| Quarantine::of(server, member));
        let swapped_from = server.state().swaps.of(&member.config.instance).map(|swap| swap.from.display().to_string());
        let status = PluginStatus { swapped_from, ..PluginStatus::of(server, member, &account.all()) };
        match quarantined {
            true => PluginStatus { state: "quarantined".to_owned(), quarantine, ..status },
            false => status,
        }
    }

    fn of(server: &Server, member: &Member, sum: &Sum) -> PluginStatus {
        let account = member.host.account();
        let now = account.now();
        PluginStatus {
            instance: member.config.instance.clone(),
            plugin: member.library.manifest.id.clone(),
            version: member.library.manifest.version.clone(),
            build: member.library.build.clone(),
            file: member.library.path.display().to_string(),
            swapped_from: None,
            provides: member.library.manifest.provides.clone(),
            state: member.state().to_owned(),
            generation: member.generation,
            tasks: member.host.tasks(),
            panics: sum.panics,
            usage: Usage {
                sessions: now.sessions,
                sessions_total: sum.sessions,
                poll_microseconds: u64::try_from(sum.polled.as_micros()).unwrap_or(u64::MAX),
                octets_in: sum.octets_in,
                octets_out: sum.octets_out,
                jobs: now.jobs,
                threads: now.threads,
                heap: member.library.heap().map(|heap| Heap { octets: heap.octets, allocations: heap.allocations }),
            },
            faults: account.faults_within(server.config().faults.window()) as u64,
            restarts: server.ward.restarts(&member.config.instance),
            quarantine: None,
            figures: metrics().families.gauges(&member.config.instance),
        }
    }
}

impl Quarantine {
    fn of(server: &Server, member: &Member) -> Quarantine {
        let case = server.ward.case(&member.config.instance, member.generation);
        let next = case.as_ref().and_then(|case| match case.stage {
            Stage::Waiting(until) => Some(until.saturating_duration_since(Instant::now())),
            Stage::Recovering(_) => None,
        });
        Quarantine {
            next_attempt_seconds: next.unwrap_or_default().as_secs(),
            attempts: case.as_ref().map_or(0, |case| case.attempts),
            failure: case.and_then(|case| case.failure),
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
