//! Reload: what a changed config does to a server that runs, and what it leaves alone.

mod changes;
mod data;
mod in_place;
mod instances;
mod listeners;
mod load;
mod manager;
mod refusals;
mod swap;
mod swap_load;
mod swap_memory;
mod swap_refusals;

use crate::harness::{run, run_ok, Client, Server, Setup};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpStream},
};

/// A server with `echo` instances and these listeners.
fn echo(plugins: &str, listeners: &str) -> Setup {
    Setup::new(&echo_text("", plugins, listeners))
}

fn echo_text(options: &str, plugins: &str, listeners: &str) -> String {
    format!(
        "(\n    hostname: \"mail.example.test\",\n    data_dir: \"data\",\n    {options}\n    plugins: {{ {plugins} }},\n    \
         listeners: {{ {listeners} }},\n)"
    )
}

/// A plugin instance that greets like this.
fn greeting(instance: &str, greeting: &str) -> String {
    format!("\"{instance}\": (plugin: \"echo\", config: (greeting: \"{greeting}\")),")
}

/// A listener of an instance.
fn listener(name: &str, instance: &str) -> String {
    format!("\"{name}\": (protocol: \"{instance}\", bind: [\"127.0.0.1:0\"]),")
}

impl Server {
    /// Puts another text in the config's place.
    fn rewrite(&self, text: &str) {
        std::fs::write(&self.setup.config, text).unwrap();
    }

    /// Changes the config's text.
    #[track_caller]
    fn replace(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.setup.config).unwrap();
        assert!(text.contains(from), "{from:?} is not in {text}");
        self.rewrite(&text.replace(from, to));
    }

    /// `dovetail reload`, which must work: what became of each part, by name. An instance and a listener of one name differ
    /// by a `/` in front of the listener's.
    #[track_caller]
    fn reload(&self) -> BTreeMap<String, String> {
        changes(&run_ok(self.dovetail().args(["--json", "reload"])))
    }

    /// `dovetail reload`, which must not work: what it says.
    #[track_caller]
    fn refuse(&self) -> Vec<String> {
        let (status, stdout, stderr) = run(self.dovetail().arg("reload"));
        assert_eq!((status.code(), stdout.as_str()), (Some(1), ""), "{stderr}");
        stderr.lines().map(str::to_owned).collect()
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&run_ok(self.dovetail().args(["--json", "status"]))).unwrap()
    }

    /// Where a listener is now, if there is one of this name.
    fn address_now(&self, listener: &str) -> Option<SocketAddr> {
        let status = self.status();
        let found = status["listeners"].as_array().unwrap().iter().find(|entry| entry["name"] == listener)?;
        Some(found["bind"][0].as_str().unwrap().parse().unwrap())
    }

    /// A connection to where a listener is now.
    #[track_caller]
    fn connect_now(&self, listener: &str) -> Client {
        let address = self.address_now(listener).unwrap_or_else(|| panic!("there is no listener {listener}"));
        Client::new(TcpStream::connect(address).unwrap())
    }

    /// Which generation of an instance runs.
    fn generation(&self, instance: &str) -> u64 {
        let status = self.status();
        let found = status["plugins"].as_array().unwrap().iter().find(|entry| entry["instance"] == instance);
        found.unwrap()["generation"].as_u64().unwrap()
    }
}

fn changes(json: &str) -> BTreeMap<String, String> {
    let steps: Value = serde_json::from_str(json).unwrap();
    let named = steps.as_array().unwrap().iter().map(|step| {
        let name = step["name"].as_str().unwrap();
        let name = if step["kind"] == "listener" { format!("/{name}") } else { name.to_owned() };
        let why = step["why"].as_str().unwrap();
        let change = step["change"].as_str().unwrap();
        (name, if why.is_empty() { change.to_owned() } else { format!("{change}: {why}") })
    });
    named.collect()
}
