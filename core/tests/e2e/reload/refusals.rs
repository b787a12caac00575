//! Configs that change nothing, and what is said about them.

use super::{changes, echo, echo_text, greeting, listener};
use crate::harness::{plugin_dir, run, run_ok, Server, Setup};
use std::net::TcpListener;

/// Whatever was tried, the server is as it was.
#[track_caller]
fn unchanged(server: &Server) {
    assert_eq!(server.connect("l").line(), "old");
    assert_eq!(server.generation("e"), 1);
    let names: Vec<String> = server.status()["listeners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["l"]);
}

fn server() -> Server {
    echo(&greeting("e", "old"), &listener("l", "e")).start()
}

#[test]
fn all_errors_are_told_with_their_places() {
    let server = server();
    let mut before = server.connect("l");
    before.line();
    server.rewrite(&echo_text(
        "drain_secs: 3,",
        &format!("\n{}\n{}", greeting("e", "new"), "\"other\": (plugin: \"echo\", config: (greetin: \"x\")),"),
        &format!("\n{}\n{}", listener("l", "e"), "\"m\": (protocol: \"nobody\", bind: [\"127.0.0.1:0\"], idle: 3),"),
    ));
    let told = server.refuse();
    let file = server.setup.config.display().to_string();
    for (line, words) in [(4, "drain_secs"), (7, "greetin"), (10, "idle")] {
        let is_it = |told: &&String| told.starts_with(&format!("{file}:{line}:")) && told.contains(words);
        assert!(told.iter().any(|told| is_it(&told)), "{line} {words}: {told:#?}");
    }
    assert_eq!(told.len(), 3, "{told:#?}");
    unchanged(&server);
    assert_eq!(before.ask("on"), "on");
    for told in told {
        assert!(server.log().contains(&told), "{told}\n{}", server.log());
    }
    server.wait_for_log("the reload failed and changed nothing");
    // No RON at all.
    server.rewrite("(hostname: \"x\",\n  data_dir \"data\")");
    let (status, _, stderr) = run(server.setup.dovetail().arg("reload"));
    assert!(!status.success() && stderr.contains(&format!("{file}:2:")), "{stderr}");
    server.signal("HUP");
    server.wait_for_log(&format!("reload: {file}:2:"));
    server.rewrite(&echo_text("", &greeting("e", "old"), &listener("l", "e")));
    unchanged(&server);
}

#[test]
fn a_port_that_is_taken_undoes_the_rest() {
    let server = server();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let bad = format!("{}\"m\": (protocol: \"e\", bind: [\"{address}\"]),", listener("l", "e"));
    server.rewrite(&echo_text("", &greeting("e", "new"), &bad));
    let told = server.refuse();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains(&format!("listener `m` cannot bind {address}: the port is in use")), "{told:#?}");
    unchanged(&server);
    drop(taken);
    assert_eq!(server.reload()["/m"], "added");
    assert_eq!(server.connect_now("m").line(), "new");
}

#[test]
fn a_port_that_the_server_itself_has_more_widely_is_told_with_the_way_round() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let at = |address: &str| format!("\"l\": (protocol: \"e\", bind: [\"{address}:{port}\"]),");
    let server = echo(&greeting("e", "old"), &at("127.0.0.1")).start();
    server.rewrite(&echo_text("", &greeting("e", "old"), &at("0.0.0.0")));
    let told = server.refuse();
    assert!(told[0].contains(&format!("this server has 127.0.0.1:{port} open: remove it by one reload")), "{told:#?}");
    unchanged(&server);
}

#[test]
fn an_instance_that_does_not_start_undoes_the_rest() {
    let server = server();
    std::fs::write(server.setup.dir.path().join("bad.ron"), "(accounts: {").unwrap();
    let accounts = "\"accounts-file\": (config: (domains: [\"a.test\"], file: \"../bad.ron\")),";
    let bad = server.setup.dir.path().join("bad.ron").display().to_string();
    let accounts = accounts.replace("../bad.ron", &bad);
    server.rewrite(&echo_text(
        "",
        &format!("{}{}", greeting("e", "new"), accounts),
        &format!("{}{}", listener("l", "e"), listener("m", "e")),
    ));
    let told = server.refuse();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("`accounts-file` did not start: ") && told[0].contains("bad.ron"), "{told:#?}");
    unchanged(&server);
    std::fs::write(&bad, "()").unwrap();
    let changes = server.reload();
    assert_eq!((changes["e"].as_str(), changes["accounts-file"].as_str()), ("changed: section", "added"));
    assert_eq!(server.connect("l").line(), "new");
}

#[test]
fn what_owns_files_and_what_only_a_start_reads_need_a_restart() {
    let server = Setup::mail().start();
    let mut before = server.connect("pop3");
    before.line();
    let library = server.setup.dir.path().join("libdovetail_store_sqlite.so");
    std::fs::copy(plugin_dir().join("libdovetail_store_sqlite.so"), &library).unwrap();
    server.replace("\"store-sqlite\": (),", &format!("\"store-sqlite\": (path: \"{}\"),", library.display()));
    server.replace("\"mail.example.test\"", "\"other.example.test\"");
    server.replace("\"delivery\": (),", "\"delivery\": (config: (max_accounts: 7)),");

    let (status, stdout, stderr) = run(server.dovetail().args(["check", "--against-running"]));
    assert_eq!(status.code(), Some(1), "{stderr}");
    let row = |name: &str| {
        let row = stdout.lines().find(|line| line.split_whitespace().nth(1) == Some(name));
        row.unwrap_or_else(|| panic!("{name} is not in\n{stdout}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(stdout.starts_with("a reload would be refused"), "{stdout}");
    assert_eq!(row("store-sqlite"), "instance store-sqlite needs a restart library");
    assert_eq!(row("hostname"), "option hostname needs a restart");
    assert_eq!(row("delivery"), "instance delivery changed section");
    assert_eq!(row("pop3s"), "listener pop3s kept");

    let told = server.refuse();
    assert_eq!(told.len(), 2, "{told:#?}");
    let file = server.setup.config.display().to_string();
    assert!(told
        .iter()
        .any(|told| told.starts_with(&format!("{file}:")) && told.contains("`store-sqlite` owns files")));
    assert!(told.iter().any(|told| told.contains("a change of `hostname` needs a restart")), "{told:#?}");
    assert_eq!(server.generation("delivery"), 1, "nothing was changed");
    before.expect("CAPA", "+OK");
    // A restart does it.
    let server = server.stop().start();
    assert!(server.connect("smtp").line().contains("other.example.test"));
}

#[test]
fn check_against_running_shows_what_a_reload_does() {
    let server = echo(&greeting("e", "old"), &[listener("l", "e"), listener("m", "e")].concat()).start();
    server.rewrite(&echo_text(
        "drain_seconds: 3,",
        &[greeting("e", "new"), greeting("f", "f")].concat(),
        &[listener("l", "e"), listener("n", "f")].concat(),
    ));
    let shown = run_ok(server.dovetail().args(["--json", "check", "--against-running"]));
    let would = changes(&shown);
    let expected = [
        ("e", "changed: section"),
        ("f", "added"),
        ("/l", "changed: instance `e`"),
        ("/m", "removed"),
        ("/n", "added"),
        ("drain_seconds", "changed"),
    ];
    assert_eq!(would, expected.map(|(name, change)| (name.to_owned(), change.to_owned())).into());
    assert_eq!(server.connect("l").line(), "old", "it only looked");
    assert_eq!(server.reload(), would);
    let text = run_ok(server.dovetail().args(["check", "--against-running"]));
    assert!(text.starts_with("a reload would do this: instances: 2 kept, 0 changed, 0 added, 0 removed;"), "{text}");

    let (status, _, stderr) = run(server.stop().dovetail().args(["check", "--against-running"]));
    assert!(!status.success() && stderr.contains("no server runs on"), "{stderr}");
}
