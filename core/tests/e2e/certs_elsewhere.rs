//! `certs import FOLDER`: the layouts of other programs, made here as those programs make them.

pub mod layouts;

use crate::{
    handshakes,
    harness::{dovetail, have, run, run_ok, Setup},
};
use layouts::{openssl_agrees, Authority};
use std::{
    collections::BTreeMap,
    os::unix::fs::{symlink, PermissionsExt},
    path::{Path, PathBuf},
};

/// An authority, a place for other programs, and a certificate folder of ours.
struct Elsewhere {
    dir: tempfile::TempDir,
    authority: Authority,
}

/// What an import of a folder came to.
#[derive(Debug)]
struct Outcome {
    code: i32,
    results: BTreeMap<String, String>,
    programs: BTreeMap<String, String>,
    warnings: String,
}

impl Elsewhere {
    fn new() -> Elsewhere {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new(&dir.path().join("authority"));
        Elsewhere { dir, authority }
    }

    fn at(&self, path: &str) -> PathBuf {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn certs(&self) -> PathBuf {
        self.dir.path().join("certs")
    }

    #[track_caller]
    fn import(&self, from: &Path, more: &[&str]) -> Outcome {
        let mut command = dovetail();
        command.args(["--json", "certs", "import"]).arg(from).args(more).arg("--dir").arg(self.certs());
        let (status, stdout, stderr) = run(&mut command);
        let report: serde_json::Value =
            serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stdout}{stderr}"));
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let pairs = report["pairs"].as_array().unwrap();
        let by_name = |key: &str| pairs.iter().map(|pair| (text(&pair["name"]), text(&pair[key]))).collect();
        let code = status.code().unwrap();
        Outcome { code, results: by_name("result"), programs: by_name("program"), warnings: stderr }
    }

    /// Every published pair is one to openssl, and its key is nobody else's.
    #[track_caller]
    fn published(&self, names: &[&str]) {
        let mut there: Vec<String> = std::fs::read_dir(self.certs())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|file| file.strip_suffix(".crt").map(str::to_owned))
            .collect();
        there.sort();
        assert_eq!(there, names);
        for name in names {
            let file = |ending: &str| self.certs().join(format!("{name}.{ending}"));
            openssl_agrees(&file("crt"), &file("key"));
            assert_eq!(file("key").metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, what)| ((*name).to_owned(), (*what).to_owned())).collect()
}

#[test]
fn certbots_tree_of_links_is_imported_and_again_is_no_change() {
    if !have("openssl") {
        return;
    }
    let elsewhere = Elsewhere::new();
    let root = elsewhere.at("letsencrypt/README").parent().unwrap().to_owned();
    for (name, version) in [("mail.test", 1), ("mail.test", 2), ("shop.test", 1)] {
        layouts::certbot(&elsewhere.authority, &root, name, version);
    }
    let (code, _, said) = run(dovetail().args(["certs", "import", "--add", "--dir"]).arg(elsewhere.certs()).arg(&root));
    assert!(!code.success() && said.contains("--add is for a single pair"), "{said}");
    let rehearsed = elsewhere.import(&root, &["--dry-run"]);
    assert_eq!(rehearsed.results, map(&[("mail.test", "imported"), ("shop.test", "imported")]));
    assert!(!elsewhere.certs().exists(), "a rehearsal changes nothing");
    let imported = elsewhere.import(&root, &[]);
    assert_eq!((imported.code, &imported.results), (0, &rehearsed.results), "{imported:?}");
    assert_eq!(imported.programs, map(&[("mail.test", "certbot"), ("shop.test", "certbot")]));
    elsewhere.published(&["mail.test", "shop.test"]);
    // The newest, with the intermediate.
    let newest = std::fs::read_to_string(root.join("archive/mail.test/fullchain2.pem")).unwrap();
    let ours = std::fs::read_to_string(elsewhere.certs().join("mail.test.crt")).unwrap();
    assert_eq!(layouts::blocks(&ours), layouts::blocks(&newest));
    let again = elsewhere.import(&root, &[]);
    assert_eq!(again.results, map(&[("mail.test", "unchanged"), ("shop.test", "unchanged")]));
    // One name by its own folder, whose links lead out of it; and a renewal, with its new key.
    let one = elsewhere.import(&root.join("live/shop.test"), &["--name", "shop"]);
    assert_eq!(one.results, map(&[("shop", "imported")]));
    layouts::certbot(&elsewhere.authority, &root, "shop.test", 2);
    let refused = elsewhere.import(&root, &[]);
    assert_eq!((refused.code, &refused.results["shop.test"]), (1, &"refused".to_owned()));
    let replaced = elsewhere.import(&root, &["--replace"]);
    assert_eq!((replaced.code, &replaced.results["shop.test"]), (0, &"pair replaced".to_owned()));
    elsewhere.published(&["mail.test", "shop", "shop.test"]);
}

#[test]
fn acme_sh_and_caddy() {
    if !have("openssl") {
        return;
    }
    let elsewhere = Elsewhere::new();
    let authority = &elsewhere.authority;
    for (folder, kind) in [("mail.test", "rsa"), ("mail.test_ecc", "ec")] {
        let pair = authority.issue("mail.test", kind);
        let at = |file: &str| elsewhere.at(&format!("acme/{folder}/{file}"));
        std::fs::write(at("mail.test.key"), &pair.key).unwrap();
        std::fs::write(at("mail.test.cer"), &pair.crt).unwrap();
        std::fs::write(at("ca.cer"), authority.intermediate()).unwrap();
        std::fs::write(at("fullchain.cer"), pair.chain(authority)).unwrap();
        std::fs::write(at("mail.test.conf"), "Le_Domain='mail.test'\n").unwrap();
        std::fs::write(at("mail.test.csr"), "-----BEGIN CERTIFICATE REQUEST-----\n").unwrap();
    }
    let acme = elsewhere.import(&elsewhere.at("acme/x").with_file_name(""), &[]);
    assert_eq!(acme.programs, map(&[("mail.test", "acme.sh"), ("mail.test+rsa", "acme.sh")]), "{acme:?}");
    let pair = authority.issue("*.shop.test", "ec");
    let at = |file: &str| {
        elsewhere.at(&format!("caddy/certificates/acme-v02/wildcard_.shop.test/wildcard_.shop.test.{file}"))
    };
    std::fs::write(at("crt"), pair.chain(authority)).unwrap();
    std::fs::write(at("key"), &pair.key).unwrap();
    std::fs::write(at("json"), "{}").unwrap();
    let caddy = elsewhere.import(&elsewhere.at("caddy/x").with_file_name(""), &[]);
    assert_eq!(caddy.programs, map(&[("_.shop.test", "Caddy")]));
    elsewhere.published(&["_.shop.test", "mail.test", "mail.test+rsa"]);
}

#[test]
fn the_files_that_dovecot_and_postfix_name_wherever_they_are() {
    if !have("openssl") {
        return;
    }
    let elsewhere = Elsewhere::new();
    let authority = &elsewhere.authority;
    let write = |path: &str, text: &str| {
        let path = elsewhere.at(path);
        std::fs::write(&path, text).unwrap();
        path
    };
    let imap = authority.issue("imap.test", "ec");
    let certificate = write("ssl/certs/dovecot-imap.pem", &imap.chain(authority));
    let key = write("ssl/private/dovecot-imap", &imap.key);
    write("dovecot/dovecot.conf", "protocols = imap\n!include conf.d/*.conf\n");
    let settings = format!("ssl_cert = <{}\nssl_key = <{}\n", certificate.display(), key.display());
    write("dovecot/conf.d/10-ssl.conf", &settings);
    let dovecot = elsewhere.import(&elsewhere.at("dovecot/x").with_file_name(""), &[]);
    assert_eq!(dovecot.programs, map(&[("imap.test", "Dovecot")]), "{dovecot:?}");

    let smtp = authority.issue("smtp.test", "rsa");
    let both = write("elsewhere/key-and-chain", &format!("{}{}", smtp.key, smtp.chain(authority)));
    let folder = both.parent().unwrap().display();
    let settings = format!("tls = {folder}\nsmtpd_tls_chain_files =\n    $tls/key-and-chain, $tls/gone\n");
    let main = write("postfix/main.cf", &settings);
    let postfix = elsewhere.import(&main, &[]);
    assert_eq!(postfix.programs, map(&[("smtp.test", "Postfix")]), "{postfix:?}");
    assert!(postfix.warnings.contains("gone: No such file"), "{postfix:?}");
    elsewhere.published(&["imap.test", "smtp.test"]);
}

#[test]
fn a_flat_folder_of_an_old_server_and_what_is_left_of_it() {
    if !have("openssl") {
        return;
    }
    let elsewhere = Elsewhere::new();
    let authority = &elsewhere.authority;
    let write = |path: &str, text: &str| std::fs::write(elsewhere.at(&format!("certs.old/{path}")), text).unwrap();
    let (office, shop, lost, taken) = (
        authority.issue("office.test", "ec"),
        authority.issue("shop.test", "rsa"),
        authority.issue("lost.test", "ec"),
        authority.issue("taken.test", "ec"),
    );
    write("office.crt", &office.crt);
    write("office.key", &office.key);
    write("office.csr", "whatever");
    write("authority.cer", &authority.intermediate());
    write("shop.pem", &format!("{}{}", shop.key, shop.chain(authority)));
    write("lost.crt", &lost.crt);
    write("lost.key", &taken.key);
    write("taken.crt", &taken.crt);
    run_ok(
        dovetail().args(["certs", "create", "--name", "taken", "--san", "taken.test", "--dir"]).arg(elsewhere.certs()),
    );
    let before = std::fs::read(elsewhere.certs().join("taken.crt")).unwrap();
    let old = elsewhere.at("certs.old/x").with_file_name("");
    symlink("nowhere", old.join("dangling.key")).unwrap();
    let outcome = elsewhere.import(&old, &[]);
    let expected = map(&[("office", "imported"), ("shop", "imported"), ("taken", "refused")]);
    assert_eq!((outcome.code, outcome.results), (1, expected));
    for said in ["lost.crt: the private key of \"CN=lost.test\" isn't among these files", "dangling.key: No such file"]
    {
        assert!(outcome.warnings.contains(said), "{said}: {}", outcome.warnings);
    }
    assert_eq!(std::fs::read(elsewhere.certs().join("taken.crt")).unwrap(), before);
    elsewhere.published(&["office", "shop", "taken"]);
    // The intermediate beside it was found.
    let office = std::fs::read_to_string(elsewhere.certs().join("office.crt")).unwrap();
    assert_eq!(layouts::blocks(&office).len(), 2);

    let (status, stdout, stderr) =
        run(dovetail().args(["certs", "import"]).arg(old).arg("--dir").arg(elsewhere.certs()));
    assert_eq!(status.code(), Some(1));
    assert!(stdout.lines().any(|line| line.starts_with("taken ") && line.contains("refused: ")), "{stdout}{stderr}");
    let empty = elsewhere.at("empty/x").with_file_name("");
    let (status, _, stderr) = run(dovetail().args(["certs", "import"]).arg(empty).arg("--dir").arg(elsewhere.certs()));
    assert!(!status.success());
    assert!(stderr.contains("there is no complete pair") && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn what_is_imported_from_a_folder_is_served_at_once() {
    if !have("openssl") {
        return;
    }
    let elsewhere = Elsewhere::new();
    let root = elsewhere.at("letsencrypt/x").with_file_name("");
    layouts::certbot(&elsewhere.authority, &root, "shop.test", 1);
    let server = Setup::mail().start();
    run_ok(server.dovetail().args(["certs", "import"]).arg(&root));
    assert!(handshakes::shown(server.address("imaps"), "shop.test") == layouts::leaf(&server.setup.crt("shop.test")));
}
