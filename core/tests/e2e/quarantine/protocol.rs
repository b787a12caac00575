//! A protocol in quarantine: what new clients get, what goes on, and what the operator sees.

use super::{panic_in_sessions, plugin, setup, status, wait_until, BY_HAND};
use crate::{
    harness::{run, run_ok, Setup},
    metrics::page,
};

#[test]
fn new_sessions_are_told_to_try_later_and_open_ones_go_on() {
    let server = setup(BY_HAND, "").start();
    let mut open = server.connect("clear");
    let mut open_tls = server.connect_tls("tls");
    assert_eq!((open.line().as_str(), open_tls.line().as_str()), ("ready", "ready"));
    panic_in_sessions(&server, 2);
    let mut fine = server.connect("clear");
    assert_eq!((fine.line().as_str(), &plugin(&server, "bomb")["state"]), ("ready", &"running".into()));
    panic_in_sessions(&server, 1);
    let line = server.wait_for_log("the instance has too many faults and is quarantined");
    assert!(line.contains(" error core") && line.contains("plugin=bomb generation=1 faults=3"), "{line}");

    for listener in ["clear", "starttls"] {
        let mut new = server.connect(listener);
        assert_eq!((new.line().as_str(), new.rest().as_slice()), ("later", b"".as_slice()), "{listener}");
    }
    // Within TLS, and ended as TLS is.
    let mut new = server.connect_tls("tls");
    assert_eq!((new.line().as_str(), new.rest().as_slice()), ("later", b"".as_slice()));
    assert_eq!((open.ask("ECHO on").as_str(), open_tls.ask("ECHO on").as_str()), ("on", "on"));
    assert_eq!(server.connect("other").line(), "ready");

    let bomb = wait_until(&server, "bomb", |bomb| bomb["quarantine"]["next_attempt_seconds"] != 0);
    assert_eq!((&bomb["state"], &bomb["panics"], &bomb["faults"]), (&"quarantined".into(), &3.into(), &3.into()));
    assert_eq!((&bomb["restarts"], &bomb["quarantine"]["attempts"]), (&0.into(), &0.into()), "{bomb}");
    assert!(bomb["quarantine"]["next_attempt_seconds"].as_u64().unwrap() > 3000, "{bomb}");
    assert_eq!(plugin(&server, "other")["state"], "running");
    let text = run_ok(server.dovetail().arg("status"));
    assert!(text.contains("`bomb` is quarantined after 3 panics") && text.contains("started anew in 59 m "), "{text}");
    let figures = page(&server);
    assert_eq!(figures["dovetail_core_plugin_quarantined{plugin=\"bomb\"}"], 1.0);
    assert_eq!(figures["dovetail_core_plugin_quarantined{plugin=\"other\"}"], 0.0);
    assert_eq!(figures["dovetail_core_plugin_faults_total{plugin=\"bomb\"}"], 3.0);
    for listener in ["clear", "starttls", "tls"] {
        let refused =
            format!("dovetail_core_connections_refused_total{{listener=\"{listener}\",reason=\"quarantined\"}}");
        assert_eq!(figures[&refused], 1.0, "{listener}");
    }
    // Its operations are not there either.
    let (code, _, stderr) = run(server.dovetail().args(["panics", "fine", "--instance", "bomb"]));
    assert!(!code.success() && stderr.contains("`bomb` is quarantined"), "{stderr}");
}

#[test]
fn the_operator_starts_it_anew_and_the_old_one_retires() {
    let server = setup(BY_HAND, "").start();
    let mut open = server.connect("starttls");
    assert_eq!(open.line(), "ready");
    panic_in_sessions(&server, 3);
    wait_until(&server, "bomb", |bomb| bomb["state"] == "quarantined");
    let said = run_ok(server.dovetail().args(["plugin", "restart", "bomb"]));
    assert_eq!(said, "`bomb` was started anew as generation 2\n");
    let bomb = plugin(&server, "bomb");
    assert_eq!((&bomb["state"], &bomb["generation"], &bomb["restarts"]), (&"running".into(), &2.into(), &1.into()));
    // Counted over both; the window is the new one's.
    assert_eq!((&bomb["panics"], &bomb["faults"]), (&3.into(), &0.into()));
    assert_eq!(server.connect("clear").line(), "ready");
    assert_eq!(server.connect_tls("tls").line(), "ready");
    assert_eq!(run_ok(server.dovetail().args(["panics", "fine", "--instance", "bomb"])), "fine\n");
    assert_eq!(page(&server)["dovetail_core_plugin_restarts_total{plugin=\"bomb\"}"], 1.0);

    assert_eq!(open.ask("ECHO on"), "on");
    let retiring = status(&server)["retiring"][0].clone();
    assert_eq!((&retiring["instance"], &retiring["generation"]), (&"bomb".into(), &1.into()), "{retiring}");
    assert_eq!((&retiring["usage"]["sessions"], &retiring["panics"]), (&1.into(), &3.into()), "{retiring}");
    assert_eq!(open.ask("QUIT"), "bye");
    server.wait_for_log("the replaced instance has ended plugin=bomb generation=1");
}

#[test]
fn a_reload_that_changes_it_ends_the_quarantine_and_one_that_does_not_leaves_it() {
    let server = setup(BY_HAND, "").start();
    panic_in_sessions(&server, 3);
    wait_until(&server, "bomb", |bomb| bomb["state"] == "quarantined");
    let replace = |from: &str, to: &str| {
        let text = std::fs::read_to_string(&server.setup.config).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&server.setup.config, text.replace(from, to)).unwrap();
        run_ok(server.dovetail().arg("reload"));
    };
    // A listener of it is made anew all the same.
    replace("tls: Explicit", "tls: Explicit, idle_seconds: 77");
    assert_eq!(plugin(&server, "bomb")["state"], "quarantined");
    assert_eq!(server.connect("starttls").line(), "later");
    replace("config: ()", "config: (stay_away: \"x\")");
    assert_eq!(plugin(&server, "bomb")["state"], "running");
    assert_eq!(server.connect("starttls").line(), "ready");
    panic_in_sessions(&server, 3);
    wait_until(&server, "bomb", |bomb| bomb["state"] == "quarantined" && bomb["generation"] == 2);
}

#[test]
fn without_a_count_there_is_no_quarantine() {
    let server = setup("count: 0", "").start();
    panic_in_sessions(&server, 12);
    let bomb = plugin(&server, "bomb");
    assert_eq!((&bomb["state"], &bomb["panics"]), (&"running".into(), &12.into()));
    assert_eq!(server.connect("clear").line(), "ready");
}

#[test]
fn an_instance_that_is_not_there_is_not_restarted() {
    let server = setup(BY_HAND, "").start();
    let (code, _, stderr) = run(server.dovetail().args(["plugin", "restart", "nobody"]));
    assert!(!code.success() && stderr.contains("there is no instance `nobody` (there are tls-rustls"), "{stderr}");
    let stopped: Setup = server.stop();
    let (code, _, stderr) = run(stopped.dovetail().args(["plugin", "restart", "bomb"]));
    assert!(!code.success() && stderr.starts_with("error: "), "{stderr}");
}
