//! SIGHUP, and options that need neither a new instance nor a new listener.

use super::{echo, greeting, listener};
use crate::harness::{dovetail, run_ok, Setup};

#[test]
fn sighup_reloads_and_the_log_says_so() {
    let server = echo(&greeting("e", "old"), &listener("l", "e")).start();
    server.replace("\"old\"", "\"new\"");
    server.signal("HUP");
    server
        .wait_for_log("reloaded what=\"instances: 0 kept, 1 changed, 0 added, 0 removed; listeners: 0 kept, 1 changed");
    assert_eq!(server.connect("l").line(), "new");
    server.stop();
}

#[test]
fn a_stop_in_the_middle_of_a_reload_stops() {
    for _ in 0..5 {
        let server = Setup::mail().start();
        server.replace("role: Mx", "role: Mx, max_recipients: 500");
        server.signal("HUP");
        // Whichever comes first: the exit code is 0, and nothing is left.
        let setup = server.stop();
        assert!(!setup.data_dir().join("run/control").exists());
    }
}

#[test]
fn a_server_with_a_broken_config_is_found_by_its_data() {
    let server = echo("\"echo\": (),", &listener("l", "echo")).start();
    server.rewrite("(");
    let mut status = dovetail();
    status.arg("--data-dir").arg(server.setup.data_dir()).arg("status");
    assert!(run_ok(&mut status).contains("mail.example.test"));
}

#[test]
fn the_level_of_the_log_follows_for_core_and_for_instances_that_stay() {
    let server = Setup::mail().start();
    assert!(server.connect("pop3").line().starts_with("+OK"));
    assert!(!server.log().contains(" debug core "), "{}", server.log());
    server.replace("plugins: {", "log: (level: Debug), plugins: {");
    let changes = server.reload();
    assert_eq!(changes["log"], "changed");
    assert_eq!(changes["pop3"], "kept");
    assert!(server.connect("pop3").line().starts_with("+OK"));
    server.wait_for_line("debug of core", |line| line.contains(" debug core ") && line.contains("connected"));
    server.replace("level: Debug", "level: Info, levels: {\"cert-store\": Error}");
    server.reload();
    // An instance that was kept asks for its level again: what it says at Info is not written any more.
    run_ok(server.dovetail().args(["certs", "create", "--name", "quiet", "--san", "quiet.test"]));
    let quiet = |line: &str| line.contains("certificate loaded") && line.contains("quiet");
    assert!(!server.log().lines().any(quiet), "{}", server.log());
    server.replace("\"cert-store\": Error", "\"cert-store\": Info");
    server.reload();
    run_ok(server.dovetail().args(["certs", "create", "--name", "loud", "--san", "loud.test"]));
    server.wait_for_line("certificate loaded", |line| line.contains("certificate loaded") && line.contains("loud"));
}
