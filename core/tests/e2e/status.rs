//! `dovetail status`: how the running server is.

use crate::{
    harness::{run_ok, Server, Setup, PASSWORD, USER},
    mail::plain,
    metrics::config,
};
use serde_json::Value;

fn json(server: &Server, arguments: &[&str]) -> Value {
    serde_json::from_str(&run_ok(server.dovetail().arg("status").args(arguments).arg("--json"))).unwrap()
}

#[test]
fn an_open_session_is_shown_until_it_ends() {
    let server = Setup::mail().start();
    let mut client = server.connect_tls("pop3s");
    client.line();
    client.pop_login(USER, PASSWORD);
    let mut plain_client = server.connect("smtp");
    plain_client.line();
    let list = json(&server, &["--sessions"]);
    assert_eq!((&list["count"], list["sessions"].as_array().unwrap().len()), (&2.into(), 2), "{list}");
    let of = |listener: &str| {
        let all = list["sessions"].as_array().unwrap();
        all.iter().find(|session| session["listener"] == listener).unwrap_or_else(|| panic!("{list}")).clone()
    };
    let (pop, smtp) = (of("pop3s"), of("smtp"));
    assert_eq!((&pop["account"], &pop["tls"]), (&USER.into(), &"TLSv1.3".into()), "{pop}");
    assert!(pop["cipher"].as_str().unwrap().starts_with("TLS"), "{pop}");
    assert!(pop["octets_in"].as_u64().unwrap() > 200 && pop["octets_out"].as_u64().unwrap() > 500, "{pop}");
    assert!(pop["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{pop}");
    assert_eq!((&smtp["account"], &smtp["tls"], &smtp["octets_in"]), (&Value::Null, &Value::Null, &0.into()), "{smtp}");
    // The id is the log's.
    let id = pop["id"].as_str().unwrap();
    server.wait_for_line("the login", |line| line.contains(&format!(" pop3 {id}: login ")));
    let text = run_ok(server.dovetail().args(["status", "--sessions"]));
    let row = text.lines().find(|line| line.starts_with(id)).unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains(USER) && row.contains("TLSv1.3 TLS"), "{row}");

    let status = json(&server, &[]);
    assert_eq!((&status["tls"]["TLSv1.3"], &status["tls"]["none"]), (&1.into(), &1.into()), "{status}");
    client.expect("QUIT", "+OK");
    client.rest();
    plain_client.expect("QUIT", "221");
    plain_client.rest();
    let deadline = std::time::Instant::now() + crate::harness::DEADLINE;
    while json(&server, &["--sessions"])["count"] != 0 {
        assert!(std::time::Instant::now() < deadline, "sessions stay in the list");
    }
}

#[test]
fn listeners_instances_the_store_and_blocked_addresses_are_shown() {
    let options = "login_blocking: (failures: 1, delay_milliseconds: 0)";
    let server = Setup::mail_with(&config(options)).start();
    let mut client = server.submit(USER, PASSWORD);
    assert!(client.mail(USER, &[USER], b"Subject: 1\r\n\r\nhello\r\n").starts_with("250 "));
    assert!(client.ask("QUIT").starts_with("221"));
    let mut client = server.connect_tls("submissions");
    client.line();
    client.ehlo();
    assert!(client.ask(&format!("AUTH PLAIN {}", plain(USER, "wrong"))).starts_with("535 "));
    let status = json(&server, &[]);
    let named = |list: &Value, key: &str, name: &str| {
        let found = list.as_array().unwrap().iter().find(|one| one[key] == name);
        found.unwrap_or_else(|| panic!("no {name} in {list}")).clone()
    };
    let listener = named(&status["listeners"], "name", "submissions");
    assert_eq!((&listener["tls"], &listener["served"]), (&"implicit".into(), &2.into()), "{listener}");
    assert_eq!(listener["bind"][0], server.address("submissions").to_string());
    let store = named(&status["plugins"], "instance", "store-sqlite");
    assert_eq!((&store["state"], &store["generation"], &store["panics"]), (&"running".into(), &1.into(), &0.into()));
    assert!(store["figures"]["store_disk_free_bytes"].as_i64().unwrap() > 0, "{store}");
    for figure in ["store_accounts", "store_messages", "store_mail_bytes"] {
        assert!(store["figures"][figure].is_i64(), "{figure}: {store}");
    }
    assert_eq!(status["blocked"]["count"], 1, "{status}");
    assert_eq!(status["blocked"]["addresses"][0]["address"], "127.0.0.1");
    assert!(status["blocked"]["addresses"][0]["seconds_left"].as_u64().unwrap() > 0);

    let text = run_ok(server.dovetail().arg("status"));
    for part in [
        "addresses shut out for failed logins: 1",
        "127.0.0.1",
        "store `store-sqlite`: ",
        "messages",
        "disk free",
        "running",
        "generation",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn the_store_counts_what_it_holds_when_it_starts() {
    let server = Setup::mail().start();
    let mut client = server.submit(USER, PASSWORD);
    for _ in 0..3 {
        assert!(client.mail(USER, &[USER], b"Subject: 1\r\n\r\nhello\r\n").starts_with("250 "));
    }
    let server = server.stop().start();
    let deadline = std::time::Instant::now() + crate::harness::DEADLINE;
    // The first look is a moment after the start.
    while !run_ok(server.dovetail().arg("status"))
        .contains(", messages 3 (as it last counted, which may be a minute ago)\n")
    {
        assert!(std::time::Instant::now() < deadline, "{}", run_ok(server.dovetail().arg("status")));
    }
}
