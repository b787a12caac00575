//! Certificates made and brought while the server runs are served on the next handshake; and on a folder without any server.

use crate::{
    harness::{dovetail, have, run, run_ok, Server, Setup},
    tls::{certificate, HOST},
};
use std::process::Command;

/// The certificate that a client gets who asks for `name`; it must be valid for it.
#[track_caller]
fn shown(server: &Server, listener: &str, name: &str) -> Vec<u8> {
    let mut client = server.connect(listener).start_tls(&server.setup, name);
    assert!(!client.line().is_empty());
    client.certificate().to_vec()
}

#[test]
fn a_certificate_made_while_the_server_runs_is_served_on_the_next_handshake() {
    let server = Setup::mail().start();
    let first = shown(&server, "pop3s", HOST);
    let mut before = server.connect_tls("submissions");
    before.line();
    for kind in ["ecdsa-p256", "rsa-2048"] {
        let (name, host) = (format!("shop-{kind}"), format!("{kind}.shop.test"));
        let args = ["--json", "certs", "create", "--name", &name, "--san", &host, "--type", kind];
        let report: serde_json::Value = serde_json::from_str(&run_ok(server.dovetail().args(args))).unwrap();
        assert_eq!(report["name"], *name);
        let made = certificate(server.setup.crt(&name)).to_vec();
        for listener in ["pop3s", "submissions"] {
            assert!(shown(&server, listener, &host) == made, "{listener}: another certificate");
        }
        assert!(server.setup.certs().join(format!("{name}.csr")).exists());
    }
    // By STARTTLS too, and who asks for the first name still gets the first.
    let mut client = server.connect("smtp");
    client.line();
    client.expect("STARTTLS", "220 ");
    let client = client.start_tls(&server.setup, "rsa-2048.shop.test");
    assert_eq!(client.certificate().to_vec(), certificate(server.setup.crt("shop-rsa-2048")).to_vec());
    assert!(shown(&server, "pop3s", HOST) == first);
    // Whoever was there is not disturbed.
    before.expect("NOOP", "250 ");

    // A new one in the place of the old.
    run_ok(server.dovetail().args(["certs", "create", "--name", HOST, "--san", HOST, "--replace"]));
    let renewed = shown(&server, "pop3s", HOST);
    assert!(renewed != first);
    assert_eq!(renewed, certificate(server.setup.crt(HOST)).to_vec());
    assert!(server.log().contains("operation command=certs operation=create"), "{}", server.log());
}

#[test]
fn a_certificate_put_into_the_folder_without_the_server_is_served_too() {
    let server = Setup::mail().start();
    shown(&server, "pop3s", HOST);
    let mut create = dovetail();
    create.args(["certs", "create", "--name", "beside", "--san", "beside.test", "--dir"]).arg(server.setup.certs());
    run_ok(&mut create);
    assert!(!server.log().contains("operation command=certs"), "it was to go past the server");
    // The server looks at its folder every second.
    server.wait_for_log("certificate loaded certificate=beside");
    assert_eq!(shown(&server, "pop3s", "beside.test"), certificate(server.setup.crt("beside")).to_vec());
}

#[test]
fn a_pair_of_openssl_is_imported_and_served() {
    if !have("openssl") {
        return;
    }
    let server = Setup::mail().start();
    let folder = server.setup.dir.path().join("from-elsewhere");
    std::fs::create_dir(&folder).unwrap();
    for (name, kind) in [("one", ["ec", "ec_paramgen_curve:P-384"]), ("two", ["rsa", "rsa_keygen_bits:2048"])] {
        let (crt, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}-old-name.pem")));
        let mut openssl = Command::new("openssl");
        openssl
            .args(["req", "-x509", "-nodes", "-days", "30", "-newkey", kind[0], "-pkeyopt", kind[1]])
            .args([
                "-subj",
                &format!("/CN={name}.import.test"),
                "-addext",
                &format!("subjectAltName=DNS:{name}.import.test"),
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-out")
            .arg(&crt)
            .arg("-keyout")
            .arg(&key);
        run_ok(&mut openssl);
        let mut import = server.dovetail();
        import.args(["--json", "certs", "import", "--cert"]).arg(&crt).arg("--key").arg(&key);
        let report: serde_json::Value = serde_json::from_str(&run_ok(&mut import)).unwrap();
        assert_eq!(report["name"], name, "named after the certificate");
        assert!(server.setup.certs().join(format!("{name}.key")).exists());
        assert!(shown(&server, "submissions", &format!("{name}.import.test")) == certificate(&crt).to_vec());
    }
    // A key of another certificate.
    let mut import = server.dovetail();
    import.args(["certs", "import", "--name", "wrong", "--cert"]).arg(folder.join("one.crt"));
    let (status, _, stderr) = run(import.arg("--key").arg(folder.join("two-old-name.pem")));
    assert!(!status.success());
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(!server.setup.crt("wrong").exists());
}

#[test]
fn list_and_show_tell_people_and_programs() {
    let server = Setup::mail().start();
    run_ok(server.dovetail().args(["certs", "create", "--name", "shop", "--san", "shop.test"]));
    let list: serde_json::Value =
        serde_json::from_str(&run_ok(server.dovetail().args(["--json", "certs", "list"]))).unwrap();
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, [HOST, "shop"]);
    assert_eq!(list[1]["names"], serde_json::json!(["shop.test"]));
    assert_eq!(list[1]["state"], "valid");
    let table = run_ok(server.dovetail().args(["certs", "list"]));
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.starts_with("NAME ") && table.contains("shop.test"), "{table}");

    let details: serde_json::Value =
        serde_json::from_str(&run_ok(server.dovetail().args(["certs", "show", "shop", "--json"]))).unwrap();
    let sha256 = details["chain"][0]["sha256"].as_str().unwrap();
    assert!(run_ok(server.dovetail().args(["certs", "show", "shop"])).contains(sha256));
    // Without a server, from the folder: the same.
    let mut offline = dovetail();
    offline.args(["--json", "certs", "show", "shop", "--dir"]).arg(server.setup.certs());
    assert_eq!(serde_json::from_str::<serde_json::Value>(&run_ok(&mut offline)).unwrap(), details);

    let (status, _, stderr) = run(server.dovetail().args(["certs", "show", "nothing"]));
    assert!(!status.success());
    assert!(stderr.contains("there is no certificate \"nothing\"") && stderr.lines().count() == 1, "{stderr}");
    let (status, _, stderr) = run(server.dovetail().args(["certs", "create", "--name", "shop", "--san", "x.test"]));
    assert!(!status.success(), "the pair is there already");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for secret in std::fs::read_dir(server.setup.certs()).unwrap().map(|entry| entry.unwrap().path()) {
        if secret.extension().is_some_and(|extension| extension == "key") {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(secret.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", secret.display());
        }
    }
}
