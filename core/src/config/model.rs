//! The typed configuration.

use super::{
    clients::{self, ClientFiles, ClientOptions},
    document::{unique, Named, Piece},
    faults::Faults,
    file,
    proxy::ProxyOptions,
    range,
    report::Problems,
};
use dovetail_abi::{
    log_v1::Level,
    tls_v1::{TlsProfile, TlsVersion},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Everything that the operator decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server's own name: in greetings, in Received fields, and the name of a certificate that is made without one. A
    /// domain name of at most 253 letters, digits, `-` and `.`, or `localhost`.
    pub hostname: String,
    /// Where everything that the server keeps is: mail, accounts, certificates, the lock, the control socket. Made with mode
    /// 0700 if it is missing.
    // Absolute once the file is read.
    pub data_dir: PathBuf,
    /// Where relative paths start.
    pub config_dir: PathBuf,
    /// What is wrong with it. A config with errors is good for finding further ones, and for nothing else.
    pub problems: Problems,
    /// Whether what all instances stand on is wrong: the names of options, `hostname`, `data_dir`, `services`,
    /// `plugin_dirs`, the list of `plugins`. (An instance whose entry is wrong is not in [`Config::plugins`].)
    pub broken: bool,
    /// Directories to find plugins in, before the directory of the executable and `/usr/lib/dovetail/plugins`. At most 100.
    pub plugin_dirs: Vec<PathBuf>,
    /// The log, which goes to standard error.
    pub log: LogConfig,
    /// Where figures are shown, at `/metrics`, and whether the server is well, at `/healthz`.
    pub metrics: MetricsConfig,
    /// An address that fails to log in again and again is shut out of all listeners for a time. IPv6 addresses count by
    /// their /64.
    pub login_blocking: LoginBlocking,
    /// An instance that panics again and again is put into quarantine: what is new is told to try later, sessions that run go
    /// on, and the instance is started anew.
    pub faults: Faults,
    /// How long sessions may go on after a stop was asked for, in seconds: up to 31536000. 0 cuts them at once.
    pub drain: Duration,
    /// How long after a reload sessions of a replaced protocol instance go on before they are asked to end, in seconds: up
    /// to 31536000.
    pub retire: Duration,
    /// Which instance provides an interface, where several could: `{"dovetail.store/1": "store-sqlite"}`. The same option
    /// of a single instance comes before this one.
    pub services: BTreeMap<String, String>,
    /// The plugin instances, in the order of the file. At most 1000; see Instances.
    pub plugins: Vec<PluginConfig>,
    /// The listeners, in the order of the file. At most 1000; see Listeners.
    pub listeners: Vec<ListenerConfig>,
}

/// How the log is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "log")]
pub struct LogConfig {
    /// The form of a record.
    pub format: LogFormat,
    /// What is kept; each level includes those before it. Logins and messages are `Info`.
    pub level: LogLevel,
    /// The same for single instances, by name; `core` is core itself.
    #[serde(deserialize_with = "unique")]
    pub levels: BTreeMap<String, LogLevel>,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { format: LogFormat::Text, level: LogLevel::Info, levels: BTreeMap::new() }
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum LogFormat {
    /// One line of text a record.
    Text,
    /// One JSON object a record.
    Json,
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum LogLevel {
    /// Failures only.
    Error,
    /// And what should be looked at.
    Warn,
    /// And what happened.
    Info,
    /// And how.
    Debug,
    /// Every step.
    Trace,
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Level {
        match level {
            LogLevel::Error => Level::Error,
            LogLevel::Warn => Level::Warn,
            LogLevel::Info => Level::Info,
            LogLevel::Debug => Level::Debug,
            LogLevel::Trace => Level::Trace,
        }
    }
}

/// Where `/metrics` and `/healthz` are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "metrics")]
pub struct MetricsConfig {
    /// Where that is, by HTTP and without a password: at most 100 addresses; none turns it off.
    pub bind: Vec<SocketAddr>,
}

/// When an address that fails to log in is shut out, on all listeners.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "login_blocking")]
pub struct LoginBlocking {
    /// So many failures (0 turns blocking off) ...
    pub failures: u32,
    /// ... within so many seconds, up to 31536000 ...
    pub window_seconds: u64,
    /// ... shut the address (IPv6: its /64) out for so many seconds, up to 31536000. 0 turns blocking off.
    pub block_seconds: u64,
    /// A failure is answered so many milliseconds late, up to 3600000.
    pub delay_milliseconds: u64,
}

impl Default for LoginBlocking {
    fn default() -> Self {
        LoginBlocking { failures: 10, window_seconds: 600, block_seconds: 600, delay_milliseconds: 1000 }
    }
}

/// A plugin instance.
#[derive(Debug, Clone)]
pub struct PluginConfig {
    /// The instance's name.
    pub instance: String,
    /// The plugin's id.
    pub plugin: String,
    /// The library, if it is not to be searched for.
    pub path: Option<PathBuf>,
    /// The library's SHA-256, if it is pinned.
    pub sha256: Option<String>,
    /// Which instance provides an interface to this one, where several could.
    pub services: BTreeMap<String, String>,
    /// Its own section.
    pub section: Piece,
    /// Where the instance stands in the file.
    pub place: Piece,
}

/// How a listener does TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum TlsMode {
    /// Not at all.
    Off,
    /// By STARTTLS or STLS.
    Explicit,
    /// From the first byte.
    Implicit,
}

/// A listener.
#[derive(Debug, Clone)]
pub struct ListenerConfig {
    /// Its name.
    pub name: String,
    /// Where it stands in the file.
    pub place: Piece,
    /// Its options.
    pub options: ListenerOptions,
    /// What the files held that `client_certificates` names, once they are read.
    pub client_files: ClientFiles,
}

/// The options that every listener has, whatever its protocol.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename = "a listener")]
pub struct ListenerOptions {
    /// The plugin instance that serves it.
    pub protocol: String,
    /// Where it listens, such as `"0.0.0.0:25"` or `"[::]:25"`: 1 to 100 addresses. IPv4 and IPv6 are bound apart; port 0
    /// lets the system choose.
    pub bind: Vec<SocketAddr>,
    /// How it does TLS.
    #[serde(default = "tls_off")]
    pub tls: TlsMode,
    /// Nothing but the way to TLS is served before TLS; needs `tls: Explicit` or `Implicit`.
    #[serde(default)]
    pub require_tls: bool,
    /// The certificate, by its name in `dovetail certs list`. Default: the one that fits the name that the client asks for,
    /// else `default` of `cert-store`.
    #[serde(default)]
    pub certificate: Option<String>,
    /// The oldest TLS version.
    #[serde(default)]
    pub min_tls: MinTls,
    /// Which of Mozilla's recommendations for servers TLS follows.
    #[serde(default)]
    pub tls_profile: Profile,
    /// Whether clients get TLS session tickets, with which they come back without a full handshake.
    #[serde(default = "yes")]
    pub session_tickets: bool,
    /// Whether clients show certificates in the TLS handshake, and which ones are good.
    #[serde(default)]
    pub client_certificates: ClientOptions,
    /// Connections at a time, at least 1. One more is told to try later.
    #[serde(default = "max_connections")]
    pub max_connections: u32,
    /// Connections at a time from one address (IPv6: from one /64), at least 1.
    #[serde(default = "max_connections_per_address")]
    pub max_connections_per_address: u32,
    /// A connection without progress for so many seconds is ended: 1 to 31536000. RFC 5321 section 4.5.3.2.7 asks for 300,
    /// RFC 1939 section 3 for 600, RFC 9051 section 5.4 for 1800.
    #[serde(default = "idle_seconds")]
    pub idle_seconds: u64,
    /// A TLS handshake takes at most so many seconds: 1 to 31536000.
    #[serde(default = "handshake_seconds")]
    pub handshake_seconds: u64,
    /// Passwords may cross without TLS. Only on loopback addresses.
    #[serde(default)]
    pub insecure_auth: bool,
    /// Whether failed logins count towards `login_blocking`, and addresses that are shut out are turned away.
    #[serde(default = "yes")]
    pub block_failed_logins: bool,
    /// Proxies that say who is behind them, by the PROXY protocol, version 1 or 2.
    #[serde(default)]
    pub proxy: ProxyOptions,
}

/// The oldest TLS version of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum MinTls {
    /// TLS 1.2.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl From<MinTls> for TlsVersion {
    fn from(version: MinTls) -> TlsVersion {
        match version {
            MinTls::Tls12 => TlsVersion::Tls12,
            MinTls::Tls13 => TlsVersion::Tls13,
        }
    }
}

/// A set of what TLS may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Profile {
    /// TLS 1.2 with forward secrecy and authenticated encryption alone, and TLS 1.3.
    #[default]
    Intermediate,
    /// TLS 1.3 alone, whatever `min_tls` says.
    Modern,
}

impl From<Profile> for TlsProfile {
    fn from(profile: Profile) -> TlsProfile {
        match profile {
            Profile::Intermediate => TlsProfile::Intermediate,
            Profile::Modern => TlsProfile::Modern,
        }
    }
}

fn tls_off() -> TlsMode {
    TlsMode::Off
}
fn max_connections() -> u32 {
    10_000
}
fn max_connections_per_address() -> u32 {
    100
}
fn idle_seconds() -> u64 {
    600
}
fn handshake_seconds() -> u64 {
    30
}
fn yes() -> bool {
    true
}

/// The entry of an instance, its section apart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "a plugin instance")]
struct PluginOptions {
    /// The plugin's id. Default: the instance's name.
    #[serde(default)]
    plugin: Option<String>,
    /// The plugin's file, if it shall not be searched for.
    #[serde(default)]
    path: Option<PathBuf>,
    /// The file's SHA-256 in hexadecimal digits; another file is refused.
    #[serde(default)]
    sha256: Option<String>,
    /// Which instance provides an interface to this one, where several could.
    #[serde(default, deserialize_with = "unique")]
    services: BTreeMap<String, String>,
    /// The plugin's own section; see the plugin. Default: `()`.
    // Taken apart before this struct is read; named here so that it is known.
    #[serde(default, rename = "config")]
    _config: Option<Box<ron::value::RawValue>>,
}

/// The map `services`.
#[derive(Deserialize)]
#[serde(transparent)]
struct Services(#[serde(deserialize_with = "unique")] BTreeMap<String, String>);

/// A config file larger than this is not one.
pub const MAX_FILE: u64 = 4 << 20;

impl Config {
    /// Reads a config file.
    ///
    /// # Errors
    /// All problems that can be found without loading a plugin.
    pub fn load(path: &Path) -> Result<Config, Problems> {
        let shown = path.display().to_string();
        let help = "give the file with --config FILE, or try the server with `dovetail serve --dev`";
        let text =
            read(path).map_err(|error| Problems::one(format!("cannot read the config {shown}: {error}"), help))?;
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        let mut config = Config::parse(&shown, text, &directory)?;
        config.read_client_files();
        Ok(config)
    }

    /// Reads the files that `client_certificates` of listeners name.
    fn read_client_files(&mut self) {
        for listener in &mut self.listeners {
            let options = &listener.options.client_certificates;
            listener.client_files = ClientFiles::read(options, &listener.place, &self.config_dir, &mut self.problems);
        }
    }

    /// Reads a config from its text. What is wrong in single places is left in [`Config::problems`], so that the check of
    /// plugins and wiring can add to it.
    ///
    /// # Errors
    /// If the text is no config at all.
    pub fn parse(file: &str, text: String, config_dir: &Path) -> Result<Config, Problems> {
        let mut problems = Problems::default();
        let document = Piece::file(file, text);
        let mut config = Config {
            hostname: String::new(),
            data_dir: PathBuf::new(),
            config_dir: config_dir.to_owned(),
            problems: Problems::default(),
            broken: false,
            plugin_dirs: Vec::new(),
            log: LogConfig::default(),
            metrics: MetricsConfig::default(),
            login_blocking: LoginBlocking::default(),
            faults: Faults::default(),
            drain: Duration::from_secs(10),
            retire: Duration::from_secs(10),
            services: BTreeMap::new(),
            plugins: Vec::new(),
            listeners: Vec::new(),
        };
        let entries = document.entries(&mut problems);
        if entries.is_empty() && problems.has_errors() {
            return Err(problems);
        }
        config.broken = problems.has_errors();
        for Named { name, piece } in &entries {
            config.take(name, piece, &mut problems);
        }
        config.complete(&document, &entries, &mut problems);
        if !config.data_dir.as_os_str().is_empty() {
            config.data_dir = config_dir.join(&config.data_dir);
        }
        for directory in &mut config.plugin_dirs {
            *directory = config_dir.join(&*directory);
        }
        config.problems = problems;
        Ok(config)
    }

    fn take(&mut self, name: &str, piece: &Piece, problems: &mut Problems) {
        fn set<T: serde::de::DeserializeOwned>(into: &mut T, piece: &Piece, problems: &mut Problems) {
            if let Some(value) = piece.parse(problems) {
                *into = value;
            }
        }
        let before = problems.0.len();
        match name {
            "hostname" => {
                self.hostname = piece
                    .parse::<String>(problems)
                    .filter(|name| range::hostname(name, piece, problems))
                    .unwrap_or_default();
            }
            "data_dir" => {
                set(&mut self.data_dir, piece, problems);
                if self.data_dir.as_os_str().is_empty() && problems.0.len() == before {
                    problems.0.push(piece.diagnostic("`data_dir` is empty", "say where the data shall be kept"));
                }
            }
            "plugin_dirs" => {
                set(&mut self.plugin_dirs, piece, problems);
                range::count("`plugin_dirs`", self.plugin_dirs.len(), piece, problems);
            }
            "log" => set(&mut self.log, piece, problems),
            "metrics" => {
                set(&mut self.metrics, piece, problems);
                range::count("`metrics`: `bind`", self.metrics.bind.len(), piece, problems);
            }
            "login_blocking" => {
                set(&mut self.login_blocking, piece, problems);
                range::login_blocking(&self.login_blocking, piece, problems);
            }
            "faults" => {
                set(&mut self.faults, piece, problems);
                range::faults(&self.faults, piece, problems);
            }
            "services" => {
                if let Some(Services(services)) = piece.parse(problems) {
                    self.services = services;
                }
            }
            "drain_seconds" => {
                if let Some(seconds) = piece.parse(problems) {
                    range::seconds("`drain_seconds`", seconds, piece, problems);
                    self.drain = Duration::from_secs(seconds);
                }
            }
            "retire_seconds" => {
                if let Some(seconds) = piece.parse(problems) {
                    range::seconds("`retire_seconds`", seconds, piece, problems);
                    self.retire = Duration::from_secs(seconds);
                }
            }
            "plugins" => {
                let entries = piece.entries(problems);
                self.broken |= problems.0.len() > before;
                self.plugins = entries.into_iter().filter_map(|entry| plugin(entry, problems)).collect();
            }
            "listeners" => {
                self.listeners =
                    piece.entries(problems).into_iter().filter_map(|entry| listener(entry, problems)).collect();
            }
            _ => problems.0.push(piece.diagnostic(
                format!("there is no option `{name}`"),
                "options are: hostname, data_dir, plugin_dirs, log, metrics, login_blocking, faults, drain_seconds, retire_seconds, services, plugins, \
                 listeners",
            )),
        }
        // An unknown option may be one of these, misspelt.
        let stands_alone = matches!(
            name,
            "log"
                | "metrics"
                | "login_blocking"
                | "faults"
                | "drain_seconds"
                | "retire_seconds"
                | "plugins"
                | "listeners"
        );
        self.broken |= !stands_alone && problems.0.len() > before;
    }

    /// Checks what concerns several pieces.
    fn complete(&mut self, document: &Piece, entries: &[Named], problems: &mut Problems) {
        for (name, help) in
            [("hostname", "give the server's own name"), ("data_dir", "say where the data shall be kept")]
        {
            if !entries.iter().any(|entry| entry.name == name) {
                problems.0.push(document.diagnostic(format!("`{name}` is missing"), help));
                self.broken = true;
            }
        }
        // An instance whose entry is wrong was complained about; those who name it are right.
        let instances: Vec<String> = entries
            .iter()
            .filter(|entry| entry.name == "plugins")
            .flat_map(|entry| entry.piece.entries(&mut Problems::default()))
            .map(|entry| entry.name)
            .collect();
        self.complete_names(entries, &instances, problems);
        let mut taken: BTreeMap<SocketAddr, &str> = BTreeMap::new();
        for listener in &self.listeners {
            if !instances.contains(&listener.options.protocol) {
                problems.0.push(listener.place.diagnostic(
                    format!(
                        "listener `{}` wants protocol `{}`, which is no plugin instance",
                        listener.name, listener.options.protocol
                    ),
                    format!("add \"{}\": () to `plugins`, or correct the name", listener.options.protocol),
                ));
            }
            for bind in &listener.options.bind {
                if bind.port() == 0 {
                    continue;
                }
                if let Some(other) = taken.insert(*bind, &listener.name) {
                    problems.0.push(listener.place.diagnostic(
                        format!("listeners `{other}` and `{}` both bind {bind}", listener.name),
                        "give one of them another address or port",
                    ));
                }
            }
        }
    }
}

impl Config {
    /// Checks the names of instances in options that would have no effect if they were wrong.
    fn complete_names(&self, entries: &[Named], instances: &[String], problems: &mut Problems) {
        let mut check = |option: &str, name: &String| {
            if instances.contains(name) {
                return;
            }
            if let Some(entry) = entries.iter().find(|entry| entry.name == option) {
                let message = format!("`{option}` names `{name}`, which is no plugin instance");
                problems.0.push(entry.piece.diagnostic(message, "correct the name, or add the instance to `plugins`"));
            }
        };
        self.services.values().for_each(|name| check("services", name));
        self.log.levels.keys().filter(|name| *name != crate::telemetry::log::CORE).for_each(|name| check("log", name));
    }
}

/// Reads a config file of at most [`MAX_FILE`] bytes.
fn read(path: &Path) -> io::Result<String> {
    String::from_utf8(file::read(path, MAX_FILE)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

fn plugin(entry: Named, problems: &mut Problems) -> Option<PluginConfig> {
    let Named { name, piece } = entry;
    if !is_name(&name) {
        problems.0.push(piece.diagnostic(format!("`{name}` cannot be an instance's name"), NAME_RULE));
        return None;
    }
    let options: PluginOptions = piece.parse(problems)?;
    let section = piece
        .entries(&mut Problems::default())
        .into_iter()
        .find(|entry| entry.name == "config")
        .map_or_else(|| Piece { text: "()".into(), ..piece.clone() }, |entry| entry.piece);
    Some(PluginConfig {
        plugin: options.plugin.unwrap_or_else(|| name.clone()),
        instance: name,
        path: options.path,
        sha256: options.sha256,
        services: options.services,
        section,
        place: piece,
    })
}

fn listener(entry: Named, problems: &mut Problems) -> Option<ListenerConfig> {
    let Named { name, piece } = entry;
    if !is_name(&name) {
        problems.0.push(piece.diagnostic(format!("`{name}` cannot be a listener's name"), NAME_RULE));
        return None;
    }
    let options: ListenerOptions = piece.parse(problems)?;
    range::count(&format!("listener `{name}`: `bind`"), options.bind.len(), &piece, problems);
    range::seconds(&format!("listener `{name}`: `idle_seconds`"), options.idle_seconds, &piece, problems);
    range::seconds(&format!("listener `{name}`: `handshake_seconds`"), options.handshake_seconds, &piece, problems);
    range::count(&format!("listener `{name}`: `proxy.trusted`"), options.proxy.trusted.len(), &piece, problems);
    let header_seconds = options.proxy.timeout_seconds;
    range::seconds(&format!("listener `{name}`: `proxy.timeout_seconds`"), header_seconds, &piece, problems);
    clients::check(&options.client_certificates, options.tls, &name, &piece, problems);
    let mut complain = |message: &str, help: &str| {
        problems.0.push(piece.diagnostic(format!("listener `{name}`: {message}"), help));
    };
    if options.bind.is_empty() {
        complain("`bind` is empty", "give at least one address with a port");
    }
    if options.insecure_auth && !options.bind.iter().all(|address| address.ip().is_loopback()) {
        complain(
            "`insecure_auth` on an address that others can reach",
            "passwords would cross the network in the clear: bind it to 127.0.0.1 or [::1], or use TLS",
        );
    }
    if options.require_tls && options.tls == TlsMode::Off {
        complain("`require_tls` without TLS", "set `tls: Explicit` or `tls: Implicit`");
    }
    if options.max_connections == 0 || options.max_connections_per_address == 0 {
        complain("a limit of 0 connections", "leave the limit out, or give at least 1");
    }
    if options.idle_seconds == 0 || options.handshake_seconds == 0 || header_seconds == 0 {
        complain("a time of 0 seconds", "leave it out, or give at least 1");
    }
    Some(ListenerConfig { name, place: piece, options, client_files: ClientFiles::default() })
}

const NAME_RULE: &str = "use 1 to 64 letters, digits, `-`, `_` or `.`";

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name != "core"
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests;
