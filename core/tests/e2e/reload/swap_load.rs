//! Swaps under a steady load: nobody is dropped or refused, every message is there once, and each new session meets what is new.
//! `cargo xtask swap` does the same with a release build, more of everything, and figures of memory.

use super::swap::{another_build, library};
use crate::harness::{Server, Setup, MAIL_CONFIG, PASSWORD, USER};
use std::{fs, time::Duration};
use steady::{Builds, Kind, Load, Plan, Seen};

const CONNECTIONS: usize = 20;
/// Of the TLS provider, and of IMAP.
const SWAPS: usize = 2;

fn builds(server: &Server) -> Builds {
    let build = |instance: &str| server.instance(instance)["build"].as_str().unwrap().to_owned();
    Builds { imap: build("imap"), tls: build("tls") }
}

/// A swap, with new sessions before and after it.
#[track_caller]
fn swap(server: &Server, load: &Load, how: impl FnOnce()) {
    let before = builds(server);
    load.swapping();
    how();
    let after = builds(server);
    assert_ne!(before, after);
    load.swapped(after);
    load.new_sessions().unwrap();
    let build = |by: &serde_json::Value| by["build"].as_str().map(str::to_owned);
    let sessions = ["imap", "imaps", "submission", "submissions"].map(|listener| server.sessions(listener)).concat();
    let seen: Vec<Seen> = sessions
        .iter()
        .map(|session| Seen {
            kind: Kind::named(session["listener"].as_str().unwrap()).unwrap(),
            peer: session["peer"].as_str().unwrap().parse().unwrap(),
            served_by: build(&session["served_by"]),
            tls_by: build(&session["tls_by"]),
        })
        .collect();
    load.compare(&seen);
}

#[test]
fn swaps_under_load_drop_refuse_and_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (tls, imap) = (dir.path().join("libtls_second.so"), dir.path().join("libimap_second.so"));
    another_build(&library("imap"), &imap, 0x22);
    // The other provider, where it could be built.
    let other = match fs::exists(library("tls_openssl")).unwrap() {
        true => "\"tls\": (plugin: \"tls-openssl\"),".to_owned(),
        false => {
            another_build(&library("tls_rustls"), &tls, 0x33);
            format!("\"tls\": (plugin: \"tls-rustls\", path: {tls:?}),")
        }
    };
    let first = "\"tls\": (plugin: \"tls-rustls\"),";
    let config = MAIL_CONFIG
        .replace("\"tls-rustls\": (),", first)
        .replace("plugins: {", "retire_seconds: 3600, plugins: {")
        .replace("tls: Implicit)", "tls: Implicit, max_connections_per_address: 1000)")
        .replace("tls: Explicit)", "tls: Explicit, max_connections_per_address: 1000)");
    let server = Setup::mail_with(&config).start();
    let plan = Plan {
        submission: server.address("submission"),
        submissions: server.address("submissions"),
        imap: server.address("imap"),
        imaps: server.address("imaps"),
        name: crate::tls::HOST.to_owned(),
        trusted: vec![server.setup.crt(crate::tls::HOST)],
        accounts: vec![(USER.to_owned(), PASSWORD.to_owned())],
        connections: CONNECTIONS,
        pause: Duration::from_millis(500),
    };
    let load = Load::start(plan, builds(&server)).unwrap();
    let first_imap = library("imap");
    for round in 0..SWAPS {
        let text = if round % 2 == 0 { config.replace(first, &other) } else { config.clone() };
        server.rewrite(&text);
        swap(&server, &load, || assert!(server.reload()["tls"].starts_with("changed: ")));
        let file = if round % 2 == 0 { &imap } else { &first_imap };
        swap(&server, &load, || assert_eq!(server.swap("imap", file)["changed"], true));
    }
    let outcome = load.finish();
    assert!(outcome.is_good(), "{outcome:#?}");
    assert_eq!(outcome.held, CONNECTIONS as u64 / 2);
}
