//! How often a server asks the disk to keep something: fsync and its kin, counted by strace.
//!
//! The server is started under strace with a seccomp filter, so that only these calls stop it.

use crate::error::Error;
use crate::run;
use std::path::{Path, PathBuf};
use std::process::Command;

const CALLS: &str = "trace=fsync,fdatasync,sync_file_range,syncfs,msync";

/// Where traces go; one file a traced program.
pub struct Trace {
    dir: PathBuf,
}

impl Trace {
    /// Into an empty folder; installs strace if root may.
    pub fn new(workspace_root: &Path, dir: &Path) -> Result<Trace, Error> {
        if !run::exists("strace") {
            let library = workspace_root.join("benches/peers/lib.sh");
            let mut install = Command::new("bash");
            run::output(install.args(["-ec", ". \"$0\"; need strace"]).arg(library))?;
        }
        if dir.exists() {
            std::fs::remove_dir_all(dir).map_err(Error::file(dir))?;
        }
        std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
        let dir = dir.to_path_buf();
        Ok(Trace { dir })
    }

    /// What to put before a server's command line.
    pub fn prefix(&self, name: &str) -> Vec<String> {
        let file = self.dir.join(name).display().to_string();
        let options = ["-f", "--seccomp-bpf", "-qq", "-e", CALLS, "-e", "signal=none", "-o"];
        let mut words = vec!["strace".to_string()];
        words.extend(options.map(String::from));
        words.push(file);
        words
    }

    /// Calls seen so far, in every trace.
    pub fn calls(&self) -> Result<usize, Error> {
        let mut calls = 0;
        for entry in std::fs::read_dir(&self.dir).map_err(Error::file(&self.dir))? {
            let path = entry.map_err(Error::file(&self.dir))?.path();
            let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
            calls += count(&text);
        }
        Ok(calls)
    }
}

/// Calls in a trace. One that another thread interrupts is written in two parts; the second isn't a call.
fn count(trace: &str) -> usize {
    let lines = trace.lines();
    lines.filter(|l| l.contains('(') && !l.contains(" resumed>")).count()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn an_interrupted_call_counts_once() {
        let trace = "10 fdatasync(5)   = 0\n\
                     10 fsync(6 <unfinished ...>\n\
                     11 fdatasync(7)   = 0\n\
                     10 <... fsync resumed>)  = 0\n\
                     11 +++ exited with 0 +++\n";
        assert_eq!(count(trace), 3);
    }
}
