//! `dovetail trace`: a session or a message in the log, from SMTP to the mailbox.

use crate::{
    harness::{dovetail, run, run_ok, Server, Setup, PASSWORD, USER},
    metrics::config,
};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

const ONE: &str = "<one.20260102@example.test>";
const TWO: &str = "<two.20260102@example.test>";

/// A server that took two messages in one session, and its log as a file.
fn served(format: &str) -> (Server, PathBuf) {
    let server = Setup::mail_with(&config(&format!("log: (format: {format})"))).start();
    let mut client = server.submit(USER, PASSWORD);
    for id in [ONE, TWO] {
        let message = format!("Subject: x\r\nMessage-ID:\r\n {id}\r\n\r\nhello\r\n");
        assert!(client.mail(USER, &[USER], message.as_bytes()).starts_with("250 "));
    }
    client.ask("QUIT");
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 2);
    server.wait_for_line("the POP3 login", |line| line.contains("USER") && line.contains("login"));
    let log = server.setup.dir.path().join("log");
    std::fs::write(&log, server.log() + "\n").unwrap();
    (server, log)
}

fn trace(what: &str, log: &Path) -> String {
    run_ok(dovetail().args(["trace", what, "--log"]).arg(log))
}

#[test]
fn a_message_is_found_in_text_and_json_from_smtp_to_the_mailbox() {
    for format in ["Text", "Json"] {
        let (_server, log) = served(format);
        let text = trace(ONE, &log);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{format}: {text}");
        assert!(lines[0].contains(" submission ") && lines[0].contains(": login "), "{text}");
        assert!(lines[1].contains(" delivery: delivered ") && lines[1].contains(&format!("account={USER}")), "{text}");
        assert!(lines[2].contains(": message ") && lines[2].contains("verdict=250"), "{text}");
        assert!(lines[2].contains(&format!("message_id={ONE}")), "{text}");
        // Without its brackets, and by the id that the client was told.
        assert_eq!(trace(ONE.trim_matches(['<', '>']), &log), text);
        let delivery = lines[2].split("delivery=").nth(1).unwrap().split(' ').next().unwrap();
        assert_eq!(trace(delivery, &log), text);
        assert!(!text.contains(TWO));
        // The session has both.
        let session = delivery.split('.').next().unwrap();
        let whole = trace(session, &log);
        assert!(whole.contains(ONE) && whole.contains(TWO) && whole.lines().count() == 5, "{whole}");
        let json = run_ok(dovetail().args(["trace", ONE, "--json", "--log"]).arg(&log));
        let records: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        assert_eq!(records.len(), 3);
        assert_eq!((&records[2]["fields"]["message_id"], &records[2]["session"]), (&ONE.into(), &session.into()));
    }
}

#[test]
fn standard_input_and_the_journal_are_read_too() {
    let (_server, log) = served("Text");
    let expected = trace(TWO, &log);
    let mut child =
        dovetail().args(["trace", TWO, "--log", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&std::fs::read(&log).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);

    // A journalctl that gives the log as the journal would: JSON, without our times.
    let bin = tempfile::tempdir().unwrap();
    let entries: String = std::fs::read_to_string(&log)
        .unwrap()
        .lines()
        .map(|line| line.split_once(' ').unwrap().1)
        .map(|line| {
            serde_json::json!({ "MESSAGE": line, "__REALTIME_TIMESTAMP": "1767323045678000" }).to_string() + "\n"
        })
        .collect();
    std::fs::write(bin.path().join("entries"), entries).unwrap();
    let script = bin.path().join("journalctl");
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in *'--unit mail'*) cat {}/entries;; *) echo \"no unit\" >&2; exit 1;; esac\n",
        bin.path().display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let found = run_ok(dovetail().args(["trace", TWO, "--unit", "mail"]).env("PATH", &path));
    assert_eq!(found.lines().count(), expected.lines().count(), "{found}");
    assert!(found.lines().all(|line| line.starts_with("2026-01-02T03:04:05.678Z ")), "{found}");
    let (status, _, stderr) = run(dovetail().args(["trace", TWO]).env("PATH", &path));
    assert!(!status.success() && stderr.contains("cannot read the journal of unit `dovetail`"), "{stderr}");
}

#[test]
fn what_is_not_there_is_told_with_what_to_do() {
    let (_server, log) = served("Text");
    let (status, stdout, stderr) = run(dovetail().args(["trace", "<no@where>", "--log"]).arg(&log));
    assert!(!status.success() && stdout.is_empty());
    assert!(stderr.contains("is about `<no@where>`") && stderr.contains("--log"), "{stderr}");
    let (status, _, stderr) = run(dovetail().args(["trace", "x", "--log", "/nonexistent/log"]));
    assert!(!status.success() && stderr.contains("/nonexistent/log"), "{stderr}");
}

#[test]
fn for_the_journal_lines_have_priorities_and_no_time() {
    let dir = tempfile::tempdir().unwrap();
    let to = std::fs::File::create(dir.path().join("journal")).unwrap();
    let stat = std::os::unix::fs::MetadataExt::dev(&to.metadata().unwrap());
    let inode = std::os::unix::fs::MetadataExt::ino(&to.metadata().unwrap());
    let setup = Setup::mail_with(&config("metrics: (bind: [\"127.0.0.1:0\"])"));
    let mut child =
        setup.dovetail().arg("serve").env("JOURNAL_STREAM", format!("{stat}:{inode}")).stderr(to).spawn().unwrap();
    let deadline = std::time::Instant::now() + crate::harness::DEADLINE;
    let log = loop {
        let log = std::fs::read_to_string(dir.path().join("journal")).unwrap();
        if log.contains("core: ready ") || std::time::Instant::now() >= deadline {
            break log;
        }
        std::thread::yield_now();
    };
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(log.contains("<6>info  core: ready hostname="), "{log}");
    assert!(log.lines().all(|line| line.starts_with('<') && line.get(2..3) == Some(">")), "{log}");
}
