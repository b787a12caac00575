//! Faults in a window put an instance into quarantine; it comes out of it, and the process never ends over it.

mod account;
mod backoff;
mod protocol;
mod service;

use crate::harness::{run_ok, Server, Setup, DEADLINE};
use serde_json::Value;
use std::time::Instant;

/// A server with an instance `bomb` that panics on demand, on listeners of each kind, and instances beside it.
fn setup(faults: &str, section: &str) -> Setup {
    Setup::new(&format!(
        r#"(
    hostname: "mail.example.test",
    data_dir: "data",
    metrics: (bind: ["127.0.0.1:0"]),
    faults: ({faults}),
    plugins: {{
        "tls-rustls": (),
        "cert-store": (config: (create_missing: true)),
        "bomb": (plugin: "panics", config: ({section})),
        "other": (plugin: "panics"),
        "echo": (),
        "hermit": (),
    }},
    listeners: {{
        "clear": (protocol: "bomb", bind: ["127.0.0.1:0"]),
        "starttls": (protocol: "bomb", bind: ["127.0.0.1:0"], tls: Explicit),
        "tls": (protocol: "bomb", bind: ["127.0.0.1:0"], tls: Implicit),
        "other": (protocol: "other", bind: ["127.0.0.1:0"]),
        "echo": (protocol: "echo", bind: ["127.0.0.1:0"]),
    }},
)"#
    ))
}

/// It stays in quarantine until it is started anew by hand.
const BY_HAND: &str = "count: 3, window_seconds: 3600, backoff_seconds: 3600, max_backoff_seconds: 3600";

/// Panics so many times, each in a session of its own.
#[track_caller]
fn panic_in_sessions(server: &Server, times: usize) {
    // Opened beforehand: the last ones would not be served any more.
    let mut clients: Vec<_> = (0..times).map(|_| server.connect("clear")).collect();
    for client in &mut clients {
        assert_eq!(client.line(), "ready");
    }
    for client in &mut clients {
        client.send("SERVE\r\n");
    }
    for client in &mut clients {
        assert!(client.rest().is_empty());
    }
}

/// Panics so many times in an operation of an instance.
fn panic_in_operations(server: &Server, command: &str, instance: &str, times: usize) {
    for _ in 0..times {
        let status = server.dovetail().args([command, "boom", "--instance", instance]).output().unwrap().status;
        assert!(!status.success());
    }
}

fn status(server: &Server) -> Value {
    serde_json::from_str(&run_ok(server.dovetail().args(["status", "--json"]))).unwrap()
}

/// An instance in service.
#[track_caller]
fn plugin(server: &Server, instance: &str) -> Value {
    let status = status(server);
    let plugins = status["plugins"].as_array().unwrap();
    plugins.iter().find(|plugin| plugin["instance"] == instance).unwrap_or_else(|| panic!("{status}")).clone()
}

/// Waits until an instance is as it should be.
#[track_caller]
fn wait_until(server: &Server, instance: &str, is_right: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let found = plugin(server, instance);
        if is_right(&found) {
            return found;
        }
        assert!(Instant::now() < deadline, "{found}\n{}", server.log());
    }
}

/// Waits for the line that comes so many times at least, and gives the last.
#[track_caller]
fn wait_for_nth(server: &Server, text: &str, nth: usize) -> String {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let log = server.log();
        if let Some(line) = log.lines().filter(|line| line.contains(text)).nth(nth - 1) {
            return line.to_owned();
        }
        assert!(Instant::now() < deadline, "{text:?} is not there {nth} times:\n{log}");
        std::thread::yield_now();
    }
}
