use std::path::Path;
use std::sync::{Arc, Mutex};

use dovetail_sdk::operations::Progress;
use dovetail_sdk::{CallFailure, Secret};

use super::*;

struct Steps(Arc<Mutex<Vec<String>>>);

impl dovetail_sdk::abi::operations_v1::ProgressProvider for Steps {
    fn step(&self, text: String) -> Result<(), CallFailure> {
        self.0.lock().unwrap().push(text);
        Ok(())
    }
}

fn value(name: &str, text: &str) -> FieldValue {
    FieldValue { name: name.to_owned(), text: text.to_owned(), bytes: None }
}

fn file(name: &str, path: &Path) -> FieldValue {
    FieldValue {
        name: name.to_owned(),
        text: path.display().to_string(),
        bytes: Some(Secret::new(std::fs::read(path).unwrap())),
    }
}

fn create_in(
    folder: &Path,
    values: &[FieldValue],
    hostname: Option<&str>,
) -> (Result<Report, OperationFailure>, Vec<String>) {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let progress = Progress::new(Steps(steps.clone()));
    let report = create::run(folder, values, hostname, &progress);
    let steps = steps.lock().unwrap().clone();
    (report, steps)
}

fn json_of(report: &Report) -> serde_json::Value {
    serde_json::from_str(&report.json).unwrap()
}

#[test]
fn every_operation_stands_alone_with_a_folder_and_explains_itself() {
    for operation in descriptions() {
        // All but the one that is for a server alone.
        if operation.name != "reload" {
            assert_eq!(operation.standalone_field, "dir");
            assert!(operation.fields.iter().any(|field| field.name == "dir"));
        }
        assert!(!operation.help.is_empty(), "{}", operation.name);
        for field in &operation.fields {
            assert!(!field.help.is_empty(), "{} {}", operation.name, field.name);
        }
    }
}

#[test]
fn create_list_show_export_import() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (dir.path().join("here"), dir.path().join("there"));
    let fields = [
        value("common-name", "mail.example.org"),
        value("san", "smtp.example.org"),
        value("san", "192.0.2.1"),
        value("type", "ecdsa-p384"),
        value("unit", "One"),
        value("unit", "Two"),
        value("days", "30"),
    ];
    let (report, steps) = create_in(&here, &fields, None);
    let made = json_of(&report.unwrap());
    assert!(steps.is_empty(), "an ECDSA key takes no time: {steps:?}");
    assert_eq!(made["name"], "mail.example.org");
    assert_eq!(made["certificate"]["names"][1], "smtp.example.org");

    let listed = list::run(&here).unwrap();
    assert_eq!(json_of(&listed)[0]["state"], "valid");
    let table = listed.table.unwrap();
    assert_eq!(table.rows[0].len(), table.columns.len());

    let shown = show::run(&here, &[value("name", "mail.example.org")]).unwrap();
    assert_eq!(json_of(&shown)["chain"][0]["sha256"], made["certificate"]["sha256"]);
    let error = show::run(&here, &[value("name", "other")]).unwrap_err();
    assert!(error.message.contains("no certificate \"other\""));

    let pair = [
        file("cert", &here.join("mail.example.org.crt")),
        file("key", &here.join("mail.example.org.key")),
        value("name", "copy"),
    ];
    let imported = json_of(&import::run(&there, &pair).unwrap());
    assert_eq!((&imported["name"], &imported["replaced"]), (&"copy".into(), &"nothing".into()));
    assert_eq!(imported["key_sha256"], made["key_sha256"]);
    assert!(there.join("copy.key").exists() && there.join("copy.crt").exists());
}

#[test]
fn a_request_needs_the_key_alone() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["mail.example.org", "plain", "other.example.org"] {
        let fields = [value("name", name), value("san", "first.example.org")];
        create_in(dir.path(), &fields, None).0.unwrap();
    }
    let ask = |name: &str, san: &str| {
        let values = [value("name", name), value("san", san)];
        csr::run(dir.path(), if san.is_empty() { &values[..1] } else { &values })
    };
    let names = |report: &Report| json_of(report)["names"].clone();
    let whole = ask("mail.example.org", "").unwrap();
    assert_eq!((names(&whole), whole.warnings.len()), (serde_json::json!(["first.example.org"]), 0));
    let another = std::fs::read_to_string(dir.path().join("other.example.org.crt")).unwrap();
    for (bad, said) in [("nothing", "mail.example.org.crt"), (another.as_str(), "doesn't belong")] {
        for name in ["mail.example.org", "plain"] {
            std::fs::write(dir.path().join(format!("{name}.crt")), bad).unwrap();
        }
        let by_name = ask("mail.example.org", "").unwrap();
        assert_eq!(names(&by_name), serde_json::json!(["mail.example.org"]));
        assert!(by_name.warnings.len() == 1 && by_name.warnings[0].contains(said), "{:?}", by_name.warnings);
        let given = ask("plain", "given.example.org").unwrap();
        assert_eq!((names(&given), given.warnings.len()), (serde_json::json!(["given.example.org"]), 1));
        let refused = ask("plain", "").unwrap_err().message;
        assert!(refused.contains("has no name") && refused.contains("can't be asked"), "{refused}");
    }
}

#[test]
fn a_slow_key_says_so_and_a_taken_name_says_it_before() {
    let dir = tempfile::tempdir().unwrap();
    let fields = [value("type", "rsa-2048"), value("name", "mail")];
    let (report, steps) = create_in(dir.path(), &fields, Some("host.example"));
    assert_eq!(json_of(&report.unwrap())["certificate"]["subject"], "CN=host.example");
    assert_eq!(steps, ["making an rsa-2048 key: this may take a few seconds"]);
    let (report, steps) = create_in(dir.path(), &fields, Some("host.example"));
    assert!(report.unwrap_err().message.contains("already"));
    assert!(steps.is_empty());
    let replacing = [fields.to_vec(), vec![value("replace", "true"), value("type", "ecdsa-p256")]].concat();
    let (report, _) = create_in(dir.path(), &replacing, Some("host.example"));
    assert!(report.is_ok());
}

#[test]
fn names_come_from_what_was_said() {
    let dir = tempfile::tempdir().unwrap();
    let name = |fields: &[FieldValue], hostname| {
        let (report, _) = create_in(dir.path(), fields, hostname);
        report.map(|report| json_of(&report)["certificate"]["subject"].as_str().unwrap().to_owned())
    };
    assert_eq!(name(&[value("name", "a.example")], None).unwrap(), "CN=a.example");
    assert_eq!(name(&[value("name", "b.example")], Some("host.example")).unwrap(), "CN=b.example");
    assert_eq!(name(&[], Some("host.example")).unwrap(), "CN=host.example");
    assert_eq!(name(&[value("san", "c.example")], Some("host.example")).unwrap(), "CN=c.example");
    for bad in [
        vec![],
        vec![value("name", "mail")],
        vec![value("common-name", "x.example"), value("days", "soon")],
        vec![value("common-name", "x.example"), value("type", "dsa")],
        vec![value("common-name", "x.example"), value("san", "a b")],
        vec![value("common-name", "x.example"), value("name", "../x")],
    ] {
        assert!(name(&bad, None).is_err(), "{bad:?}");
    }
    assert!(!dir.path().join("x.example.crt").exists());
}

#[test]
fn a_password_file_ends_with_a_line_break_that_isnt_the_passwords() {
    let dir = tempfile::tempdir().unwrap();
    let (report, _) = create_in(dir.path(), &[value("common-name", "x.example")], None);
    report.unwrap();
    let key = dir.path().join("x.example.key");
    let encrypted =
        crate::testing::openssl(&["pkcs8", "-topk8", "-passout", "pass:sesame", "-in", key.to_str().unwrap()], b"");
    for password in ["sesame", "sesame\n", "sesame\r\n"] {
        let secret = |name: &str, text: &str, bytes: &[u8]| FieldValue {
            name: name.to_owned(),
            text: text.to_owned(),
            bytes: Some(Secret::new(bytes.to_vec())),
        };
        let values = [
            file("cert", &dir.path().join("x.example.crt")),
            secret("key", "enc.key", &encrypted),
            secret("password", "", password.as_bytes()),
        ];
        import::run(dir.path(), &values).unwrap();
    }
}

#[test]
fn the_folder_itself_is_not_followed_whatever_it_is_called() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, link) = (dir.path().join("certs"), dir.path().join("link"));
    create_in(&folder, &[value("common-name", "mail.test")], None).0.unwrap();
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    let crt = dir.path().join("mail.crt");
    std::os::unix::fs::symlink(folder.join("mail.test.crt"), &crt).unwrap();
    let shown = |path: &Path| value("path", path.to_str().unwrap());
    for (there, path) in [
        (&folder, folder.clone()),
        (&folder, link.clone()),
        (&link, folder.clone()),
        (&link, folder.join("mail.test.crt")),
        (&folder, dir.path().join("certs/../link/mail.test.crt")),
        (&folder, crt.clone()),
    ] {
        let said = follow::run(there, &[shown(&path), value("replace", "true")]).unwrap_err().message;
        assert!(said.contains("is the certificate folder itself"), "{said}");
    }
    assert!(!folder.join("mail.test.follow").exists());
    // Another one beside it may be followed.
    let beside = dir.path().join("certs2");
    create_in(&beside, &[value("common-name", "other.test")], None).0.unwrap();
    follow::run(&folder, &[shown(&beside)]).unwrap();
    assert!(folder.join("other.test.follow").exists());
}

#[test]
fn an_answer_closes_the_key_that_it_is_for_and_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    create_in(dir.path(), &[value("common-name", "mail.test")], None).0.unwrap();
    let key = dir.path().join("mail.test.key");
    for renew_it in [false, true] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let report = match renew_it {
            false => import::run(dir.path(), &[file("cert", &dir.path().join("mail.test.crt"))]),
            true => renew::run(dir.path(), &[value("name", "mail.test")]),
        };
        let warnings = report.unwrap().warnings;
        assert!(warnings.iter().any(|said| said.contains("mail.test.key (mode 0644)")), "{warnings:?}");
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }
}
