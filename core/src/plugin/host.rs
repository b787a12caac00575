//! What the host offers to an instance: log, time, tasks, connections, faults, the console, figures.
//!
//! Each instance gets handles of its own, so that what it does is counted to it and ends with it.

use super::{
    account::{Account, Counted},
    listeners::Listeners,
    metered::Metered,
    tickets::Tickets,
};
use crate::{
    runtime,
    telemetry::{
        log::Log,
        metrics::{metrics, plugin::InstanceMetrics},
    },
};
use dovetail_abi::{
    console_v1::{ConsoleFailure, HostConsole, HostConsoleProvider, SecretNotice},
    fault_v1::{HostFault, HostFaultProvider, PanicReport},
    handle::Interface,
    listeners_v1::HostListeners,
    log_v1::{HostLog, HostLogProvider, Level, LogRecord},
    metrics_v1::{HostMetrics, HostMetricsProvider, Series, SeriesDescription, SeriesFailure},
    net_v1::{HostNet, HostNetProvider, NetFailure},
    task_v1::{HostTask, HostTaskProvider, Job, Task, TaskFuture, TaskProvider, Thread, ThreadProvider},
    tickets_v1::HostTickets,
    time_v1::{HostTime, HostTimeProvider},
    AnyHandle, CallFailure, Stream,
};
use std::{
    io::{IsTerminal, Write},
    net::IpAddr,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::TcpStream,
    task::{AbortHandle, JoinSet},
};

/// An instance and its tasks get so long to end.
pub(crate) const END_LIMIT: Duration = Duration::from_secs(10);

/// The host as one instance sees it.
#[derive(Clone)]
pub struct InstanceHost(Arc<Inner>);

struct Inner {
    instance: String,
    data_dir: PathBuf,
    log: Log,
    tasks: Mutex<JoinSet<()>>,
    account: Arc<Account>,
    metrics: InstanceMetrics,
}

impl InstanceHost {
    /// A host for an instance.
    pub fn new(instance: &str, data_dir: PathBuf, log: Log) -> Self {
        InstanceHost(Arc::new(Inner {
            instance: instance.to_owned(),
            data_dir,
            log,
            tasks: Mutex::default(),
            account: Account::open(instance),
            metrics: metrics().families.of(instance),
        }))
    }

    /// The provider of a host interface.
    pub fn query(&self, interface: &str) -> Option<AnyHandle> {
        let me = self.clone();
        Some(match interface {
            HostLog::ID => HostLog::new(me).erase(),
            HostTime::ID => HostTime::new(me).erase(),
            HostTask::ID => HostTask::new(me).erase(),
            HostNet::ID => HostNet::new(me).erase(),
            HostFault::ID => HostFault::new(me).erase(),
            HostConsole::ID => HostConsole::new(me).erase(),
            HostMetrics::ID => HostMetrics::new(me).erase(),
            HostTickets::ID => HostTickets::new(Tickets).erase(),
            HostListeners::ID => HostListeners::new(Listeners).erase(),
            _ => return None,
        })
    }

    /// What the instance uses and breaks.
    pub fn account(&self) -> &Arc<Account> {
        &self.0.account
    }

    /// How many tasks it runs.
    pub fn tasks(&self) -> usize {
        let mut tasks = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.len()
    }

    /// Ends the instance's tasks and waits for them, blocking ones included; at most [`END_LIMIT`].
    pub async fn end_tasks(&self) {
        let mut tasks = std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        if tokio::time::timeout(END_LIMIT, tasks.shutdown()).await.is_err() {
            tracing::error!(plugin = %self.0.instance, tasks = tasks.len(), "tasks of the instance do not end; stopping without them (report it to the plugin's author)");
        }
    }
}

impl HostLogProvider for InstanceHost {
    fn level(&self) -> Result<Level, CallFailure> {
        Ok(self.0.log.level(&self.0.instance))
    }
    fn record(&self, record: LogRecord) -> Result<(), CallFailure> {
        self.0.log.write(&self.0.instance, &record);
        Ok(())
    }
}

impl HostTimeProvider for InstanceHost {
    async fn sleep(&self, milliseconds: u64) -> Result<(), CallFailure> {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        Ok(())
    }
    fn unix_milliseconds(&self) -> Result<u64, CallFailure> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

struct Running(AbortHandle);

impl TaskProvider for Running {
    fn abort(&self) -> Result<(), CallFailure> {
        self.0.abort();
        Ok(())
    }
}

impl HostTaskProvider for InstanceHost {
    fn spawn(&self, future: TaskFuture) -> Result<Task, CallFailure> {
        let runtime = runtime::current().ok_or(CallFailure::Unavailable)?;
        let mut tasks = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        let future = Metered::new(self.0.account.clone(), future);
        let handle = tasks.spawn_on(
            async move {
                // A panic was contained and reported on the plugin's side.
                let _ = future.await;
            },
            &runtime,
        );
        Ok(Task::new(Running(handle)))
    }

    fn blocking(&self, job: Job) -> Result<(), CallFailure> {
        let runtime = runtime::current().ok_or(CallFailure::Unavailable)?;
        let mut tasks = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        let counted = self.0.account.job();
        tasks.spawn_blocking_on(
            move || {
                let _counted = counted;
                // As above.
                let _ = job.run();
            },
            &runtime,
        );
        Ok(())
    }

    fn thread(&self, name: String) -> Result<Thread, CallFailure> {
        Ok(Thread::new(Started { name, _counted: self.0.account.thread() }))
    }
}

/// A thread of the plugin's own.
struct Started {
    name: String,
    _counted: Counted,
}

impl ThreadProvider for Started {
    fn name(&self) -> Result<String, CallFailure> {
        Ok(self.name.clone())
    }
}

impl HostNetProvider for InstanceHost {
    async fn connect(&self, host: String, port: u16, milliseconds: u64) -> Result<Stream, NetFailure> {
        let limit = Duration::from_millis(milliseconds);
        let connected = tokio::time::timeout(limit, TcpStream::connect((host.as_str(), port))).await;
        let stream = connected.map_err(std::io::Error::from)??;
        stream.set_nodelay(true)?;
        Ok(Stream::new(stream))
    }

    async fn lookup(&self, host: String) -> Result<Vec<IpAddr>, NetFailure> {
        let mut found: Vec<IpAddr> =
            tokio::net::lookup_host((host.as_str(), 0)).await?.map(|address| address.ip()).collect();
        found.dedup();
        Ok(found)
    }
}

impl HostFaultProvider for InstanceHost {
    fn panicked(&self, report: PanicReport) -> Result<(), CallFailure> {
        let message = "the plugin panicked; what it was doing has ended, the rest goes on (report it to the plugin's author with this line)";
        let record = LogRecord::new(Level::Error, report.session.as_deref(), message);
        self.0.log.write(&self.0.instance, &record.with("panic", &report.message).with("place", &report.place));
        // After its line in the log, which others tell of.
        self.0.account.panicked();
        Ok(())
    }
}

impl HostMetricsProvider for InstanceHost {
    fn series(&self, description: SeriesDescription) -> Result<Series, SeriesFailure> {
        self.0.metrics.series(description)
    }
}

/// Whether a text names a file in a directory and nothing else.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0'])
}

impl HostConsoleProvider for InstanceHost {
    fn notice(&self, text: String) -> Result<(), CallFailure> {
        self.0.log.write(&self.0.instance, &LogRecord::new(Level::Info, None, &text));
        Ok(())
    }

    fn secret(&self, notice: SecretNotice) -> Result<(), ConsoleFailure> {
        let fail = |message: String| ConsoleFailure { message };
        let mut terminal = std::io::stderr();
        if terminal.is_terminal() {
            let secret = String::from_utf8_lossy(notice.secret.expose());
            return writeln!(
                terminal,
                "\n    {}: {secret}\n    (shown only now; nothing else keeps it)\n",
                notice.label
            )
            .map_err(|error| fail(format!("cannot show {}: {error}", notice.label)));
        }
        if !is_plain_name(&notice.file_name) {
            return Err(fail(format!("`{}` is no plain file name", notice.file_name)));
        }
        let path = self.0.data_dir.join(&notice.file_name);
        let written =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).and_then(|mut file| {
                file.write_all(notice.secret.expose())?;
                file.write_all(b"\n")?;
                file.sync_all()
            });
        written.map_err(|error| fail(format!("cannot write {} to {}: {error}", notice.label, path.display())))?;
        // The log says where it is, never what it is.
        self.notice(format!("{} is in {}", notice.label, path.display())).map_err(|e| fail(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_abi::task_v1::JobProvider;
    use std::sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    };

    /// Says that it began, then waits until it is let go.
    struct Waits {
        began: Mutex<mpsc::Sender<()>>,
        go: Mutex<mpsc::Receiver<()>>,
        done: Arc<AtomicU64>,
    }

    impl JobProvider for Waits {
        fn run(&self) -> Result<(), CallFailure> {
            self.began.lock().unwrap().send(()).unwrap();
            self.go.lock().unwrap().recv().unwrap();
            self.done.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn blocking_work_is_counted_and_waited_for() {
        let host = InstanceHost::new("x", PathBuf::new(), Log::default());
        let (began, begins) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        let done = Arc::new(AtomicU64::new(0));
        let job = Waits { began: Mutex::new(began), go: Mutex::new(wait), done: done.clone() };
        host.blocking(Job::new(job)).unwrap();
        // Work that has begun is not cancelled.
        begins.recv().unwrap();
        assert_eq!((host.tasks(), host.account().now().jobs), (1, 1));
        let ending = host.end_tasks();
        tokio::pin!(ending);
        tokio::select! {
            biased;
            () = &mut ending => panic!("it was not waited for"),
            () = std::future::ready(()) => {}
        }
        go.send(()).unwrap();
        ending.await;
        assert_eq!((done.load(Ordering::SeqCst), host.tasks(), host.account().now().jobs), (1, 0, 0));
    }
}
