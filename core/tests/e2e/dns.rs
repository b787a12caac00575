//! `dovetail dns`: records from what the config serves, that a name server and a program can read.

use crate::{
    harness::{have, run, run_ok, Setup, MAIL_CONFIG},
    tls::{certificate, HOST},
};
use serde_json::Value;
use std::{fs, process::Command};

/// The usual config on the usual ports of all addresses; nothing is started on it.
fn public() -> Setup {
    let mut config = MAIL_CONFIG.to_owned();
    for (listener, port) in [("smtp", 25), ("submission", 587), ("submissions", 465), ("pop3", 110), ("pop3s", 995)] {
        let at = config.find(&format!("\"{listener}\": (protocol")).unwrap();
        let bind = at + config[at..].find("127.0.0.1:0").unwrap();
        config.replace_range(bind..bind + "127.0.0.1:0".len(), &format!("203.0.113.7:{port}"));
    }
    let setup = Setup::mail_with(&config);
    run_ok(setup.dovetail().args(["certs", "create", "--replace", "--common-name", HOST]));
    setup
}

fn records(setup: &Setup, domain: &str) -> (Vec<(String, String, String)>, Value) {
    let zone: Value = serde_json::from_str(&run_ok(setup.dovetail().args(["dns", domain, "--json"]))).unwrap();
    let text = |record: &Value, field: &str| record[field].as_str().unwrap().to_owned();
    let list = zone["records"].as_array().unwrap().iter();
    let list = list.map(|record| (text(record, "name"), text(record, "type"), text(record, "value"))).collect();
    (list, zone["hints"].clone())
}

#[test]
fn records_are_those_of_the_running_config() {
    let setup = public();
    let (records, hints) = records(&setup, "example.test");
    let value = |name: &str, kind: &str| {
        let found = records.iter().find(|record| record.0 == name && record.1 == kind);
        found.unwrap_or_else(|| panic!("no {name} {kind} in {records:?}")).2.clone()
    };
    assert_eq!(value("example.test.", "MX"), "10 mail.example.test.");
    assert_eq!(value("mail.example.test.", "A"), "203.0.113.7");
    assert_eq!(value("example.test.", "TXT"), "\"v=spf1 mx -all\"");
    assert_eq!(value("_submissions._tcp.example.test.", "SRV"), "0 1 465 mail.example.test.");
    assert_eq!(value("_submission._tcp.example.test.", "SRV"), "10 1 587 mail.example.test.");
    assert_eq!(value("_pop3s._tcp.example.test.", "SRV"), "20 1 995 mail.example.test.");
    assert_eq!(records.len(), 9, "{records:?}");
    assert_eq!(hints, serde_json::json!([]));
    // Of another domain only what this server is for it.
    let (others, hints) = self::records(&setup, "other.test");
    assert!(others.iter().any(|(name, kind, _)| name == "other.test." && kind == "MX"));
    assert!(hints[0].as_str().unwrap().contains("other.test is no domain of this server"), "{hints}");
}

/// RFC 6698: usage 3, selector 1, matching type 1 is the SHA-256 of the leaf's SubjectPublicKeyInfo.
#[test]
fn tlsa_is_the_hash_of_the_certificates_key() {
    if !have("openssl") {
        return;
    }
    let setup = public();
    let (records, _) = records(&setup, "example.test");
    let tlsa = records.iter().find(|record| record.1 == "TLSA").unwrap();
    assert_eq!(tlsa.0, "_25._tcp.mail.example.test.");
    certificate(setup.crt(HOST));
    let script = format!(
        "openssl x509 -in {} -noout -pubkey | openssl pkey -pubin -outform DER | openssl sha256 -r",
        setup.crt(HOST).display()
    );
    let hash = run_ok(Command::new("sh").args(["-c", &script]));
    assert_eq!(tlsa.2, format!("3 1 1 {}", hash.split_whitespace().next().unwrap()));
}

#[test]
fn the_text_is_a_zone_file() {
    let setup = public();
    let text = run_ok(setup.dovetail().args(["dns", "example.test"]));
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with(';')).collect();
    for line in &lines {
        let fields: Vec<&str> = line.split_whitespace().collect();
        assert!(fields.len() > 4 && fields[0].ends_with("example.test.") && fields[1..3] == ["3600", "IN"], "{line}");
        assert!(matches!(fields[3], "MX" | "A" | "TXT" | "TLSA" | "SRV"), "{line}");
    }
    assert_eq!(lines.len(), 9, "{text}");
}

#[test]
fn what_cannot_be_found_out_is_said_and_the_rest_is_printed() {
    let setup = public();
    fs::remove_dir_all(setup.certs()).unwrap();
    let (records, hints) = records(&setup, "example.test");
    assert_eq!(records.len(), 8, "{records:?}");
    assert!(hints[0].as_str().unwrap().contains("no TLSA record: "), "{hints}");
    let (status, _, stderr) = run(setup.dovetail().args(["dns", "no domain"]));
    assert!(status.code() == Some(1) && stderr.contains("no domain name") && stderr.lines().count() == 1, "{stderr}");
}
