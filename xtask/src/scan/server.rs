//! The server under test: one for each provider.

use super::{certificate, ports::Port};
use crate::{error::Error, run, workspace::Workspace};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Its name.
pub const HOST: &str = "mail.scan.test";
/// The plugins that do TLS.
pub const PROVIDERS: [&str; 2] = ["tls-rustls", "tls-openssl"];
const PATIENCE: Duration = Duration::from_secs(60);
const CONFIG: &str = include_str!("dovetail.ron");

/// The program, and where its plugins are.
pub struct Program {
    path: PathBuf,
    plugins: PathBuf,
}

impl Program {
    /// That of a build, or builds it.
    pub fn find(workspace: &Workspace, built: Option<&Path>) -> Result<Program, Error> {
        let folder = match built {
            Some(folder) => folder.to_owned(),
            None => {
                run::through(run::cargo().args(["build", "--quiet"]))?;
                run::through(run::cargo().args(["build", "--quiet", "-p", "dovetail-tls-openssl"]))?;
                workspace.target_directory.join("debug")
            }
        };
        // Tests build their plugins there, and only there.
        let deps = folder.join("deps");
        let plugins = if built.is_some() && deps.is_dir() { deps } else { folder.clone() };
        let program = Program { path: folder.join("dovetail"), plugins };
        for file in [program.path.clone(), program.plugins.join("libdovetail_tls_openssl.so")] {
            if !file.is_file() {
                let cure = "leave out --built, or build it: cargo build, cargo build -p dovetail-tls-openssl";
                return Err(Error::Scan(format!("there is no {}; {cure}", file.display())));
            }
        }
        Ok(program)
    }
}

/// A running server; killed when dropped.
pub struct Server {
    /// Its provider.
    pub provider: &'static str,
    log: PathBuf,
    child: Child,
}

impl Server {
    /// Starts one in a folder of its own, with a certificate of the authority in `authority`.
    pub fn start(program: &Program, provider: &'static str, dir: &Path, authority: &Path) -> Result<Server, Error> {
        certificate::issue(authority, &dir.join("data/certs"))?;
        let config = dir.join("dovetail.ron");
        fs::write(&config, CONFIG.replace("PROVIDER", provider)).map_err(Error::file(&config))?;
        let log = dir.join("log");
        let file = fs::File::create(&log).map_err(Error::file(&log))?;
        let child = Command::new(&program.path)
            .arg("--plugin-dir")
            .arg(&program.plugins)
            .args(["serve", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .map_err(|source| Error::Start { program: program.path.display().to_string(), source })?;
        let mut server = Server { provider, log, child };
        let since = Instant::now();
        while server.ready().is_none() {
            if server.child.try_wait().ok().flatten().is_some() || since.elapsed() > PATIENCE {
                return Err(Error::Server(format!("the server doesn't come up: {}", server.said())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Where a listener is.
    pub fn port(&self, port: &Port) -> Result<u16, Error> {
        let ready = self.ready().unwrap_or_default();
        let address = ready.split(['"', ' ']).find_map(|word| word.strip_prefix(port.listener)?.strip_prefix('='));
        let number = address.and_then(|address| address.rsplit(':').next()?.parse().ok());
        number.ok_or_else(|| Error::Server(format!("the server's log has no listener `{}`: {ready}", port.listener)))
    }

    /// Ends it. A server that has failed in any of what scanners did to it is a finding.
    pub fn stop(mut self) -> Result<(), Error> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(Error::Server(format!("the server ended during the scan with {status}: {}", self.said())));
        }
        match self.said().lines().find(|line| line.split_whitespace().nth(1) == Some("error")) {
            Some(line) => Err(Error::Server(format!("the server complained during the scan: {line}"))),
            None => Ok(()),
        }
    }

    fn ready(&self) -> Option<String> {
        // The line may be half written.
        let said = self.said();
        let mut whole = said.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.find(|line| line.contains(" core: ready ")).map(|line| line.trim_end().to_owned())
    }

    fn said(&self) -> String {
        // Nothing yet is nothing said.
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
