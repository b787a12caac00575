//! A server: its instances, its listeners, its control socket; from start to stop.
//!
//! Order: the data directory is locked, the config checked whole, the ports bound, the instances started, certificates
//! proved; only then connections are accepted. Whatever fails on the way leaves nothing half-started. What is in service is
//! one [`State`], which a [reload](crate::reload) replaces. A stop drains: no new connections, sessions are asked to end, then
//! the instances stop in reverse order.

pub mod doors;
pub mod figures;
pub mod judge;
pub mod listeners;
pub mod origin;
mod trial;
pub mod ward;

use crate::{
    config::{Config, Problems},
    control::server::ControlSocket,
    datadir::{self, DataDir},
    net::limits::{ConnectionLimit, Guessers},
    notify,
    plugin::{host::END_LIMIT, instance::Assembly, listeners::announce, load},
    reload::{retire::Retiring, shape::Shape, swap::Swaps},
    session::Listener,
    telemetry::log::Log,
};
use arc_swap::ArcSwap;
use doors::Doors;
use dovetail_abi::kernel_v1::Purpose;
use figures::Figures;
use listeners::{Common, Making, Services};
use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, watch, RwLock, RwLockReadGuard};

pub use origin::{Origin, Source};

/// Sessions that were cut get so long to be gone.
const AFTER_CUT: Duration = Duration::from_secs(3);

/// What is in service between two reloads.
pub struct State {
    /// The config.
    pub config: Arc<Config>,
    /// Its instances.
    pub assembly: Arc<Assembly>,
    /// Its listeners, in the order of the config.
    pub listeners: Vec<Arc<Listener>>,
    /// All of it, to be compared with another config.
    pub shape: Shape,
    /// The identity sets that were proved.
    pub proved: HashSet<u64>,
    /// The libraries that are not the config's.
    pub swaps: Swaps,
}

impl State {
    /// The shape that another config is compared with. An instance that owns files and did not start again after a reload that
    /// failed has no section that runs: whatever the next config says of it is a change.
    pub fn shape_now(&self) -> Shape {
        let mut shape = self.shape.clone();
        for instance in shape.instances.iter_mut().filter(|instance| instance.exclusive) {
            if self.assembly.member(&instance.name).is_some_and(|member| !member.is_running()) {
                instance.section.clear();
            }
        }
        shape
    }
}

/// A running server.
pub struct Server {
    /// Where its config comes from.
    pub(crate) origin: Origin,
    /// Its log.
    pub(crate) log: Log,
    /// What is in service.
    pub(crate) state: Arc<ArcSwap<State>>,
    /// Its addresses.
    pub(crate) doors: Doors,
    /// What its listeners share.
    pub(crate) common: Common,
    /// What earlier reloads replaced.
    pub(crate) retiring: Retiring,
    /// Who is in quarantine.
    pub(crate) ward: ward::Ward,
    /// Held by a reload, and by the end.
    pub(crate) reloading: tokio::sync::Mutex<()>,
    /// Held by operations that run, and alone by a reload that replaces who runs them.
    pub(crate) operations: RwLock<()>,
    /// The connections of listeners that are gone.
    removed: Mutex<Vec<ConnectionLimit>>,
    started: Instant,
    data_dir: DataDir,
    /// Where figures are shown.
    pub(crate) figures: Figures,
    /// Who checks certificates.
    pub(crate) judging: judge::Judging,
    /// The same, bound and not shown before it runs.
    fresh_figures: Mutex<Vec<figures::Fresh>>,
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    /// All that is wrong; nothing runs then.
    pub async fn start(config: Config, origin: Origin, log: &Log) -> Result<Server, Problems> {
        let simple = |message: String| Problems::one(message, "");
        if config.problems.has_errors() {
            // Not to start, but to find what else is wrong; nothing is written.
            let looking = origin.loading(&config, None);
            return Err(Assembly::prepare(&config, &looking, log, None, Purpose::Serve)
                .err()
                .unwrap_or(config.problems));
        }
        // Before private copies of libraries go there.
        let data_dir = DataDir::lock(&config.data_dir).map_err(|error| simple(error.to_string()))?;
        let loading = origin.loading(&config, Some(data_dir.libraries()));
        let assembly = Assembly::prepare(&config, &loading, log, None, Purpose::Serve)?;
        for warning in &assembly.warnings {
            tracing::warn!("{warning}");
        }
        // Leftovers of earlier versions only cost space.
        let _ = load::remove_stale_copies(&data_dir.libraries(), &assembly.copies());
        note_config(&config.data_dir, &origin.source).map_err(|error| simple(error.to_string()))?;
        let doors = Doors::default();
        let mut problems = Problems::default();
        let fresh = doors.bind(&config.listeners).unwrap_or_else(|found| {
            problems.0.extend(found.0);
            Vec::new()
        });
        let figures = Figures::default();
        let fresh_figures = figures.bind(&config.metrics.bind).unwrap_or_else(|message| {
            problems.0.extend(Problems::one(message, "").0);
            Vec::new()
        });
        if problems.has_errors() {
            return Err(problems);
        }
        // They may ask for them as soon as they start.
        announce(&config);
        assembly.start().await?;
        for member in assembly.ordered() {
            member.about().say_started();
        }
        let common = Common {
            guessers: Arc::new(Guessers::new(config.login_blocking)),
            ids: Arc::default(),
            sessions: Arc::default(),
            drain: watch::Sender::new(false),
            cut: watch::Sender::new(false),
        };
        let mut making = Making {
            config: &config,
            assembly: &assembly,
            services: Services { places: &assembly.places, pending: &[] },
            common: &common,
            running: None,
            proved: HashSet::new(),
        };
        let made = making.all(|_| false, |listener| doors.addresses(listener, &fresh)).await;
        let proved = making.proved;
        let listeners = match made {
            Ok(listeners) => listeners,
            Err(problems) => {
                assembly.stop().await;
                return Err(problems);
            }
        };
        doors.switch(&listeners, fresh);
        let shape = Shape::of(&config, &assembly);
        let state = State {
            config: Arc::new(config),
            assembly: Arc::new(assembly),
            listeners,
            shape,
            proved,
            swaps: Swaps::default(),
        };
        Ok(Server {
            origin,
            log: log.clone(),
            state: Arc::new(ArcSwap::from_pointee(state)),
            doors,
            common,
            retiring: Retiring::default(),
            ward: ward::Ward::default(),
            reloading: tokio::sync::Mutex::default(),
            operations: RwLock::default(),
            removed: Mutex::default(),
            started: Instant::now(),
            data_dir,
            figures,
            judging: judge::Judging::default(),
            fresh_figures: Mutex::new(fresh_figures),
        })
    }

    /// Serves until `stop` resolves; then drains and stops. Each message of `reloads` is a reload.
    ///
    /// # Errors
    /// If the control socket cannot be made; the server has stopped then.
    pub async fn run(
        self,
        stop: impl std::future::Future<Output = ()>,
        mut reloads: mpsc::Receiver<()>,
    ) -> Result<(), Problems> {
        let path = datadir::control_socket(self.data_dir.path());
        let control = match ControlSocket::bind(&path) {
            Ok(control) => control,
            Err(error) => {
                self.stop().await;
                return Err(Problems::one(
                    format!("cannot make the control socket {}: {error}", path.display()),
                    "check that the data directory belongs to the server's user and is on a disk that can have sockets",
                ));
            }
        };
        let state = self.state();
        let shown: Vec<String> = state
            .listeners
            .iter()
            .flat_map(|listener| listener.bound.iter().map(move |bound| format!("{}={bound}", listener.config.name)))
            .collect();
        tracing::info!(hostname = %state.config.hostname, data_dir = %state.config.data_dir.display(), listeners = %shown.join(" "), "ready");
        drop(state);
        let me = Arc::new(self);
        // They are shown while sessions end, too.
        let fresh = std::mem::take(&mut *me.fresh_figures.lock().unwrap_or_else(PoisonError::into_inner));
        me.figures.switch(&me.config().metrics.bind, fresh, &Arc::downgrade(&me));
        let mut serving = Box::pin(control.serve(me.clone()));
        me.judging.arrange(&me.state);
        notify::ready("serving");
        let asked = async {
            while reloads.recv().await.is_some() {
                // The log has what came of it.
                let _ = me.reload().await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = &mut serving => {}
            () = asked => {}
            () = ward::watch(&me) => {}
            () = stop => {}
        }
        notify::stopping();
        // `status` and operations are answered while sessions end.
        tokio::select! {
            () = &mut serving => {}
            () = me.drain() => {}
        }
        drop(serving);
        me.figures.close();
        if let Some(me) = settle(me).await {
            me.stop().await;
        }
        Ok(())
    }

    /// No new connections; sessions are asked to end, and cut at the deadline.
    async fn drain(&self) {
        // A reload that is under way would open doors again. It ends within moments, or finds that the server stops.
        let _no_reload = tokio::time::timeout(END_LIMIT, self.reloading.lock()).await;
        let within = self.state().config.drain;
        self.doors.close();
        self.common.drain.send_replace(true);
        // Said when it is so: whoever reads it may look.
        tracing::info!(?within, "stopping: no new connections, sessions are asked to end");
        if !self.closed_within(within).await {
            tracing::warn!(sessions = self.open(), "the time to drain is over; these sessions are cut");
            self.common.cut.send_replace(true);
            self.closed_within(AFTER_CUT).await;
        }
    }

    /// Drains, if that has not been done, and stops the instances.
    pub async fn stop(self) {
        if !self.is_stopping() {
            self.drain().await;
        }
        let state = self.state();
        // Listeners hold what instances provide.
        self.state.store(Arc::new(State {
            config: state.config.clone(),
            assembly: state.assembly.clone(),
            listeners: Vec::new(),
            shape: state.shape.clone(),
            proved: HashSet::new(),
            swaps: Swaps::default(),
        }));
        let assembly = state.assembly.clone();
        drop(state);
        self.retiring.stop().await;
        assembly.stop().await;
        // The socket's file is of no use without its server.
        let _ = std::fs::remove_file(datadir::control_socket(self.data_dir.path()));
        tracing::info!("stopped");
    }

    fn open(&self) -> u32 {
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        removed.retain(|limit| limit.total() > 0);
        let gone: u32 = removed.iter().map(ConnectionLimit::total).sum();
        gone + self.state().listeners.iter().map(|listener| listener.limit.total()).sum::<u32>()
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

    /// Counts the connections of a listener that is gone, for as long as there are any.
    pub(crate) fn remember_limit(&self, limit: ConnectionLimit) {
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        removed.retain(|limit| limit.total() > 0);
        removed.push(limit);
    }

    /// Where private copies of plugin libraries go.
    pub(crate) fn libraries(&self) -> PathBuf {
        self.data_dir.libraries()
    }

    /// What is in service now.
    pub fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    /// The config it runs with now.
    pub fn config(&self) -> Arc<Config> {
        self.state().config.clone()
    }

    /// Its instances now.
    pub fn assembly(&self) -> Arc<Assembly> {
        self.state().assembly.clone()
    }

    /// Its listeners now.
    pub fn listeners(&self) -> Vec<Arc<Listener>> {
        self.state().listeners.clone()
    }

    /// What earlier reloads replaced and is still in use.
    pub fn retiring(&self) -> &Retiring {
        &self.retiring
    }

    /// To be held while an operation runs.
    pub async fn operating(&self) -> RwLockReadGuard<'_, ()> {
        self.operations.read().await
    }

    /// Whether it has begun to stop.
    pub fn is_stopping(&self) -> bool {
        *self.common.drain.borrow()
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
