//! `/metrics`: off unless asked for, right in every line, and its counters move with what happens.

use crate::{
    harness::{run, Client, Server, Setup, MAIL_CONFIG, PASSWORD, USER},
    mail::plain,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// [`MAIL_CONFIG`] with these options before the others.
pub fn config(options: &str) -> String {
    format!("({options},{}", MAIL_CONFIG.strip_prefix('(').unwrap())
}

fn server(options: &str) -> Server {
    Setup::mail_with(&config(&format!("metrics: (bind: [\"127.0.0.1:0\"]){options}"))).start()
}

/// One request; status line and body of the answer.
fn get(server: &Server, path: &str) -> (String, String) {
    let line = server.wait_for_log("core: metrics are shown ");
    let address = line.split("address=").nth(1).unwrap().to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(crate::harness::DEADLINE)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The page, checked line by line: a family has HELP and TYPE once, then its series, each once, with a number.
pub fn page(server: &Server) -> BTreeMap<String, f64> {
    let (head, body) = get(server, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert!(body.ends_with('\n'), "{body}");
    let mut values = BTreeMap::new();
    let mut families = BTreeSet::new();
    let (mut family, mut kind, mut helped) = (String::new(), String::new(), String::new());
    for line in body.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap();
            assert!(!text.is_empty(), "{line}");
            name.clone_into(&mut helped);
            continue;
        }
        if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (name, what) = typed.split_once(' ').unwrap();
            assert_eq!(name, helped, "HELP comes before TYPE");
            assert!(["counter", "gauge", "histogram"].contains(&what), "{line}");
            assert!(families.insert(name.to_owned()), "{name} is there twice");
            assert!(name.starts_with("dovetail_"), "{line}");
            assert_eq!(what == "counter", name.ends_with("_total"), "{line}");
            (family, kind) = (name.to_owned(), what.to_owned());
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        let base = match kind.as_str() {
            "histogram" => ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)),
            _ => Some(name),
        };
        assert_eq!(base, Some(family.as_str()), "{line} is not among its family");
        assert!(labels_are_right(&series[name.len()..]), "{line}");
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        assert!(values.insert(series.to_owned(), value).is_none(), "{series} is there twice");
    }
    values
}

/// `{name="value",...}` or nothing.
fn labels_are_right(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let Some(mut inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else { return false };
    let mut known = BTreeSet::new();
    loop {
        let Some((name, rest)) = inner.split_once("=\"") else { return false };
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let Some((value, rest)) = rest.split_once('"') else { return false };
        if !is_name || !known.insert(name) || value.contains('\\') {
            return false;
        }
        match rest.strip_prefix(',') {
            Some(more) => inner = more,
            None => return rest.is_empty(),
        }
    }
}

/// Asks until a figure is so; a session's end and the store's thread come after the client has its answer.
#[track_caller]
fn wait_for(server: &Server, what: &str, is_so: impl Fn(&BTreeMap<String, f64>) -> bool) {
    let began = Instant::now();
    loop {
        let page = page(server);
        if is_so(&page) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{what} is not so: {page:#?}");
        std::thread::yield_now();
    }
}

#[test]
fn counters_move_when_mail_is_delivered_and_fetched() {
    let server = server("");
    let before = page(&server);
    let value = |page: &BTreeMap<String, f64>, series: &str| page.get(series).copied().unwrap_or_default();
    let accepted = "dovetail_smtp_messages_total{outcome=\"accepted\",plugin=\"submission\",reason=\"none\"}";
    let delivered = "dovetail_delivery_recipients_total{outcome=\"delivered\",plugin=\"delivery\"}";
    let commits = "dovetail_store_commits_total{outcome=\"durable\",plugin=\"store-sqlite\"}";
    let batches = "dovetail_store_commit_seconds_count{plugin=\"store-sqlite\"}";
    let taken = "dovetail_core_connections_accepted_total{listener=\"submissions\",protocol=\"submission\"}";
    // Those that have not happened are there as 0, so that a graph of them has a beginning.
    for series in [accepted, delivered, commits, batches] {
        assert_eq!(before.get(series), Some(&0.0), "{series}");
    }
    let mut client = server.submit(USER, PASSWORD);
    assert!(client.mail(USER, &[USER], b"Subject: 1\r\n\r\nhello\r\n").starts_with("250 "));
    client.expect("QUIT", "221");
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 1);
    wait_for(&server, "one message", |page| {
        [accepted, delivered, taken].iter().all(|series| value(page, series) == 1.0)
            && value(page, commits) >= 1.0
            && value(page, batches) >= 1.0
            && value(page, "dovetail_smtp_octets_in_total{plugin=\"submission\"}") == 21.0
            && value(page, "dovetail_pop3_retrievals_total{command=\"retr\",plugin=\"pop3\"}") == 1.0
            && value(page, "dovetail_pop3_octets_out_total{plugin=\"pop3\"}") > 21.0
            && value(page, "dovetail_core_sessions_open{listener=\"submissions\",protocol=\"submission\"}") == 0.0
    });
    let after = page(&server);
    let login = |listener: &str, mechanism: &str| {
        format!("dovetail_core_logins_total{{listener=\"{listener}\",mechanism=\"{mechanism}\",outcome=\"accepted\"}}")
    };
    let logins: f64 = after
        .iter()
        .filter(|(series, _)| series.starts_with("dovetail_core_logins_total{") && series.contains("\"accepted\""))
        .map(|(_, value)| value)
        .sum();
    assert_eq!(logins, 2.0, "{after:#?}");
    assert_eq!(value(&after, &login("submissions", "PLAIN")), 1.0, "{after:#?}");
    assert!(after
        .iter()
        .any(|(s, v)| s.starts_with("dovetail_core_tls_handshakes_total{") && s.contains("TLSv1.3") && *v == 1.0));
    assert!(value(&after, "dovetail_core_process_resident_memory_bytes") > 1e6);
    assert!(value(&after, "dovetail_core_process_open_fds") > 5.0);
    assert!(after.keys().any(|s| s.starts_with("dovetail_core_build_info{") && s.contains("mail.example.test")));
    let build = server.instance("mx")["build"].as_str().unwrap().to_owned();
    assert!(build.len() == 16 && build.bytes().all(|digit| digit.is_ascii_hexdigit()), "{build}");
    let labels = "generation=\"1\",id=\"smtp\",plugin=\"mx\",state=\"running\",version=\"0.1.0\"";
    let state = format!("dovetail_core_plugin_info{{build=\"{build}\",{labels}}}");
    assert_eq!(value(&after, &state), 1.0, "{after:#?}");
    assert_eq!(value(&after, "dovetail_core_plugin_faults_total{plugin=\"mx\"}"), 0.0);
}

#[test]
fn a_failed_login_and_the_address_that_is_shut_out_show() {
    let server = server(", login_blocking: (failures: 2, delay_milliseconds: 0)");
    let refused = "dovetail_core_logins_total{listener=\"submissions\",mechanism=\"PLAIN\",outcome=\"refused\"}";
    for _ in 0..2 {
        let mut client = server.connect_tls("submissions");
        client.line();
        client.ehlo();
        assert!(client.ask(&format!("AUTH PLAIN {}", plain(USER, "wrong"))).starts_with("535 "));
    }
    // Turned away, in the words of the protocol.
    let mut client = server.connect("submission");
    assert!(client.line().starts_with("421 "));
    wait_for(&server, "two failed logins and a shut address", |page| {
        page.get(refused) == Some(&2.0)
            && page.get("dovetail_core_addresses_blocked") == Some(&1.0)
            && page.get("dovetail_core_addresses_blocked_total") == Some(&1.0)
            && page.get("dovetail_core_connections_refused_total{listener=\"submission\",reason=\"blocked\"}")
                == Some(&1.0)
    });
}

#[test]
fn a_failed_handshake_counts_by_its_class() {
    let server = server("");
    let mut client = server.connect("pop3s");
    client.send("USER ann\r\n");
    client.rest();
    wait_for(&server, "plain text on a TLS port", |page| {
        page.get("dovetail_core_tls_handshakes_failed_total{class=\"plaintext\",listener=\"pop3s\"}") == Some(&1.0)
    });
}

#[test]
fn health_is_told_and_stopping_too() {
    let server = server(", drain_seconds: 60");
    assert!(get(&server, "/healthz").0.starts_with("HTTP/1.1 200 "));
    assert!(get(&server, "/").0.starts_with("HTTP/1.1 404 "));
    // A session that holds the drain up.
    let mut client: Client = server.connect("smtp");
    client.line();
    client.ehlo();
    client.expect("MAIL FROM:<>", "250");
    client.expect(&format!("RCPT TO:<{USER}>"), "250");
    client.expect("DATA", "354");
    server.signal("TERM");
    server.wait_for_log("core: stopping");
    let (head, body) = get(&server, "/healthz");
    assert!(head.starts_with("HTTP/1.1 503 ") && body == "stopping\n", "{head} {body}");
    client.send(".\r\n");
}

#[test]
fn it_is_off_unless_asked_for_and_an_address_in_use_is_told() {
    let server = Setup::mail().start();
    assert!(!server.log().contains("metrics are shown"));
    let address = server.address("smtp");
    let setup = Setup::mail_with(&config(&format!("metrics: (bind: [\"{address}\"])")));
    let (status, _, stderr) = run(setup.dovetail().arg("serve"));
    assert!(!status.success());
    let text = format!("metrics cannot bind {address}: the port is in use (find its owner with");
    assert!(stderr.contains(&text), "{stderr}");
}
