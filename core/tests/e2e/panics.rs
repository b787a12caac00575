//! A panic in a plugin ends what it happened in, and nothing else.
//!
//! Each test has sessions of the same instance, of another instance of the same plugin and of another plugin, opened
//! before the panic; they must go on after it.

use crate::harness::{run, run_ok, Client, Server, Setup};
use std::time::{Duration, Instant};

const CONFIG: &str = r#"(
    hostname: "mail.example.test",
    data_dir: "data",
    drain_seconds: 1,
    faults: (count: 0),
    plugins: {
        "tls-rustls": (),
        "cert-store": (config: (create_missing: true)),
        "bomb": (plugin: "panics"),
        "other": (plugin: "panics"),
        "echo": (),
    },
    listeners: {
        "bomb": (protocol: "bomb", bind: ["127.0.0.1:0"], tls: Explicit),
        "other": (protocol: "other", bind: ["127.0.0.1:0"]),
        "echo": (protocol: "echo", bind: ["127.0.0.1:0"]),
    },
)"#;

/// A server with sessions that stand beside the panic.
struct Scene {
    server: Server,
    /// The session that panics.
    session: Client,
    beside: Vec<Client>,
}

impl Scene {
    fn new() -> Scene {
        Scene::with(CONFIG)
    }

    fn with(config: &str) -> Scene {
        let server = Setup::new(config).start();
        let open = |listener: &str| {
            let mut client = server.connect(listener);
            assert!(["ready", "hello"].contains(&client.line().as_str()));
            client
        };
        let beside = vec![open("bomb"), open("other"), open("echo")];
        let session = open("bomb");
        Scene { server, session, beside }
    }

    /// The log names instance, text and place; it is counted to its instance; everything else goes on.
    #[track_caller]
    fn contained(mut self, what: &str) -> Server {
        let text = format!("panic=\"panic in {what} (on purpose)\" place=core/tests/plugins/panics/src/");
        let record = self.server.wait_for_log(&text);
        assert!(record.contains(" error bomb"), "{record}");
        let place = record.rsplit("place=").next().unwrap();
        let numbers: Vec<&str> = place.split(':').skip(1).collect();
        assert!(
            place.contains(".rs:") && numbers.len() == 2 && numbers.iter().all(|n| n.parse::<u32>().is_ok()),
            "{place}"
        );
        // A stream may be polled again after its panic; each one is counted.
        let count = panics(&self.server, "bomb");
        assert!(count == 1 || what == "stream poll" && count > 1, "{count}\n{}", self.server.log());
        for name in ["other", "echo", "cert-store", "tls-rustls"] {
            assert_eq!(panics(&self.server, name), 0, "{name}");
        }
        for (client, line) in self.beside.iter_mut().zip(["ECHO on", "ECHO on", "on"]) {
            assert_eq!(client.ask(line), "on");
        }
        let mut new = self.server.connect("bomb");
        assert_eq!(new.line(), "ready");
        assert_eq!(new.ask("ECHO new"), "new");
        let log = self.server.log();
        // The hook of the library has told it: nothing goes to standard error by another way.
        assert!(!log.contains("panicked at") && log.lines().all(|line| line.starts_with("20")), "{log}");
        self.server
    }
}

/// How often an instance panicked, as `status` says.
#[track_caller]
fn panics(server: &Server, instance: &str) -> u64 {
    let json: serde_json::Value = serde_json::from_str(&run_ok(server.dovetail().args(["status", "--json"]))).unwrap();
    let plugins = json["plugins"].as_array().unwrap();
    plugins.iter().find(|plugin| plugin["instance"] == instance).unwrap()["panics"].as_u64().unwrap()
}

#[test]
fn in_serve() {
    let mut scene = Scene::new();
    scene.session.send("SERVE\r\n");
    assert!(scene.session.rest().is_empty());
    // The session's id stands in the record, between instance and text.
    let record = scene.server.wait_for_log("panic in serve");
    let ended = scene.server.wait_for_log("the session ended early");
    let id = |record: &str| record.split(": ").next().unwrap().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(id(&record), id(&ended));
    scene.contained("serve");
}

#[test]
fn in_a_poll_of_a_stream() {
    let mut scene = Scene::new();
    let answer = scene.session.ask("POLL");
    assert!(answer.starts_with("survived: "), "{answer}");
    assert_eq!(scene.session.ask("ECHO I live"), "I live");
    scene.contained("stream poll");
}

#[test]
fn in_the_drop_of_an_exported_object() {
    let mut scene = Scene::new();
    let answer = scene.session.ask("OBJECTDROP");
    assert!(answer.starts_with("survived: "), "{answer}");
    assert_eq!(scene.session.ask("ECHO I live"), "I live");
    scene.contained("object drop");
}

#[test]
fn in_a_task_in_its_drop_in_blocking_work_and_in_a_thread() {
    for (line, what) in
        [("TASK", "task"), ("TASKDROP", "task drop"), ("BLOCKING", "blocking work"), ("THREAD", "thread")]
    {
        let mut scene = Scene::new();
        let answer = scene.session.ask(line);
        assert!(answer.starts_with("survived: "), "{line}: {answer}");
        assert_eq!(scene.session.ask("ECHO I live"), "I live");
        scene.contained(what);
    }
}

#[test]
fn in_a_waker() {
    let mut scene = Scene::new();
    assert_eq!(scene.session.ask("WAKE"), "waiting");
    assert_eq!(scene.session.ask("ECHO I live"), "I live");
    scene.contained("wake");
}

#[test]
fn in_the_drop_of_a_future() {
    // Core drops the session's future when the time to drain is over.
    let mut scene = Scene::new();
    assert_eq!(scene.session.ask("FUTUREDROP"), "hanging");
    scene.server.signal("TERM");
    assert!(scene.server.wait().success(), "{}", scene.server.log());
    let log = scene.server.log();
    let record = log.lines().find(|line| line.contains("panic in future drop (on purpose)"));
    let record = record.unwrap_or_else(|| panic!("no record of the panic in\n{log}"));
    assert!(record.contains(" error bomb") && record.contains("place=core/tests/plugins/panics/src/"), "{record}");
    assert!(log.contains(" core: stopped") && !log.contains("panicked at"), "{log}");
}

#[test]
fn in_an_operation() {
    let scene = Scene::new();
    let operate = |operation: &str| {
        let mut command = scene.server.dovetail();
        command.args(["panics", operation, "--instance", "bomb"]);
        command
    };
    let (status, stdout, stderr) = run(&mut operate("boom"));
    assert_eq!((status.code(), stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
    assert!(stderr.starts_with("error: ") && stderr.contains("see the log"), "{stderr}");
    assert_eq!(run_ok(&mut operate("fine")), "fine\n");
    scene.contained("operation");
}

#[test]
fn in_an_operation_without_a_server() {
    let setup = Setup::new(CONFIG);
    let operate = |operation: &str| {
        let mut command = setup.dovetail();
        command.args(["panics", operation, "--instance", "bomb"]);
        command
    };
    let (status, stdout, stderr) = run(&mut operate("boom"));
    assert_eq!((status.code(), stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.contains("panic in operation (on purpose)") && !stderr.contains("panicked at"), "{stderr}");
    assert_eq!(run_ok(&mut operate("fine")), "fine\n");
}

#[test]
fn in_prepare_of_a_check() {
    let setup =
        Setup::new(&CONFIG.replace(
            "\"bomb\": (plugin: \"panics\")",
            "\"bomb\": (plugin: \"panics\", config: (panic_in: \"prepare\"))",
        ));
    let (status, _, stderr) = run(setup.dovetail().arg("check"));
    assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.contains("dovetail.ron:9:") && stderr.contains("`bomb`"), "{stderr}");
    assert!(stderr.contains("panic in prepare (on purpose) at core/tests/plugins/panics/src/lib.rs:"), "{stderr}");
}

#[test]
fn in_stop_and_in_the_instance_s_drop() {
    for place in ["stop", "instance drop"] {
        let section = format!("\"bomb\": (plugin: \"panics\", config: (panic_in: {place:?}))");
        let scene = Scene::with(&CONFIG.replace("\"bomb\": (plugin: \"panics\")", &section));
        drop((scene.session, scene.beside));
        let mut server = scene.server;
        server.signal("TERM");
        let begun = Instant::now();
        let status = server.wait();
        let log = server.log();
        assert!(status.success() && begun.elapsed() < Duration::from_secs(10), "{status}\n{log}");
        assert!(log.contains(&format!("panic=\"panic in {place} (on purpose)\"")), "{log}");
        assert!(log.lines().last().unwrap().contains("core: stopped") && !log.contains("panicked at"), "{log}");
    }
}

#[test]
fn many_panics_are_counted_and_leak_no_session() {
    let scene = Scene::new();
    for _ in 0..50 {
        let mut client = scene.server.connect("bomb");
        client.line();
        client.send("SERVE\r\n");
        assert!(client.rest().is_empty());
    }
    let deadline = Instant::now() + crate::harness::DEADLINE;
    loop {
        let json: serde_json::Value =
            serde_json::from_str(&run_ok(scene.server.dovetail().args(["status", "--json"]))).unwrap();
        let sessions =
            json["listeners"].as_array().unwrap().iter().find(|l| l["name"] == "bomb").unwrap()["sessions"].clone();
        // The scene's own two are left.
        if sessions == 2 {
            break;
        }
        assert!(Instant::now() < deadline, "{json}");
    }
    assert_eq!(panics(&scene.server, "bomb"), 50);
}
