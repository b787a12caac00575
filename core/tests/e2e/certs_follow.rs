//! `certs follow`: another program renews, and the next handshakes have the new certificate.

use crate::{
    certs_elsewhere::layouts::{self, Authority},
    handshakes,
    harness::{have, run, run_ok, Server, Setup},
};
use std::path::{Path, PathBuf};

const NAME: &str = "shop.test";

/// certbot's tree with one name in it, beside a server's directory.
fn certbot(setup: &Setup) -> (Authority, PathBuf) {
    let authority = Authority::new(&setup.dir.path().join("authority"));
    let root = setup.dir.path().join("letsencrypt");
    layouts::certbot(&authority, &root, NAME, 1);
    (authority, root)
}

fn version(root: &Path, version: u32) -> Vec<u8> {
    layouts::leaf(&root.join(format!("archive/{NAME}/cert{version}.pem")))
}

fn shown(server: &Server) -> Vec<u8> {
    handshakes::shown(server.address("imaps"), NAME)
}

#[test]
fn a_renewal_by_certbot_is_served_without_anybody_doing_anything() {
    if !have("openssl") {
        return;
    }
    let setup = Setup::mail();
    let (authority, root) = certbot(&setup);
    let server = setup.start();
    let live = root.join("live").join(NAME);
    let said = run_ok(server.dovetail().args(["certs", "follow"]).arg(&live));
    assert!(said.starts_with(&format!("imported \"{NAME}\" from ")), "{said}");
    assert!(shown(&server) == version(&root, 1));
    let mut before = server.connect_tls("submissions");
    before.line();

    layouts::certbot_archive(&authority, &root, NAME, 2);
    // Halfway: the new key, and the certificate of the old one. A reload looks at once, and tells.
    layouts::certbot_switch(&root, NAME, "privkey", 2);
    run_ok(server.dovetail().arg("reload"));
    let told = server.wait_for_log("followed files can't be used");
    assert!(told.contains("stays in service"), "{told}");
    assert!(shown(&server) == version(&root, 1));
    for which in ["cert", "chain", "fullchain"] {
        layouts::certbot_switch(&root, NAME, which, 2);
        let now = shown(&server);
        assert!(now == version(&root, 1) || now == version(&root, 2));
    }
    server.wait_for_log("followed files have changed");
    assert!(shown(&server) == version(&root, 2));
    before.expect("NOOP", "250 ");
    layouts::openssl_agrees(&server.setup.crt(NAME), &server.setup.certs().join(format!("{NAME}.key")));
}

#[test]
fn what_was_renewed_while_the_server_was_away_is_taken_at_its_start() {
    if !have("openssl") {
        return;
    }
    let setup = Setup::mail();
    let (authority, root) = certbot(&setup);
    // Remembered without a server, too.
    run_ok(setup.dovetail().args(["certs", "follow", "--name", "other"]).arg(root.join("live").join(NAME)));
    let record = std::fs::read_to_string(setup.certs().join("other.follow")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["path"], root.join("live").join(NAME).to_str().unwrap());
    layouts::certbot(&authority, &root, NAME, 2);
    let server = setup.start();
    assert!(shown(&server) == version(&root, 2));
}

#[test]
fn what_is_followed_is_listed_and_ended() {
    if !have("openssl") {
        return;
    }
    let setup = Setup::mail();
    let (authority, root) = certbot(&setup);
    let server = setup.start();
    let follow = |more: &[&str]| {
        let (status, stdout, stderr) = run(server.dovetail().args(["--json", "certs", "follow"]).args(more));
        (status.success(), stdout, stderr)
    };
    assert_eq!(follow(&[]).1.trim(), "[]");
    let live = root.join("live").join(NAME);
    let live = live.to_str().unwrap();
    // Somebody's own pair isn't replaced by the way.
    run_ok(server.dovetail().args(["certs", "create", "--name", NAME, "--san", NAME]));
    let (ok, _, stderr) = follow(&[live]);
    assert!(!ok && stderr.contains("--replace") && stderr.lines().count() == 1, "{stderr}");
    assert!(follow(&[live, "--replace"]).0);
    let listed: serde_json::Value = serde_json::from_str(&follow(&[]).1).unwrap();
    assert_eq!(listed, serde_json::json!([{ "name": NAME, "path": live, "state": "in step" }]));
    let (_, stdout, stderr) = run(server.dovetail().args(["certs", "import", live]));
    assert!(stderr.contains(&format!("warning: {NAME}: \"{NAME}\" follows {live}")), "{stdout}{stderr}");
    assert!(follow(&["--stop", NAME]).0);
    let (ok, _, stderr) = follow(&["--stop", NAME]);
    assert!(!ok && stderr.contains("follows nothing"), "{stderr}");
    assert_eq!(follow(&[]).1.trim(), "[]");
    // The pair stays, whatever becomes of the files.
    layouts::certbot(&authority, &root, NAME, 2);
    run_ok(server.dovetail().arg("reload"));
    assert!(shown(&server) == version(&root, 1));
    let (ok, _, stderr) = follow(&[root.join("archive").to_str().unwrap()]);
    assert!(!ok && stderr.contains("no complete pair"), "{stderr}");
    let (ok, _, stderr) = follow(&[server.setup.certs().to_str().unwrap()]);
    assert!(!ok && stderr.contains("the certificate folder itself"), "{stderr}");
}
