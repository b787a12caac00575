//! The server under test: configured, started, and talked to by its commands and its control socket.

use super::builds::{Builds, Provider};
use crate::{error::Error, run, serve::Serving};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use steady::{Kind, Seen};

/// Its name.
pub const HOST: &str = "mail.swap.test";
const PASSWORD: &str = "swap and swap again";
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    program: PathBuf,
    dir: PathBuf,
    serving: Serving,
}

impl Server {
    /// Configures it in an empty folder and starts it with the first provider.
    pub fn start(builds: &Builds, dir: &Path, accounts: u32) -> Result<Server, Error> {
        let program = &builds.program;
        write_config(dir, &builds.providers[0])?;
        let password = dir.join("password");
        fs::write(&password, PASSWORD).map_err(Error::file(&password))?;
        for account in 0..accounts {
            let mut add = Command::new(program);
            add.args(["accounts", "add", &address(account), "--password-file"]).arg(&password);
            run::output(add.arg("--config").arg(dir.join("dovetail.ron")))?;
        }
        let serving = Serving::start(program, &dir.join("dovetail.ron"), &dir.join("log"), |_| {})?;
        Ok(Server { program: program.clone(), dir: dir.to_owned(), serving })
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(self) -> Result<(), Error> {
        self.serving.stop().map(drop)
    }

    /// Has another provider do TLS: one word of the config, and a reload.
    pub fn use_provider(&self, provider: &Provider) -> Result<(), Error> {
        write_config(&self.dir, provider)?;
        run::output(&mut self.dovetail(&["reload"])).map(drop)
    }

    /// `dovetail plugin swap`.
    pub fn swap(&self, instance: &str, file: &Path) -> Result<(), Error> {
        run::output(self.dovetail(&["plugin", "swap", instance]).arg(file)).map(drop)
    }

    /// A reload without a process for the command.
    pub fn reload(&self) -> Result<(), Error> {
        let _: Value = self.call("reload", "report")?;
        Ok(())
    }

    /// Which builds serve.
    pub fn builds(&self) -> Result<steady::Builds, Error> {
        let status = self.status()?;
        let build = |instance: &str| {
            let all = status["plugins"].as_array().into_iter().flatten();
            let build = all.filter(|entry| entry["instance"] == instance).find_map(|entry| entry["build"].as_str());
            build.map(str::to_owned).ok_or_else(|| Error::Server(format!("status has no build of `{instance}`")))
        };
        Ok(steady::Builds { imap: build("imap")?, tls: build("tls")? })
    }

    /// The open sessions.
    pub fn sessions(&self) -> Result<Vec<Seen>, Error> {
        let list: Value = self.call("sessions", "sessions")?;
        let build = |by: &Value| by["build"].as_str().map(str::to_owned);
        let all = list["sessions"].as_array().into_iter().flatten();
        let seen = all.filter_map(|session| {
            let kind = Kind::named(session["listener"].as_str()?)?;
            let peer = session["peer"].as_str()?.parse().ok()?;
            Some(Seen { kind, peer, served_by: build(&session["served_by"]), tls_by: build(&session["tls_by"]) })
        });
        Ok(seen.collect())
    }

    /// How many generations have not ended.
    pub fn retiring(&self) -> Result<usize, Error> {
        Ok(self.status()?["retiring"].as_array().map_or(0, Vec::len))
    }

    /// Where a listener is.
    pub fn address(&self, listener: &str) -> Result<SocketAddr, Error> {
        let status = self.status()?;
        let all = status["listeners"].as_array().into_iter().flatten();
        let bound =
            all.filter(|entry| entry["name"] == listener).find_map(|entry| entry["bind"][0].as_str()?.parse().ok());
        bound.ok_or_else(|| Error::Server(format!("status has no listener `{listener}`")))
    }

    /// Its certificate.
    pub fn certificate(&self) -> PathBuf {
        self.dir.join("data/certs").join(format!("{HOST}.crt"))
    }

    /// The accounts that it has.
    pub fn accounts(&self, count: u32) -> Vec<(String, String)> {
        (0..count).map(|account| (address(account), PASSWORD.to_owned())).collect()
    }

    /// Its share of memory (PSS), in octets.
    pub fn memory(&self) -> Result<u64, Error> {
        let path = PathBuf::from(format!("/proc/{}/smaps_rollup", self.serving.pid()));
        let text = fs::read_to_string(&path).map_err(Error::file(&path))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
        let kilobytes: Option<u64> = line.trim().strip_suffix("kB").and_then(|text| text.trim().parse().ok());
        kilobytes
            .map(|kilobytes| kilobytes * 1024)
            .ok_or_else(|| Error::Server(format!("{} has no Pss", path.display())))
    }

    fn status(&self) -> Result<Value, Error> {
        self.call("status", "status")
    }

    fn call<T: DeserializeOwned>(&self, what: &str, answer: &str) -> Result<T, Error> {
        let socket = self.dir.join("data/run/control");
        let mut line = String::new();
        let asked = UnixStream::connect(&socket).and_then(|mut stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(format!("{{\"version\":2,\"call\":\"{what}\"}}\n").as_bytes())?;
            BufReader::new(stream).read_line(&mut line)
        });
        asked.map_err(Error::file(&socket))?;
        let bad = |source| Error::Json { what: format!("the server's answer to {what}"), source };
        let mut whole: Value = serde_json::from_str(&line).map_err(bad)?;
        match whole.get_mut(answer) {
            Some(found) => serde_json::from_value(found.take()).map_err(bad),
            None => Err(Error::Server(format!("{what}: {}", line.trim()))),
        }
    }

    fn dovetail(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).arg("--config").arg(self.dir.join("dovetail.ron"));
        command
    }
}

fn address(account: u32) -> String {
    format!("u{account}@swap.test")
}

/// Sessions that are held stay longer than any run: they are not asked to end.
const CONFIG: &str = include_str!("dovetail.ron");

fn write_config(dir: &Path, provider: &Provider) -> Result<(), Error> {
    let path = dir.join("dovetail.ron");
    fs::write(&path, CONFIG.replace("PROVIDER", &provider.options)).map_err(Error::file(&path))
}
