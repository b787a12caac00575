//! Run control (duration or count, warm-up), latency samples and the JSON/human report.
use crate::args::Args;
use crate::procs::{self, Target};
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// When to stop and which samples count.
pub struct Run {
    pub start: Mutex<Option<Instant>>,
    duration: Option<Duration>,
    warmup: Duration,
    left: AtomicI64,
    pub counted: bool,
    pub all_ops: AtomicU64,
    errors: Mutex<BTreeMap<String, u64>>,
    pub target: Target,
    cpu0: Mutex<(f64, f64, f64)>,
}

impl Run {
    pub fn new(a: &Args, default_secs: f64) -> Result<Run, String> {
        let count: i64 = a.num("count", 0)?;
        let dur: f64 = a.num("duration", if count > 0 { 0.0 } else { default_secs })?;
        let warmup: f64 = a.num("warmup", if count > 0 { 0.0 } else { 1.0 })?;
        Ok(Run {
            start: Mutex::new(None),
            duration: (dur > 0.0).then(|| Duration::from_secs_f64(dur + warmup)),
            warmup: Duration::from_secs_f64(warmup),
            left: AtomicI64::new(if count > 0 { count } else { i64::MAX }),
            counted: count > 0,
            all_ops: AtomicU64::new(0),
            errors: Mutex::new(BTreeMap::new()),
            target: Target::from_args(a)?,
            cpu0: Mutex::new((0.0, 0.0, 0.0)),
        })
    }
    /// Called once, when every worker is connected and waiting.
    pub fn begin(&self) {
        *self.cpu0.lock().unwrap() = (self.target.cpu(), procs::self_cpu(), procs::machine_busy());
        *self.start.lock().unwrap() = Some(Instant::now());
    }
    pub fn clock(&self) -> Clock {
        let s = self.start.lock().unwrap().expect("clock not started");
        Clock { warm: s + self.warmup, end: self.duration.map(|d| s + d) }
    }
    /// Takes one unit of work, or says that the run is over.
    pub fn take(&self, c: &Clock) -> bool {
        if let Some(e) = c.end {
            if Instant::now() >= e {
                return false;
            }
        }
        if !self.counted {
            return true;
        }
        self.left.fetch_sub(1, Ordering::Relaxed) > 0
    }
    pub fn op(&self) {
        self.all_ops.fetch_add(1, Ordering::Relaxed);
    }
    pub fn error(&self, e: &str) {
        let mut k: String = e.chars().take(160).collect();
        if self.errors.lock().unwrap().len() > 12 {
            k = "other".into();
        }
        *self.errors.lock().unwrap().entry(k).or_insert(0) += 1;
    }
    pub fn error_count(&self) -> u64 {
        self.errors.lock().unwrap().values().sum()
    }
    /// Length of the measured window.
    pub fn window(&self, c: &Clock) -> f64 {
        let now = Instant::now();
        let end = c.end.map(|e| e.min(now)).unwrap_or(now);
        end.saturating_duration_since(c.warm).as_secs_f64().max(1e-9)
    }
    /// Seconds since begin().
    pub fn elapsed(&self) -> f64 {
        self.start.lock().unwrap().map(|s| s.elapsed().as_secs_f64()).unwrap_or(1.0)
    }
    /// CPU seconds of client and server since begin(), and per operation.
    pub fn cpu_report(&self, out: &mut Map<String, Value>) -> String {
        let (s0, c0, m0) = *self.cpu0.lock().unwrap();
        let wall = self.elapsed();
        let busy = procs::machine_busy() - m0;
        let n = self.all_ops.load(Ordering::Relaxed).max(1) as f64;
        let cli = procs::self_cpu() - c0;
        out.insert("client_cpu_us_per_op".into(), json!(r2(cli * 1e6 / n)));
        let mut h = format!(" client {:.0}us/op", cli * 1e6 / n);
        if self.target.given() {
            let srv = self.target.cpu() - s0;
            out.insert("server_cpu_s".into(), json!(r2(srv)));
            out.insert("server_cpu_us_per_op".into(), json!(r2(srv * 1e6 / n)));
            // What part of the machine other programs used meanwhile, and what the CPU times alone would allow.
            let others = ((busy - cli - srv) / wall / procs::ncpu()).max(0.0);
            out.insert("others_cpu_share".into(), json!(r2(others)));
            out.insert("cpu_bound_per_s".into(), json!(r2(procs::ncpu() * n / (cli + srv).max(1e-9))));
            h = format!(
                " server {:.0}us/op{h}, others {:.0}% of the machine, CPU-bound at {:.0}/s",
                srv * 1e6 / n,
                others * 100.0,
                procs::ncpu() * n / (cli + srv).max(1e-9)
            );
        }
        h
    }
    pub fn errors_into(&self, out: &mut Map<String, Value>) {
        let e = self.errors.lock().unwrap();
        out.insert("errors".into(), json!(e.values().sum::<u64>()));
        if !e.is_empty() {
            out.insert("error_kinds".into(), json!(*e));
        }
    }
}

#[derive(Clone, Copy)]
pub struct Clock {
    pub warm: Instant,
    pub end: Option<Instant>,
}

/// Latencies (exact samples in microseconds) and bytes of one kind of operation.
#[derive(Default, Clone)]
pub struct Lat {
    us: Vec<u32>,
    pub bytes: u64,
}

impl Lat {
    pub fn add(&mut self, c: &Clock, from: Instant, bytes: u64) {
        let now = Instant::now();
        if now < c.warm || c.end.is_some_and(|e| now > e) {
            return;
        }
        self.us.push(now.duration_since(from).as_micros().min(u32::MAX as u128) as u32);
        self.bytes += bytes;
    }
    pub fn push(&mut self, us: u32) {
        self.us.push(us);
    }
    pub fn merge(&mut self, o: Lat) {
        self.us.extend_from_slice(&o.us);
        self.bytes += o.bytes;
    }
    pub fn n(&self) -> usize {
        self.us.len()
    }
    fn q(&self, p: f64) -> f64 {
        if self.us.is_empty() {
            return 0.0;
        }
        let i = ((self.us.len() as f64 * p).ceil() as usize).clamp(1, self.us.len()) - 1;
        self.us[i] as f64 / 1000.0
    }
    /// (json, p50, p99); sorts the samples.
    pub fn summary(&mut self, secs: f64) -> (Value, f64, f64) {
        self.us.sort_unstable();
        let n = self.us.len();
        let mean = if n == 0 { 0.0 } else { self.us.iter().map(|x| *x as f64).sum::<f64>() / n as f64 / 1000.0 };
        let mut m = Map::new();
        m.insert("n".into(), json!(n));
        m.insert("per_s".into(), json!(r2(n as f64 / secs)));
        if self.bytes > 0 {
            m.insert("mb_per_s".into(), json!(r2(self.bytes as f64 / secs / 1e6)));
        }
        m.insert("mean_ms".into(), json!(r3(mean)));
        for (k, p) in [("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("p999_ms", 0.999), ("max_ms", 1.0)] {
            m.insert(k.into(), json!(r3(self.q(p))));
        }
        (Value::Object(m), self.q(0.5), self.q(0.99))
    }
}

pub fn r2(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}
pub fn r3(x: f64) -> f64 {
    (x * 1000.0).round() / 1000.0
}

pub fn emit(out: Map<String, Value>, human: &str) {
    use std::io::Write;
    // A closed pipe (`| head -1`) is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{}\n# {human}", Value::Object(out));
}
