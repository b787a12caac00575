//! Values that outlive the server, and the command that shows them.

use super::{greeted, setup};
use crate::harness::{run, run_ok, Client, Setup, MAIL_CONFIG};
use std::{collections::BTreeSet, io::Write, net::TcpStream, sync::Mutex};

const REMEMBERS: &str = "\"p\": (plugin: \"policy\", config: (remember: true)), \"kv-sqlite\": (),";

#[test]
fn what_was_answered_is_there_after_kill_9() {
    let mut setup = setup("(instance: \"p\", stages: [Recipient])", REMEMBERS);
    for round in 1..=5 {
        let server = setup.start();
        let mut client = greeted(&server);
        client.expect("MAIL FROM:<x@remote.test>", "250 ");
        // It is counted before it is answered.
        client.expect("RCPT TO:<bob@example.test>", "250 ");
        server
            .wait_for_line("the count", |line| line.contains("remembered") && line.contains(&format!("times={round}")));
        setup = server.kill();
        let shown = run_ok(setup.dovetail().args(["kv", "get", "p", "bob@example.test"]));
        assert_eq!(shown, format!("{round}\n"));
    }
}

/// Many sessions at once, so that commits are shared; the kill comes in the middle of them.
#[test]
fn what_many_sessions_were_told_is_there_after_kill_9() {
    let mut setup = setup("(instance: \"p\", stages: [Recipient])", REMEMBERS);
    let told = Mutex::new(BTreeSet::new());
    for round in 0..3 {
        let mut server = setup.start();
        let address = server.address("smtp");
        std::thread::scope(|scope| {
            for session in 0..8 {
                let told = &told;
                scope.spawn(move || {
                    let mut client = Client::new(TcpStream::connect(address).unwrap());
                    client.line();
                    client.ehlo();
                    client.expect("MAIL FROM:<x@remote.test>", "250 ");
                    for number in 0..900 {
                        let recipient = format!("r{round}.{session}.{number}@example.test");
                        // The kill may come before this is sent, or before it is answered.
                        if write!(client.stream.get_mut(), "RCPT TO:<{recipient}>\r\n").is_err()
                            || !client.line().starts_with("250 ")
                        {
                            return;
                        }
                        told.lock().unwrap().insert(recipient);
                    }
                });
            }
            while told.lock().unwrap().len() < (round + 1) * 100 {
                std::thread::yield_now();
            }
            server.child.kill().unwrap();
        });
        server.wait();
        setup = server.into_setup();
        let mut there = BTreeSet::<String>::new();
        loop {
            let after = there.last().cloned().unwrap_or_default();
            let listed = run_ok(setup.dovetail().args(["kv", "list", "p", "--json", "--after", &after]));
            let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
            let entries = listed["entries"].as_array().unwrap();
            there.extend(entries.iter().map(|entry| entry["key"].as_str().unwrap().to_owned()));
            if entries.is_empty() {
                break;
            }
        }
        let told = told.lock().unwrap();
        assert!(
            told.len() >= 100 && told.is_subset(&there),
            "{:?} are lost",
            told.difference(&there).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_restart_in_place_keeps_values_and_sessions() {
    let server = setup("(instance: \"p\", stages: [Recipient])", REMEMBERS).start();
    let mut client = greeted(&server);
    for round in 1..=3 {
        client.expect("MAIL FROM:<x@remote.test>", "250 ");
        client.expect("RCPT TO:<bob@example.test>", "250 ");
        client.expect("RSET", "250 ");
        assert_eq!(run_ok(server.dovetail().args(["kv", "get", "p", "bob@example.test"])), format!("{round}\n"));
        let text = std::fs::read_to_string(&server.setup.config).unwrap();
        let kv = |seconds: u64| format!("\"kv-sqlite\": (config: (sweep_seconds: {seconds})),");
        let now = if round == 1 { "\"kv-sqlite\": (),".to_owned() } else { kv(round - 1) };
        assert!(text.contains(&now), "{text}");
        std::fs::write(&server.setup.config, text.replace(&now, &kv(round))).unwrap();
        run_ok(server.dovetail().arg("reload"));
    }
}

#[test]
fn an_operator_looks_and_corrects() {
    let server =
        Setup::mail_with(&MAIL_CONFIG.replace("\"delivery\": (),", "\"delivery\": (), \"kv-sqlite\": (),")).start();
    let kv = |words: &[&str]| {
        let mut command = server.dovetail();
        command.arg("kv").args(words);
        command
    };
    run_ok(&mut kv(&["put", "grey", "192.0.2.1", "seen", "--seconds", "3600"]));
    run_ok(&mut kv(&["put", "grey", "192.0.2.9", "hex:00ff"]));
    assert_eq!(run_ok(&mut kv(&["get", "grey", "192.0.2.9"])), "hex:00ff\n");
    let listed = run_ok(&mut kv(&["list", "grey"]));
    assert!(listed.contains("192.0.2.1") && listed.contains("seen") && listed.contains("never"), "{listed}");
    assert!(run_ok(&mut kv(&["list"])).contains("grey"));
    let json: serde_json::Value = serde_json::from_str(&run_ok(&mut kv(&["list", "grey", "--json"]))).unwrap();
    assert_eq!(json["entries"][1]["value"], "hex:00ff");
    run_ok(&mut kv(&["remove", "grey", "192.0.2.1"]));
    let (status, _, stderr) = run(&mut kv(&["get", "grey", "192.0.2.1"]));
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("grey has no key 192.0.2.1"), "{stderr}");
    run_ok(&mut kv(&["clear", "grey"]));
    assert!(!run_ok(&mut kv(&["list"])).contains("grey"));
}
