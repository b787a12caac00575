//! Accounts and certificates: what stands in files is read anew, and holds when the reload has ended.

use crate::{
    harness::{dovetail, run_ok, Server, Setup, PASSWORD, USER},
    tls::{certificate, HOST},
};

const BOB: &str = "bob@example.test";

impl Server {
    fn accounts(&self) -> std::path::PathBuf {
        self.setup.data_dir().join("accounts.ron")
    }

    #[track_caller]
    fn login(&self, user: &str) -> String {
        let mut pop = self.connect_tls("pop3s");
        pop.line();
        pop.expect(&format!("USER {user}"), "+OK");
        pop.ask(&format!("PASS {PASSWORD}"))
    }
}

#[test]
fn a_new_account_can_log_in_at_once() {
    let server = Setup::mail().start();
    // The directory has just looked at its file; by itself it looks again in a second.
    assert!(server.login(USER).starts_with("+OK"));
    let text = std::fs::read_to_string(server.accounts()).unwrap();
    std::fs::write(server.accounts(), text.replace(USER, BOB)).unwrap();
    let changes = server.reload();
    assert_eq!(changes["accounts-file"], "kept");
    assert!(server.login(BOB).starts_with("+OK"), "{}", server.log());
    assert!(server.login(USER).starts_with("-ERR"), "and who is gone cannot");

    // A mistake in the file is told, and nothing changes, the config's other news included.
    std::fs::write(server.accounts(), "(accounts: {").unwrap();
    server.replace("\"delivery\": (),", "\"delivery\": (config: (max_accounts: 7)),");
    let told = server.refuse();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("accounts.ron") && told[0].contains("known so far stay in force"), "{told:#?}");
    assert_eq!(server.generation("delivery"), 1);
    assert!(server.login(BOB).starts_with("+OK"));
}

#[test]
fn a_new_domain_is_served_at_once() {
    let server = Setup::mail().start();
    let mut before = server.connect("smtp");
    before.line();
    before.ehlo();
    before.expect("MAIL FROM:<>", "250 ");
    before.expect("RCPT TO:<ann@second.test>", "550 ");
    let text = std::fs::read_to_string(server.accounts()).unwrap();
    server.replace(r#"domains: ["example.test"]"#, r#"domains: ["example.test", "second.test"]"#);
    std::fs::write(server.accounts(), text.replace(USER, "ann@second.test")).unwrap();
    assert_eq!(server.reload()["accounts-file"], "changed: section");
    // A session from before meets the new directory.
    before.expect("RCPT TO:<ann@second.test>", "250 ");
    assert!(server.login("ann@second.test").starts_with("+OK"));
    // And so do the commands.
    let listed = run_ok(server.dovetail().args(["accounts", "list"]));
    assert!(listed.contains("ann@second.test"), "{listed}");
}

#[test]
fn a_new_certificate_is_proved_and_served_at_once() {
    let server = Setup::mail().start();
    let mut before = server.connect_tls("pop3s");
    before.line();
    let mut create = dovetail();
    create.args(["certs", "create", "--name", "beside", "--san", "beside.test", "--dir"]).arg(server.setup.certs());
    run_ok(&mut create);
    server.replace(r#""pop3s": ("#, r#""pop3s": (certificate: "beside", "#);
    let changes = server.reload();
    assert_eq!((changes["/pop3s"].as_str(), changes["cert-store"].as_str()), ("changed: certificate", "kept"));
    let shown = server.connect("pop3s").start_tls(&server.setup, "beside.test").certificate().to_vec();
    assert_eq!(shown, certificate(server.setup.crt("beside")).to_vec());
    before.expect("CAPA", "+OK");

    server.replace("\"beside\"", "\"nowhere\"");
    let told = server.refuse();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("listener `pop3s`") && told[0].contains("certs create --name nowhere"), "{told:#?}");
    let mut after = server.connect("pop3s").start_tls(&server.setup, "beside.test");
    assert!(after.line().starts_with("+OK"));
}

#[test]
fn a_replaced_certificate_store_does_not_bring_back_what_its_numbers_meant_before() {
    let server = Setup::mail().start();
    let first = server.connect_tls("pop3s").certificate().to_vec();
    // Another folder: the new instance has one certificate, as the old one had.
    let folder = server.setup.dir.path().join("elsewhere");
    let mut create = dovetail();
    create.args(["certs", "create", "--name", HOST, "--san", HOST, "--dir"]).arg(&folder);
    run_ok(&mut create);
    server.replace("create_missing: true", &format!("dir: \"{}\"", folder.display()));
    let changes = server.reload();
    assert_eq!((changes["cert-store"].as_str(), changes["/pop3s"].as_str()), ("changed: section", "kept"));
    std::fs::copy(folder.join(format!("{HOST}.crt")), server.setup.certs().join("trusted.crt")).unwrap();
    let second = server.connect_tls("pop3s").certificate().to_vec();
    assert!(second != first);
    assert_eq!(second, certificate(folder.join(format!("{HOST}.crt"))).to_vec());
}
