//! Postfix handing to Dovecot by LMTP, run by the scripts in `benches/peers`.

use super::syncs::Trace;
use crate::error::Error;
use crate::run;
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Postfix's SMTP.
pub const SMTP: u16 = 2525;
/// Their name in tables.
pub const NAME: &str = "Postfix → Dovecot LMTP";
/// Dovecot's POP3.
pub const POP3: u16 = 14110;
/// Dovecot's POP3 inside TLS.
pub const POP3S: u16 = 14995;

/// Both, set up; stopped when dropped.
pub struct Peers {
    scripts: PathBuf,
    dir: PathBuf,
}

impl Peers {
    /// Installs and configures them, or says why that can't be.
    pub fn prepare(workspace: &Workspace, dir: &Path) -> Result<Peers, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root may install and start them".to_string());
        }
        if !run::exists("apt-get") {
            return Err("they are installed by apt-get, which isn't here".to_string());
        }
        let peers = Peers { scripts: workspace.workspace_root.join("benches/peers"), dir: dir.to_path_buf() };
        std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        for script in ["dovecot.sh", "postfix.sh"] {
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

    /// Stops whatever of the two runs.
    pub fn stop(&self) {
        for script in ["postfix.sh", "dovecot.sh"] {
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
        let mut command = self.command(script);
        if let Some(trace) = trace {
            command.env("WRAP", trace.prefix(script).join(" "));
        }
        // The servers stay behind with whatever output they were given: a pipe would never close.
        run::through(command.arg("start").stdout(Stdio::null()).stderr(Stdio::null()))?;
        let pid = run::output(self.command(script).arg("pid"))?;
        pid.trim().parse().map_err(|_| Error::Server(format!("{script} gave no process id but {pid:?}")))
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new(self.scripts.join(script));
        command.env("PEERS_DIR", &self.dir).env("DELIVER", "lmtp");
        command
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.stop();
    }
}
