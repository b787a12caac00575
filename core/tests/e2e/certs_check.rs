//! `certs check`: what it finds, what it ends with, and what it knows of the server.

use crate::{
    harness::{dovetail, run, run_ok, Setup, MAIL_CONFIG},
    tls::HOST,
};
use std::{os::unix::fs::PermissionsExt, process::Command};

/// The exit code, and the codes of what was found with what they are about.
#[track_caller]
fn check(command: &mut Command, more: &[&str]) -> (i32, Vec<(String, String)>) {
    let (status, stdout, stderr) = run(command.args(["--json", "certs", "check"]).args(more));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stdout}{stderr}"));
    let code = status.code().unwrap();
    assert_eq!(report["status"], ["ok", "warning", "error"][usize::try_from(code).unwrap()], "{report}");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap();
    (code, findings.iter().map(|finding| (text(&finding["code"]), text(&finding["about"]))).collect())
}

fn found(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(code, about)| ((*code).to_owned(), (*about).to_owned())).collect()
}

#[test]
fn a_server_is_checked_with_the_code_that_monitoring_wants() {
    let server = Setup::mail().start();
    assert_eq!(check(&mut server.dovetail(), &[]), (1, found(&[("self-signed", HOST)])));
    assert_eq!(check(&mut server.dovetail(), &["--ignore", "self-signed"]), (0, found(&[])));
    let (code, findings) = check(&mut server.dovetail(), &["--ignore", "self-signed", "--host", "shop.test"]);
    assert_eq!((code, findings), (2, found(&[("host", "shop.test")])));
    let key = server.setup.certs().join(format!("{HOST}.key"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, findings) = check(&mut server.dovetail(), &["--ignore", "self-signed"]);
    assert_eq!((code, findings), (2, found(&[("key-permissions", &format!("{HOST}.key"))])));
    // For people the same.
    let (status, stdout, stderr) = run(server.dovetail().args(["certs", "check"]));
    assert_eq!((status.code(), stderr.as_str()), (Some(2), ""));
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with(&format!("error [key-permissions] {HOST}.key: ")), "{stdout}");
    assert!(lines[1].starts_with(&format!("warning [self-signed] {HOST}: ")), "{stdout}");
    assert!(lines[2].starts_with("error: 1 of 1 pairs in "), "{stdout}");
}

#[test]
fn the_servers_name_and_its_listeners_are_known() {
    let config = MAIL_CONFIG.replacen("\"imaps\": (", "\"imaps\": (certificate: \"other\", ", 1);
    let setup = Setup::mail_with(&config);
    run_ok(setup.dovetail().args(["certs", "create", "--name", "other", "--san", "other.test"]));
    let ignore = ["--ignore", "self-signed"];
    // Without a server, from its configuration.
    assert_eq!(check(&mut setup.dovetail(), &ignore), (2, found(&[("host", HOST)])));
    std::fs::write(&setup.config, config.replace("\"other\"", "\"gone\"")).unwrap();
    assert_eq!(check(&mut setup.dovetail(), &ignore), (2, found(&[("listener", "imaps"), ("host", HOST)])));
    // The running server knows what it runs with, and after a reload what it runs with then.
    std::fs::write(&setup.config, &config).unwrap();
    let server = setup.start();
    assert_eq!(check(&mut server.dovetail(), &ignore), (2, found(&[("host", HOST)])));
    let files = server.setup.certs();
    run_ok(server.dovetail().args(["certs", "create", "--name", "new", "--san", HOST]));
    assert_eq!(check(&mut server.dovetail(), &ignore), (0, found(&[])));
    for ending in ["crt", "csr", "key"] {
        std::fs::remove_file(files.join(format!("other.{ending}"))).unwrap();
    }
    // The pair is withdrawn as soon as the folder is looked at.
    server.wait_for_log("certificate withdrawn");
    assert_eq!(check(&mut server.dovetail(), &ignore), (2, found(&[("listener", "imaps")])));
    std::fs::write(&server.setup.config, config.replace("\"other\"", "\"new\"")).unwrap();
    assert_eq!(check(&mut server.dovetail(), &ignore), (2, found(&[("listener", "imaps")])), "nothing was reloaded");
    run_ok(server.dovetail().arg("reload"));
    assert_eq!(check(&mut server.dovetail(), &ignore), (0, found(&[])));
}

#[test]
fn a_folder_is_checked_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let certs = dir.path().join("certs");
    let here = |more: &[&str]| {
        let mut command = dovetail();
        check(&mut command, &[&["--dir", certs.to_str().unwrap()], more].concat())
    };
    assert_eq!(here(&[]), (2, found(&[("folder", certs.to_str().unwrap())])));
    run_ok(dovetail().args(["certs", "create", "--name", "a", "--san", "a.test", "--dir"]).arg(&certs));
    assert_eq!(here(&["--host", "a.test"]), (1, found(&[("self-signed", "a")])));
    assert_eq!(here(&["--host", "b.test"]).1, found(&[("host", "b.test"), ("self-signed", "a")]));
    std::fs::write(certs.join("a.crt"), "nothing").unwrap();
    assert_eq!(here(&[]), (2, found(&[("unusable", "a")])));
}
