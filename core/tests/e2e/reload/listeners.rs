//! Listeners that come, go and change.

use super::{echo, echo_text, greeting, listener};
use crate::harness::{Client, Server, Setup, USER};
use std::net::TcpStream;

#[test]
fn listeners_come_and_go_and_the_rest_stays() {
    let server = Setup::mail().start();
    let mut leaving = server.connect("smtp");
    leaving.line();
    let mut staying = server.connect("pop3");
    staying.line();
    let (removed, kept) = (server.address("smtp"), server.address("pop3"));
    server.replace(
        r#""smtp": (protocol: "mx", bind: ["127.0.0.1:0"], tls: Explicit),"#,
        r#""extra": (protocol: "pop3", bind: ["127.0.0.1:0"]),"#,
    );
    let changes = server.reload();
    assert_eq!(changes["/smtp"], "removed");
    assert_eq!(changes["/extra"], "added");
    let others = changes.iter().filter(|(name, _)| !["/smtp", "/extra"].contains(&name.as_str()));
    assert!(others.clone().count() >= 10 && others.clone().all(|(_, change)| change == "kept"), "{changes:?}");

    assert!(server.connect_now("extra").line().starts_with("+OK"));
    assert_eq!(server.address_now("smtp"), None);
    TcpStream::connect(removed).unwrap_err();
    // Whoever was there is asked to go, in the protocol's words.
    assert!(leaving.line().starts_with("421 "));
    assert_eq!(server.address_now("pop3"), Some(kept));
    staying.expect("CAPA", "+OK");

    // And back again, under its name.
    server.replace("\"extra\": (protocol: \"pop3\"", "\"smtp\": (protocol: \"mx\"");
    server.reload();
    assert!(server.connect_now("smtp").line().starts_with("220 "));
}

#[test]
fn a_changed_option_is_for_new_sessions() {
    let server = Setup::mail().start();
    let address = server.address("smtp");
    let mut before = server.connect("smtp");
    before.line();
    assert!(before.ehlo().contains(&"STARTTLS".to_owned()));
    server.replace(r#"bind: ["127.0.0.1:0"], tls: Explicit),"#, r#"bind: ["127.0.0.1:0"], tls: Off),"#);
    let changes = server.reload();
    assert_eq!(changes["/smtp"], "changed: tls");
    assert_eq!(changes["mx"], "kept");
    assert_eq!(server.address_now("smtp"), Some(address), "the port of the system's choice is kept too");
    let mut after = server.connect("smtp");
    after.line();
    assert!(!after.ehlo().contains(&"STARTTLS".to_owned()));
    // The old session goes on with the old options.
    before.expect("STARTTLS", "220 ");
    let mut before = before.start_tls(&server.setup, crate::tls::HOST);
    before.ehlo();
    before.expect(&format!("MAIL FROM:<{USER}>"), "250 ");
}

#[test]
fn an_address_that_goes_from_one_listener_to_another_stays_open() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let at = |name: &str, instance: &str| format!("\"{name}\": (protocol: \"{instance}\", bind: [\"{address}\"]),");
    let both = [greeting("one", "I am one"), greeting("two", "I am two")].concat();
    let server = echo(&both, &at("first", "one")).start();
    let mut before = server.connect("first");
    assert_eq!(before.line(), "I am one");
    server.rewrite(&echo_text("", &both, &at("second", "two")));
    let changes = server.reload();
    assert_eq!((changes["/first"].as_str(), changes["/second"].as_str()), ("removed", "added"));
    assert_eq!(server.connect_now("second").line(), "I am two");
    assert_eq!(before.ask("still"), "still");
}

#[test]
fn limits_hold_over_reloads() {
    let one = "\"l\": (protocol: \"echo\", bind: [\"127.0.0.1:0\"], max_connections: 2),";
    let server = echo("\"echo\": (),", one).start();
    let mut first = server.connect("l");
    first.line();
    server.replace("max_connections: 2", "max_connections: 1");
    assert_eq!(server.reload()["/l"], "changed: max_connections");
    // The session from before counts, although it belongs to the listener as it was.
    assert_eq!(server.connect("l").line(), "later");
    assert_eq!(server.status()["listeners"][0]["sessions"], 1);
    server.replace("max_connections: 1", "max_connections: 3");
    server.reload();
    assert_eq!(server.connect("l").line(), "hello");
}

#[test]
fn what_guards_logins_can_be_changed() {
    let server = Setup::mail().start();
    let fails = |server: &Server| {
        let mut pop = server.connect_tls("pop3s");
        pop.line();
        pop.expect(&format!("USER {USER}"), "+OK");
        pop.expect("PASS wrong", "-ERR");
    };
    server.replace("plugins: {", "login_blocking: (failures: 1, delay_milliseconds: 0), plugins: {");
    assert_eq!(server.reload()["login_blocking"], "changed");
    fails(&server);
    assert!(server.connect("pop3").line().starts_with("-ERR"), "the address is shut out");
    server.replace("failures: 1", "failures: 0");
    server.reload();
    assert!(server.connect("pop3").line().starts_with("-ERR"), "who is shut out stays so");
}

#[test]
fn figures_come_and_go_like_listeners() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    let server = echo("\"echo\": (),", &listener("l", "echo")).start();
    server.replace("plugins: {", &format!("metrics: (bind: [\"{address}\"]), plugins: {{"));
    assert!(server.refuse()[0].contains(&format!("metrics cannot bind {address}: the port is in use")));
    drop(free);
    assert_eq!(server.reload()["metrics"], "changed");
    let page = || {
        let mut http = Client::new(TcpStream::connect(address).unwrap());
        http.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        String::from_utf8(http.rest()).unwrap()
    };
    assert!(page().contains("dovetail_core_build_info"));
    assert!(server.reload().values().all(|change| change == "kept"));
    assert!(page().contains("dovetail_core_build_info"));
    server.replace(&format!("metrics: (bind: [\"{address}\"]), "), "");
    server.reload();
    TcpStream::connect(address).unwrap_err();
}

#[test]
fn without_anything_new_nothing_changes() {
    let server = echo("\"echo\": (),", &listener("l", "echo")).start();
    let mut before = server.connect("l");
    before.line();
    // Other white space, a comment, another order of options.
    server.replace("\"echo\": (),", "// a comment\n    \"echo\": ( config: ( /* none */ ), ),");
    server.replace("protocol: \"echo\", bind: [\"127.0.0.1:0\"]", "bind: [ \"127.0.0.1:0\", ], protocol: \"echo\",");
    let changes = server.reload();
    assert!(changes.values().all(|change| change == "kept"), "{changes:?}");
    assert_eq!(server.generation("echo"), 1);
    assert_eq!(before.ask("on"), "on");
}
