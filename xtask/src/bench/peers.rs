//! Other servers, run by the scripts in `benches/peers`: Dovecot for reading mail, and Postfix handing to it by LMTP.

use super::dovetail::listens;
use super::side::Proto;
use super::syncs::Trace;
use crate::error::Error;
use crate::run;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Postfix's SMTP.
pub const SMTP: u16 = 2525;
/// The name of both together in tables.
pub const NAME: &str = "Postfix → Dovecot LMTP";
/// The name of Dovecot alone.
pub const DOVECOT: &str = "Dovecot";
/// Dovecot's IMAP.
pub const IMAP: u16 = 14143;
/// Dovecot's IMAP inside TLS.
pub const IMAPS: u16 = 14993;
/// Dovecot's POP3.
pub const POP3: u16 = 14110;
/// Dovecot's POP3 inside TLS.
pub const POP3S: u16 = 14995;
/// nginx's HTTPS.
pub const NGINX: u16 = 15443;

/// Which of them, and set up for what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Dovecot in its high-performance mode.
    Dovecot,
    /// The same, set up for connections that do nothing: it hibernates them. Each account has a user id of its own, as
    /// the kernel gives a user id only so many inotify instances.
    DovecotHibernating,
    /// Postfix in front of Dovecot.
    Both,
    /// Dovecot and nginx, one at a time.
    Handshakes,
}

/// They, set up; stopped when dropped.
pub struct Peers {
    scripts: PathBuf,
    dir: PathBuf,
    which: Which,
}

/// The port of Dovecot for this.
pub fn dovecot_port(proto: Proto, tls: bool) -> Option<u16> {
    match (proto, tls) {
        (Proto::Imap, false) => Some(IMAP),
        (Proto::Imap, true) => Some(IMAPS),
        (Proto::Pop3, false) => Some(POP3),
        (Proto::Pop3, true) => Some(POP3S),
        (Proto::Smtp, _) => None,
    }
}

impl Which {
    fn scripts(self) -> &'static [&'static str] {
        match self {
            Which::Dovecot | Which::DovecotHibernating => &["dovecot.sh"],
            Which::Both => &["dovecot.sh", "postfix.sh"],
            Which::Handshakes => &["dovecot.sh", "nginx.sh"],
        }
    }

    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Which::Dovecot | Which::Handshakes => &[],
            Which::DovecotHibernating => &[("HIBERNATE", "5s"), ("UIDS", "many")],
            Which::Both => &[("DELIVER", "lmtp")],
        }
    }
}

impl Peers {
    /// Installs and configures them, or says why that can't be.
    pub fn prepare(workspace_root: &Path, dir: &Path, which: Which) -> Result<Peers, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root may install and start them".to_string());
        }
        if !run::exists("apt-get") {
            return Err("they are installed by apt-get, which isn't here".to_string());
        }
        let peers = Peers { scripts: workspace_root.join("benches/peers"), dir: dir.to_path_buf(), which };
        std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        for script in which.scripts() {
            let configured = run::output(peers.command(script).arg("conf"));
            configured.map_err(|e| e.to_string())?;
        }
        Ok(peers)
    }

    /// Starts Dovecot; gives its master process.
    pub fn start_dovecot(&self, trace: Option<&Trace>) -> Result<u32, Error> {
        self.start("dovecot.sh", trace)
    }

    /// Starts both; gives their master processes.
    pub fn start_both(&self, trace: Option<&Trace>) -> Result<Vec<u32>, Error> {
        let dovecot = self.start("dovecot.sh", trace)?;
        Ok(vec![self.start("postfix.sh", trace)?, dovecot])
    }

    /// Starts the server of this script with a certificate of this kind of key (`ec`, `rsa`); gives its master process.
    pub fn start_with_certificate(&self, script: &str, key: &str) -> Result<u32, Error> {
        self.run_script(self.command(script).env("CERT", key), script)
    }

    /// Stops whatever of them runs.
    pub fn stop(&self) {
        for script in self.which.scripts().iter().rev() {
            // Stopping what doesn't run fails, and that is no news.
            let _ = run::output(self.command(script).arg("stop"));
        }
    }

    /// The folders in which Postfix holds what it has accepted and not delivered.
    pub fn queues(&self) -> Vec<PathBuf> {
        let spool = self.dir.join("postfix/spool");
        let names = ["maildrop", "incoming", "active", "deferred"];
        names.iter().map(|n| spool.join(n)).collect()
    }

    /// How Dovecot is started in the foreground of nothing, for measuring its start.
    pub fn dovecot_command(&self) -> Vec<String> {
        let config = self.dir.join("dovecot/dovecot.conf").display().to_string();
        ["dovecot", "-F", "-c", &config].map(String::from).to_vec()
    }

    fn start(&self, script: &str, trace: Option<&Trace>) -> Result<u32, Error> {
        for port in [SMTP, POP3, POP3S, IMAP, IMAPS] {
            // Postfix is started when Dovecot runs already.
            if script == "dovecot.sh" && listens(port) {
                return Err(Error::Server(format!("something listens on port {port} already; stop it first")));
            }
        }
        let mut command = self.command(script);
        if let Some(trace) = trace {
            command.env("WRAP", trace.prefix(script).join(" "));
        }
        self.run_script(&mut command, script)
    }

    fn run_script(&self, command: &mut Command, script: &str) -> Result<u32, Error> {
        // The servers stay behind with whatever output they were given: a pipe would never close.
        run::through(command.arg("start").stdout(Stdio::null()).stderr(Stdio::null()))?;
        let pid = run::output(self.command(script).arg("pid"))?;
        pid.trim().parse().map_err(|_| Error::Server(format!("{script} gave no process id but {pid:?}")))
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new(self.scripts.join(script));
        command.env("PEERS_DIR", &self.dir).envs(self.which.settings().iter().copied());
        command
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.stop();
    }
}
