//! Certificates that are not there, or do not match their keys.

use super::{refused_start, with};
use crate::harness::{dovetail, run, run_ok, Setup};
use std::{fs, path::Path};

const LISTENER: &str = r#""l": (protocol: "echo", bind: ["127.0.0.1:0"], tls: Implicit)"#;
const PLUGINS: &str = "\"echo\": (),\n        \"tls-rustls\": (),\n        \"cert-store\": (),";

/// Makes a pair in a folder.
fn make(dir: &Path, name: &str) {
    run_ok(dovetail().args(["certs", "create", "--common-name", name, "--dir"]).arg(dir));
}

#[test]
fn no_certificate_and_nobody_to_make_one() {
    let setup = Setup::new(&with(PLUGINS, LISTENER));
    // What `check` can't know before the start.
    run_ok(setup.dovetail().arg("check"));
    let cure = "make one with `dovetail certs create --name mail.example.test`, import one with `dovetail certs import`, or set \
                `create_missing: true` for `cert-store`";
    let refusal = refused_start(setup, &[("(protocol", &["listener `l`: there is no certificate for TLS", cure])]);
    assert!(!refusal.setup.data_dir().join("certs").join("mail.example.test.key").exists());
    // Each of the two cures helps.
    let server =
        Setup::new(&with(&PLUGINS.replace("store\": ()", "store\": (config: (create_missing: true))"), LISTENER))
            .start();
    assert!(server.setup.data_dir().join("certs/mail.example.test.key").exists());
    run_ok(refusal.setup.dovetail().args(["certs", "create", "--name", "mail.example.test"]));
    refusal.setup.start();
}

#[test]
fn a_certificate_that_is_named_and_not_there() {
    let listener = LISTENER.replace("tls:", "certificate: \"other\", tls:");
    refused_start(
        Setup::new(&with(PLUGINS, &listener)),
        &[("(protocol", &["listener `l`: there is no certificate \"other\"", "dovetail certs create --name other"])],
    );
}

#[test]
fn a_key_that_does_not_match() {
    let listener = LISTENER.replace("tls:", "certificate: \"a.test\", tls:");
    let setup = Setup::new(&with(PLUGINS, &listener));
    let certs = setup.data_dir().join("certs");
    make(&certs, "a.test");
    make(&certs, "b.test");
    let good = fs::read(certs.join("a.test.key")).unwrap();
    fs::copy(certs.join("b.test.key"), certs.join("a.test.key")).unwrap();
    let both = format!("the pair {0}/a.test.crt, {0}/a.test.key can't be used", certs.display());
    let told: &[&str] = &[&both, "the private key doesn't belong to the certificate", "find the key it was made with"];
    let refusal = refused_start(setup, &[("(protocol", told)]);
    // With the key in place it starts.
    fs::write(certs.join("a.test.key"), good).unwrap();
    refusal.setup.start();
}

#[test]
fn a_key_that_does_not_match_is_not_imported() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    make(&from, "a.test");
    make(&from, "b.test");
    let import = |crt: &str, key: &str| {
        let mut command = dovetail();
        command.args(["certs", "import", "--name", "mail", "--replace", "--cert"]).arg(from.join(crt));
        command.arg("--key").arg(from.join(key)).arg("--dir").arg(&to);
        command
    };
    let (status, stdout, stderr) = run(&mut import("a.test.crt", "b.test.key"));
    assert_eq!((status.code(), stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
    assert!(
        stderr.starts_with("error: ") && stderr.contains("the private key doesn't belong to the certificate"),
        "{stderr}"
    );
    assert!(!to.join("mail.crt").exists() && !to.join("mail.key").exists());
    // Nor does it touch a pair that is there.
    run_ok(&mut import("b.test.crt", "b.test.key"));
    let before = (fs::read(to.join("mail.crt")).unwrap(), fs::read(to.join("mail.key")).unwrap());
    assert!(!run(&mut import("a.test.crt", "b.test.key")).0.success());
    assert_eq!((fs::read(to.join("mail.crt")).unwrap(), fs::read(to.join("mail.key")).unwrap()), before);
}
