//! The text of `/metrics`: what was counted, and how the server is now.

use super::{metrics, process::Process};
use crate::control::{status::PluginStatus, Status};
use prometheus::{proto::MetricFamily, CounterVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

/// The media type of the text format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The page.
pub fn of(status: &Status) -> String {
    let mut families = metrics().registry.gather();
    match now(status, &Process::now()) {
        Ok(more) => families.extend(more),
        Err(error) => tracing::error!(%error, "some figures cannot be shown; report this as a defect of dovetail"),
    }
    // A family without series has nothing to show.
    families.retain(|family| !family.get_metric().is_empty());
    families.sort_by(|a, b| a.name().cmp(b.name()));
    TextEncoder::new().encode_to_string(&families).unwrap_or_else(|error| {
        tracing::error!(%error, "the figures cannot be written; report this as a defect of dovetail");
        String::new()
    })
}

/// How the server is, as figures.
fn now(status: &Status, process: &Process) -> prometheus::Result<Vec<MetricFamily>> {
    let page = Page(Registry::new());
    let labels: [&str; 2] = [&status.version, &status.hostname];
    page.gauge("build_info", "Always 1; the version of the server", &["version", "hostname"], [(labels, 1)])?;
    page.gauge("uptime_seconds", "Seconds since the start", &[], [([], status.uptime_seconds)])?;
    let process = [
        ("process_resident_memory_bytes", "Octets of the process in memory", process.resident),
        ("process_open_fds", "Open files, connections included", process.open_files),
        ("process_max_fds", "As many files may be open", process.max_files),
    ];
    for (name, help, value) in process {
        page.gauge(name, help, &[], value.map(|value| ([], value)))?;
    }
    let listeners = || status.listeners.iter();
    page.counter(
        "connections_accepted_total",
        "Connections that were taken",
        &["listener", "protocol"],
        listeners().map(|l| ([l.name.as_str(), l.protocol.as_str()], l.served)),
    )?;
    page.gauge(
        "sessions_open",
        "Open connections",
        &["listener", "protocol"],
        listeners().map(|l| ([l.name.as_str(), l.protocol.as_str()], u64::from(l.sessions))),
    )?;
    page.gauge("addresses_blocked", "Addresses that are shut out now", &[], [([], status.blocked.count)])?;
    let plugins = || status.plugins.iter();
    // Those that retire, too: their sessions run.
    let generations: Vec<(&PluginStatus, String)> =
        plugins().chain(&status.retiring).map(|p| (p, p.generation.to_string())).collect();
    page.gauge(
        "plugin_info",
        "1 for each generation of each instance, with its plugin, version, build and state",
        &["plugin", "id", "version", "build", "generation", "state"],
        generations.iter().map(|(p, generation)| {
            (
                [
                    p.instance.as_str(),
                    p.plugin.as_str(),
                    p.version.as_str(),
                    p.build.as_str(),
                    generation,
                    p.state.as_str(),
                ],
                1,
            )
        }),
    )?;
    page.gauge(
        "plugin_generation",
        "The generation of the instance; a reload that changes it makes a new one",
        &["plugin"],
        plugins().map(|p| ([p.instance.as_str()], p.generation)),
    )?;
    let retiring = |instance: &str| status.retiring.iter().filter(|p| p.instance == instance).count() as u64;
    page.gauge(
        "plugin_generations_retiring",
        "Earlier generations of the instance whose sessions have not ended yet",
        &["plugin"],
        plugins().map(|p| ([p.instance.as_str()], retiring(&p.instance))),
    )?;
    page.counter(
        "plugin_faults_total",
        "Panics of the instance that were contained",
        &["plugin"],
        plugins().map(|p| ([p.instance.as_str()], p.panics)),
    )?;
    usage(&page, status)?;
    Ok(page.0.gather())
}

/// Name, help text and value of a figure of an instance.
type Of<'a> = (&'a str, &'a str, fn(&PluginStatus) -> u64);

/// What instances use, and who is in quarantine. What there is now includes generations that retire.
fn usage(page: &Page, status: &Status) -> prometheus::Result<()> {
    let label = &["plugin"];
    let plugins = || status.plugins.iter();
    let sums: [Of<'_>; 4] = [
        ("plugin_restarts_total", "How often the instance was started anew, after faults or by hand", |p| p.restarts),
        ("plugin_sessions_total", "Sessions of the instance that began", |p| p.usage.sessions_total),
        ("plugin_received_bytes_total", "Octets from clients of the instance's sessions", |p| p.usage.octets_in),
        ("plugin_sent_bytes_total", "Octets to clients of the instance's sessions", |p| p.usage.octets_out),
    ];
    for (name, help, of) in sums {
        page.counter(name, help, label, plugins().map(|p| ([p.instance.as_str()], of(p))))?;
    }
    page.seconds(
        "plugin_poll_seconds_total",
        "Time spent in polls of the instance's sessions, tasks and TLS handshakes",
        label,
        plugins().map(|p| ([p.instance.as_str()], p.usage.poll_microseconds)),
    )?;
    let now: [Of<'_>; 4] = [
        ("plugin_tasks", "Tasks of the instance, its blocking work included", |p| p.tasks as u64),
        ("plugin_jobs", "Blocking work of the instance that waits or runs", |p| p.usage.jobs),
        ("plugin_threads", "Threads of the instance's own", |p| p.usage.threads),
        ("plugin_sessions_open", "Open sessions of the instance", |p| p.usage.sessions),
    ];
    for (name, help, of) in now {
        let whole = |instance: &str| {
            let retiring = status.retiring.iter().filter(|other| other.instance == instance);
            retiring.map(of).fold(0, u64::saturating_add)
        };
        let rows = plugins().map(|p| ([p.instance.as_str()], of(p).saturating_add(whole(&p.instance))));
        page.gauge(name, help, label, rows)?;
    }
    page.gauge(
        "plugin_quarantined",
        "1 while the instance is quarantined for its faults",
        label,
        plugins().map(|p| ([p.instance.as_str()], u64::from(p.quarantine.is_some()))),
    )?;
    let counting = || plugins().filter_map(|p| Some((p.instance.as_str(), p.usage.heap?)));
    page.gauge(
        "plugin_heap_bytes",
        "Octets that the instance's library has of the heap, all instances of that library together",
        label,
        counting().map(|(instance, heap)| ([instance], heap.octets)),
    )?;
    page.counter(
        "plugin_heap_allocations_total",
        "How often the instance's library took memory, for all instances of that library together",
        label,
        counting().map(|(instance, heap)| ([instance], heap.allocations)),
    )
}

/// A page in the making.
struct Page(Registry);

impl Page {
    fn gauge<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: &[&str; N],
        rows: impl IntoIterator<Item = ([&'a str; N], u64)>,
    ) -> prometheus::Result<()> {
        let made = IntGaugeVec::new(Opts::new(format!("dovetail_core_{name}"), help), labels)?;
        for (values, value) in rows {
            made.with_label_values(&values).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        self.0.register(Box::new(made))
    }

    fn counter<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: &[&str; N],
        rows: impl IntoIterator<Item = ([&'a str; N], u64)>,
    ) -> prometheus::Result<()> {
        let made = IntCounterVec::new(Opts::new(format!("dovetail_core_{name}"), help), labels)?;
        for (values, value) in rows {
            // Instances of one name that are both in service during a reload are one series.
            made.with_label_values(&values).inc_by(value);
        }
        self.0.register(Box::new(made))
    }

    /// A counter of seconds, given in microseconds.
    fn seconds<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: &[&str; N],
        rows: impl IntoIterator<Item = ([&'a str; N], u64)>,
    ) -> prometheus::Result<()> {
        let made = CounterVec::new(Opts::new(format!("dovetail_core_{name}"), help), labels)?;
        for (values, microseconds) in rows {
            made.with_label_values(&values).inc_by(microseconds as f64 / 1e6);
        }
        self.0.register(Box::new(made))
    }
}

#[cfg(test)]
pub(in crate::telemetry) mod tests {
    use super::*;
    use crate::control::status::{Blocked, Heap, ListenerStatus, Quarantine, Usage};
    use std::collections::BTreeMap;

    /// A server's status.
    pub fn status() -> Status {
        Status {
            version: "1.2.3".into(),
            pid: 7,
            hostname: "mail.example.org".into(),
            data_dir: "/var/lib/dovetail".into(),
            uptime_seconds: 60,
            listeners: vec![ListenerStatus {
                name: "smtp".into(),
                bind: vec!["127.0.0.1:25".into()],
                protocol: "mx".into(),
                tls: "explicit".into(),
                sessions: 2,
                served: 9,
            }],
            plugins: vec![PluginStatus {
                instance: "mx".into(),
                plugin: "smtp".into(),
                version: "0.1.0".into(),
                build: "0123456789abcdef".into(),
                file: "x.so".into(),
                swapped_from: None,
                provides: vec!["dovetail.protocol/1".into()],
                state: "running".into(),
                generation: 1,
                tasks: 0,
                panics: 3,
                usage: Usage {
                    sessions: 2,
                    sessions_total: 9,
                    poll_microseconds: 1500,
                    heap: Some(Heap { octets: 4096, allocations: 70 }),
                    ..Usage::default()
                },
                faults: 3,
                restarts: 2,
                quarantine: Some(Quarantine { next_attempt_seconds: 4, attempts: 2, failure: None }),
                figures: BTreeMap::new(),
            }],
            tls: BTreeMap::new(),
            blocked: Blocked { count: 1, addresses: Vec::new() },
            retiring: Vec::new(),
        }
    }

    #[test]
    fn the_status_is_on_the_page() {
        let mut status = status();
        let mut retiring = status.plugins[0].clone();
        retiring.usage.sessions = 1;
        (retiring.generation, retiring.state) = (7, "retiring".into());
        status.retiring.push(retiring);
        let text = of(&status);
        for line in [
            "dovetail_core_build_info{hostname=\"mail.example.org\",version=\"1.2.3\"} 1",
            "dovetail_core_connections_accepted_total{listener=\"smtp\",protocol=\"mx\"} 9",
            "dovetail_core_sessions_open{listener=\"smtp\",protocol=\"mx\"} 2",
            "dovetail_core_addresses_blocked 1",
            "dovetail_core_plugin_info{build=\"0123456789abcdef\",generation=\"7\",id=\"smtp\",plugin=\"mx\",state=\"retiring\",version=\"0.1.0\"} 1",
            "dovetail_core_plugin_faults_total{plugin=\"mx\"} 3",
            "# TYPE dovetail_core_plugin_faults_total counter",
            "dovetail_core_plugin_quarantined{plugin=\"mx\"} 1",
            "dovetail_core_plugin_restarts_total{plugin=\"mx\"} 2",
            "dovetail_core_plugin_sessions_open{plugin=\"mx\"} 3",
            "dovetail_core_plugin_sessions_total{plugin=\"mx\"} 9",
            "dovetail_core_plugin_poll_seconds_total{plugin=\"mx\"} 0.0015",
            "dovetail_core_plugin_heap_bytes{plugin=\"mx\"} 4096",
            "dovetail_core_plugin_heap_allocations_total{plugin=\"mx\"} 70",
            "# TYPE dovetail_core_process_open_fds gauge",
        ] {
            assert!(text.lines().any(|got| got == line), "{line} is not in\n{text}");
        }
    }
}
