//! `certs create`: every kind of key, as OpenSSL and GnuTLS read it, and a second pair with another kind of key for one name.

use crate::harness::{dovetail, have, run, run_ok, Server, Setup};
use std::{path::PathBuf, process::Command};

/// Each kind: its word, what we call it, what certtool does.
const KINDS: [(&str, &str, &str); 6] = [
    ("ecdsa-p256", "ECDSA P-256", "EC/ECDSA"),
    ("ecdsa-p384", "ECDSA P-384", "EC/ECDSA"),
    ("ed25519", "Ed25519", "EdDSA (Ed25519)"),
    ("rsa-2048", "RSA 2048", "RSA"),
    ("rsa-3072", "RSA 3072", "RSA"),
    ("rsa-4096", "RSA 4096", "RSA"),
];

#[test]
fn openssl_and_gnutls_read_every_kind_of_key_that_is_made() {
    if !have("openssl") || !have("certtool") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for (word, name, algorithm) in KINDS {
            let dir = dir.path();
            scope.spawn(move || {
                let host = format!("{word}.test");
                let mut create = dovetail();
                create.args(["certs", "create", "--common-name", &host, "--type", word, "--unit", "A", "--unit", "B"]);
                let (status, said, warnings) = run(create.arg("--dir").arg(dir));
                assert!(status.success() && said.contains(&format!("({name})")), "{said}{warnings}");
                assert_eq!(warnings.contains("warning: the key is Ed25519"), word == "ed25519", "{warnings}");
                let at = |ext: &str| dir.join(format!("{host}.{ext}"));
                run_ok(
                    Command::new("openssl")
                        .args(["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", &host, "-CAfile"])
                        .args([at("crt"), at("crt")]),
                );
                run_ok(Command::new("openssl").args(["req", "-noout", "-verify", "-in"]).arg(at("csr")));
                run_ok(Command::new("openssl").args(["pkey", "-noout", "-check", "-in"]).arg(at("key")));
                // It refuses keys in the newer form of PKCS#8.
                let key = run_ok(Command::new("certtool").args(["--key-info", "--infile"]).arg(at("key")));
                assert!(key.contains(&format!("Public Key Algorithm: {algorithm}")), "{key}");
                let request = run_ok(Command::new("certtool").args(["--crq-info", "--infile"]).arg(at("csr")));
                assert!(request.contains("Self signature: verified"), "{request}");
                let shown = run_ok(Command::new("certtool").args(["-i", "--infile"]).arg(at("crt")));
                assert!(shown.contains("OU=A") && shown.contains("OU=B"), "{shown}");
            });
        }
    });
}

#[test]
fn a_second_pair_for_the_same_name_says_what_the_first_says() {
    let server = Setup::mail().start();
    let create = ["certs", "create", "--name", "two", "--common-name", "two.test", "--san", "also.test"];
    run_ok(server.dovetail().args(create).args(["--organization", "Example"]));
    run_ok(server.dovetail().args(["certs", "create", "--add", "--name", "two", "--type", "rsa-3072"]));
    let (first, second) = (details(&server, "two"), details(&server, "two+rsa"));
    assert_eq!(second["key"], "RSA 3072");
    for same in ["subject", "names"] {
        assert_eq!(first["chain"][0][same], second["chain"][0][same]);
    }
    for ext in ["key", "crt", "csr"] {
        assert!(file(&server, &format!("two+rsa.{ext}")).exists());
    }
    for (args, part) in [
        (&["--name", "two", "--type", "rsa-2048"][..], "\"two+rsa\""),
        (&["--name", "none", "--type", "rsa-2048"], "no certificate \"none\""),
    ] {
        let (status, _, stderr) = run(server.dovetail().args(["certs", "create", "--add"]).args(args));
        assert!(!status.success() && stderr.contains(part) && stderr.lines().count() == 1, "{stderr}");
    }
    // A name that promises another kind of key.
    let wrong = ["certs", "create", "--name", "x+rsa", "--common-name", "x.test"];
    let (status, _, stderr) = run(server.dovetail().args(wrong));
    assert!(!status.success() && stderr.contains("RSA") && !server.setup.crt("x+rsa").exists(), "{stderr}");
}

fn file(server: &Server, name: &str) -> PathBuf {
    server.setup.certs().join(name)
}

fn details(server: &Server, name: &str) -> serde_json::Value {
    serde_json::from_str(&run_ok(server.dovetail().args(["--json", "certs", "show", name]))).unwrap()
}
