//! CPU time and memory of the server under test, read from /proc for whole process trees.
use crate::args::Args;
use std::collections::{HashMap, HashSet};
use std::fs;

#[derive(Clone, Default)]
pub struct Target {
    pids: Vec<u32>,
    names: Vec<String>,
}

#[derive(Clone, Copy, Default, Debug)]
pub struct Mem {
    pub procs: u64,
    pub rss_kb: u64,
    pub pss_kb: u64,
    pub private_kb: u64,
    /// The part of `pss_kb` that no file is behind.
    pub anon_kb: u64,
    pub sock_kb: u64,
}

struct Stat {
    ppid: u32,
    comm: String,
    own: u64,
    reaped: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let s = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (l, r) = (s.find('(')?, s.rfind(')')?);
    let f: Vec<&str> = s[r + 2..].split(' ').collect();
    let n = |i: usize| f.get(i).and_then(|x| x.parse::<u64>().ok()).unwrap_or(0);
    Some(Stat { ppid: n(1) as u32, comm: s[l + 1..r].to_string(), own: n(11) + n(12), reaped: n(13) + n(14) })
}

impl Target {
    pub fn from_args(a: &Args) -> Result<Target, String> {
        let mut t = Target::default();
        if let Some(p) = a.get("pid") {
            for x in p.split([',', ' ', '\n']).filter(|x| !x.is_empty()) {
                t.pids.push(x.parse().map_err(|_| format!("--pid: {x:?}"))?);
            }
        }
        if let Some(p) = a.get("proc") {
            t.names = p.split(',').map(|s| s.to_string()).collect();
        }
        Ok(t)
    }
    pub fn given(&self) -> bool {
        !self.pids.is_empty() || !self.names.is_empty()
    }
    /// Every live process in the trees, with its stat line.
    fn tree(&self) -> Vec<(u32, Stat)> {
        let mut all = HashMap::new();
        let mut kids: HashMap<u32, Vec<u32>> = HashMap::new();
        for e in fs::read_dir("/proc").into_iter().flatten().flatten() {
            if let Some(pid) = e.file_name().to_str().and_then(|s| s.parse::<u32>().ok()) {
                if let Some(s) = stat(pid) {
                    kids.entry(s.ppid).or_default().push(pid);
                    all.insert(pid, s);
                }
            }
        }
        let me = std::process::id();
        let mut todo: Vec<u32> = self.pids.clone();
        todo.extend(all.iter().filter(|(p, s)| **p != me && self.names.contains(&s.comm)).map(|(p, _)| *p));
        let mut seen = HashSet::new();
        let mut out = Vec::new();
        while let Some(p) = todo.pop() {
            if !seen.insert(p) {
                continue;
            }
            if let Some(k) = kids.get(&p) {
                todo.extend(k);
            }
            if let Some(s) = all.remove(&p) {
                out.push((p, s));
            }
        }
        out
    }
    /// CPU seconds used by the trees so far, children already reaped included.
    pub fn cpu(&self) -> f64 {
        if !self.given() {
            return 0.0;
        }
        let hz = rustix::param::clock_ticks_per_second() as f64;
        // Precise per-process run time where the kernel offers it, clock ticks for reaped children.
        let mut s = 0.0;
        for (pid, st) in self.tree() {
            let mut own = 0u64;
            for t in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
                if let Ok(x) = fs::read_to_string(t.path().join("schedstat")) {
                    own += x.split(' ').next().and_then(|v| v.parse::<u64>().ok()).unwrap_or(0);
                }
            }
            // Threads that ended are only in the tick count.
            s += (own as f64 / 1e9).max(st.own as f64 / hz) + st.reaped as f64 / hz;
        }
        s
    }
    pub fn mem(&self) -> Mem {
        let mut m = Mem::default();
        for (pid, _) in self.tree() {
            let Ok(s) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else {
                continue;
            };
            m.procs += 1;
            for l in s.lines() {
                let Some((k, v)) = l.split_once(':') else {
                    continue;
                };
                let kb = v.trim().split(' ').next().and_then(|x| x.parse::<u64>().ok()).unwrap_or(0);
                match k {
                    "Rss" => m.rss_kb += kb,
                    "Pss" => m.pss_kb += kb,
                    "Pss_Anon" => m.anon_kb += kb,
                    "Private_Clean" | "Private_Dirty" => m.private_kb += kb,
                    _ => {}
                }
            }
        }
        m.sock_kb = sock_kb();
        m
    }
}

/// Kernel memory held by TCP sockets of the whole machine (client side included).
fn sock_kb() -> u64 {
    let s = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    for l in s.lines() {
        if let Some(r) = l.strip_prefix("TCP:") {
            let f: Vec<&str> = r.split_whitespace().collect();
            if let Some(i) = f.iter().position(|x| *x == "mem") {
                return f.get(i + 1).and_then(|x| x.parse::<u64>().ok()).unwrap_or(0) * 4;
            }
        }
    }
    0
}

pub fn self_cpu() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

/// Busy CPU seconds of the whole machine since boot (not idle, not waiting for I/O).
pub fn machine_busy() -> f64 {
    let s = fs::read_to_string("/proc/stat").unwrap_or_default();
    let f: Vec<f64> =
        s.lines().next().unwrap_or("").split_whitespace().skip(1).filter_map(|x| x.parse().ok()).collect();
    let hz = rustix::param::clock_ticks_per_second() as f64;
    f.iter().enumerate().filter(|(i, _)| ![3, 4, 8, 9].contains(i)).map(|(_, x)| x).sum::<f64>() / hz
}

pub fn ncpu() -> f64 {
    std::thread::available_parallelism().map(|n| n.get()).unwrap_or(1) as f64
}
