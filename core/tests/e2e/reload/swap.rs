//! `dovetail plugin swap`: another build of a library under a server that runs.
//!
//! A second build is a copy of the first with another build id written over its own.

use super::{changes, echo, listener};
use crate::{
    harness::{plugin_dir, run_ok, Client, Server, Setup, PASSWORD, USER},
    imap::client::Imap,
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The library of a plugin.
pub fn library(name: &str) -> PathBuf {
    plugin_dir().join(format!("libdovetail_{name}.so"))
}

/// Writes a copy of a library to `to`, as a build would: a new file takes the name. Its build id is that of `from` with `change`
/// (not 0) in the first octet. Gives its build.
#[track_caller]
pub fn another_build(from: &Path, to: &Path, change: u8) -> String {
    let mut bytes = fs::read(from).unwrap();
    // The note: length of the name, of the id, type 3, name.
    let head = *b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";
    let at =
        bytes.windows(head.len()).position(|window| window == head).expect("the linker notes a build id") + head.len();
    bytes[at] ^= change;
    let build = bytes[at..at + 8].iter().map(|octet| format!("{octet:02x}")).collect();
    let staged = to.with_extension("new");
    fs::write(&staged, bytes).unwrap();
    fs::rename(staged, to).unwrap();
    build
}

impl Server {
    /// `dovetail plugin swap`, which must work: its report.
    #[track_caller]
    pub fn swap(&self, id: &str, file: &Path) -> Value {
        serde_json::from_str(&run_ok(self.dovetail().args(["--json", "plugin", "swap", id]).arg(file))).unwrap()
    }

    /// `dovetail plugin swap --back`, which must work.
    #[track_caller]
    pub fn swap_back(&self, id: &str) -> Value {
        serde_json::from_str(&run_ok(self.dovetail().args(["--json", "plugin", "swap", id, "--back"]))).unwrap()
    }

    /// What `status` says of an instance.
    #[track_caller]
    pub fn instance(&self, name: &str) -> Value {
        let status = self.status();
        let mut all = status["plugins"].as_array().unwrap().iter();
        all.find(|entry| entry["instance"] == name).unwrap_or_else(|| panic!("{status}")).clone()
    }

    /// The open sessions of a listener, oldest first.
    pub fn sessions(&self, listener: &str) -> Vec<Value> {
        let list: Value =
            serde_json::from_str(&run_ok(self.dovetail().args(["--json", "status", "--sessions"]))).unwrap();
        list["sessions"].as_array().unwrap().iter().filter(|entry| entry["listener"] == listener).cloned().collect()
    }

    /// The private copies of a library.
    pub fn copies(&self, stem: &str) -> usize {
        let entries = fs::read_dir(self.setup.data_dir().join("run/plugins")).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(stem)).count()
    }
}

/// An `echo` server, and a folder for builds.
fn server() -> (Server, tempfile::TempDir) {
    (echo("\"echo\": (),", &listener("l", "echo")).start(), tempfile::tempdir().unwrap())
}

fn build(client: &mut Client) -> String {
    client.ask("BUILD")
}

#[track_caller]
fn greeted(server: &Server) -> Client {
    let mut client = server.connect("l");
    assert_eq!(client.line(), "hello");
    client
}

#[test]
fn new_sessions_meet_the_new_build_and_old_ones_go_on_with_theirs() {
    let (server, dir) = server();
    let file = dir.path().join("libecho_new.so");
    let second = another_build(&library("test_echo"), &file, 0xaa);
    let mut before = greeted(&server);
    let first = build(&mut before);
    assert_ne!(first, second);
    assert_eq!(server.instance("echo")["build"], first);
    server.wait_for_log(&format!(
        "the instance has started plugin=echo id=echo version=0.1.0 build={first} generation=1"
    ));

    let report = server.swap("echo", &file);
    assert_eq!((&report["before"]["build"], &report["now"]["build"]), (&first.clone().into(), &second.clone().into()));
    assert_eq!((&report["changed"], &report["now"]["generation"]), (&true.into(), &2.into()));
    server.wait_for_log(&format!(
        "the instance has started plugin=echo id=echo version=0.1.0 build={second} generation=2"
    ));
    server.wait_for_log("a restart forgets it");
    let mut after = greeted(&server);
    assert_eq!((build(&mut before), build(&mut after)), (first.clone(), second.clone()));

    // Who serves what is told.
    let status = server.instance("echo");
    assert_eq!((&status["build"], &status["file"]), (&second.clone().into(), &file.display().to_string().into()));
    assert_eq!(status["swapped_from"], library("test_echo").display().to_string());
    let retiring = &server.status()["retiring"][0];
    assert_eq!((&retiring["build"], &retiring["generation"]), (&first.clone().into(), &1.into()));
    let by: Vec<_> = server.sessions("l").iter().map(|session| session["served_by"]["build"].clone()).collect();
    assert_eq!(by, [first.clone(), second.clone()]);
    let text = run_ok(server.dovetail().arg("status"));
    assert!(text.contains(&first) && text.contains(&second) && text.contains("`echo` was swapped from"), "{text}");
    let text = run_ok(server.dovetail().args(["status", "--sessions"]));
    assert!(text.contains(&format!("echo 2 (build {second})")), "{text}");
    let shown = run_ok(server.dovetail().args(["plugin", "inspect"]).arg(&file));
    assert!(shown.contains(&format!("build     {second}\n")), "{shown}");

    before.send("QUIT\r\n");
    before.rest();
    server.wait_for_log("the replaced instance has ended plugin=echo generation=1");
    // Its copy goes with it.
    assert_eq!((server.copies("libdovetail_test_echo"), server.copies("libecho_new")), (0, 1));

    let report = server.swap_back("echo");
    assert_eq!((&report["now"]["build"], &report["swapped_from"]), (&first.clone().into(), &Value::Null));
    assert_eq!(build(&mut greeted(&server)), first);
    assert_eq!(build(&mut after), second);
    assert_eq!(server.instance("echo")["swapped_from"], Value::Null);
}

#[test]
fn a_swap_outlives_reloads_and_its_file_and_ends_with_the_server() {
    let (server, dir) = server();
    let first = build(&mut greeted(&server));
    let file = dir.path().join("libecho_new.so");
    let second = another_build(&library("test_echo"), &file, 0xbb);
    server.swap("echo", &file);
    // What is built or removed there afterwards is for the next swap only.
    fs::remove_file(&file).unwrap();
    let would = changes(&run_ok(server.dovetail().args(["--json", "check", "--against-running"])));
    assert_eq!(would["echo"], "kept");
    assert_eq!(server.reload()["echo"], "kept");
    server.replace("\"echo\": (),", "\"echo\": (config: (greeting: \"hi\")),");
    assert_eq!(server.reload()["echo"], "changed: section");
    let mut client = server.connect("l");
    assert_eq!((client.line(), build(&mut client)), ("hi".to_owned(), second));
    server.replace("\"echo\": (config: (greeting: \"hi\")),", "\"echo\": (),");
    drop(client);
    let server = server.stop().start();
    assert_eq!(build(&mut greeted(&server)), first);
    assert_eq!(server.copies("libecho_new"), 0);
}

#[test]
fn a_swap_changes_nothing_else_whatever_was_written_meanwhile() {
    let (server, dir) = server();
    let file = dir.path().join("libecho_new.so");
    let second = another_build(&library("test_echo"), &file, 0xbc);
    let config = fs::read_to_string(&server.setup.config).unwrap();
    server.replace("\"echo\": (),", "\"echo\": (config: (greetin: \"half written\")),");
    assert!(server.refuse()[0].contains("greetin"));
    server.swap("echo", &file);
    assert_eq!(build(&mut greeted(&server)), second);
    server.rewrite(&config.replace("\"echo\": (),", "\"echo\": (config: (greeting: \"hi\")),"));
    server.swap_back("echo");
    greeted(&server);
    assert_eq!(server.reload()["echo"], "changed: section");
}

#[test]
fn build_and_swap_again_and_again() {
    let (server, dir) = server();
    let file = dir.path().join("libhello.so");
    for round in 1..=3 {
        let built = another_build(&library("test_echo"), &file, 0xc0 + round);
        assert_eq!(server.swap("echo", &file)["changed"], true);
        assert_eq!(build(&mut greeted(&server)), built);
        assert_eq!(server.generation("echo"), 1 + u64::from(round));
    }
    // The file of before is the config's, not the one that was swapped in first.
    assert_eq!(server.instance("echo")["swapped_from"], library("test_echo").display().to_string());
    let report = server.swap("echo", &file);
    assert_eq!((&report["changed"], server.generation("echo")), (&false.into(), 4));
    for generation in 1..=3 {
        server.wait_for_log(&format!("the replaced instance has ended plugin=echo generation={generation}"));
    }
    assert_eq!(server.copies("libhello"), 1);
}

#[test]
fn a_config_that_says_otherwise_ends_a_swap() {
    let (server, dir) = server();
    let file = dir.path().join("libecho_new.so");
    let second = another_build(&library("test_echo"), &file, 0xdd);
    server.swap("echo", &file);
    // As the command says: `path`.
    server.replace("\"echo\": (),", &format!("\"echo\": (path: {file:?}),"));
    assert_eq!(server.reload()["echo"], "kept");
    server.wait_for_log("the swap of the library has ended");
    assert_eq!(server.instance("echo")["swapped_from"], Value::Null);
    assert_eq!((build(&mut greeted(&server)), server.generation("echo")), (second, 2));
    // There the config finds the file by itself, so there is nothing to hold.
    let third = another_build(&library("test_echo"), &file, 0xde);
    assert_eq!(server.swap("echo", &file)["swapped_from"], Value::Null);
    assert_eq!(build(&mut greeted(&server)), third);
    assert_eq!(server.reload()["echo"], "kept");
    let server = server.stop().start();
    assert_eq!(build(&mut greeted(&server)), third);
}

#[test]
fn another_tls_provider_is_swapped_in_under_encrypted_sessions() {
    let server = Setup::mail().start();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("libtls_new.so");
    let second = another_build(&library("tls_rustls"), &file, 0xee);
    let mut before = server.pop(USER, PASSWORD);
    let mut plain = server.connect("smtp");
    plain.line();
    plain.ehlo();
    let first = server.instance("tls-rustls")["build"].clone();
    server.swap("tls-rustls", &file);
    let mut after = server.pop(USER, PASSWORD);
    let by: Vec<_> = server.sessions("pop3s").iter().map(|session| session["tls_by"].clone()).collect();
    assert_eq!((&by[0]["build"], &by[0]["generation"]), (&first, &1.into()));
    assert_eq!(
        (&by[1]["build"], &by[1]["generation"], &by[1]["plugin"]),
        (&second.into(), &2.into(), &"tls-rustls".into())
    );
    plain.expect("STARTTLS", "220 ");
    let mut plain = plain.start_tls(&server.setup, crate::tls::HOST);
    plain.ehlo();
    assert_eq!(server.sessions("smtp")[0]["tls_by"]["build"], first);
    assert!(before.ask("STAT").starts_with("+OK") && after.ask("STAT").starts_with("+OK"));
}

#[test]
fn imap_tells_its_build_to_those_who_have_logged_in() {
    let server = crate::imap::server::start();
    let id = |imap: &mut Imap| imap.command("ID NIL").ok().texts().join("\n");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("libimap_new.so");
    let second = another_build(&library("imap"), &file, 0x0e);
    let first = server.instance("imap")["build"].as_str().unwrap().to_owned();
    let mut before = Imap::login(server.address("imap"), USER, PASSWORD);
    assert_eq!(id(&mut before), format!("* ID (\"name\" \"Dovetail\" \"build\" \"{first}\")"));
    assert_eq!(id(&mut Imap::connect(server.address("imap"))), "* ID (\"name\" \"Dovetail\")");
    server.swap("imap", &file);
    let mut after = Imap::login(server.address("imap"), USER, PASSWORD);
    assert_eq!(id(&mut after), format!("* ID (\"name\" \"Dovetail\" \"build\" \"{second}\")"));
    before.command("SELECT INBOX").ok();
    assert!(id(&mut before).contains(&first));
}
