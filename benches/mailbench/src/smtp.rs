//! `smtp`: submits messages over SMTP or LMTP and writes down what the server acknowledged.
use crate::args::Args;
use crate::conn::{proto_err, Conn};
use crate::msg::{Maker, Rng};
use crate::net::{Net, Proto};
use crate::stats::{emit, r2, r3, Lat, Run};
use serde_json::{json, Map};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Barrier;

struct Cfg {
    rcpt: String,
    from: String,
    pipelining: bool,
    per_conn: u64,
    rcpts: u64,
    retry: bool,
    by_conn: bool,
}

type Acks = Arc<Option<Mutex<BufWriter<std::fs::File>>>>;

pub async fn run(a: &Args) -> Result<(), String> {
    let proto = if a.flag("lmtp") { Proto::Lmtp } else { Proto::Smtp };
    let net = Arc::new(Net::from_args(a, proto)?);
    let conns: usize = a.num("connections", 1)?;
    let maker = Arc::new(Maker::from_args(a)?);
    let cfg = Arc::new(Cfg {
        rcpt: a.str("rcpt", "u{n}@bench.test"),
        from: a.str("from", "sender@bench.test"),
        pipelining: a.flag("pipelining"),
        per_conn: a.num("per-conn", 0)?,
        rcpts: a.num("rcpts", 1)?,
        retry: a.flag("retry"),
        by_conn: a.flag("rcpt-by-conn"),
    });
    let ack_path = a.get("acks").map(|s| s.to_string());
    let queues: Vec<PathBuf> = a.str("drain", "").split(',').filter(|s| !s.is_empty()).map(PathBuf::from).collect();
    let drain_limit = Duration::from_secs_f64(a.num("drain-limit", 120.0)?);
    let label = a.str("label", "");
    let run = Arc::new(Run::new(a, 5.0)?);
    a.finish()?;
    let acks: Acks = Arc::new(match &ack_path {
        Some(p) => Some(Mutex::new(BufWriter::new(std::fs::File::create(p).map_err(|e| format!("{p}: {e}"))?))),
        None => None,
    });
    let barrier = Arc::new(Barrier::new(conns + 1));
    let go = Arc::new(Barrier::new(conns + 1));
    let mut tasks = Vec::new();
    for w in 0..conns as u64 {
        let (net, run, maker, cfg, acks) = (net.clone(), run.clone(), maker.clone(), cfg.clone(), acks.clone());
        let (b, go) = (barrier.clone(), go.clone());
        tasks.push(tokio::spawn(async move {
            let mut conn = None;
            if cfg.per_conn != 1 {
                match net.open_login(w).await {
                    Ok(c) => conn = Some(c),
                    Err(e) => run.error(&format!("open: {e}")),
                }
            }
            b.wait().await;
            go.wait().await;
            let clock = run.clock();
            let mut rng = Rng::new(w + 1 + std::process::id() as u64 * 1000);
            let mut lat = Lat::default();
            let mut buf = Vec::new();
            let (mut on_conn, mut k, mut fails) = (0u64, w, 0);
            let mut opens = Lat::default();
            while run.take(&clock) {
                let t_msg = Instant::now();
                while conn.is_none() {
                    match net.open_login(w).await {
                        Ok(c) => {
                            opens.add(&clock, t_msg, 0);
                            conn = Some(c);
                            on_conn = 0;
                        }
                        Err(e) => {
                            run.error(&format!("open: {e}"));
                            fails += 1;
                            if !cfg.retry && fails > 3 || clock.end.is_some_and(|e| Instant::now() > e) {
                                return (lat, opens);
                            }
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                    }
                }
                let t = if cfg.per_conn == 1 { t_msg } else { Instant::now() };
                let rcpts: Vec<String> =
                    (0..cfg.rcpts).map(|i| net.expand(&cfg.rcpt, if cfg.by_conn { w } else { k + i })).collect();
                k += conns as u64;
                let id = maker.make(&mut rng, &rcpts[0], true, &mut buf);
                let len = buf.len() as u64;
                let c = conn.as_mut().unwrap();
                let mut ended = false;
                let r = tokio::time::timeout(net.timeout, one(c, &net, &cfg, &rcpts, &mut buf, &mut ended)).await;
                let r = r.unwrap_or_else(|_| Err(std::io::Error::other("timeout")));
                match r {
                    Ok(oks) => {
                        run.op();
                        lat.add(&clock, t, len);
                        fails = 0;
                        for (rc, ok) in rcpts.iter().zip(oks) {
                            write_ack(&acks, if ok { 'A' } else { 'N' }, &id, rc, len);
                        }
                        on_conn += 1;
                        if cfg.per_conn > 0 && on_conn >= cfg.per_conn {
                            conn.take().unwrap().quit().await;
                        }
                    }
                    Err(e) => {
                        run.error(&e.to_string());
                        if ended {
                            // All of it was sent, no answer came: either outcome is right.
                            for rc in &rcpts {
                                write_ack(&acks, 'U', &id, rc, len);
                            }
                        }
                        conn = None;
                        fails += 1;
                        if !cfg.retry && fails > 3 {
                            break;
                        }
                    }
                }
            }
            if let Some(mut c) = conn {
                c.quit().await;
            }
            (lat, opens)
        }));
    }
    barrier.wait().await;
    if let Some(f) = acks.as_ref() {
        let ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let _ = writeln!(f.lock().unwrap(), "T {ms}");
    }
    run.begin();
    let clock = run.clock();
    go.wait().await;
    let (mut lat, mut opens) = (Lat::default(), Lat::default());
    for t in tasks {
        let (l, o) = t.await.map_err(|e| e.to_string())?;
        lat.merge(l);
        opens.merge(o);
    }
    let secs = run.window(&clock);
    // What a queue still holds is not in a mailbox yet: its time and its CPU belong to these messages.
    if !queues.is_empty() {
        drained(&queues, drain_limit).await?;
    }
    let whole = run.elapsed();
    if let Some(f) = acks.as_ref() {
        f.lock().unwrap().flush().map_err(|e| e.to_string())?;
    }
    let mut o = Map::new();
    o.insert("cmd".into(), json!(format!("{proto:?}").to_lowercase()));
    o.insert("label".into(), json!(label));
    o.insert("tls".into(), json!(format!("{:?}", net.tls).to_lowercase()));
    o.insert("connections".into(), json!(conns));
    o.insert("per_conn".into(), json!(cfg.per_conn));
    o.insert("pipelining".into(), json!(cfg.pipelining));
    o.insert("seconds".into(), json!(r2(secs)));
    let n = lat.n();
    let (j, p50, p99) = lat.summary(secs);
    o.insert("accepted".into(), j);
    let all = run.all_ops.load(Ordering::Relaxed);
    o.insert("delivered".into(), json!({"n": all, "seconds": r3(whole), "per_s": r2(all as f64 / whole)}));
    if opens.n() > 0 {
        o.insert("reopened".into(), opens.summary(secs).0);
    }
    let cpu = run.cpu_report(&mut o);
    run.errors_into(&mut o);
    let h = format!(
        "{label} {proto:?}/{:?} c={conns} per-conn={} pipe={}: {:.1} msgs/s ({:.2} MB/s) p50 {p50:.2} ms p99 {p99:.2} ms, {n} in {secs:.1} s, {} errors{cpu}",
        net.tls, cfg.per_conn, cfg.pipelining as u8, n as f64 / secs, lat.bytes as f64 / secs / 1e6, run.error_count()
    );
    emit(o, &h);
    Ok(())
}

/// Waits until no file is left below the queue directories.
async fn drained(queues: &[PathBuf], limit: Duration) -> Result<(), String> {
    let since = Instant::now();
    while queues.iter().any(|d| holds_a_file(d)) {
        if since.elapsed() > limit {
            return Err(format!("{queues:?} still hold messages after {} s (--drain-limit)", limit.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

fn holds_a_file(dir: &Path) -> bool {
    std::fs::read_dir(dir).into_iter().flatten().flatten().any(|e| match e.file_type() {
        Ok(t) if t.is_dir() => holds_a_file(&e.path()),
        _ => true,
    })
}

fn write_ack(f: &Acks, kind: char, id: &str, rcpt: &str, len: u64) {
    if let Some(f) = f.as_ref() {
        let _ = writeln!(f.lock().unwrap(), "{kind} {id} {rcpt} {len}");
    }
}

/// One transaction. `ended` is set once the final dot went out. Gives, for each recipient, whether it was accepted.
async fn one(
    c: &mut Conn,
    net: &Net,
    cfg: &Cfg,
    rcpts: &[String],
    buf: &mut Vec<u8>,
    ended: &mut bool,
) -> std::io::Result<Vec<bool>> {
    let check = |c: &Conn, code: u16, lo: u16, what: &str| {
        if code / 100 == lo {
            Ok(())
        } else {
            Err(proto_err(what, c.last.as_bytes()))
        }
    };
    let mut env = format!("MAIL FROM:<{}>\r\n", cfg.from);
    if cfg.pipelining {
        for r in rcpts {
            env.push_str(&format!("RCPT TO:<{r}>\r\n"));
        }
        env.push_str("DATA\r\n");
        c.send(env.as_bytes()).await?;
        let code = c.smtp_reply().await?;
        check(c, code, 2, "MAIL")?;
        for _ in rcpts {
            let code = c.smtp_reply().await?;
            check(c, code, 2, "RCPT")?;
        }
    } else {
        c.send(env.as_bytes()).await?;
        let code = c.smtp_reply().await?;
        check(c, code, 2, "MAIL")?;
        for r in rcpts {
            c.send(format!("RCPT TO:<{r}>\r\n").as_bytes()).await?;
            let code = c.smtp_reply().await?;
            check(c, code, 2, "RCPT")?;
        }
        c.send(b"DATA\r\n").await?;
    }
    let code = c.smtp_reply().await?;
    check(c, code, 3, "DATA")?;
    buf.extend_from_slice(b".\r\n");
    *ended = true;
    c.send(buf).await?;
    if net.proto == Proto::Lmtp {
        let mut v = Vec::new();
        for _ in rcpts {
            v.push(c.smtp_reply().await? / 100 == 2);
        }
        if !v.iter().all(|x| *x) {
            return Err(proto_err("LMTP end of DATA", c.last.as_bytes()));
        }
        return Ok(v);
    }
    let code = c.smtp_reply().await?;
    if code / 100 != 2 {
        *ended = false;
    }
    check(c, code, 2, "end of DATA")?;
    Ok(vec![true; rcpts.len()])
}
