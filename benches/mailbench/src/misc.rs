//! `startup`: time from starting a server to its first greeting; `fsync`: what a durable 8 KiB write costs here;
//! `mem`: memory of a process tree.
use crate::args::Args;
use crate::net::{Net, Proto, Tls};
use crate::procs::Target;
use crate::stats::{emit, r2, r3};
use serde_json::{json, Map};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub async fn startup(a: &Args) -> Result<(), String> {
    let proto = Proto::parse(&a.str("proto", "imap"))?;
    let net = Net::from_args(a, proto)?;
    let label = a.str("label", "");
    let kill = a.flag("kill");
    let limit = Duration::from_secs_f64(a.num("limit", 60.0)?);
    a.finish()?;
    if a.rest.is_empty() {
        return Err("startup needs: -- command args...".into());
    }
    if net.tcp().await.is_ok() {
        return Err("something listens on that port already".into());
    }
    let t = Instant::now();
    let mut child = Command::new(&a.rest[0])
        .args(&a.rest[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("{}: {e}", a.rest[0]))?;
    let (mut tcp, mut greeted) = (None, None);
    while t.elapsed() < limit {
        if tcp.is_none() && net.tcp().await.is_ok() {
            tcp = Some(t.elapsed());
        }
        if tcp.is_some() && net.open().await.is_ok() {
            greeted = Some(t.elapsed());
            break;
        }
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    let ms = |d: Option<Duration>| d.map(|d| r2(d.as_secs_f64() * 1e3));
    let mut o = Map::new();
    o.insert("cmd".into(), json!("startup"));
    o.insert("label".into(), json!(label));
    o.insert("pid".into(), json!(child.id()));
    o.insert("tcp_ms".into(), json!(ms(tcp)));
    o.insert("ready_ms".into(), json!(ms(greeted)));
    emit(
        o,
        &format!(
            "{label} startup: TCP {:?} ms, greeted{} {:?} ms, pid {}",
            ms(tcp),
            if net.tls == Tls::None { "" } else { " over TLS" },
            ms(greeted),
            child.id()
        ),
    );
    if kill {
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
            .map_err(|e| e.to_string())?;
        let _ = child.wait();
    }
    Ok(())
}

pub fn mem(a: &Args) -> Result<(), String> {
    let t = Target::from_args(a)?;
    let label = a.str("label", "");
    a.finish()?;
    let m = t.mem();
    let mut o = Map::new();
    o.insert("cmd".into(), json!("mem"));
    o.insert("label".into(), json!(label));
    o.insert("procs".into(), json!(m.procs));
    o.insert("rss_kb".into(), json!(m.rss_kb));
    o.insert("pss_kb".into(), json!(m.pss_kb));
    o.insert("private_kb".into(), json!(m.private_kb));
    o.insert("anon_kb".into(), json!(m.anon_kb));
    emit(
        o,
        &format!(
            "{label} memory: {} processes, PSS {} kB, RSS {} kB, private {} kB",
            m.procs, m.pss_kb, m.rss_kb, m.private_kb
        ),
    );
    Ok(())
}

pub fn fsync(a: &Args) -> Result<(), String> {
    let dir = a.str("dir", ".");
    let size = a.size("size", 8192)? as usize;
    let secs: f64 = a.num("duration", 3.0)?;
    let threads: usize = a.num("connections", 1)?;
    let mode = a.str("mode", "append");
    let label = a.str("label", "");
    a.finish()?;
    let data = vec![b'x'; size];
    let all = std::thread::scope(|s| {
        let hs: Vec<_> = (0..threads)
            .map(|w| {
                let (dir, data, mode) = (&dir, &data, &mode);
                s.spawn(move || -> std::io::Result<Vec<u32>> {
                    let base = format!("{dir}/mailbench-fsync-{}-{w}", std::process::id());
                    std::fs::create_dir_all(&base)?;
                    let mut us = Vec::new();
                    let t0 = Instant::now();
                    let mut f = std::fs::File::create(format!("{base}/log"))?;
                    if mode == "overwrite" {
                        f.write_all(&vec![0u8; size * 1024])?;
                        f.sync_all()?;
                    }
                    let mut k = 0u64;
                    while t0.elapsed().as_secs_f64() < secs {
                        let t = Instant::now();
                        match mode.as_str() {
                            // one growing log
                            "append" => {
                                f.write_all(data)?;
                                f.sync_data()?;
                            }
                            // in place, nothing allocated
                            "overwrite" => {
                                use std::os::unix::fs::FileExt;
                                f.write_all_at(data, (k % 1024) * size as u64)?;
                                f.sync_data()?;
                            }
                            // as a maildir delivery: tmp file, fsync, rename, fsync of the directory
                            "maildir" => {
                                let (p, q) = (format!("{base}/t{k}"), format!("{base}/n{k}"));
                                let mut g = std::fs::File::create(&p)?;
                                g.write_all(data)?;
                                g.sync_all()?;
                                std::fs::rename(&p, &q)?;
                                std::fs::File::open(&base)?.sync_all()?;
                            }
                            // a new file each time, fsync of the file only
                            "newfile" => {
                                let mut g = std::fs::File::create(format!("{base}/n{k}"))?;
                                g.write_all(data)?;
                                g.sync_all()?;
                            }
                            _ => return Err(std::io::Error::other("--mode: append, overwrite, newfile or maildir")),
                        }
                        us.push(t.elapsed().as_micros() as u32);
                        k += 1;
                    }
                    std::fs::remove_dir_all(&base)?;
                    Ok(us)
                })
            })
            .collect();
        let mut all = Vec::new();
        for h in hs {
            all.extend(h.join().map_err(|_| std::io::Error::other("a writing thread panicked"))??);
        }
        Ok::<_, std::io::Error>(all)
    });
    let mut us = all.map_err(|e| e.to_string())?;
    us.sort_unstable();
    let q = |p: f64| r3(us[((us.len() as f64 * p) as usize).min(us.len() - 1)] as f64 / 1000.0);
    let per = us.len() as f64 / secs;
    let mut o = Map::new();
    o.insert("cmd".into(), json!("fsync"));
    o.insert("label".into(), json!(label));
    o.insert("mode".into(), json!(mode));
    o.insert("size".into(), json!(size));
    o.insert("threads".into(), json!(threads));
    o.insert("per_s".into(), json!(r2(per)));
    o.insert("p50_ms".into(), json!(q(0.5)));
    o.insert("p99_ms".into(), json!(q(0.99)));
    emit(o, &format!("{label} fsync {mode} {size} B x{threads}: {per:.0}/s p50 {} ms p99 {} ms", q(0.5), q(0.99)));
    Ok(())
}
