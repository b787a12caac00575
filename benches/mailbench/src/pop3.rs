//! `pop3`: whole sessions: login, STAT, LIST, RETR of every message, DELE if asked for, QUIT.
use crate::args::Args;
use crate::net::{Net, Proto};
use crate::stats::{emit, r2, Lat, Run};
use serde_json::{json, Map};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub async fn run(a: &Args) -> Result<(), String> {
    let net = Arc::new(Net::from_args(a, Proto::Pop3)?);
    let conns: usize = a.num("connections", 1)?;
    let depth: usize = a.num::<usize>("pipeline", 1)?.max(1);
    let dele = a.flag("dele");
    let top = a.flag("top");
    let max: usize = a.num("max-messages", usize::MAX)?;
    let label = a.str("label", "");
    let run = Arc::new(Run::new(a, 5.0)?);
    a.finish()?;
    run.begin();
    let clock = run.clock();
    let mut tasks = Vec::new();
    for w in 0..conns as u64 {
        let (net, run) = (net.clone(), run.clone());
        tasks.push(tokio::spawn(async move {
            let (mut retr, mut sess) = (Lat::default(), Lat::default());
            let mut n = w;
            let mut bad = 0;
            while run.take(&clock) {
                let t = Instant::now();
                let r: std::io::Result<u64> = async {
                    let mut c = net.open_login(n).await?;
                    c.send(b"STAT\r\n").await?;
                    c.pop_ok("STAT").await?;
                    c.send(b"LIST\r\n").await?;
                    c.pop_ok("LIST").await?;
                    let mut l = Vec::new();
                    c.pop_body_into(&mut l).await?;
                    let ids: Vec<u64> = String::from_utf8_lossy(&l)
                        .lines()
                        .filter_map(|x| x.split(' ').next().and_then(|x| x.parse().ok()))
                        .take(max)
                        .collect();
                    let mut bytes = 0;
                    for chunk in ids.chunks(depth) {
                        if clock.end.is_some_and(|e| Instant::now() > e) {
                            break;
                        }
                        let t1 = Instant::now();
                        let cmds: String = chunk
                            .iter()
                            .map(|i| if top { format!("TOP {i} 0\r\n") } else { format!("RETR {i}\r\n") })
                            .collect();
                        c.send(cmds.as_bytes()).await?;
                        for _ in chunk {
                            c.pop_ok("RETR").await?;
                            let (_, b) = tokio::time::timeout(net.timeout, c.pop_body())
                                .await
                                .map_err(|_| std::io::Error::other("timeout"))??;
                            retr.add(&clock, t1, b);
                            run.op();
                            bytes += b;
                        }
                    }
                    if dele {
                        for chunk in ids.chunks(64) {
                            let cmds: String = chunk.iter().map(|i| format!("DELE {i}\r\n")).collect();
                            c.send(cmds.as_bytes()).await?;
                            for _ in chunk {
                                c.pop_ok("DELE").await?;
                            }
                        }
                    }
                    c.quit().await;
                    Ok(bytes)
                }
                .await;
                n += conns as u64;
                match r {
                    Ok(b) => {
                        sess.add(&clock, t, b);
                        bad = 0;
                    }
                    Err(e) => {
                        run.error(&e.to_string());
                        bad += 1;
                        if bad > 10 {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }
            (retr, sess)
        }));
    }
    let (mut retr, mut sess) = (Lat::default(), Lat::default());
    for t in tasks {
        let (r, s) = t.await.map_err(|e| e.to_string())?;
        retr.merge(r);
        sess.merge(s);
    }
    let secs = run.window(&clock);
    let mut o = Map::new();
    o.insert("cmd".into(), json!("pop3"));
    o.insert("label".into(), json!(label));
    o.insert("tls".into(), json!(format!("{:?}", net.tls).to_lowercase()));
    o.insert("connections".into(), json!(conns));
    o.insert("pipeline".into(), json!(depth));
    o.insert("seconds".into(), json!(r2(secs)));
    let (n, b, s) = (retr.n(), retr.bytes, sess.n());
    let (j, p50, p99) = retr.summary(secs);
    o.insert("retr".into(), j);
    o.insert("sessions".into(), sess.summary(secs).0);
    let cpu = run.cpu_report(&mut o);
    run.errors_into(&mut o);
    let h = format!(
        "{label} pop3/{:?} c={conns} pipeline={depth}: {:.0} messages/s {:.1} MB/s p50 {p50:.3} p99 {p99:.3} ms, {:.1} sessions/s, {} errors{cpu}",
        net.tls, n as f64 / secs, b as f64 / secs / 1e6, s as f64 / secs, run.error_count()
    );
    emit(o, &h);
    Ok(())
}
