//! What instances use, as `status` and `/metrics` say.

use super::{plugin, setup, wait_until, BY_HAND};
use crate::{harness::run_ok, metrics::page};

#[test]
fn sessions_octets_poll_time_tasks_threads_and_the_heap_are_counted_to_their_instance() {
    let server = setup(BY_HAND, "").start();
    let idle = plugin(&server, "bomb")["usage"].clone();
    assert_eq!((&idle["sessions"], &idle["sessions_total"], &idle["threads"]), (&0.into(), &0.into(), &0.into()));
    assert_eq!((&idle["octets_in"], &idle["octets_out"], &idle["jobs"]), (&0.into(), &0.into(), &0.into()));
    let mut client = server.connect("clear");
    assert_eq!(client.line(), "ready");
    assert_eq!(client.ask("HOLD"), "held");
    assert_eq!(client.ask("ECHO on"), "on");
    let busy = plugin(&server, "bomb");
    let usage = &busy["usage"];
    assert_eq!((&usage["sessions"], &usage["sessions_total"]), (&1.into(), &1.into()), "{busy}");
    // `HOLD` and `ECHO on` came in, `ready`, `held` and `on` went out.
    assert_eq!((&usage["octets_in"], &usage["octets_out"]), (&15.into(), &17.into()), "{busy}");
    assert_eq!((&usage["jobs"], &usage["threads"], &busy["tasks"]), (&1.into(), &1.into(), &2.into()), "{busy}");
    assert!(usage["poll_microseconds"].as_u64().unwrap() > 0, "{busy}");
    let heap = |usage: &serde_json::Value| {
        (usage["heap"]["octets"].as_u64().unwrap(), usage["heap"]["allocations"].as_u64().unwrap())
    };
    let ((before, so_far), (now, since)) = (heap(&idle), heap(usage));
    assert!(before > 0 && now > before && since > so_far, "{idle} {busy}");
    // The library is one, the instances are two; nothing else is the other's.
    let other = plugin(&server, "other")["usage"].clone();
    assert_eq!((&other["sessions_total"], &other["octets_in"], &other["threads"]), (&0.into(), &0.into(), &0.into()));
    assert!(heap(&other).1 >= since, "{other}");
    // One that leaves its allocator alone shows nothing.
    assert_eq!(plugin(&server, "echo")["usage"]["heap"], serde_json::Value::Null);

    let figures = page(&server);
    let figure = |name: &str| figures[&format!("dovetail_core_plugin_{name}{{plugin=\"bomb\"}}")];
    assert_eq!([figure("sessions_open"), figure("sessions_total"), figure("threads")], [1.0, 1.0, 1.0]);
    assert_eq!([figure("received_bytes_total"), figure("sent_bytes_total"), figure("jobs")], [15.0, 17.0, 1.0]);
    assert!(figure("poll_seconds_total") > 0.0 && figure("heap_bytes") > 0.0 && figure("heap_allocations_total") > 0.0);
    assert!(!figures.contains_key("dovetail_core_plugin_heap_bytes{plugin=\"echo\"}"));
    let text = run_ok(server.dovetail().arg("status"));
    for column in ["polled for", "octets in", "threads", "heap", "allocations", "restarts"] {
        assert!(text.contains(column), "{column} in {text}");
    }

    assert_eq!(client.ask("QUIT"), "bye");
    client.rest();
    let gone = wait_until(&server, "bomb", |bomb| {
        let usage = &bomb["usage"];
        usage["sessions"] == 0 && usage["threads"] == 0 && usage["jobs"] == 0 && bomb["tasks"] == 0
    });
    assert_eq!((&gone["usage"]["sessions_total"], &gone["usage"]["octets_out"]), (&1.into(), &22.into()), "{gone}");
}

#[test]
fn what_went_on_before_a_restart_stays_in_the_sums() {
    let server = setup(BY_HAND, "").start();
    let mut client = server.connect("clear");
    assert_eq!((client.line().as_str(), client.ask("QUIT").as_str()), ("ready", "bye"));
    client.rest();
    run_ok(server.dovetail().args(["plugin", "restart", "bomb"]));
    server.wait_for_log("the replaced instance has ended plugin=bomb generation=1");
    let bomb = plugin(&server, "bomb");
    assert_eq!((&bomb["generation"], &bomb["usage"]["sessions_total"]), (&2.into(), &1.into()), "{bomb}");
    assert_eq!((&bomb["usage"]["octets_in"], &bomb["usage"]["octets_out"]), (&6.into(), &12.into()), "{bomb}");
}

#[test]
fn a_handshake_is_its_tls_provider_s_time() {
    let server = setup(BY_HAND, "").start();
    // To prove the certificate it was called, not polled.
    let before = plugin(&server, "tls-rustls")["usage"]["poll_microseconds"].as_u64().unwrap();
    let mut client = server.connect_tls("tls");
    assert_eq!(client.line(), "ready");
    let usage = plugin(&server, "tls-rustls")["usage"].clone();
    assert!(usage["poll_microseconds"].as_u64().unwrap() > before, "{usage}");
    assert_eq!(usage["sessions_total"], 0);
}
