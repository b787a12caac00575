//! `verify`: looks every acknowledged id up in the mailboxes and reports lost, doubled and damaged messages.
use crate::args::Args;
use crate::msg::sum;
use crate::net::{Net, Proto};
use crate::stats::{emit, r2};
use serde_json::{json, Map};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// (id, what the header says the body's sum is, what it is)
type Seen = Vec<(String, Option<(u64, u64)>)>;

pub async fn run(a: &Args) -> Result<(), String> {
    let proto = Proto::parse(&a.str("proto", "imap"))?;
    if !matches!(proto, Proto::Imap | Proto::Pop3) {
        return Err("verify works over --proto imap or pop3".into());
    }
    let net = Arc::new(Net::from_args(a, proto)?);
    let path = a.str("acks", "acks.txt");
    let deep = a.flag("deep");
    let wait: f64 = a.num("wait", 0.0)?;
    let login = a.str("login", "{rcpt}");
    let mailbox = a.str("mailbox", "INBOX");
    let show: usize = a.num("show", 10)?;
    let label = a.str("label", "");
    a.finish()?;
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    // rcpt -> id -> acknowledged
    let mut want: BTreeMap<String, HashMap<String, bool>> = BTreeMap::new();
    let (mut acked, mut unsure) = (0u64, 0u64);
    let mut t0 = None;
    for l in text.lines() {
        let f: Vec<&str> = l.split(' ').collect();
        match f[..] {
            ["T", ms] => t0 = ms.parse::<u128>().ok(),
            [k @ ("A" | "U" | "N"), id, rcpt, ..] => {
                acked += (k == "A") as u64;
                unsure += (k != "A") as u64;
                want.entry(rcpt.to_string()).or_default().insert(id.to_string(), k == "A");
            }
            _ => {}
        }
    }
    let deadline = Instant::now() + Duration::from_secs_f64(wait);
    let mut delivered_after = None;
    // Wait for the queue to drain: cheap counts only.
    if wait > 0.0 {
        let mut done: BTreeMap<&String, bool> = BTreeMap::new();
        'wait: loop {
            let mut all = true;
            for (rcpt, ids) in &want {
                if done.contains_key(rcpt) {
                    continue;
                }
                let need = ids.values().filter(|x| **x).count() as u64;
                let u = user(&login, rcpt);
                // A cheap count first; the ids themselves once there are enough messages.
                let here = match count(&net, &u, &mailbox).await {
                    Ok(n) if n >= need => list(&net, &u, &mailbox, false).await.is_ok_and(|seen| {
                        let have: std::collections::HashSet<&str> = seen.iter().map(|x| x.0.as_str()).collect();
                        ids.iter().all(|(id, a)| !*a || have.contains(id.as_str()))
                    }),
                    _ => false,
                };
                if here {
                    done.insert(rcpt, true);
                } else {
                    all = false;
                    break;
                }
            }
            if all {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
                delivered_after = t0.map(|t| (now.saturating_sub(t)) as f64 / 1000.0);
                break;
            }
            if Instant::now() > deadline {
                break 'wait;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
    let (mut lost, mut dup, mut extra, mut damaged, mut found, mut late) =
        (Vec::new(), Vec::new(), 0u64, Vec::new(), 0u64, 0u64);
    let mut failed = Vec::new();
    let t = Instant::now();
    for (rcpt, ids) in &want {
        let u = user(&login, rcpt);
        let seen = match list(&net, &u, &mailbox, deep).await {
            Ok(s) => s,
            Err(e) => {
                failed.push(format!("{u}: {e}"));
                continue;
            }
        };
        let mut times: HashMap<&str, u32> = HashMap::new();
        for (id, s) in &seen {
            *times.entry(id.as_str()).or_insert(0) += 1;
            if let Some((want, got)) = s {
                if want != got {
                    damaged.push(format!("{rcpt} {id}"));
                }
            }
        }
        for (id, n) in &times {
            match ids.get(*id) {
                None => extra += *n as u64,
                Some(a) => {
                    found += *a as u64;
                    late += !*a as u64;
                    if *n > 1 {
                        dup.push(format!("{rcpt} {id} x{n}"));
                    }
                }
            }
        }
        for (id, a) in ids {
            if *a && !times.contains_key(id.as_str()) {
                lost.push(format!("{rcpt} {id}"));
            }
        }
    }
    let mut o = Map::new();
    o.insert("cmd".into(), json!("verify"));
    o.insert("label".into(), json!(label));
    o.insert("mailboxes".into(), json!(want.len()));
    o.insert("acknowledged".into(), json!(acked));
    o.insert("found".into(), json!(found));
    o.insert("lost".into(), json!(lost.len()));
    o.insert("duplicated".into(), json!(dup.len()));
    o.insert("damaged".into(), json!(damaged.len()));
    o.insert("unanswered".into(), json!(unsure));
    o.insert("unanswered_but_delivered".into(), json!(late));
    o.insert("other_messages".into(), json!(extra));
    o.insert("deep".into(), json!(deep));
    if let Some(s) = delivered_after {
        o.insert("delivered_after_s".into(), json!(r2(s)));
        o.insert("delivered_per_s".into(), json!(r2(acked as f64 / s)));
    }
    o.insert("verify_seconds".into(), json!(r2(t.elapsed().as_secs_f64())));
    o.insert("mailboxes_failed".into(), json!(failed));
    for (k, v) in [("lost_ids", &lost), ("duplicated_ids", &dup), ("damaged_ids", &damaged)] {
        if !v.is_empty() {
            o.insert(k.into(), json!(v[..v.len().min(show)]));
        }
    }
    let bad = lost.len() + dup.len() + damaged.len() + failed.len();
    let h = format!(
        "{label} verify: {acked} acknowledged, {found} found, {} lost, {} duplicated, {} damaged, {} mailboxes unread{}",
        lost.len(), dup.len(), damaged.len(), failed.len(),
        delivered_after.map(|s| format!("; all delivered {s:.2} s after the start = {:.1} msgs/s", acked as f64 / s)).unwrap_or_default()
    );
    emit(o, &h);
    if bad > 0 {
        return Err(String::new());
    }
    Ok(())
}

fn user(login: &str, rcpt: &str) -> String {
    login.replace("{rcpt}", rcpt).replace("{local}", rcpt.split('@').next().unwrap_or(rcpt))
}

async fn count(net: &Net, user: &str, mailbox: &str) -> std::io::Result<u64> {
    let mut c = net.open().await?;
    c.login(user, &net.password, "login").await?;
    let n = if net.proto == Proto::Imap {
        let mut v = Vec::new();
        c.imap_collect(&format!("STATUS {mailbox} (MESSAGES)"), &mut v).await?;
        let s = String::from_utf8_lossy(&v).to_ascii_uppercase();
        s.split("MESSAGES ")
            .nth(1)
            .and_then(|x| x.split(|c: char| !c.is_ascii_digit()).next().and_then(|x| x.parse().ok()))
            .unwrap_or(0)
    } else {
        c.send(b"STAT\r\n").await?;
        c.pop_ok("STAT").await?;
        c.last.split(' ').nth(1).and_then(|x| x.parse().ok()).unwrap_or(0)
    };
    c.quit().await;
    Ok(n)
}

fn header(h: &str, name: &str) -> Option<String> {
    h.lines().find_map(|l| {
        let (k, v) = l.split_once(':')?;
        k.trim().eq_ignore_ascii_case(name).then(|| v.trim().to_string())
    })
}

fn look(m: &[u8], deep: bool, out: &mut Seen) {
    let end = memchr::memmem::find(m, b"\r\n\r\n").map(|i| i + 4).unwrap_or(m.len());
    let h = String::from_utf8_lossy(&m[..end]);
    let Some(id) = header(&h, "X-Bench-Id") else {
        return;
    };
    let s = if deep {
        header(&h, "X-Bench-Sum").and_then(|x| u64::from_str_radix(&x, 16).ok()).map(|w| (w, sum(&m[end..])))
    } else {
        None
    };
    out.push((id, s));
}

async fn list(net: &Net, user: &str, mailbox: &str, deep: bool) -> std::io::Result<Seen> {
    let mut c = net.open().await?;
    c.login(user, &net.password, "login").await?;
    let mut out = Vec::new();
    if net.proto == Proto::Imap {
        c.imap_cmd(&format!("EXAMINE {mailbox}")).await?;
        let what = if deep { "BODY.PEEK[]" } else { "BODY.PEEK[HEADER.FIELDS (X-Bench-Id)]" };
        let tag = c.next_tag();
        c.send(format!("{tag} UID FETCH 1:* ({what})\r\n").as_bytes()).await?;
        let mut m = Vec::new();
        loop {
            let (s, e) = c.line().await?;
            let l = &c.buf[s..e];
            if l.starts_with(tag.as_bytes()) && l.get(tag.len()) == Some(&b' ') {
                if !l[tag.len() + 1..].starts_with(b"OK") && !l[tag.len() + 1..].starts_with(b"BAD") {
                    return Err(crate::conn::proto_err("FETCH", l));
                }
                break;
            }
            if let Some(n) = crate::conn::literal(l) {
                m.clear();
                c.take(n, &mut m).await?;
                look(&m, deep, &mut out);
            }
        }
    } else {
        c.send(b"STAT\r\n").await?;
        c.pop_ok("STAT").await?;
        let n: usize = c.last.split(' ').nth(1).and_then(|x| x.parse().ok()).unwrap_or(0);
        let ids: Vec<usize> = (1..=n).collect();
        let mut m = Vec::new();
        for chunk in ids.chunks(if deep { 4 } else { 64 }) {
            let cmds: String =
                chunk.iter().map(|i| if deep { format!("RETR {i}\r\n") } else { format!("TOP {i} 0\r\n") }).collect();
            c.send(cmds.as_bytes()).await?;
            for _ in chunk {
                c.pop_ok("TOP").await?;
                m.clear();
                c.pop_body_into(&mut m).await?;
                look(&m, deep, &mut out);
            }
        }
    }
    c.quit().await;
    Ok(out)
}
