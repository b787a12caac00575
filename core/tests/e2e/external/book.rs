//! The book's page about client certificates, followed word by word: its file is written, its commands run, its listener is served, and
//! its curl logs in.
//!
//! `dovetail` and `curl` are found first in a folder of wrappers: one knows the test's config, the other takes the page's host name and
//! port for the test's.

use super::*;
use crate::harness::{run, BINARY};
use std::{os::unix::fs::PermissionsExt, path::Path};

/// The blocks of code of a page: language, text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let text: String = lines
            .by_ref()
            .take_while(|line| line.trim_start() != "```")
            .map(|line| format!("{}\n", line.get(indent..).unwrap_or_default()))
            .collect();
        all.push((language.to_owned(), text));
    }
    all
}

fn wrapper(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\nexec {text} \"$@\"\n")).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn the_page_does_what_it_says() {
    if !have("openssl") || !have("curl") {
        return;
    }
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/client-certificates.md")).unwrap();
    let blocks = blocks(&page);
    let of = |language: &str, words: &str| {
        let found = blocks.iter().find(|(kind, text)| kind == language && text.contains(words));
        found.unwrap_or_else(|| panic!("no block of {language} with {words}")).1.trim_end().to_owned()
    };
    let clients = of("ron", "client_certificates:");
    let clients = clients.trim_start_matches("client_certificates: ").trim_end_matches(',');
    let config = config("tls-rustls", clients, "", PATIENT).replace(HOST, "mail.example.org");
    let setup = Setup::new(&config);
    setup.add_account("you@example.org", PASSWORD);
    let top = setup.dir.path().to_owned();
    let bin = top.join("bin");
    fs::create_dir(&bin).unwrap();
    let dovetail = format!("{BINARY} --plugin-dir {} --config {}", plugin_dir().display(), setup.config.display());
    wrapper(&bin, "dovetail", &dovetail);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let sh = |lines: &str| run(Command::new("sh").current_dir(&top).env("PATH", &path).args(["-ec", lines]));
    let follow = |words: &str| {
        let lines = of("sh", words);
        let (status, said, error) = sh(&lines);
        assert!(status.success(), "{lines}: {said}{error}");
        said
    };

    fs::write(top.join("ca.cnf"), of("ini", "[ca]")).unwrap();
    follow("touch index.txt");
    assert!(follow("-in laptop.csr -noout").contains("laptop"));
    follow("openssl pkcs12");
    let server = setup.start();
    let curl = format!(
        "{} --silent --show-error --max-time 60 --connect-to mail.example.org:993:127.0.0.1:{}",
        run_ok(Command::new("sh").args(["-c", "command -v curl"])).trim(),
        server.port("imaps"),
    );
    wrapper(&bin, "curl", &curl);
    // The copy of the server's certificate that the page speaks of.
    fs::copy(server.setup.crt("mail.example.org"), top.join("mail.example.org.crt")).unwrap();
    let log_in = of("sh", "curl");
    assert!(!sh(&log_in).0.success(), "nobody has said whose it is");
    server.wait_for_log("it stands for no account");
    assert!(follow("add-certificate").contains("my laptop"));
    assert!(follow("curl").contains("INBOX"));
    let line = server.wait_for_line("login", |line| line.contains("mechanism=EXTERNAL") && line.contains("by its key"));
    let shown = of("text", "login account");
    let fields: Vec<&str> =
        shown.split_whitespace().filter_map(|word| word.split_once('=').map(|(name, _)| name)).collect();
    assert!(fields.len() >= 5 && fields.iter().all(|name| line.contains(&format!("{name}="))), "{fields:?} in {line}");

    follow("-revoke laptop.crt");
    assert!(sh(&log_in).0.success(), "the list is not read yet");
    run_ok(server.dovetail().arg("reload"));
    assert!(!sh(&log_in).0.success());
    server.wait_for_log("revoked");

    // The other ways to an account: the names that the page puts into requests.
    let by_name = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=phone -addext subjectAltName=email:you@example.org \
                   -keyout laptop.key -out laptop.csr && openssl ca -batch -notext -config ca.cnf -in laptop.csr -out laptop.crt";
    assert!(page.contains("-addext subjectAltName=email:you@example.org"));
    let (status, _, error) = sh(by_name);
    assert!(status.success(), "{error}");
    assert!(follow("curl").contains("INBOX"));
    server.wait_for_line("login", |line| line.contains("mechanism=EXTERNAL") && line.contains("alternative names"));
    let section = of("ron", "certificate_logins");
    let section = section.trim_start_matches("\"accounts-file\": ").trim_end_matches(',');
    let text = fs::read_to_string(&server.setup.config).unwrap();
    let before = "(config: (domains: [\"example.test\"], ))";
    assert!(text.contains(before), "{text}");
    fs::write(&server.setup.config, text.replace(before, section)).unwrap();
    run_ok(server.dovetail().arg("reload"));
    assert!(!sh(&log_in).0.success(), "only keys count now");
}
