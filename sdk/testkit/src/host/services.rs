//! The host's services, on tokio and in memory.

use super::{bound, TestTickets};
use dovetail_sdk::abi::{
    console_v1::{ConsoleFailure, HostConsole, HostConsoleProvider, SecretNotice},
    fault_v1::{HostFault, HostFaultProvider, PanicReport},
    kernel_v1::Bound,
    listeners_v1::{HostListeners, HostListenersProvider, ListenerInfo},
    log_v1::{HostLog, HostLogProvider, Level, LogRecord},
    metrics_v1::{HostMetrics, HostMetricsProvider, Series, SeriesDescription, SeriesFailure, SeriesProvider},
    net_v1::{HostNet, HostNetProvider, NetFailure},
    task_v1::{HostTask, HostTaskProvider, Job, Task, TaskFuture, TaskProvider, Thread, ThreadProvider},
    time_v1::{HostTime, HostTimeProvider},
    CallFailure, Stream,
};
use std::{
    collections::BTreeMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::{lookup_host, TcpStream},
    runtime::Handle,
    task::AbortHandle,
    time::Instant,
};

/// What the services gather and share.
pub(super) struct State {
    pub(super) log: Gathered<LogRecord>,
    pub(super) panics: Gathered<PanicReport>,
    pub(super) notices: Gathered<String>,
    pub(super) secrets: Gathered<SecretNotice>,
    pub(super) clock: Clock,
    pub(super) tickets: TestTickets,
    /// By name and labels, as they are shown: sums of counters, values of gauges, numbers of observations.
    pub(super) metrics: Mutex<BTreeMap<String, i64>>,
    tasks: Gathered<AbortHandle>,
    /// For work that is spawned by threads of the plugin's own.
    runtime: Option<Handle>,
}

impl State {
    pub(super) fn new() -> Self {
        State {
            log: Gathered::default(),
            panics: Gathered::default(),
            notices: Gathered::default(),
            secrets: Gathered::default(),
            clock: Clock::new(),
            tickets: TestTickets::new(),
            metrics: Mutex::default(),
            tasks: Gathered::default(),
            runtime: Handle::try_current().ok(),
        }
    }

    pub(super) fn metric(&self, name: &str) -> Option<i64> {
        locked(&self.metrics).get(name).copied()
    }

    pub(super) fn end_tasks(&self) {
        for task in self.tasks.all() {
            task.abort();
        }
    }

    fn runtime(&self) -> Result<Handle, CallFailure> {
        Handle::try_current().ok().or_else(|| self.runtime.clone()).ok_or(CallFailure::Unavailable)
    }
}

/// All services, as an instance gets them.
pub(super) fn all(state: &Arc<State>) -> Vec<Bound> {
    vec![
        bound(HostLog::new(Log(state.clone()))),
        bound(HostTime::new(Time(state.clone()))),
        bound(HostTask::new(Tasks(state.clone()))),
        bound(HostNet::new(Net)),
        bound(HostFault::new(Faults(state.clone()))),
        bound(HostConsole::new(Console(state.clone()))),
        bound(HostMetrics::new(Metrics(state.clone()))),
        bound(HostListeners::new(NoListeners)),
        state.tickets.bound(),
    ]
}

/// A list that only grows.
pub(super) struct Gathered<T>(Mutex<Vec<T>>);

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Gathered(Mutex::new(Vec::new()))
    }
}

impl<T: Clone> Gathered<T> {
    fn push(&self, item: T) {
        locked(&self.0).push(item);
    }

    pub(super) fn all(&self) -> Vec<T> {
        locked(&self.0).clone()
    }
}

/// Tokio's clock, beginning at a time of day.
pub(super) struct Clock(Mutex<(Instant, u64)>);

impl Clock {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock(Mutex::new((Instant::now(), milliseconds(now))))
    }

    pub(super) fn set(&self, now: u64) {
        *locked(&self.0) = (Instant::now(), now);
    }

    fn now(&self) -> u64 {
        let (began, base) = *locked(&self.0);
        base.saturating_add(milliseconds(began.elapsed()))
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A panic while the lock was held is the test's failure already; the data is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Log(Arc<State>);

impl HostLogProvider for Log {
    fn level(&self) -> Result<Level, CallFailure> {
        Ok(Level::Trace)
    }
    fn record(&self, record: LogRecord) -> Result<(), CallFailure> {
        self.0.log.push(record);
        Ok(())
    }
}

struct Time(Arc<State>);

impl HostTimeProvider for Time {
    async fn sleep(&self, milliseconds: u64) -> Result<(), CallFailure> {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        Ok(())
    }
    fn unix_milliseconds(&self) -> Result<u64, CallFailure> {
        Ok(self.0.clock.now())
    }
}

struct Tasks(Arc<State>);

impl HostTaskProvider for Tasks {
    fn spawn(&self, future: TaskFuture) -> Result<Task, CallFailure> {
        let task = self.0.runtime()?.spawn(future).abort_handle();
        self.0.tasks.push(task.clone());
        Ok(Task::new(Spawned(task)))
    }
    fn blocking(&self, job: Job) -> Result<(), CallFailure> {
        self.0.runtime()?.spawn_blocking(move || job.run());
        Ok(())
    }
    fn thread(&self, name: String) -> Result<Thread, CallFailure> {
        Ok(Thread::new(Named(name)))
    }
}

/// A thread of the plugin's own.
struct Named(String);

impl ThreadProvider for Named {
    fn name(&self) -> Result<String, CallFailure> {
        Ok(self.0.clone())
    }
}

struct Spawned(AbortHandle);

impl TaskProvider for Spawned {
    fn abort(&self) -> Result<(), CallFailure> {
        self.0.abort();
        Ok(())
    }
}

/// There is no server around the instance.
struct NoListeners;

impl HostListenersProvider for NoListeners {
    fn listeners(&self) -> Result<Vec<ListenerInfo>, CallFailure> {
        Ok(Vec::new())
    }
}

struct Net;

impl HostNetProvider for Net {
    async fn connect(&self, host: String, port: u16, milliseconds: u64) -> Result<Stream, NetFailure> {
        let limit = Duration::from_millis(milliseconds);
        let connected = tokio::time::timeout(limit, TcpStream::connect((host.as_str(), port))).await;
        let stream = connected.map_err(|_| {
            io::Error::new(io::ErrorKind::TimedOut, format!("no connection to {host}:{port} within {limit:?}"))
        })??;
        Ok(Stream::new(stream))
    }
    async fn lookup(&self, host: String) -> Result<Vec<IpAddr>, NetFailure> {
        Ok(lookup_host((host.as_str(), 0)).await?.map(|address| address.ip()).collect())
    }
}

struct Faults(Arc<State>);

impl HostFaultProvider for Faults {
    fn panicked(&self, report: PanicReport) -> Result<(), CallFailure> {
        self.0.panics.push(report);
        Ok(())
    }
}

struct Metrics(Arc<State>);

impl HostMetricsProvider for Metrics {
    fn series(&self, description: SeriesDescription) -> Result<Series, SeriesFailure> {
        let labels: Vec<String> =
            description.labels.iter().map(|label| format!("{}=\"{}\"", label.name, label.value)).collect();
        let name = match labels.is_empty() {
            true => description.name,
            false => format!("{}{{{}}}", description.name, labels.join(",")),
        };
        locked(&self.0.metrics).entry(name.clone()).or_default();
        Ok(Series::new(Figure { state: self.0.clone(), name }))
    }
}

struct Figure {
    state: Arc<State>,
    name: String,
}

impl Figure {
    fn change(&self, change: impl FnOnce(i64) -> i64) {
        let mut metrics = locked(&self.state.metrics);
        let value = metrics.entry(self.name.clone()).or_default();
        *value = change(*value);
    }
}

impl SeriesProvider for Figure {
    fn add(&self, by: u64) -> Result<(), CallFailure> {
        self.change(|value| value.saturating_add(i64::try_from(by).unwrap_or(i64::MAX)));
        Ok(())
    }
    fn set(&self, value: i64) -> Result<(), CallFailure> {
        self.change(|_| value);
        Ok(())
    }
    fn observe(&self, _value: f64) -> Result<(), CallFailure> {
        self.change(|value| value + 1);
        Ok(())
    }
}

struct Console(Arc<State>);

impl HostConsoleProvider for Console {
    fn notice(&self, text: String) -> Result<(), CallFailure> {
        self.0.notices.push(text);
        Ok(())
    }
    fn secret(&self, notice: SecretNotice) -> Result<(), ConsoleFailure> {
        self.0.secrets.push(notice);
        Ok(())
    }
}
