//! The server under test: built, configured with the accounts of the load generator, started and stopped.

use super::load::{Load, PASSWORD, USERS};
use super::side::Proto;
use super::syncs::Trace;
use crate::error::Error;
use crate::run;
use crate::workspace::Workspace;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Its name in tables.
pub const NAME: &str = "Dovetail";
/// Plain SMTP, role Mx; in `dovetail.ron`, like the others.
pub const SMTP: u16 = 12525;
/// SMTP inside TLS.
pub const SMTPS: u16 = 12465;
/// Plain POP3.
pub const POP3: u16 = 12110;
/// POP3 inside TLS.
pub const POP3S: u16 = 12995;
/// Plain IMAP.
pub const IMAP: u16 = 12143;
/// IMAP inside TLS.
pub const IMAPS: u16 = 12993;

const CONFIG: &str = include_str!("dovetail.ron");
const PATIENCE: Duration = Duration::from_secs(30);

/// What `cargo build --release` made.
pub struct Build {
    /// The load generator.
    pub load: Load,
    /// The workspace's top folder.
    pub workspace_root: PathBuf,
    /// The server's.
    pub program: PathBuf,
}

impl Build {
    /// Builds the server, its plugins and the load generator.
    pub fn release(workspace: &Workspace) -> Result<Build, Error> {
        run::through(run::cargo().args(["build", "--quiet", "--release"]))?;
        run::through(run::cargo().args(["build", "--quiet", "--release", "-p", "mailbench"]))?;
        let release = workspace.target_directory.join("release");
        Ok(Build {
            load: Load::new(release.join("mailbench")),
            workspace_root: workspace.workspace_root.clone(),
            program: release.join("dovetail"),
        })
    }
}

/// A configured server that isn't running.
pub struct Dovetail {
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
}

impl Dovetail {
    /// Writes its configuration into an empty folder and adds the accounts.
    pub fn prepare(build: &Build, dir: &Path) -> Result<Dovetail, Error> {
        let config = dir.join("dovetail.ron");
        std::fs::write(&config, CONFIG).map_err(Error::file(&config))?;
        let password = dir.join("password");
        std::fs::write(&password, PASSWORD).map_err(Error::file(&password))?;
        let server = Dovetail { program: build.program.clone(), config, log: dir.join("log") };
        for user in 0..USERS {
            let mut add = Command::new(&server.program);
            add.args(["accounts", "add", &format!("u{user}@bench.test")])
                .arg("--password-file")
                .arg(&password)
                .arg("--config")
                .arg(&server.config);
            run::output(&mut add)?;
        }
        // The first start makes the certificate and the databases.
        server.start(None)?.stop()?;
        Ok(server)
    }

    /// The command line that serves.
    pub fn command(&self) -> Vec<String> {
        let program = self.program.display().to_string();
        let config = self.config.display().to_string();
        vec![program, "serve".to_string(), "--config".to_string(), config]
    }

    /// How long it takes to load all plugins and to check them, with the process itself.
    pub fn check(&self) -> Result<Duration, Error> {
        let begun = Instant::now();
        run::output(Command::new(&self.program).arg("check").arg("--config").arg(&self.config))?;
        Ok(begun.elapsed())
    }

    /// Starts it, under a tracer if one is given, and waits until it accepts connections.
    pub fn start(&self, trace: Option<&Trace>) -> Result<Running, Error> {
        let mut words = trace.map(|t| t.prefix("dovetail")).unwrap_or_default();
        words.extend(self.command());
        self.launch(&words, trace.is_some())
    }

    /// Starts it with more words on its command line, and waits until it accepts connections.
    pub fn start_with(&self, more: &[&str]) -> Result<Running, Error> {
        let mut words = self.command();
        words.extend(more.iter().map(|word| (*word).to_string()));
        self.launch(&words, false)
    }

    /// Serves this key and certificate, one PEM file, instead of those it has.
    pub fn import_certificate(&self, pem: &Path) -> Result<(), Error> {
        self.certs(&["import", "--name", "bench.test", "--cert", &pem.display().to_string()])
    }

    /// Serves a self-signed certificate with a new key of this type instead of what it has.
    pub fn make_certificate(&self, key_type: &str) -> Result<(), Error> {
        self.certs(&["create", "--name", "bench.test", "--common-name", "bench.test", "--type", key_type])
    }

    fn certs(&self, words: &[&str]) -> Result<(), Error> {
        let mut command = Command::new(&self.program);
        command.arg("certs").args(words).args(["--replace", "--config"]).arg(&self.config);
        run::output(&mut command).map(|_| ())
    }

    fn launch(&self, words: &[String], traced: bool) -> Result<Running, Error> {
        if listens(SMTP) {
            return Err(Error::Server(format!("something listens on port {SMTP} already; stop it first")));
        }
        let log = std::fs::File::create(&self.log).map_err(Error::file(&self.log))?;
        let child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|source| Error::Start { program: words[0].clone(), source })?;
        let mut running = Running { child, traced };
        let since = Instant::now();
        while ![SMTP, POP3S, IMAP, IMAPS].into_iter().all(listens) {
            let ended = running.child.try_wait().ok().flatten();
            if ended.is_some() || since.elapsed() > PATIENCE {
                return Err(Error::Server(format!(
                    "the server doesn't come up: {}",
                    std::fs::read_to_string(&self.log).unwrap_or_default()
                )));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(running)
    }
}

/// A running server; killed when dropped.
pub struct Running {
    child: Child,
    traced: bool,
}

impl Running {
    /// Its process.
    pub fn pid(&self) -> u32 {
        let pid = self.child.id();
        if !self.traced {
            return pid;
        }
        // The tracer's child is the server.
        let children = format!("/proc/{pid}/task/{pid}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        let first = children.split_whitespace().next();
        first.and_then(|p| p.parse().ok()).unwrap_or(pid)
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> Result<(), Error> {
        use rustix::process::{kill_process, Pid, Signal};
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let asked = pid.map(|pid| kill_process(pid, Signal::TERM));
        let status = match asked {
            Some(Ok(())) => self.child.wait(),
            _ => return Err(Error::Server("the server is gone before it was stopped".into())),
        };
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Error::Server(format!("asked to stop, the server ended with {status}"))),
            Err(error) => Err(Error::Server(format!("waiting for the server: {error}"))),
        }
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) -> Result<(), Error> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map(|_| ()).map_err(|e| Error::Server(format!("killing the server: {e}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port for this.
pub fn port(proto: Proto, tls: bool) -> Option<u16> {
    Some(match (proto, tls) {
        (Proto::Imap, false) => IMAP,
        (Proto::Imap, true) => IMAPS,
        (Proto::Pop3, false) => POP3,
        (Proto::Pop3, true) => POP3S,
        (Proto::Smtp, false) => SMTP,
        (Proto::Smtp, true) => SMTPS,
    })
}

/// Does something accept connections there?
pub fn listens(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}
