//! TLS handshakes beside nginx and Dovecot: the server's CPU time for a whole short connection, full and resumed.
//!
//! A connection is: connect, handshake, greeting (nginx: one answer), end. Each round starts one server after the other, all
//! with the same key and certificate, so that they never share the machine with one another. CPU time of the server is
//! compared, because client and server share the cores. Both of our providers take part; what can't be built or installed is
//! left out and said.

use super::dovetail;
use super::load::{Connections, Handshakes};
use super::peers;
use super::report::{median, row, Report};
use super::side::Proto;
use super::Bench;
use crate::error::Error;
use crate::run;
use std::collections::BTreeMap;

/// What is measured, of which key, and how much of nginx's CPU time it may take with rustls.
const WORKS: [Work; 6] = [
    Work { title: "P-256, full, implicit TLS", key: "ec", explicit: false, resume: false, of_nginx: Some(0.5) },
    Work { title: "P-256, full, STARTTLS", key: "ec", explicit: true, resume: false, of_nginx: None },
    Work { title: "P-256, resumed", key: "ec", explicit: false, resume: true, of_nginx: Some(0.8) },
    Work { title: "RSA-2048, full, implicit TLS", key: "rsa", explicit: false, resume: false, of_nginx: Some(0.9) },
    Work { title: "RSA-2048, full, STARTTLS", key: "rsa", explicit: true, resume: false, of_nginx: None },
    Work { title: "RSA-2048, resumed", key: "rsa", explicit: false, resume: true, of_nginx: Some(0.8) },
];
/// Connections that are made at once.
const AT_ONCE: u32 = 32;

struct Work {
    title: &'static str,
    key: &'static str,
    explicit: bool,
    resume: bool,
    of_nginx: Option<f64>,
}

/// The servers, in the order of their columns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Server {
    Rustls,
    OpenSsl,
    Dovecot,
    Nginx,
}

impl Server {
    const ALL: [Server; 4] = [Server::Rustls, Server::OpenSsl, Server::Dovecot, Server::Nginx];

    fn name(self) -> &'static str {
        match self {
            Server::Rustls => "Dovetail, rustls",
            Server::OpenSsl => "Dovetail, OpenSSL",
            Server::Dovecot => peers::DOVECOT,
            Server::Nginx => "nginx",
        }
    }

    fn port(self, explicit: bool) -> Option<(&'static str, u16)> {
        let proto = if explicit { Proto::Smtp } else { Proto::Imap };
        match self {
            // Both offer STARTTLS on one port only: SMTP's here, IMAP's there.
            Server::Rustls | Server::OpenSsl => Some((proto.name(), dovetail::port(proto, !explicit)?)),
            Server::Dovecot => Some((Proto::Imap.name(), peers::dovecot_port(Proto::Imap, !explicit)?)),
            Server::Nginx => (!explicit).then_some(("http", peers::NGINX)),
        }
    }
}

/// Everything that was measured of one work with one server.
#[derive(Default)]
struct Samples {
    cpu_us: Vec<f64>,
    per_second: Vec<f64>,
    resumed: Vec<f64>,
}

/// Measures all of it and writes the table.
pub fn measure(report: &mut Report, bench: &Bench<'_>) -> Result<(), Error> {
    let mut troubles: Vec<String> = Vec::new();
    let mut left: Vec<Server> = Server::ALL.to_vec();
    if let Err(error) =
        run::through(run::cargo().args(["build", "--quiet", "--release", "--package", "dovetail-tls-openssl"]))
    {
        troubles.push(format!("{}: not built: {error}", Server::OpenSsl.name()));
        left.retain(|server| *server != Server::OpenSsl);
    }
    let mut samples: BTreeMap<(usize, Server), Samples> = BTreeMap::new();
    for key in ["ec", "rsa"] {
        let pem = bench.dir.join("peers/tls").join(format!("{key}.pem"));
        if bench.peers.is_some() {
            bench.server.import_certificate(&pem)?;
        } else if key == "rsa" {
            bench.server.make_certificate("rsa-2048")?;
        }
        for turn in 0..bench.options.runs {
            eprintln!("{key}, turn {} of {}", turn + 1, bench.options.runs);
            for server in left.clone() {
                if let Err(error) = turn_of(bench, server, key, &mut samples) {
                    if matches!(server, Server::Rustls) {
                        return Err(error);
                    }
                    troubles.push(format!("{}: {error}", server.name()));
                    left.retain(|other| *other != server);
                }
            }
        }
    }
    write(report, bench, &samples, &troubles);
    Ok(())
}

/// Starts one server, does all works of this key once, and stops it.
fn turn_of(
    bench: &Bench<'_>,
    server: Server,
    key: &str,
    samples: &mut BTreeMap<(usize, Server), Samples>,
) -> Result<(), Error> {
    let mut work_all = |pid: u32| -> Result<(), Error> {
        for (i, work) in WORKS.iter().enumerate().filter(|(_, work)| work.key == key) {
            let Some((proto, port)) = server.port(work.explicit) else { continue };
            let connections = Connections {
                proto,
                port,
                pid,
                explicit: work.explicit,
                resume: work.resume,
                at_once: AT_ONCE,
                seconds: bench.options.seconds,
            };
            let done: Handshakes = bench.build.load.handshakes(&connections)?;
            let into = samples.entry((i, server)).or_default();
            into.cpu_us.push(done.server_cpu_us_per_op);
            into.per_second.push(done.session.per_s);
            into.resumed.push(done.resumed as f64 / done.session.n.max(1) as f64);
        }
        Ok(())
    };
    match server {
        Server::Rustls | Server::OpenSsl => {
            let provider = if server == Server::Rustls { "tls-rustls" } else { "tls-openssl" };
            let running = bench.server.start_with(&["--tls-provider", provider])?;
            work_all(running.pid())?;
            running.stop()
        }
        Server::Dovecot | Server::Nginx => {
            let Some(peers) = bench.peers else { return Ok(()) };
            let script = if server == Server::Dovecot { "dovecot.sh" } else { "nginx.sh" };
            let pid = peers.start_with_certificate(script, key)?;
            let done = work_all(pid);
            peers.stop();
            done
        }
    }
}

fn write(report: &mut Report, bench: &Bench<'_>, samples: &BTreeMap<(usize, Server), Samples>, troubles: &[String]) {
    let mut head = row(&["connection"]);
    head.extend(Server::ALL.iter().map(|server| format!("{}: CPU µs (connections/s)", server.name())));
    head.extend(row(&["rustls / nginx", "aim", "met", "resumed with us"]));
    let mut rows = vec![head];
    for (i, work) in WORKS.iter().enumerate() {
        let of = |server| samples.get(&(i, server)).filter(|samples| !samples.cpu_us.is_empty());
        let mut cells = row(&[work.title]);
        for server in Server::ALL {
            cells.push(of(server).map_or("–".to_string(), |samples| {
                format!("{:.0} ({:.0})", median(samples.cpu_us.clone()), median(samples.per_second.clone()))
            }));
        }
        let cpu = |server| of(server).map(|samples| median(samples.cpu_us.clone()));
        let ratio = cpu(Server::Rustls).zip(cpu(Server::Nginx)).map(|(ours, theirs)| ours / theirs);
        cells.push(ratio.map_or("–".to_string(), |ratio| format!("{ratio:.2}")));
        cells.push(work.of_nginx.map_or("–".to_string(), |aim| format!("≤ {aim}")));
        let met = ratio.zip(work.of_nginx).map(|(ratio, aim)| if ratio <= aim { "yes" } else { "no" });
        cells.push(met.unwrap_or("–").to_string());
        let resumed = |server| of(server).map(|samples| format!("{:.1} %", 100.0 * median(samples.resumed.clone())));
        let both = [Server::Rustls, Server::OpenSsl].into_iter().filter_map(resumed);
        cells.push(if work.resume { both.collect::<Vec<_>>().join(", ") } else { "–".to_string() });
        eprintln!("{}", cells.join("  "));
        rows.push(cells);
    }
    report.table("TLS handshakes", &rows);
    report.note(&format!(
        "Medians of {} turns of {} s, {AT_ONCE} connections at once, TLS 1.3 with X25519; the servers take turns and never run \
         together. A connection is connect, handshake, greeting (nginx: one answer), end; STARTTLS is SMTP's with us and \
         IMAP's with Dovecot. All serve the same key.",
        bench.options.runs, bench.options.seconds
    ));
    if !troubles.is_empty() {
        report.note(&format!("Left out:\n\n- {}", troubles.join("\n- ")));
    }
}
