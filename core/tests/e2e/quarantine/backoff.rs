//! The way out of quarantine by itself.

use super::{panic_in_operations, panic_in_sessions, plugin, setup, wait_for_nth, wait_until};
use crate::harness::{run, run_ok};

#[test]
fn it_is_started_anew_after_longer_and_longer_times_and_the_process_goes_on() {
    let server = setup("count: 2, window_seconds: 3600, backoff_seconds: 1, max_backoff_seconds: 2", "").start();
    let mut open = server.connect("starttls");
    assert_eq!(open.line(), "ready");
    for (round, after) in [(1, "after=1s"), (2, "after=2s"), (3, "after=2s")] {
        panic_in_sessions(&server, 2);
        let line = wait_for_nth(&server, "the quarantined instance is started anew after this time", round);
        assert!(line.contains(after) && line.contains("plugin=bomb"), "{line}");
        let line = wait_for_nth(&server, "the instance was started anew", round);
        assert!(line.contains(&format!("plugin=bomb generation={} restarts={round}", round + 1)), "{line}");
        assert_eq!(server.connect("clear").line(), "ready");
    }
    assert_eq!(open.ask("ECHO on"), "on");
    assert_eq!(plugin(&server, "bomb")["panics"], 6);
}

#[test]
fn without_a_fault_for_a_while_it_is_healthy_and_begins_from_the_start() {
    let server = setup("count: 2, window_seconds: 3, backoff_seconds: 1", "").start();
    for round in [1, 2] {
        panic_in_sessions(&server, 2);
        let line = wait_for_nth(&server, "the quarantined instance is started anew after this time", round);
        assert!(line.contains("after=1s"), "{line}");
        let line = wait_for_nth(&server, "it is healthy again", round);
        assert!(line.contains(&format!("plugin=bomb generation={}", round + 1)), "{line}");
    }
    assert_eq!(server.connect("clear").line(), "ready");
}

#[test]
fn a_start_that_fails_is_tried_again_and_the_reason_is_shown() {
    let faults = "count: 2, window_seconds: 3600, backoff_seconds: 1, max_backoff_seconds: 2";
    let server = setup(faults, "stay_away: \"no-start\"").start();
    let obstacle = server.setup.data_dir().join("no-start");
    std::fs::write(&obstacle, "").unwrap();
    panic_in_sessions(&server, 2);
    let line = wait_for_nth(&server, "the instance does not start anew: no-start is in the way", 2);
    assert!(line.contains("dovetail plugin restart bomb") && line.contains(" error core"), "{line}");
    let bomb = wait_until(&server, "bomb", |bomb| bomb["quarantine"]["attempts"].as_u64() >= Some(2));
    assert_eq!((&bomb["state"], &bomb["generation"]), (&"quarantined".into(), &1.into()));
    assert!(bomb["quarantine"]["failure"].as_str().unwrap().contains("no-start is in the way"), "{bomb}");
    assert_eq!(server.connect("clear").line(), "later");
    std::fs::remove_file(&obstacle).unwrap();
    wait_for_nth(&server, "the instance was started anew", 1);
    assert_eq!(server.connect("clear").line(), "ready");
    assert_eq!(plugin(&server, "bomb")["quarantine"], serde_json::Value::Null);
}

#[test]
fn one_that_owns_files_is_stopped_before_the_new_one_starts() {
    let server = setup("count: 2, window_seconds: 3600, backoff_seconds: 1", "").start();
    panic_in_operations(&server, "hermit", "hermit", 2);
    let line = wait_for_nth(&server, "the instance was started anew", 1);
    assert!(line.contains("plugin=hermit generation=2"), "{line}");
    let fine = ["hermit", "fine"];
    assert_eq!(run_ok(server.dovetail().args(fine)), "fine\n");
    // Somebody else lives there when the next one comes.
    let file = server.setup.data_dir().join("hermit");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    panic_in_operations(&server, "hermit", "hermit", 2);
    let failed = wait_for_nth(&server, "(somebody lives there)", 1);
    assert!(failed.contains("plugin=hermit"), "{failed}");
    assert_eq!(plugin(&server, "hermit")["state"], "quarantined");
    std::fs::remove_dir(&file).unwrap();
    wait_for_nth(&server, "the instance was started anew", 2);
    assert_eq!(run_ok(server.dovetail().args(fine)), "fine\n");
}

#[test]
fn one_that_owns_files_and_is_stopped_by_a_restart_by_hand_is_tried_again() {
    let server = setup(super::BY_HAND, "").start();
    let file = server.setup.data_dir().join("hermit");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let restart = || run(server.dovetail().args(["plugin", "restart", "hermit"]));
    let (code, _, stderr) = restart();
    assert!(!code.success() && stderr.contains("(somebody lives there)"), "{stderr}");
    let hermit = wait_until(&server, "hermit", |hermit| hermit["quarantine"]["next_attempt_seconds"] != 0);
    assert_eq!((&hermit["state"], &hermit["panics"]), (&"quarantined".into(), &0.into()), "{hermit}");
    std::fs::remove_dir(&file).unwrap();
    let (code, _, stderr) = restart();
    assert!(code.success(), "{stderr}");
    assert_eq!(run_ok(server.dovetail().args(["hermit", "fine"])), "fine\n");
}

#[test]
fn a_server_stops_while_an_instance_is_in_quarantine() {
    let server = setup(super::BY_HAND, "").start();
    panic_in_sessions(&server, 3);
    wait_until(&server, "bomb", |bomb| bomb["state"] == "quarantined");
    server.stop();
}
