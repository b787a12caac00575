//! The operations as a face calls them.

use super::describe;
use crate::Accounts;
use dovetail_sdk::{
    abi::CallFailure,
    directory::{AuthStatus, Directory, PasswordAttempt},
    operations::{FieldKind, FieldValue, OperationFailure, Operations, Progress, Report},
    Secret,
};
use dovetail_testkit::TestHost;
use std::{fs, net::Ipv4Addr};

struct Quiet;
impl dovetail_sdk::abi::operations_v1::ProgressProvider for Quiet {
    fn step(&self, _text: String) -> Result<(), CallFailure> {
        Ok(())
    }
}

struct Face {
    host: TestHost,
    folder: tempfile::TempDir,
    operations: Operations,
    directory: Directory,
}

impl Face {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = TestHost::new().directory(folder.path());
        let started = host
            .start::<Accounts>("(password_hash: (memory_kib: 8, passes: 1), scram_iterations: 10000)", [])
            .await
            .unwrap();
        Face { operations: started.query(), directory: started.query(), host, folder }
    }

    async fn run(&self, words: &str, password: Option<&str>) -> Result<Report, OperationFailure> {
        let (operation, address) = words.split_once(' ').unwrap_or((words, ""));
        let mut values = Vec::new();
        if !address.is_empty() {
            values.push(FieldValue { name: "address".into(), text: address.into(), bytes: None });
        }
        if let Some(password) = password {
            let bytes = Some(Secret::from(password.to_owned()));
            values.push(FieldValue { name: "password".into(), text: String::new(), bytes });
        }
        self.operations.run(operation.into(), values, Progress::new(Quiet)).await
    }

    async fn run_to(&self, words: &str, to: &[&str]) -> Result<Report, OperationFailure> {
        let (operation, subject) = words.split_once(' ').unwrap();
        let field = if operation.ends_with("domain") { "domain" } else { "address" };
        let value = |name: &str, text: &str| FieldValue { name: name.into(), text: text.into(), bytes: None };
        let values = std::iter::once(value(field, subject)).chain(to.iter().map(|to| value("to", to))).collect();
        self.operations.run(operation.into(), values, Progress::new(Quiet)).await
    }

    async fn goes_to(&self, address: &str) -> Vec<String> {
        self.directory.resolve(address.into()).await.unwrap().accounts
    }

    async fn logs_in(&self, name: &str, password: &str) -> bool {
        let attempt = PasswordAttempt {
            authentication_id: name.into(),
            authorization_id: String::new(),
            password: Secret::from(password.to_owned()),
            peer: Ipv4Addr::LOCALHOST.into(),
            service: "pop3".into(),
        };
        self.directory.authenticate(attempt).await.unwrap().status == AuthStatus::Accepted
    }
}

#[tokio::test]
async fn an_account_from_add_to_remove() {
    let face = Face::new().await;
    let report = face.run("add You@Example.org", Some("correct horse\n")).await.unwrap();
    assert_eq!(report.lines, ["you@example.org added", "example.org is now a domain of this server"]);
    assert!(face.logs_in("you@example.org", "correct horse").await);

    let report = face.run("add two@example.org", Some("12345678")).await.unwrap();
    assert_eq!(report.lines, ["two@example.org added"]);

    face.run("password you@example.org", Some("battery staple\r\n")).await.unwrap();
    assert!(!face.logs_in("you@example.org", "correct horse").await);
    assert!(face.logs_in("you@example.org", "battery staple").await);

    let report = face.run("remove you@example.org", None).await.unwrap();
    assert_eq!(report.lines, ["you@example.org removed; its mailboxes stay in the store"]);
    assert!(!face.logs_in("you@example.org", "battery staple").await);
    assert!(face.host.panics().is_empty());
    assert!(!face.host.logged("battery staple"));
}

#[tokio::test]
async fn aliases_of_addresses_and_domains() {
    let face = Face::new().await;
    let (a, b) = ("a@x.org", "b@x.org");
    for account in [a, b] {
        face.run(&format!("add {account}"), Some("correct horse")).await.unwrap();
    }
    let report = face.run_to("alias Both@x.org", &[a, b]).await.unwrap();
    assert_eq!(report.lines, ["both@x.org leads to a@x.org, b@x.org"]);
    assert_eq!(face.goes_to("both@x.org").await, [a, b]);
    face.run_to("alias both@x.org", &[b]).await.unwrap();
    assert_eq!(face.goes_to("both@x.org").await, [b]);
    face.run_to("alias *@x.org", &[a]).await.unwrap();
    assert_eq!(face.goes_to("whoever@x.org").await, [a]);

    let report = face.run_to("alias-domain Y.org", &["x.org"]).await.unwrap();
    assert_eq!(report.lines, ["every address of y.org stands for that of x.org"]);
    assert_eq!(face.goes_to("both@y.org").await, [b]);
    let rows = face.run("list", None).await.unwrap().table.unwrap().rows;
    assert_eq!(rows[4], ["y.org", "alias domain", "", "x.org"]);

    face.run_to("unalias both@x.org", &[]).await.unwrap();
    face.run_to("unalias *@x.org", &[]).await.unwrap();
    face.run_to("unalias-domain y.org", &[]).await.unwrap();
    for address in ["both@x.org", "whoever@x.org", "b@y.org"] {
        assert!(face.goes_to(address).await.is_empty(), "{address}");
    }
    for (words, to, want) in [
        ("alias c@x.org", &["d@x.org"][..], "which is neither"),
        ("alias c@x.org", &["d@elsewhere.org"], "does not forward"),
        ("alias c@x.org", &[], "--to"),
        ("alias a@x.org", &[b], "stands for two things"),
        ("unalias c@x.org", &[], "there is no alias c@x.org"),
        ("alias-domain x.org", &["z.org"], "x.org"),
        ("alias-domain y.org", &[""], "not usable"),
        ("unalias-domain y.org", &[], "no alias domain"),
    ] {
        let error = face.run_to(words, to).await.unwrap_err().message;
        assert!(error.contains(want), "{words}: {error}");
    }
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let face = Face::new().await;
    face.run("add you@example.org", Some("correct horse")).await.unwrap();
    for (words, password, want) in [
        ("add you@example.org", Some("correct horse"), "dovetail accounts password you@example.org"),
        ("add me@example.org", Some("short"), "has 5 characters; it must have at least 8"),
        ("add me@example.org", Some(""), "has 0 characters"),
        ("add me@example.org", None, "--password-file"),
        ("add me", Some("correct horse"), "no @"),
        ("add *@example.org", Some("correct horse"), "cannot be an account"),
        ("password me@example.org", Some("correct horse"), "there is no account me@example.org"),
        ("remove me@example.org", None, "dovetail accounts list"),
        ("rename me@example.org", None, "there is no operation"),
    ] {
        let error = face.run(words, password).await.unwrap_err().message;
        assert!(error.contains(want), "{words}: {error}");
    }
}

#[tokio::test]
async fn lists_for_people_and_programs() {
    let face = Face::new().await;
    let report = face.run("list", None).await.unwrap();
    assert!(report.table.is_none() && report.lines[0].contains("accounts add"));

    let text = r#"(
        accounts: {"b@x.org": (enabled: false), "a@x.org": (aliases: ["i@x.org", "*@y.org"]),
            "c@x.org": (certificates: [(key: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")])},
        aliases: {"all@x.org": ["a@x.org", "b@x.org"]},
    )"#;
    fs::write(face.folder.path().join("accounts.ron"), text).unwrap();
    let report = face.run("list", None).await.unwrap();
    let rows = report.table.unwrap().rows;
    assert_eq!(rows[0], ["b@x.org", "account", "disabled", ""]);
    assert_eq!(rows[1], ["a@x.org", "account", "no password", "i@x.org, *@y.org"]);
    assert_eq!(rows[2], ["c@x.org", "account", "by certificate", ""]);
    assert_eq!(rows[3], ["all@x.org", "alias", "", "a@x.org, b@x.org"]);
    let json: serde_json::Value = serde_json::from_str(&report.json).unwrap();
    assert_eq!(json["accounts"][1]["address"], "a@x.org");
    assert_eq!(json["accounts"][0]["enabled"], false);
    assert_eq!((&json["accounts"][1]["certificates"], &json["accounts"][2]["certificates"]), (&0.into(), &1.into()));
    assert_eq!(json["aliases"]["all@x.org"][1], "b@x.org");

    // Who still keeps SCRAM from being offered.
    face.run("password a@x.org", Some("correct horse")).await.unwrap();
    let path = face.folder.path().join("accounts.ron");
    for (keys, login) in [(true, "yes"), (false, "yes, no SCRAM keys")] {
        let report = face.run("list", None).await.unwrap();
        assert_eq!(report.table.unwrap().rows[1][2], login);
        let json: serde_json::Value = serde_json::from_str(&report.json).unwrap();
        assert_eq!(
            (&json["accounts"][1]["has_password"], &json["accounts"][1]["has_scram_keys"]),
            (&true.into(), &keys.into())
        );
        let text = fs::read_to_string(&path).unwrap();
        let without: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("scram:")).collect();
        fs::write(&path, without.join("\n")).unwrap();
    }
}

#[tokio::test]
async fn certificates_from_add_to_remove() {
    let face = Face::new().await;
    for account in ["a@x.org", "b@x.org"] {
        face.run(&format!("add {account}"), Some("correct horse")).await.unwrap();
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let der = crate::certificate::tests::issued(&key, &["a@x.org"], None);
    let shown = crate::certificate::of_file(&der).unwrap();
    let run = |operation: &str, address: &str, more: &[(&str, &str)], file: Option<&[u8]>| {
        let text = |(name, text): &(&str, &str)| FieldValue { name: (*name).into(), text: (*text).into(), bytes: None };
        let mut values: Vec<_> = more.iter().map(text).collect();
        values.extend((!address.is_empty()).then(|| text(&("address", address))));
        values.extend(file.map(|bytes| FieldValue {
            name: "cert".into(),
            text: "laptop.crt".into(),
            bytes: Some(Secret::new(bytes.to_vec())),
        }));
        face.operations.run(operation.into(), values, Progress::new(Quiet))
    };
    let report = run("certificates", "", &[], None).await.unwrap();
    assert!(report.table.is_none() && report.lines[0].contains("add-certificate"));
    let report = run("add-certificate", "b@x.org", &[], Some(&der)).await.unwrap();
    assert_eq!(report.lines[0], "laptop.crt logs in to b@x.org");
    assert_eq!(report.lines[1], format!("  key   {}", shown.key));
    assert_eq!(report.lines[2], "  note  CN=Ann?");
    assert!(report.warnings.is_empty());
    run("add-certificate", "b@x.org", &[("note", " laptop\n ")], Some(&der)).await.unwrap();
    for address in ["", "b@x.org"] {
        let report = run("certificates", address, &[], None).await.unwrap();
        assert_eq!(report.table.unwrap().rows, [["b@x.org".to_owned(), shown.key.to_string(), "laptop".to_owned()]]);
        let json: serde_json::Value = serde_json::from_str(&report.json).unwrap();
        assert_eq!(json["certificates"][0]["key"], shown.key.to_string());
    }
    assert!(run("certificates", "a@x.org", &[], None).await.unwrap().table.is_none());
    let attempt = || dovetail_sdk::directory::CertificateAttempt {
        chain: vec![der.clone()],
        authorization_id: String::new(),
        peer: Ipv4Addr::LOCALHOST.into(),
        service: "imap".into(),
    };
    let account = || async { face.directory.authenticate_certificate(attempt()).await.unwrap().outcome.account };
    assert_eq!(account().await.as_deref(), Some("b@x.org"), "the table goes before its address");
    for (operation, address, more, file, want) in [
        ("add-certificate", "a@x.org", &[][..], Some(&der[..]), "logs in to b@x.org already"),
        ("add-certificate", "c@x.org", &[], Some(&der[1..]), "laptop.crt: there is no certificate"),
        ("add-certificate", "b@x.org", &[], None, "--cert FILE"),
        ("remove-certificate", "a@x.org", &[], Some(&der), "a@x.org has no certificate with the key"),
        ("remove-certificate", "b@x.org", &[], None, "either --cert FILE or --key"),
        ("remove-certificate", "b@x.org", &[("key", "AB")], None, "64 hexadecimal digits"),
        ("certificates", "c@x.org", &[], None, "there is no account c@x.org"),
    ] {
        let error = run(operation, address, more, file).await.unwrap_err().message;
        assert!(error.contains(want), "{operation} {address}: {error}");
    }
    let own = shown.key.to_string();
    let report = run("remove-certificate", "b@x.org", &[("key", &own)], None).await.unwrap();
    assert_eq!(report.lines, ["laptop no longer logs in to b@x.org by its key"]);
    assert_eq!(account().await.as_deref(), Some("a@x.org"));
    assert!(face.host.panics().is_empty());
}

#[tokio::test]
async fn removing_tells_what_else_has_changed() {
    let face = Face::new().await;
    let text = r#"(
        postmaster: "a@x.org",
        accounts: {"a@x.org": (), "b@x.org": ()},
        aliases: {"all@x.org": ["a@x.org", "b@x.org"], "one@x.org": ["a@x.org"]},
    )"#;
    fs::write(face.folder.path().join("accounts.ron"), text).unwrap();
    let report = face.run("remove a@x.org", None).await.unwrap();
    assert_eq!(report.lines[1], "the alias all@x.org no longer leads to it");
    assert!(report.warnings[0].contains("one@x.org") && report.warnings[1].contains("postmaster"));
    assert!(face.folder.path().join("accounts.ron.bak").exists());
}

#[test]
fn passwords_are_never_arguments() {
    for operation in describe() {
        for field in operation.fields.iter().filter(|field| field.name == "password") {
            assert!(field.kind == FieldKind::Secret && field.prompt && field.required && !field.positional);
        }
    }
}
