//! The form of `certs create`, filled in at a terminal: every field, its help, a refused value, the result.

use crate::{
    harness::{dovetail, have, run, run_ok, Server, Setup},
    terminal::{possible, Terminal},
    tls::certificate,
};
use std::{path::Path, process::Command};

/// The fields in their order: title, what stands in brackets, a part of the help, a value that is refused, a part of the
/// reason, and a good value.
const FIELDS: [(&str, &str, &str, &str, &str, &str); 11] = [
    ("Kind of key", "[ecdsa-p256]", "twenty times", "rsa-1024", "Choose one of", "2"),
    ("Common name (CN)", "[mail.example.test]", "For example: mail.example.org", LONG, "64 characters", "form.test"),
    ("Further name", "", "One a line", "no such name", "isn't a host name", "imap.form.test"),
    ("Organization (O)", "", "as it is registered", LONG, "64 characters", "Müller & Söhne"),
    ("Unit (OU)", "", "department", LONG, "64 characters", "Mail"),
    ("Town (L)", "", "Cologne", LONGER, "128 characters", "Köln"),
    ("State or province (ST)", "", "Written out", LONGER, "128 characters", "NRW"),
    ("Country (C)", "", "ISO 3166", "Germany", "two letters", "de"),
    ("Mail address", "", "for everybody to read", "nobody", "isn't a mail address", "post@form.test"),
    ("Days", "[365]", "At most 7300", "0", "1 to 7300", "30"),
    ("Name of the files", "[form.test]", "NAME.key", "../form", "can't name a certificate", "form"),
];
const LONG: &str = "A name of more than sixty-four characters is more than X.520 gives room for";
const LONGER: &str =
    "A place whose name has more than one hundred and twenty-eight characters is not on this earth, or it is \
                      in Wales and even there nobody writes it out";

/// Answers every question by an empty line, up to the summary.
fn accept_all(terminal: &mut Terminal) {
    terminal.answer("[ecdsa-p256]: ", "");
    for (title, ..) in &FIELDS[1..] {
        terminal.answer(title, "");
    }
    terminal.expect("Go ahead?");
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".lock");
    names.sort();
    names
}

fn shown(server: &Server, name: &str) -> serde_json::Value {
    serde_json::from_str(&run_ok(server.dovetail().args(["--json", "certs", "show", name]))).unwrap()
}

#[test]
fn every_field_is_asked_for_explained_and_checked() {
    if !possible() || !have("openssl") {
        return;
    }
    let server = Setup::mail().start();
    let report = server.setup.dir.path().join("report");
    let mut terminal = Terminal::run(server.dovetail().args(["certs", "create"]), Some(&report));
    terminal.expect("? explains a question");
    for (title, brackets, help, refused, reason, good) in FIELDS {
        let question = if brackets.is_empty() { format!("{title}: ") } else { format!("{title} {brackets}: ") };
        let before = terminal.expect(&question);
        if title == "Kind of key" {
            for kind in ["1 ecdsa-p256", "2 ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096", "6 ed25519"] {
                assert!(before.contains(kind), "{kind} is not in {before:?}");
            }
        }
        terminal.press("?\n");
        terminal.expect(help);
        terminal.answer(&question, refused);
        terminal.expect(reason);
        terminal.answer(&question, good);
        if matches!(title, "Further name" | "Unit (OU)") {
            let further = if title == "Further name" { "192.0.2.7" } else { "Second" };
            terminal.answer(&format!("{title}, another: "), further);
            // Of units there are two at most.
            terminal.answer(&format!("{title}, another: "), if title == "Unit (OU)" { "Third" } else { "" });
            if title == "Unit (OU)" {
                terminal.expect("two at most");
                terminal.answer(&format!("{title}, another: "), "");
            }
        }
    }
    let summary = terminal.expect("Go ahead?");
    for part in ["ecdsa-p384", "imap.form.test, 192.0.2.7", "Müller & Söhne", "Mail, Second", "post@form.test"] {
        assert!(summary.contains(part), "{part} is not in the summary:\n{summary}");
    }
    assert!(!server.setup.crt("form").exists(), "made before anybody agreed");
    // An answer changed at the end.
    terminal.press("10\n");
    terminal.answer("Days [30]: ", "40");
    terminal.answer("Go ahead?", "y");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(report.starts_with("made the certificate \"form\" (ECDSA P-384)"), "{report}");

    let crt = server.setup.crt("form");
    let text = run_ok(
        Command::new("openssl").args(["x509", "-noout", "-subject", "-nameopt", "utf8,sep_multiline", "-in"]).arg(&crt),
    );
    for part in [
        "C=DE",
        "ST=NRW",
        "L=Köln",
        "O=Müller & Söhne",
        "OU=Mail",
        "OU=Second",
        "CN=form.test",
        "emailAddress=post@form.test",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let details = shown(&server, "form");
    assert_eq!(details["chain"][0]["names"], serde_json::json!(["form.test", "imap.form.test", "192.0.2.7"]));
    assert_eq!(details["key"], "ECDSA P-384");
    for (command, file) in [("req", "csr"), ("pkey", "key")] {
        let path = server.setup.certs().join(format!("form.{file}"));
        run_ok(Command::new("openssl").args([command, "-noout", "-in"]).arg(path));
    }
    run_ok(Command::new("openssl").args(["verify", "-x509_strict", "-CAfile"]).arg(&crt).arg(&crt));
    let mut client = server.connect("pop3s").start_tls(&server.setup, "imap.form.test");
    client.line();
    assert_eq!(client.certificate().to_vec(), certificate(&crt).to_vec());
}

#[test]
fn empty_lines_make_what_a_server_needs_and_a_name_in_use_brings_the_form_back() {
    if !possible() {
        return;
    }
    let server = Setup::mail().start();
    let mut terminal = Terminal::run(server.dovetail().args(["certs", "create"]), None);
    accept_all(&mut terminal);
    terminal.press("\n");
    // The server has one of its own name.
    terminal.expect("Refused: there is a certificate named \"mail.example.test\" already");
    terminal.answer("Go ahead?", "11");
    terminal.answer("Name of the files [mail.example.test]: ", "second");
    terminal.answer("Go ahead?", "");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    let details = shown(&server, "second");
    assert_eq!(details["chain"][0]["subject"], "CN=mail.example.test");
    assert_eq!(
        (&details["key"], &details["chain"][0]["names"][0]),
        (&"ECDSA P-256".into(), &"mail.example.test".into())
    );
}

#[test]
fn whoever_gives_up_leaves_nothing() {
    if !possible() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("certs");
    let mut create = dovetail();
    create.args(["certs", "create", "--dir"]).arg(&folder);
    // By Ctrl-C at the beginning and at the end, by the end of the input, by saying no.
    for keys in ["\u{3}", "\u{4}"] {
        let mut terminal = Terminal::run(&create, None);
        terminal.expect("[ecdsa-p256]: ");
        terminal.press(keys);
        let (status, screen) = terminal.end();
        assert!(!status.success(), "{screen}");
        assert_eq!(names(&folder), [""; 0]);
    }
    for keys in ["\u{3}", "\u{4}", "n\n"] {
        let mut terminal = Terminal::run(&create, None);
        terminal.answer("[ecdsa-p256]: ", "");
        terminal.answer("Common name (CN)", "quit.test");
        for (title, ..) in &FIELDS[2..] {
            terminal.answer(title, "");
        }
        terminal.expect("Go ahead?");
        terminal.press(keys);
        let (status, screen) = terminal.end();
        assert!(!status.success(), "{screen}");
        assert!(keys == "\u{3}" || screen.contains("nothing has changed"), "{screen}");
        assert_eq!(names(&folder), [""; 0]);
    }
}

#[test]
fn a_name_in_use_is_refused_when_it_is_entered_where_the_folder_is_named() {
    if !possible() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut create = dovetail();
    run_ok(create.args(["certs", "create", "--common-name", "used.test", "--dir"]).arg(dir.path()));
    let mut create = dovetail();
    create.args(["certs", "create", "--dir"]).arg(dir.path());
    let mut terminal = Terminal::run(&create, None);
    terminal.answer("[ecdsa-p256]: ", "6");
    terminal.expect("NSS");
    terminal.answer("Common name (CN)", "used.test");
    for (title, ..) in &FIELDS[2..10] {
        terminal.answer(title, "");
    }
    terminal.answer("Name of the files [used.test]: ", "");
    terminal.expect("choose another name");
    terminal.answer("Name of the files [used.test]: ", "free");
    terminal.answer("Go ahead?", "y");
    let (status, screen) = terminal.end();
    assert!(status.success() && screen.contains("warning: the key is Ed25519"), "{screen}");
    assert_eq!(names(dir.path()).iter().filter(|name| name.starts_with("free.")).count(), 3);
}

#[test]
fn a_script_is_asked_nothing() {
    // Without a terminal: as ever, with the name of the server or none.
    let server = Setup::mail().start();
    let (status, _, stderr) = run(server.dovetail().args(["certs", "create"]));
    assert!(!status.success() && stderr.contains("named \"mail.example.test\" already"), "{stderr}");
    let dir = tempfile::tempdir().unwrap();
    let (status, _, stderr) = run(dovetail().args(["certs", "create", "--dir"]).arg(dir.path()));
    assert!(!status.success() && stderr.contains("has no name") && stderr.lines().count() == 1, "{stderr}");
    if !possible() {
        return;
    }
    // At a terminal with anything given that would be asked for, or for a program.
    let mut create = dovetail();
    create.args(["certs", "create", "--common-name", "given.test", "--dir"]).arg(dir.path());
    let (status, screen) = Terminal::run(&create, None).end();
    assert!(status.success() && screen.contains("made the certificate \"given.test\""), "{screen}");
    let (status, screen) = Terminal::run(server.dovetail().args(["--json", "certs", "create"]), None).end();
    assert!(!status.success() && screen.contains("already") && !screen.contains("Common name"), "{screen}");
}
