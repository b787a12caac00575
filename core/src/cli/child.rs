//! `dovetail` from within `dovetail`: commands that are made of others run these in processes of their own.
//!
//! So `init` can let the server's user make what will be that user's, with all the checks that a command has, and nothing
//! is done as root in a directory that belongs to somebody else.
//!
//! **How it fails**: with what the command said on standard error. **Bounds**: those of the command.

use std::{
    ffi::OsStr,
    io::Write,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Runs commands of this very binary.
#[derive(Debug, Clone)]
pub struct Child {
    exe: PathBuf,
    before: Vec<std::ffi::OsString>,
    user: Option<(u32, u32)>,
}

impl Child {
    /// This binary.
    ///
    /// # Errors
    /// If the system doesn't tell where it is.
    pub fn new() -> Result<Self, String> {
        let exe = std::env::current_exe().map_err(|error| format!("cannot find the program itself: {error}"))?;
        Ok(Child { exe, before: Vec::new(), user: None })
    }

    /// With a common option for every command.
    pub fn option(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.before.extend([name.into(), value.as_ref().to_owned()]);
        self
    }

    /// As another user and group; only root may.
    pub fn user(mut self, user: Option<(u32, u32)>) -> Self {
        self.user = user;
        self
    }

    /// Runs a command; gives its standard output.
    ///
    /// # Errors
    /// What it says, or why it cannot be run.
    pub fn run<S: AsRef<OsStr>>(&self, words: &[S], input: Option<&[u8]>) -> Result<String, String> {
        let mut command = Command::new(&self.exe);
        command.args(&self.before).args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        // The caller's directory may be closed to the user.
        command.current_dir("/");
        if let Some((uid, gid)) = self.user {
            command.gid(gid).uid(uid);
        }
        let mut child = command.spawn().map_err(|error| self.cannot_run(&error))?;
        if let Some((mut pipe, input)) = child.stdin.take().zip(input) {
            // A command that ends without reading says why.
            let _ = pipe.write_all(input);
        }
        let output = child.wait_with_output().map_err(|error| self.cannot_run(&error))?;
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false if said.trim().is_empty() => Err(format!("{} ended with {}", self.exe.display(), output.status)),
            false => Err(said.trim_start_matches("error: ").trim_end().to_owned()),
        }
    }

    /// Runs a command with `--json`; gives what it prints.
    ///
    /// # Errors
    /// As [`Child::run`], or if that is no JSON.
    pub fn json<S: AsRef<OsStr>>(&self, words: &[S], input: Option<&[u8]>) -> Result<serde_json::Value, String> {
        let text = self.clone().option_flag("--json").run(words, input)?;
        serde_json::from_str(&text).map_err(|error| format!("`dovetail --json` printed no JSON: {error}"))
    }

    fn option_flag(mut self, name: &str) -> Self {
        self.before.push(name.into());
        self
    }

    fn cannot_run(&self, error: &std::io::Error) -> String {
        let shown = self.exe.display();
        match self.user {
            Some((uid, _)) if error.kind() == std::io::ErrorKind::PermissionDenied => format!(
                "user {uid} may not run {shown} (install the program and its plugins where every user can read them, such \
                 as /usr/local/bin)"
            ),
            _ => format!("{shown} cannot be run: {error}"),
        }
    }
}
