//! `idle`: opens many connections, holds them, and says what each costs the server in memory.
use crate::args::Args;
use crate::conn::Conn;
use crate::net::{Net, Proto};
use crate::procs::{Mem, Target};
use crate::stats::{emit, r2};
use serde_json::{json, Map, Value};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

fn mem_json(m: &Mem) -> Value {
    json!({"procs": m.procs, "rss_kb": m.rss_kb, "pss_kb": m.pss_kb, "private_kb": m.private_kb, "tcp_mem_kb": m.sock_kb})
}

pub async fn run(a: &Args) -> Result<(), String> {
    let proto = Proto::parse(&a.str("proto", "imap"))?;
    let net = Arc::new(Net::from_args(a, proto)?);
    let want: u64 = a.num("connections", 1000)?;
    let state = a.str("state", "greeted");
    let par: usize = a.num("parallel", 16)?;
    let hold: f64 = a.num("hold", 5.0)?;
    let settle: f64 = a.num("settle", 2.0)?;
    let mailbox = a.str("mailbox", "INBOX");
    let label = a.str("label", "");
    let target = Target::from_args(a)?;
    a.finish()?;
    if !["connected", "greeted", "auth", "selected", "idle"].contains(&state.as_str()) {
        return Err("--state: connected, greeted, auth, selected or idle".into());
    }
    let before = target.mem();
    let cpu0 = target.cpu();
    let next = Arc::new(AtomicU64::new(0));
    let held: Arc<Mutex<Vec<Conn>>> = Arc::new(Mutex::new(Vec::with_capacity(want as usize)));
    let errs: Arc<std::sync::Mutex<(u64, String)>> = Default::default();
    let t = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..par {
        let (net, next, held, errs) = (net.clone(), next.clone(), held.clone(), errs.clone());
        let (state, mailbox) = (state.clone(), mailbox.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= want {
                    return;
                }
                let r: std::io::Result<Conn> = async {
                    if state == "connected" {
                        return Ok(Conn::new(net.tcp().await?, net.proto));
                    }
                    if state == "greeted" {
                        return net.open().await;
                    }
                    let mut c = net.open_login(i).await?;
                    if state != "auth" && net.proto == Proto::Imap {
                        c.imap_cmd(&format!("SELECT {mailbox}")).await?;
                        if state == "idle" {
                            let tag = c.next_tag();
                            c.send(format!("{tag} IDLE\r\n").as_bytes()).await?;
                            c.imap_plus(&tag).await?;
                        }
                    }
                    Ok(c)
                }
                .await;
                match r {
                    Ok(c) => held.lock().await.push(c),
                    Err(e) => {
                        let mut x = errs.lock().unwrap();
                        x.0 += 1;
                        x.1 = e.to_string();
                        if x.0 > 50 {
                            return;
                        }
                    }
                }
            }
        }));
    }
    for t in tasks {
        let _ = t.await;
    }
    let open_s = t.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_secs_f64(settle)).await;
    let after = target.mem();
    let cpu1 = target.cpu();
    tokio::time::sleep(Duration::from_secs_f64(hold)).await;
    let late = target.mem();
    let idle_cpu = target.cpu() - cpu1;
    let mut v = held.lock().await;
    let n = v.len().max(1) as f64;
    // Which of them still answer? A held connection that the server dropped is no idle connection.
    let open = v.len();
    let mut alive = 0;
    // Each is let go after its answer: a server that wakes a process for it needn't have one for all at once.
    for mut c in v.drain(..) {
        if state == "idle" {
            let r = tokio::time::timeout(Duration::from_secs(10), async {
                c.send(b"DONE\r\n").await?;
                c.imap_cmd("NOOP").await
            });
            // The reply to IDLE is passed over by imap_cmd, as it is not the tag waited for.
            alive += matches!(r.await, Ok(Ok(_))) as u64;
        } else if net.proto == Proto::Imap && state != "connected" {
            alive +=
                matches!(tokio::time::timeout(Duration::from_secs(10), c.imap_cmd("NOOP")).await, Ok(Ok(_))) as u64;
        } else if matches!(net.proto, Proto::Smtp | Proto::Lmtp) && state != "connected" {
            let r = tokio::time::timeout(Duration::from_secs(10), async {
                c.send(b"NOOP\r\n").await?;
                c.smtp_reply().await
            });
            alive += matches!(r.await, Ok(Ok(250))) as u64;
        } else if net.proto == Proto::Pop3 && state != "connected" {
            let r = tokio::time::timeout(Duration::from_secs(10), async {
                c.send(if state == "greeted" { b"CAPA\r\n" } else { b"NOOP\r\n" }).await?;
                c.pop_ok("probe").await
            });
            alive += matches!(r.await, Ok(Ok(_))) as u64;
        }
    }
    let per = |f: fn(&Mem) -> u64, m: &Mem| r2((f(m) as f64 - f(&before) as f64) / n);
    let growth = |m: &Mem| {
        json!({"rss_kb": per(|m| m.rss_kb, m), "pss_kb": per(|m| m.pss_kb, m), "private_kb": per(|m| m.private_kb, m),
               "procs": per(|m| m.procs, m), "tcp_mem_kb": per(|m| m.sock_kb, m)})
    };
    let e = errs.lock().unwrap().clone();
    let mut o = Map::new();
    o.insert("cmd".into(), json!("idle"));
    o.insert("label".into(), json!(label));
    o.insert("proto".into(), json!(format!("{proto:?}").to_lowercase()));
    o.insert("tls".into(), json!(format!("{:?}", net.tls).to_lowercase()));
    o.insert("state".into(), json!(state));
    o.insert("connections".into(), json!(open));
    o.insert("alive_after_hold".into(), json!(alive));
    o.insert("open_seconds".into(), json!(r2(open_s)));
    o.insert("open_cpu_s".into(), json!(r2(cpu1 - cpu0)));
    o.insert("idle_cpu_s".into(), json!(r2(idle_cpu)));
    o.insert("before".into(), mem_json(&before));
    o.insert("after".into(), mem_json(&after));
    o.insert("after_hold".into(), mem_json(&late));
    o.insert("per_connection".into(), growth(&after));
    o.insert("per_connection_after_hold".into(), growth(&late));
    o.insert("errors".into(), json!(e.0));
    o.insert("last_error".into(), json!(e.1));
    let h = format!(
        "{label} idle {proto:?}/{:?} {state}: {open} open ({alive} alive) in {open_s:.1} s; PSS {:.1} kB, RSS {:.1} kB a connection; after {hold:.0} s more PSS {:.1} kB; at rest before: PSS {} kB, RSS {} kB in {} processes; {} errors {}",
        net.tls, per(|m| m.pss_kb, &after), per(|m| m.rss_kb, &after), per(|m| m.pss_kb, &late),
        before.pss_kb, before.rss_kb, before.procs, e.0, e.1
    );
    emit(o, &h);
    Ok(())
}
