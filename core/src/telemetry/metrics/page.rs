//! The text of `/metrics`: what was counted, and how the server is now.

use super::{metrics, process::Process};
use crate::control::Status;
use prometheus::{proto::MetricFamily, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

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
    page.gauge(
        "plugin_info",
        "1 for each instance in service, with its plugin, version and state",
        &["plugin", "id", "version", "state"],
        plugins().map(|p| ([p.instance.as_str(), p.plugin.as_str(), p.version.as_str(), p.state.as_str()], 1)),
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
    page.gauge(
        "plugin_tasks",
        "Tasks of the instance",
        &["plugin"],
        plugins().map(|p| ([p.instance.as_str()], p.tasks as u64)),
    )?;
    Ok(page.0.gather())
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
}

#[cfg(test)]
pub(in crate::telemetry) mod tests {
    use super::*;
    use crate::control::status::{Blocked, ListenerStatus, PluginStatus};
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
                file: "x.so".into(),
                provides: vec!["dovetail.protocol/1".into()],
                state: "running".into(),
                generation: 1,
                tasks: 0,
                panics: 3,
                figures: BTreeMap::new(),
            }],
            tls: BTreeMap::new(),
            blocked: Blocked { count: 1, addresses: Vec::new() },
            retiring: Vec::new(),
        }
    }

    #[test]
    fn the_status_is_on_the_page() {
        let text = of(&status());
        for line in [
            "dovetail_core_build_info{hostname=\"mail.example.org\",version=\"1.2.3\"} 1",
            "dovetail_core_connections_accepted_total{listener=\"smtp\",protocol=\"mx\"} 9",
            "dovetail_core_sessions_open{listener=\"smtp\",protocol=\"mx\"} 2",
            "dovetail_core_addresses_blocked 1",
            "dovetail_core_plugin_faults_total{plugin=\"mx\"} 3",
            "# TYPE dovetail_core_plugin_faults_total counter",
            "# TYPE dovetail_core_process_open_fds gauge",
        ] {
            assert!(text.lines().any(|got| got == line), "{line} is not in\n{text}");
        }
    }
}
