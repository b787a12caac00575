//! A server that runs for a chore: started with its log in a file, watched until it is ready, and asked to stop.
//!
//! **How it fails.** With what the log says, if it is not ready within [`PATIENCE`] or ends before; and if it has ended, ends with
//! another code than 0, or has not ended within [`PATIENCE`], when it is asked to stop: it is killed then.

use crate::error::Error;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; killed when dropped.
pub struct Serving {
    log: PathBuf,
    child: Child,
}

impl Serving {
    /// Starts `program` with what `more` adds to its words, its log in a new file `log`, and waits until it is ready.
    pub fn start(program: &Path, config: &Path, log: &Path, more: impl FnOnce(&mut Command)) -> Result<Serving, Error> {
        let file = fs::File::create(log).map_err(Error::file(log))?;
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        more(&mut command);
        let child =
            command.spawn().map_err(|source| Error::Start { program: program.display().to_string(), source })?;
        let mut serving = Serving { log: log.to_owned(), child };
        let since = Instant::now();
        while serving.ready().is_none() {
            if serving.child.try_wait().ok().flatten().is_some() || since.elapsed() > PATIENCE {
                return Err(Error::Server(format!("the server doesn't come up: {}", serving.said())));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(serving)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The line that says that it is ready, and where its listeners are.
    pub fn ready(&self) -> Option<String> {
        ready_line(&self.said()).map(str::to_owned)
    }

    /// Its log.
    pub fn said(&self) -> String {
        // Nothing yet is nothing said.
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to stop, waits until it has, and gives its log.
    pub fn stop(self) -> Result<String, Error> {
        self.stop_within(PATIENCE)
    }

    fn stop_within(mut self, patience: Duration) -> Result<String, Error> {
        use rustix::process::{kill_process, Pid, Signal};
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(Error::Server(format!("the server ended by itself with {status}: {}", self.said())));
        }
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let gone = || Error::Server("the server is gone before it was stopped".into());
        pid.and_then(|pid| kill_process(pid, Signal::TERM).ok()).ok_or_else(gone)?;
        match self.ended_within(patience).map_err(|_| gone())? {
            Some(status) if status.success() => Ok(self.said()),
            Some(status) => {
                Err(Error::Server(format!("asked to stop, the server ended with {status}: {}", self.said())))
            }
            None => Err(Error::Server(format!(
                "asked to stop, the server had not ended after {} s and was killed: {}",
                patience.as_secs(),
                self.said()
            ))),
        }
    }

    fn ended_within(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let since = Instant::now();
        loop {
            let ended = self.child.try_wait()?;
            if ended.is_some() || since.elapsed() > patience {
                return Ok(ended);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Both fail if it has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The line, if it has been written whole.
fn ready_line(said: &str) -> Option<&str> {
    let mut whole = said.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    whole.find(|line| line.contains(" core: ready "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// What comes of starting and stopping a script in place of the server.
    fn with(script: &str, patience: Duration) -> Result<String, String> {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("server");
        // Written by another process: one that runs is not written to by this one, or by a child of another test.
        let made = Command::new("sh").arg("-c").arg("cat > \"$0\"").arg(&program).stdin(Stdio::piped()).spawn();
        let mut made = made.unwrap();
        std::io::Write::write_all(&mut made.stdin.take().unwrap(), format!("#!/bin/sh\n{script}\n").as_bytes())
            .unwrap();
        assert!(made.wait().unwrap().success());
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let serving = Serving::start(&program, Path::new("c"), &dir.path().join("log"), |_| {});
        serving.and_then(|serving| serving.stop_within(patience)).map_err(|error| error.to_string())
    }

    const READY: &str = "echo 'info core: ready listeners=\"a=127.0.0.1:1\"' >&2";
    /// Ends by itself in the end, should it never be asked.
    const WAIT: &str = "n=0; while [ $n -lt 600 ]; do sleep 0.1; n=$((n+1)); done";

    #[test]
    fn half_a_line_is_none() {
        assert_eq!(ready_line("1 info core: starting\n2 info core: ready listeners=\"a=127.0.0.1:1"), None);
        assert_eq!(ready_line("x\n2 info core: ready a=1\n3"), Some("2 info core: ready a=1"));
    }

    #[test]
    fn the_way_it_ends_counts() {
        let said = with(&format!("trap 'echo bye >&2; exit 0' TERM; {READY}; {WAIT}"), PATIENCE).unwrap();
        assert!(said.ends_with("bye\n"), "{said}");
        let error = with(&format!("trap 'echo ouch >&2; exit 3' TERM; {READY}; {WAIT}"), PATIENCE).unwrap_err();
        assert!(
            error.contains("asked to stop, the server ended with exit status: 3") && error.contains("ouch"),
            "{error}"
        );
        let error = with("echo no port >&2; exit 1", PATIENCE).unwrap_err();
        assert!(error.contains("doesn't come up: no port"), "{error}");
        let error = with(&format!("trap '' TERM; {READY}; {WAIT}"), Duration::ZERO).unwrap_err();
        assert!(error.contains("had not ended after 0 s and was killed"), "{error}");
    }
}
