//! The server under test: one for each provider.

use super::{certificate, ports::Port};
use crate::{error::Error, run, serve::Serving, workspace::Workspace};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Its name.
pub const HOST: &str = "mail.scan.test";
/// The plugins that do TLS.
pub const PROVIDERS: [&str; 2] = ["tls-rustls", "tls-openssl"];
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

/// A running server.
pub struct Server {
    /// Its provider.
    pub provider: &'static str,
    serving: Serving,
}

impl Server {
    /// Starts one in a folder of its own, with a certificate of the authority in `authority`.
    pub fn start(program: &Program, provider: &'static str, dir: &Path, authority: &Path) -> Result<Server, Error> {
        certificate::issue(authority, &dir.join("data/certs"))?;
        let config = dir.join("dovetail.ron");
        fs::write(&config, CONFIG.replace("PROVIDER", provider)).map_err(Error::file(&config))?;
        let serving = Serving::start(&program.path, &config, &dir.join("log"), |command| {
            command.arg("--plugin-dir").arg(&program.plugins);
        })?;
        Ok(Server { provider, serving })
    }

    /// Where a listener is.
    pub fn port(&self, port: &Port) -> Result<u16, Error> {
        let ready = self.serving.ready().unwrap_or_default();
        let address = ready.split(['"', ' ']).find_map(|word| word.strip_prefix(port.listener)?.strip_prefix('='));
        let number = address.and_then(|address| address.rsplit(':').next()?.parse().ok());
        number.ok_or_else(|| Error::Server(format!("the server's log has no listener `{}`: {ready}", port.listener)))
    }

    /// Ends it. A server that has failed in any of what scanners did to it is a finding.
    pub fn stop(self) -> Result<(), Error> {
        let said = self.serving.stop()?;
        match said.lines().find(|line| line.split_whitespace().nth(1) == Some("error")) {
            Some(line) => Err(Error::Server(format!("the server complained during the scan: {line}"))),
            None => Ok(()),
        }
    }
}
