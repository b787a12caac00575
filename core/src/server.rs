//! A server: its instances, its listeners, its control socket; from start to stop.
//!
//! Order: the data directory is locked, the config checked whole, the ports bound, the instances started, certificates
//! proved; only then connections are accepted. Whatever fails on the way leaves nothing half-started. A stop drains: no
//! new connections, sessions are asked to end, then the instances stop in reverse order.

use crate::{
    config::{Config, ListenerConfig, Problems, TlsMode},
    control::server::ControlSocket,
    datadir::{self, DataDir},
    net::{
        limits::{ConnectionLimit, Guessers},
        listener::{accept_loop, bind},
    },
    plugin::{
        instance::{Assembly, Loading},
        load,
    },
    session::{id::SessionIds, Listener},
    telemetry::log::Log,
};
use dovetail_abi::{
    certs_v1::Certs,
    handle::Interface,
    kernel_v1::Purpose,
    protocol_v1::Protocol,
    tls_v1::{ServerPolicy, Tls, TlsVersion},
};
use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    sync::{atomic::AtomicU64, Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    sync::{watch, Semaphore},
    task::JoinSet,
};

/// So many clients are told at a time that there is no room; others are closed without a word.
const MAX_TURNING_AWAY: usize = 64;

/// Sessions that were cut get so long to be gone.
const AFTER_CUT: Duration = Duration::from_secs(3);

/// Where a server comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A config file.
    File(PathBuf),
    /// The built-in development config.
    Dev,
}

/// A running server.
pub struct Server {
    config: Config,
    assembly: Assembly,
    listeners: Vec<Arc<Listener>>,
    accepting: Mutex<JoinSet<()>>,
    drain: watch::Sender<bool>,
    cut: watch::Sender<bool>,
    started: Instant,
    data_dir: DataDir,
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    /// All that is wrong; nothing runs then.
    pub async fn start(config: Config, source: &Source, loading: Loading, log: &Log) -> Result<Server, Problems> {
        let simple = |message: String| Problems::one(message, "");
        if config.problems.has_errors() {
            // Not to start, but to find what else is wrong; nothing is written.
            let looking = Loading { copies: None, ..loading };
            return Err(Assembly::prepare(&config, &looking, log, None, Purpose::Serve)
                .err()
                .unwrap_or(config.problems));
        }
        // Before private copies of libraries go there.
        let data_dir = DataDir::lock(&config.data_dir).map_err(|error| simple(error.to_string()))?;
        let mut assembly = Assembly::prepare(&config, &loading, log, None, Purpose::Serve)?;
        for warning in &assembly.warnings {
            tracing::warn!("{warning}");
        }
        // Leftovers of earlier versions only cost space.
        let _ = load::remove_stale_copies(&data_dir.libraries(), &assembly.libraries());
        note_config(&config.data_dir, source).map_err(|error| simple(error.to_string()))?;
        let mut sockets = Vec::new();
        let mut problems = Problems::default();
        for listener in &config.listeners {
            match bind(listener) {
                Ok(bound) => sockets.push(bound),
                Err(message) => problems.0.push(listener.place.diagnostic(message, "")),
            }
        }
        if problems.has_errors() {
            return Err(problems);
        }
        assembly.start().await?;
        let (drain, draining) = watch::channel(false);
        let (cut, cutting) = watch::channel(false);
        let built = listeners(&config, &assembly, (&draining, &cutting), &sockets).await;
        let listeners = match built {
            Ok(listeners) => listeners,
            Err(problems) => {
                assembly.stop().await;
                return Err(problems);
            }
        };
        let server = Server {
            config,
            assembly,
            listeners,
            accepting: Mutex::default(),
            drain,
            cut,
            started: Instant::now(),
            data_dir,
        };
        server.accept(sockets);
        Ok(server)
    }

    fn accept(&self, sockets: Vec<Vec<TcpListener>>) {
        for (listener, sockets) in self.listeners.iter().zip(sockets) {
            for socket in sockets {
                let listener = listener.clone();
                self.lock_accepting().spawn(async move {
                    let name = listener.config.name.clone();
                    accept_loop(socket, &name, |stream, peer| {
                        if let Some(session) = listener.admit(stream, peer) {
                            tokio::spawn(session);
                        }
                    })
                    .await;
                });
            }
        }
    }

    /// Serves until `stop` resolves; then drains and stops.
    ///
    /// # Errors
    /// If the control socket cannot be made; the server has stopped then.
    pub async fn run(self, stop: impl std::future::Future<Output = ()>) -> Result<(), Problems> {
        let path = datadir::control_socket(&self.config.data_dir);
        let control = match ControlSocket::bind(&path) {
            Ok(control) => control,
            Err(error) => {
                self.stop().await;
                return Err(Problems::one(format!("cannot make the control socket {}: {error}", path.display()), ""));
            }
        };
        let shown: Vec<String> = self
            .listeners
            .iter()
            .flat_map(|listener| listener.bound.iter().map(move |bound| format!("{}={bound}", listener.config.name)))
            .collect();
        tracing::info!(hostname = %self.config.hostname, data_dir = %self.config.data_dir.display(), listeners = %shown.join(" "), "ready");
        let me = Arc::new(self);
        let mut serving = Box::pin(control.serve(me.clone()));
        tokio::select! {
            () = &mut serving => {}
            () = stop => {}
        }
        // `status` and operations are answered while sessions end.
        tokio::select! {
            () = &mut serving => {}
            () = me.drain() => {}
        }
        drop(serving);
        if let Some(me) = settle(me).await {
            me.stop().await;
        }
        Ok(())
    }

    /// No new connections; sessions are asked to end, and cut at the deadline.
    async fn drain(&self) {
        tracing::info!(within = ?self.config.drain, "stopping: no new connections, sessions are asked to end");
        self.lock_accepting().abort_all();
        self.drain.send_replace(true);
        if !self.closed_within(self.config.drain).await {
            tracing::warn!(sessions = self.open(), "the time to drain is over; these sessions are cut");
            self.cut.send_replace(true);
            self.closed_within(AFTER_CUT).await;
        }
    }

    /// Drains, if that has not been done, and stops the instances.
    pub async fn stop(mut self) {
        if !*self.drain.borrow() {
            self.drain().await;
        }
        self.assembly.stop().await;
        // The socket's file is of no use without its server.
        let _ = std::fs::remove_file(datadir::control_socket(self.data_dir.path()));
        tracing::info!("stopped");
    }

    fn open(&self) -> u32 {
        self.listeners.iter().map(|listener| listener.limit.total()).sum()
    }

    async fn closed_within(&self, time: Duration) -> bool {
        let deadline = tokio::time::Instant::now() + time;
        while self.open() > 0 {
            if tokio::time::Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }

    fn lock_accepting(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.accepting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The config it runs with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its instances.
    pub fn assembly(&self) -> &Assembly {
        &self.assembly
    }

    /// Its listeners.
    pub fn listeners(&self) -> &[Arc<Listener>] {
        &self.listeners
    }

    /// Since when it runs.
    pub fn started(&self) -> Instant {
        self.started
    }
}

/// Waits until control connections have let the server go; they end with their sockets, within moments.
async fn settle(mut server: Arc<Server>) -> Option<Server> {
    for _ in 0..500 {
        match Arc::try_unwrap(server) {
            Ok(server) => return Some(server),
            Err(shared) => server = shared,
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tracing::warn!("an operation is still running; stopping without it");
    None
}

fn note_config(data_dir: &Path, source: &Source) -> io::Result<()> {
    let text = match source {
        Source::Dev => String::new(),
        Source::File(path) => std::path::absolute(path)?.to_string_lossy().into_owned(),
    };
    std::fs::write(datadir::config_note(data_dir), text)
}

/// Makes the listeners; certificates are proved on the way.
async fn listeners(
    config: &Config,
    assembly: &Assembly,
    (draining, cutting): (&watch::Receiver<bool>, &watch::Receiver<bool>),
    sockets: &[Vec<TcpListener>],
) -> Result<Vec<Arc<Listener>>, Problems> {
    let guessers = Arc::new(Guessers::new(config.login_blocking));
    let ids = Arc::new(SessionIds::default());
    let mut problems = Problems::default();
    let mut made = Vec::new();
    let mut proved = HashSet::new();
    for (listener, sockets) in config.listeners.iter().zip(sockets) {
        let built = async {
            let protocol_place = assembly
                .place(&listener.options.protocol, Protocol::ID)
                .ok_or_else(|| (format!("`{}` is no protocol", listener.options.protocol), String::new()))?;
            let protocol: Protocol =
                assembly.service(&listener.options.protocol).map_err(|message| (message, String::new()))?;
            let traits = protocol.traits().map_err(|failure| (failure.message, String::new()))?;
            let acceptor = match listener.options.tls {
                TlsMode::Off => None,
                _ => Some(acceptor(config, assembly, listener, &traits.alpn, &mut proved).await?),
            };
            Ok::<_, (String, String)>(Listener {
                config: listener.clone(),
                bound: sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect(),
                hostname: config.hostname.clone(),
                protocol: protocol_place,
                traits,
                acceptor,
                limit: ConnectionLimit::new(
                    listener.options.max_connections,
                    listener.options.max_connections_per_address,
                ),
                guessers: guessers.clone(),
                ids: ids.clone(),
                turning_away: Arc::new(Semaphore::new(MAX_TURNING_AWAY)),
                drain: draining.clone(),
                cut: cutting.clone(),
                refusals: Mutex::default(),
                served: AtomicU64::new(0),
            })
        };
        match built.await {
            Ok(listener) => made.push(Arc::new(listener)),
            Err((message, help)) => {
                problems.0.push(listener.place.diagnostic(format!("listener `{}`: {message}", listener.name), help))
            }
        }
    }
    if problems.has_errors() {
        return Err(problems);
    }
    Ok(made)
}

async fn acceptor(
    config: &Config,
    assembly: &Assembly,
    listener: &ListenerConfig,
    alpn: &[String],
    proved: &mut HashSet<u64>,
) -> Result<dovetail_abi::tls_v1::TlsAcceptor, (String, String)> {
    let plain = |message: String| (message, String::new());
    let certs_name = assembly.provider_for_core(config, Certs::ID).map_err(plain)?;
    let tls_name = assembly.provider_for_core(config, Tls::ID).map_err(plain)?;
    let certs: Certs = assembly.service(&certs_name).map_err(plain)?;
    let tls: Tls = assembly.service(&tls_name).map_err(plain)?;
    let set = certs
        .resolve(listener.options.certificate.clone(), None)
        .map_err(|failure| plain(failure.message))?
        .ok_or_else(|| match &listener.options.certificate {
            Some(name) => (
                format!("there is no certificate `{name}` for TLS"),
                format!("make it with `dovetail certs create --name {name} ...`, import it, or correct `certificate`"),
            ),
            None => (
                "there is no certificate for TLS".to_owned(),
                format!(
                    "make one with `dovetail certs create --name {}`, import one with `dovetail certs import`, or set \
                     `create_missing: true` for `{certs_name}`",
                    config.hostname
                ),
            ),
        })?;
    if proved.insert(set) {
        for identity in certs.load(set).map_err(|failure| plain(failure.message))? {
            let name = identity.name.clone();
            tls.check_identity(identity).await.map_err(|error| {
                (
                    format!("the certificate `{name}` cannot be served: {}", error.message),
                    "import a good pair with `dovetail certs import --replace`".to_owned(),
                )
            })?;
        }
    }
    tls.acceptor(ServerPolicy {
        listener: listener.name.clone(),
        certificate: listener.options.certificate.clone(),
        min_version: listener.options.min_tls.into(),
        max_version: TlsVersion::Tls13,
        alpn: alpn.to_vec(),
    })
    .map_err(|error| plain(error.message))
}

/// What the server writes is for its own user only, whatever library writes it.
pub fn keep_files_private() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// Raises the limit of open files to what the system allows: each connection is one.
pub fn raise_file_limit() {
    use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        // Where it cannot be raised, the listeners back off when it is reached.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
}
