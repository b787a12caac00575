//! `dovetail accounts` with the server running and without: what it does holds at once.

use crate::{
    harness::{run, run_ok, Server, Setup, PASSWORD, USER},
    mail::plain,
};
use serde_json::Value;
use std::process::Command;

const BOB: &str = "bob@other.test";
const NEW: &str = "a new password";

/// Whether this password opens POP3 and submission alike.
#[track_caller]
fn may_log_in(server: &Server, user: &str, password: &str) -> bool {
    let mut pop = server.connect_tls("pop3s");
    pop.line();
    pop.expect(&format!("USER {user}"), "+OK");
    let by_pop = pop.ask(&format!("PASS {password}"));
    let mut smtp = server.connect_tls("submissions");
    smtp.line();
    smtp.ehlo();
    let by_smtp = smtp.ask(&format!("AUTH PLAIN {}", plain(user, password)));
    let yes = by_pop.starts_with("+OK") && by_smtp.starts_with("235 ");
    assert!(yes || (by_pop.starts_with("-ERR [AUTH]") && by_smtp.starts_with("535 ")), "{by_pop} / {by_smtp}");
    yes
}

/// What RCPT says.
#[track_caller]
fn rcpt(server: &Server, address: &str) -> String {
    let mut client = server.connect("smtp");
    client.line();
    client.ehlo();
    client.expect("MAIL FROM:<>", "250");
    client.ask(&format!("RCPT TO:<{address}>"))
}

/// `accounts OPERATION ADDRESS --password-file FILE`.
fn with_password(setup: &Setup, operation: &str, address: &str, password: &str) -> Command {
    let file = setup.dir.path().join(format!("password-{}", password.len()));
    std::fs::write(&file, format!("{password}\n")).unwrap();
    let mut command = setup.dovetail();
    command.args(["accounts", operation, address, "--password-file"]).arg(&file);
    command
}

fn listed(setup: &Setup) -> Vec<String> {
    let list: Value = serde_json::from_str(&run_ok(setup.dovetail().args(["--json", "accounts", "list"]))).unwrap();
    list["accounts"].as_array().unwrap().iter().map(|account| account["address"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn changes_hold_at_once_while_the_server_runs() {
    let server = Setup::mail().start();
    let setup = &server.setup;
    assert!(rcpt(&server, BOB).starts_with("550 "));
    assert!(!may_log_in(&server, BOB, PASSWORD));

    let report: Value =
        serde_json::from_str(&run_ok(with_password(setup, "add", BOB, PASSWORD).arg("--json"))).unwrap();
    assert!(report["lines"][0].as_str().unwrap().contains("bob@other.test added"), "{report}");
    assert_eq!(listed(setup), [USER, BOB]);
    assert!(rcpt(&server, BOB).starts_with("250 "), "the new account's domain is ours now");
    assert!(may_log_in(&server, BOB, PASSWORD));

    run_ok(&mut with_password(setup, "password", BOB, NEW));
    assert!(!may_log_in(&server, BOB, PASSWORD), "the old password has ended");
    assert!(may_log_in(&server, BOB, NEW));

    run_ok(setup.dovetail().args(["accounts", "remove", BOB]));
    assert!(!may_log_in(&server, BOB, NEW));
    assert!(rcpt(&server, BOB).starts_with("550 "));
    assert_eq!(listed(setup), [USER]);
    assert!(may_log_in(&server, USER, PASSWORD), "the others are as they were");

    let log = server.log();
    for operation in ["add", "password", "remove"] {
        assert!(log.contains(&format!("operation command=accounts operation={operation}")), "{log}");
    }
    assert!(!log.contains(NEW) && !log.contains(PASSWORD));
}

/// A right password is remembered, so that it costs no hash each time; that must not outlive it.
#[test]
fn a_new_password_ends_the_old_one_for_logins_and_leaves_open_sessions_be() {
    let server = Setup::mail().start();
    server.leave(b"Subject: kept\r\n\r\nx\r\n");
    let mut open = server.pop(USER, PASSWORD);
    for _ in 0..3 {
        assert!(may_log_in(&server, USER, PASSWORD), "it is remembered now");
    }
    run_ok(&mut with_password(&server.setup, "password", USER, NEW));
    assert!(!may_log_in(&server, USER, PASSWORD), "not even once more");
    assert!(may_log_in(&server, USER, NEW));
    // Who was let in stays in until the session ends by itself.
    assert!(open.pop_body("RETR 1").ends_with(b"Subject: kept\r\n\r\nx\r\n"));
    open.expect("QUIT", "+OK");
}

#[test]
fn without_a_server_the_same() {
    let setup = Setup::mail();
    run_ok(&mut with_password(&setup, "add", BOB, PASSWORD));
    run_ok(&mut with_password(&setup, "password", BOB, NEW));
    run_ok(&mut with_password(&setup, "add", "carl@example.test", PASSWORD));
    run_ok(setup.dovetail().args(["accounts", "remove", "carl@example.test"]));
    assert_eq!(listed(&setup), [USER, BOB]);
    let table = run_ok(setup.dovetail().args(["accounts", "list"]));
    assert!(table.contains(BOB) && !table.contains("carl"), "{table}");
    let server = setup.start();
    assert!(may_log_in(&server, BOB, NEW));
    assert!(!may_log_in(&server, BOB, PASSWORD));
    assert!(rcpt(&server, "carl@example.test").starts_with("550 5.1.1"));
}

#[test]
fn what_cannot_be_done_is_said_in_one_line_and_changes_nothing() {
    let server = Setup::mail().start();
    let setup = &server.setup;
    let file = setup.data_dir().join("accounts.ron");
    let before = std::fs::read(&file).unwrap();
    let mut without_password = setup.dovetail();
    without_password.args(["accounts", "add", BOB]);
    let mut missing = setup.dovetail();
    missing.args(["accounts", "remove", BOB]);
    for (command, says) in [
        (&mut with_password(setup, "add", USER, PASSWORD), USER),
        (&mut with_password(setup, "add", "no address", PASSWORD), "no address"),
        (&mut with_password(setup, "add", BOB, "short"), "8"),
        (&mut with_password(setup, "password", BOB, PASSWORD), BOB),
        (&mut missing, BOB),
        (&mut without_password, "--password-file"),
    ] {
        let (status, stdout, stderr) = run(command);
        assert!(!status.success(), "{command:?}: {stdout}");
        assert!(stderr.contains(says) && stderr.lines().count() == 1, "{command:?}: {stderr}");
        assert!(!stderr.contains(PASSWORD), "{stderr}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert!(may_log_in(&server, USER, PASSWORD));
}
