//! A key that stays: new signing requests for it, new self-signed certificates, by hand and by the server itself.

use crate::{
    harness::{dovetail, have, run, run_ok, Server, Setup, MAIL_CONFIG},
    tls::{certificate, HOST},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

fn openssl(args: &[&str], path: &Path) -> String {
    run_ok(Command::new("openssl").args(args).arg("-in").arg(path))
}

fn file(server: &Server, name: &str) -> PathBuf {
    server.setup.certs().join(name)
}

fn details(server: &Server, name: &str) -> serde_json::Value {
    serde_json::from_str(&run_ok(server.dovetail().args(["--json", "certs", "show", name]))).unwrap()
}

/// The certificate that a client of this name gets.
#[track_caller]
fn served(server: &Server, name: &str) -> Vec<u8> {
    let mut client = server.connect("pop3s").start_tls(&server.setup, name);
    client.line();
    client.certificate().to_vec()
}

#[test]
fn a_request_is_made_anew_for_the_key_that_is_there() {
    if !have("openssl") || !have("certtool") {
        return;
    }
    let server = Setup::mail().start();
    let make =
        ["certs", "create", "--common-name", "a.test", "--san", "b.test", "--organization", "Old", "--unit", "U"];
    run_ok(server.dovetail().args(make));
    let before = |ext: &str| std::fs::read(file(&server, &format!("a.test.{ext}"))).unwrap();
    let (key, crt, csr) = (before("key"), before("crt"), before("csr"));

    // As the certificate says it.
    run_ok(server.dovetail().args(["certs", "csr", "a.test"]));
    let path = file(&server, "a.test.csr");
    assert_ne!(std::fs::read(&path).unwrap(), csr);
    let text = openssl(&["req", "-noout", "-verify", "-text"], &path);
    for part in ["O = Old", "OU = U", "CN = a.test", "DNS:a.test, DNS:b.test"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    run_ok(Command::new("certtool").args(["--crq-info", "--infile"]).arg(&path));
    // With other fields.
    let args = ["--json", "certs", "csr", "a.test", "--san", "c.test", "--unit", "", "--organization", "New"];
    let report: serde_json::Value = serde_json::from_str(&run_ok(server.dovetail().args(args))).unwrap();
    assert_eq!(report["names"], serde_json::json!(["a.test", "c.test"]));
    let text = openssl(&["req", "-noout", "-verify", "-text"], &path);
    assert!(text.contains("O = New") && text.contains("DNS:a.test, DNS:c.test"), "{text}");
    assert!(!text.contains("OU = ") && !text.contains("b.test"), "{text}");

    let public = openssl(&["pkey", "-pubout"], &file(&server, "a.test.key"));
    assert_eq!(openssl(&["req", "-noout", "-pubkey"], &path), public);
    assert_eq!((before("key"), before("crt")), (key, crt), "key and certificate stay");

    for (name, args, part) in [
        ("none", &[][..], "there is no key \"none\""),
        ("a.test", &["--country", "Germany"], "two letters"),
        ("a.test", &["--san", "a b"], "a b"),
    ] {
        let (status, _, stderr) = run(server.dovetail().args(["certs", "csr", name]).args(args));
        assert!(!status.success() && stderr.contains(part) && stderr.lines().count() == 1, "{stderr}");
    }
    assert_eq!(openssl(&["req", "-noout", "-verify", "-text"], &path), text, "a refusal changes nothing");
}

#[test]
fn a_renewed_certificate_is_served_for_the_same_key() {
    let server = Setup::mail().start();
    run_ok(server.dovetail().args([
        "certs",
        "create",
        "--common-name",
        "r.test",
        "--organization",
        "Ö",
        "--days",
        "90",
    ]));
    let (old, first) = (details(&server, "r.test"), served(&server, "r.test"));
    let said = run_ok(server.dovetail().args(["certs", "renew", "r.test"]));
    assert!(said.contains("renewed the certificate \"r.test\" (ECDSA P-256), with the same key"), "{said}");
    let new = details(&server, "r.test");
    for same in ["key_sha256", "files"] {
        assert_eq!(new[same], old[same]);
    }
    for same in ["subject", "names"] {
        assert_eq!(new["chain"][0][same], old["chain"][0][same]);
    }
    assert_ne!(new["chain"][0]["serial"], old["chain"][0]["serial"]);
    let second = served(&server, "r.test");
    assert!(second != first && second == certificate(server.setup.crt("r.test")).to_vec());
    run_ok(server.dovetail().args(["certs", "renew", "r.test", "--days", "700"]));
    let list: serde_json::Value =
        serde_json::from_str(&run_ok(server.dovetail().args(["--json", "certs", "list"]))).unwrap();
    let row = list.as_array().unwrap().iter().find(|row| row["name"] == "r.test").unwrap();
    assert_eq!(row["days_left"], 699);
    for (args, part) in [(["none", "--days=1"], "no certificate \"none\""), (["r.test", "--days=0"], "1 to 7300")] {
        let (status, _, stderr) = run(server.dovetail().args(["certs", "renew"]).args(args));
        assert!(!status.success() && stderr.contains(part) && stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn an_authoritys_certificate_is_renewed_by_the_authority() {
    if !have("openssl") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (certs, ca, ca_key) = (dir.path().join("certs"), dir.path().join("ca.pem"), dir.path().join("ca-key.pem"));
    let command = |args: &[&str]| {
        let mut command = dovetail();
        command.args(["certs", args[0], "--dir"]).arg(&certs).args(&args[1..]);
        command
    };
    run_ok(&mut command(&["create", "--common-name", "ca-signed.test"]));
    let at = |name: &str| certs.join(format!("ca-signed.test.{name}"));
    let made =
        ["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=Test CA"];
    run_ok(Command::new("openssl").args(made).arg("-keyout").arg(&ca_key).arg("-out").arg(&ca));
    let mut sign = Command::new("openssl");
    sign.args(["x509", "-req", "-days", "30", "-copy_extensions", "copy", "-CAcreateserial", "-CA"]).arg(&ca);
    let answer = dir.path().join("answer.pem");
    run_ok(sign.arg("-CAkey").arg(&ca_key).arg("-in").arg(at("csr")).arg("-out").arg(&answer));
    run_ok(&mut command(&["import", "--name", "ca-signed.test", "--cert", answer.to_str().unwrap()]));

    let before = std::fs::read(at("crt")).unwrap();
    let (status, _, stderr) = run(&mut command(&["renew", "ca-signed.test"]));
    assert!(!status.success() && stderr.lines().count() == 1, "{stderr}");
    for part in ["CN=Test CA", "certs csr ca-signed.test", "--self-signed"] {
        assert!(stderr.contains(part), "{part} is not in {stderr}");
    }
    assert_eq!(std::fs::read(at("crt")).unwrap(), before);
    run_ok(&mut command(&["renew", "ca-signed.test", "--self-signed"]));
    assert_eq!(openssl(&["x509", "-noout", "-issuer"], &at("crt")).trim(), "issuer=CN = ca-signed.test");
    assert_eq!(
        openssl(&["x509", "-noout", "-pubkey"], &at("crt")),
        openssl(&["pkey", "-pubout"], &at("key")),
        "the key stays"
    );
}

/// Makes `NAME.key`, `.csr` and a self-signed `.crt` that has been valid for long and ends in five days.
fn old_pair(certs: &Path, name: &str) {
    let work = tempfile::tempdir().unwrap();
    let at = |file: &str| work.path().join(file);
    std::fs::create_dir_all(certs).unwrap();
    std::fs::write(at("index.txt"), "").unwrap();
    std::fs::write(at("serial"), "01\n").unwrap();
    let config = format!(
        "[ca]\ndefault_ca = own\n[own]\ndatabase = {0}/index.txt\nserial = {0}/serial\nnew_certs_dir = {0}\n\
         default_md = sha256\npolicy = any\ncopy_extensions = copy\nunique_subject = no\n[any]\ncommonName = supplied\n",
        work.path().display()
    );
    std::fs::write(at("ca.cnf"), config).unwrap();
    let published = |ext: &str| certs.join(format!("{name}.{ext}"));
    let (subject, san) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
    let made = ["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", &subject];
    let mut request = Command::new("openssl");
    request.args(made).args(["-addext", &san, "-addext", "basicConstraints=critical,CA:FALSE"]);
    run_ok(request.arg("-keyout").arg(published("key")).arg("-out").arg(published("csr")));
    let end = run_ok(Command::new("date").args(["-u", "-d", "+5 days", "+%Y%m%d%H%M%SZ"]));
    let mut sign = Command::new("openssl");
    sign.args(["ca", "-batch", "-notext", "-selfsign", "-startdate", "20250101000000Z", "-enddate", end.trim()]);
    sign.arg("-config").arg(at("ca.cnf")).arg("-keyfile").arg(published("key"));
    run_ok(sign.arg("-in").arg(published("csr")).arg("-out").arg(published("crt")));
}

#[test]
fn the_server_renews_what_was_made_here_and_is_due() {
    if !have("openssl") {
        return;
    }
    let setup = Setup::mail_with(&MAIL_CONFIG.replace("create_missing: true", "auto_renew: true"));
    for name in ["due.test", "imported.test"] {
        old_pair(&setup.certs(), name);
    }
    // Nobody asked for a request for this one here: it came from elsewhere.
    std::fs::remove_file(setup.certs().join("imported.test.csr")).unwrap();
    let mut create = setup.dovetail();
    run_ok(create.args(["certs", "create", "--common-name", HOST]));
    let read = |name: &str| std::fs::read(setup.crt(name)).unwrap();
    let (due, imported, fresh) = (read("due.test"), read("imported.test"), read(HOST));
    let key = std::fs::read(setup.certs().join("due.test.key")).unwrap();

    let server = setup.start();
    let line = server.wait_for_log("certificate renewed, self-signed, with the same key certificate=due.test");
    assert!(line.contains("until="), "{line}");
    let read = |name: &str| std::fs::read(server.setup.crt(name)).unwrap();
    assert!(read("due.test") != due && read("imported.test") == imported && read(HOST) == fresh);
    assert_eq!(std::fs::read(file(&server, "due.test.key")).unwrap(), key);
    assert_eq!(served(&server, "due.test"), certificate(server.setup.crt("due.test")).to_vec());
    assert_eq!(
        openssl(&["x509", "-noout", "-pubkey"], &server.setup.crt("due.test")),
        openssl(&["pkey", "-pubout"], &file(&server, "due.test.key"))
    );

    // Without the option nothing happens: what is due then is still the same when the server is ready and has served it.
    let setup = server.stop();
    old_pair(&setup.certs(), "other.test");
    let config = std::fs::read_to_string(&setup.config).unwrap().replace("auto_renew: true", "auto_renew: false");
    std::fs::write(&setup.config, config).unwrap();
    let server = setup.start();
    let before = certificate(server.setup.crt("other.test")).to_vec();
    assert_eq!(served(&server, "other.test"), before);
    let setup = server.stop();
    assert_eq!(certificate(setup.crt("other.test")).to_vec(), before);
}
