//! `imap`: a weighted mix of commands on logged-in, selected connections; `fill`: fills mailboxes by APPEND.
use crate::args::Args;
use crate::conn::Conn;
use crate::msg::{Maker, Rng};
use crate::net::{Net, Proto};
use crate::stats::{emit, r2, Clock, Lat, Run};
use serde_json::{json, Map};
use std::collections::BTreeMap;
use std::io::Result as Io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Barrier;

const OPS: [&str; 11] =
    ["flags", "body", "header", "store", "append", "search", "idle", "noop", "select", "status", "envelope"];

struct Cfg {
    mailbox: String,
    append_to: String,
    mix: Vec<(&'static str, u64)>,
    batch: usize,
    search: String,
    silent: bool,
}

pub async fn run(a: &Args) -> Result<(), String> {
    let net = Arc::new(Net::from_args(a, Proto::Imap)?);
    let conns: usize = a.num("connections", 1)?;
    let mut mix = Vec::new();
    let spec = a.str("mix", "flags=1,body=20,store=6,append=2,search=1,idle=2,noop=4");
    for p in spec.split(',') {
        let (k, v) = p.split_once('=').unwrap_or((p, "1"));
        let k = OPS.iter().find(|o| **o == k).ok_or_else(|| format!("--mix: {k:?} is none of {OPS:?}"))?;
        mix.push((*k, v.parse::<u64>().map_err(|_| format!("--mix: {p:?}"))?));
    }
    let mailbox = a.str("mailbox", "INBOX");
    let cfg = Arc::new(Cfg {
        append_to: a.str("append-to", &mailbox),
        mailbox,
        mix,
        batch: a.num("batch", 1)?,
        search: a.str("search", "SUBJECT \"bench 77\""),
        silent: a.flag("silent"),
    });
    let maker = Arc::new(Maker::from_args(a)?);
    let label = a.str("label", "");
    let run = Arc::new(Run::new(a, 5.0)?);
    a.finish()?;
    let barrier = Arc::new(Barrier::new(conns + 1));
    let go = Arc::new(Barrier::new(conns + 1));
    let exists = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for w in 0..conns as u64 {
        let (net, run, maker, cfg) = (net.clone(), run.clone(), maker.clone(), cfg.clone());
        let (b, go, exists) = (barrier.clone(), go.clone(), exists.clone());
        tasks.push(tokio::spawn(async move {
            let ready = prepare(&net, &cfg, w).await;
            b.wait().await;
            go.wait().await;
            let mut out: BTreeMap<&'static str, Lat> = BTreeMap::new();
            let (mut c, uids) = match ready {
                Ok(x) => x,
                Err(e) => {
                    run.error(&format!("prepare: {e}"));
                    return out;
                }
            };
            exists.fetch_max(uids.len() as u64, Ordering::Relaxed);
            let clock = run.clock();
            let mut rng = Rng::new(w + 77);
            let total: u64 = cfg.mix.iter().map(|x| x.1).sum();
            let mut buf = Vec::new();
            while run.take(&clock) {
                let mut x = rng.below(total);
                let mut op = cfg.mix[0].0;
                for (k, n) in &cfg.mix {
                    if x < *n {
                        op = k;
                        break;
                    }
                    x -= n;
                }
                let t = Instant::now();
                let lat = out.entry(op).or_default();
                match tokio::time::timeout(
                    net.timeout,
                    one(&mut c, op, &cfg, &net, &maker, &mut rng, &uids, &mut buf, w),
                )
                .await
                {
                    Ok(Ok(bytes)) => {
                        run.op();
                        lat.add(&clock, t, bytes);
                    }
                    Ok(Err(e)) => {
                        run.error(&format!("{op}: {e}"));
                        if run.error_count() > 50 {
                            return out;
                        }
                        match prepare(&net, &cfg, w).await {
                            Ok((n, _)) => c = n,
                            Err(_) => return out,
                        }
                    }
                    Err(_) => {
                        run.error(&format!("{op}: timeout"));
                        return out;
                    }
                }
            }
            c.quit().await;
            out
        }));
    }
    barrier.wait().await;
    run.begin();
    let clock: Clock = run.clock();
    go.wait().await;
    let mut all: BTreeMap<&'static str, Lat> = BTreeMap::new();
    for t in tasks {
        for (k, l) in t.await.map_err(|e| e.to_string())? {
            all.entry(k).or_default().merge(l);
        }
    }
    let secs = run.window(&clock);
    let mut o = Map::new();
    o.insert("cmd".into(), json!("imap"));
    o.insert("label".into(), json!(label));
    o.insert("tls".into(), json!(format!("{:?}", net.tls).to_lowercase()));
    o.insert("connections".into(), json!(conns));
    o.insert("messages".into(), json!(exists.load(Ordering::Relaxed)));
    o.insert("seconds".into(), json!(r2(secs)));
    let n: usize = all.values().map(|l| l.n()).sum();
    o.insert("ops_per_s".into(), json!(r2(n as f64 / secs)));
    let mut h = format!(
        "{label} imap/{:?} c={conns} mailbox {}: {:.1} ops/s;",
        net.tls,
        exists.load(Ordering::Relaxed),
        n as f64 / secs
    );
    let mut ops = Map::new();
    for (k, l) in all.iter_mut() {
        let (n, b) = (l.n(), l.bytes);
        let (j, p50, p99) = l.summary(secs);
        ops.insert(k.to_string(), j);
        h.push_str(&format!(
            " {k} {:.1}/s {:.1} MB/s p50 {p50:.2} p99 {p99:.2} ms;",
            n as f64 / secs,
            b as f64 / secs / 1e6
        ));
    }
    o.insert("ops".into(), json!(ops));
    let cpu = run.cpu_report(&mut o);
    run.errors_into(&mut o);
    h.push_str(&format!(" {} errors{cpu}", run.error_count()));
    emit(o, &h);
    Ok(())
}

async fn prepare(net: &Net, cfg: &Cfg, w: u64) -> Io<(Conn, Vec<u32>)> {
    let mut c = net.open_login(w).await?;
    c.imap_caps().await?;
    c.imap_cmd(&format!("SELECT {}", cfg.mailbox)).await?;
    let mut v = Vec::new();
    c.imap_collect("UID SEARCH ALL", &mut v).await?;
    let mut uids = Vec::new();
    for l in v.split(|b| *b == b'\n') {
        if l.starts_with(b"* SEARCH") || l.starts_with(b"* ESEARCH") {
            uids.extend(String::from_utf8_lossy(l).split_whitespace().filter_map(|x| x.parse::<u32>().ok()));
        }
    }
    Ok((c, uids))
}

pub async fn append(c: &mut Conn, mailbox: &str, msgs: &[&[u8]]) -> Io<()> {
    let tag = c.next_tag();
    let plus = c.imap_has("LITERAL+") || (c.imap_has("LITERAL-") && msgs.iter().all(|m| m.len() <= 4096));
    let mut out = format!("{tag} APPEND {mailbox}").into_bytes();
    for m in msgs {
        out.extend_from_slice(format!(" {{{}{}}}\r\n", m.len(), if plus { "+" } else { "" }).as_bytes());
        if !plus {
            c.send(&out).await?;
            c.imap_plus(&tag).await?;
            out.clear();
        }
        out.extend_from_slice(m);
    }
    out.extend_from_slice(b"\r\n");
    c.send(&out).await?;
    c.imap_wait(&tag).await.map(|_| ())
}

#[allow(clippy::too_many_arguments)]
async fn one(
    c: &mut Conn,
    op: &str,
    cfg: &Cfg,
    net: &Net,
    maker: &Maker,
    rng: &mut Rng,
    uids: &[u32],
    buf: &mut Vec<u8>,
    w: u64,
) -> Io<u64> {
    // A random UID, or a run of --batch neighbours.
    let set = |rng: &mut Rng, k: usize| -> String {
        if uids.is_empty() {
            return "1".into();
        }
        let k = k.clamp(1, uids.len());
        let i = rng.below((uids.len() - k + 1) as u64) as usize;
        if k == 1 {
            uids[i].to_string()
        } else {
            format!("{}:{}", uids[i], uids[i + k - 1])
        }
    };
    let cmd = match op {
        "flags" => "UID FETCH 1:* (FLAGS)".to_string(),
        "envelope" => format!("UID FETCH {} (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", set(rng, cfg.batch)),
        "header" => format!("UID FETCH {} (FLAGS BODY.PEEK[HEADER])", set(rng, cfg.batch)),
        "body" => format!("UID FETCH {} (BODY.PEEK[])", set(rng, cfg.batch)),
        "store" => {
            let s = if cfg.silent { ".SILENT" } else { "" };
            format!("UID STORE {} {}FLAGS{s} (\\Flagged)", set(rng, 1), if rng.below(2) == 0 { "+" } else { "-" })
        }
        "search" => format!("UID SEARCH {}", cfg.search),
        "noop" => "NOOP".into(),
        "select" => format!("SELECT {}", cfg.mailbox),
        "status" => format!("STATUS {} (MESSAGES UIDNEXT UNSEEN)", cfg.append_to),
        "append" => {
            let u = net.expand("u{n}@bench.test", w);
            maker.make(rng, &u, false, buf);
            let n = buf.len() as u64;
            append(c, &cfg.append_to, &[buf]).await?;
            return Ok(n);
        }
        "idle" => {
            let tag = c.next_tag();
            c.send(format!("{tag} IDLE\r\n").as_bytes()).await?;
            c.imap_plus(&tag).await?;
            c.send(b"DONE\r\n").await?;
            c.imap_wait(&tag).await?;
            return Ok(0);
        }
        _ => unreachable!(),
    };
    c.imap_cmd(&cmd).await.map(|(_, b)| b)
}

pub async fn fill(a: &Args) -> Result<(), String> {
    let net = Arc::new(Net::from_args(a, Proto::Imap)?);
    let per: u64 = a.num("messages", 10_000)?;
    let batch: usize = a.num("batch", 50)?;
    let mailbox = a.str("mailbox", "INBOX");
    let create = a.flag("create");
    let label = a.str("label", "");
    let maker = Arc::new(Maker::from_args(a)?);
    a.finish()?;
    let t = Instant::now();
    let mut tasks = Vec::new();
    for w in 0..net.users {
        let (net, maker, mailbox) = (net.clone(), maker.clone(), mailbox.clone());
        tasks.push(tokio::spawn(async move {
            let mut c = net.open_login(w).await?;
            c.imap_caps().await?;
            if create {
                let _ = c.imap_cmd(&format!("CREATE {mailbox}")).await;
            }
            let k = if c.imap_has("MULTIAPPEND") { batch } else { 1 };
            let mut rng = Rng::new(w + 5);
            let u = net.expand("u{n}@bench.test", w);
            let mut left = per as usize;
            while left > 0 {
                let n = k.min(left);
                let msgs: Vec<Vec<u8>> = (0..n)
                    .map(|_| {
                        let mut b = Vec::new();
                        maker.make(&mut rng, &u, false, &mut b);
                        b
                    })
                    .collect();
                let refs: Vec<&[u8]> = msgs.iter().map(|m| &m[..]).collect();
                append(&mut c, &mailbox, &refs).await?;
                left -= n;
            }
            c.quit().await;
            Ok::<(), std::io::Error>(())
        }));
    }
    for t in tasks {
        t.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    }
    let s = t.elapsed().as_secs_f64();
    let mut o = Map::new();
    o.insert("cmd".into(), json!("fill"));
    o.insert("label".into(), json!(label));
    o.insert("users".into(), json!(net.users));
    o.insert("messages_each".into(), json!(per));
    o.insert("seconds".into(), json!(r2(s)));
    o.insert("per_s".into(), json!(r2((per * net.users) as f64 / s)));
    emit(o, &format!("{label} fill: {} x {per} messages in {s:.1} s", net.users));
    Ok(())
}
