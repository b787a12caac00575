//! What `init` writes, and that it writes nothing twice.

use super::{owner_and_mode, with_password, Root, ADDRESS, DOMAIN, HOST};
use crate::harness::{have_by, run, run_ok};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// All files below a folder with their contents and modes, but for what servers and commands note in `run` and `lock`.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = owner_and_mode(&path).2;
        match path.is_dir() {
            true if path.ends_with("data/run") || path.ends_with("bin") => {}
            true => {
                all.extend(snapshot(&path));
                all.insert(path, (mode, Vec::new()));
            }
            false if path.ends_with("data/lock") => {}
            false => drop(all.insert(path.clone(), (mode, fs::read(&path).unwrap()))),
        }
    }
    all
}

#[test]
fn twice_changes_nothing() {
    let root = Root::new();
    let said = run_ok(&mut root.init(&["--address", ADDRESS, "--user", &me()]));
    let before = snapshot(root.dir.path());
    for file in ["etc/dovetail.ron", "units/dovetail.service", "data/accounts.ron"] {
        assert!(before.contains_key(&root.path(file)), "{file}: {said}");
        assert!(said.contains("made  ") && !said.contains("kept  "), "{said}");
    }
    for ending in ["key", "csr", "crt"] {
        assert!(before.contains_key(&root.path(&format!("data/certs/{HOST}.{ending}"))), "{said}");
    }
    // The password is shown once, and is the one that was set.
    let password = said.lines().last().unwrap().trim();
    assert_eq!(password.len(), 23, "{said}");

    let again = run_ok(&mut root.init(&["--address", ADDRESS, "--user", &me()]));
    assert_eq!(snapshot(root.dir.path()), before);
    assert!(again.contains("kept  ") && !again.contains("made  ") && !again.contains(password), "{again}");
    let json = run_ok(&mut root.init(&["--address", ADDRESS, "--user", &me(), "--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["made"].as_array().unwrap().len(), json["kept"].as_array().unwrap().len()), (0, 4));
    assert_eq!(json["account"]["password"], serde_json::Value::Null);
}

#[test]
fn what_was_begun_is_finished() {
    let root = Root::new();
    let first = with_password({
        let mut command = root.init(&["--user", &me(), "--password-stdin"]);
        command.args(["--san", "imap.example.test"]);
        command
    });
    assert!(first.contains("made  postmaster@example.test"), "{first}");
    assert!(!first.contains(super::PASSWORD));
    // As if it had been stopped half-way.
    for file in [format!("data/certs/{HOST}.crt"), format!("data/certs/{HOST}.key"), format!("data/certs/{HOST}.csr")] {
        fs::remove_file(root.path(&file)).unwrap();
    }
    fs::remove_file(root.path("units/dovetail.service")).unwrap();
    let config = fs::read(root.config()).unwrap();
    let second = run_ok(&mut root.init(&["--user", &me(), "--san", "imap.example.test"]));
    assert_eq!(fs::read(root.config()).unwrap(), config);
    assert_eq!((second.matches("made  ").count(), second.matches("kept  ").count()), (2, 3), "{second}");
    let mut shown = Command::new(root.path("bin/dovetail"));
    let shown = run_ok(shown.args(["certs", "show", HOST, "--dir"]).arg(root.path("data/certs")));
    assert!(shown.contains("mail.example.test, imap.example.test"), "{shown}");
}

#[test]
fn what_an_account_or_a_certificate_that_is_there_does_not_get_is_said() {
    let root = Root::new();
    run_ok(&mut root.init(&["--user", &me(), "--san", "smtp.example.test", "--san", "192.0.2.1"]));
    let before = snapshot(root.dir.path());
    let (status, _, stderr) =
        run(&mut root.init(&["--user", &me(), "--san", "smtp.example.test", "--san", "imap.example.test"]));
    assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(
        stderr.contains(&format!("the certificate {HOST} is there already and is not for imap.example.test")),
        "{stderr}"
    );
    // Names that it has are no change.
    run_ok(&mut root.init(&["--user", &me(), "--san", "SMTP.example.test", "--san", "IP:192.0.2.1"]));

    let password = root.path("password");
    fs::write(&password, "another password\n").unwrap();
    let mut again = root.init(&["--user", &me(), "--password-stdin"]);
    let (status, stdout, stderr) = run(again.stdin(fs::File::open(&password).unwrap()));
    assert!(status.success() && stdout.contains("kept  postmaster@example.test"), "{stdout}{stderr}");
    let said = "the account postmaster@example.test was there already: the password on standard input was not set";
    assert!(stderr.contains(said) && stderr.contains("accounts password postmaster@example.test"), "{stderr}");
    fs::remove_file(password).unwrap();
    assert_eq!(snapshot(root.dir.path()), before);
}

#[test]
fn a_file_that_says_something_else_is_never_overwritten() {
    let root = Root::new();
    fs::create_dir(root.path("units")).unwrap();
    fs::write(root.path("units/dovetail.service"), "mine").unwrap();
    let (status, stdout, stderr) = run(&mut root.init(&["--user", &me()]));
    assert_eq!(status.code(), Some(1), "{stdout}{stderr}");
    assert!(stderr.contains("units/dovetail.service is there already") && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(fs::read_to_string(root.path("units/dovetail.service")).unwrap(), "mine");
    assert!(!root.path("etc").exists() && !root.path("data").exists(), "nothing else was made either");
}

#[test]
fn print_writes_nothing() {
    let root = Root::new();
    let said = run_ok(&mut root.init(&["--print"]));
    for word in ["etc/dovetail.ron (mode 0640)", "hostname: \"mail.example.test\"", "NoNewPrivileges=yes", "User="] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(fs::read_dir(root.dir.path()).unwrap().count(), 1, "only bin");
}

#[test]
fn what_cannot_be_is_said_in_one_line() {
    let root = Root::new();
    for (words, says) in [
        (&["--domain", "a b"][..], "--domain"),
        (&["--address", "ann"], "no mail address"),
        (&["--user", "no-such-user-here"], "no-such-user-here"),
        (&["--config", "/x"], "--dir DIR"),
    ] {
        let mut command = Command::new(root.path("bin/dovetail"));
        command.args(["init", "--hostname", HOST, "--dir"]).arg(root.path("etc"));
        command.arg("--data-dir").arg(root.path("data")).arg("--unit-dir").arg(root.path("units"));
        if words[0] != "--domain" {
            command.args(["--domain", DOMAIN]);
        }
        // Not even root makes a user here.
        command.env("PATH", "/nowhere");
        let (status, _, stderr) = run(command.args(words));
        assert_eq!(status.code(), Some(1), "{words:?}: {stderr}");
        assert!(stderr.contains(says) && stderr.lines().count() == 1, "{words:?}: {stderr}");
        assert_eq!(fs::read_dir(root.dir.path()).unwrap().count(), 1, "{words:?}: nothing was made");
    }
}

/// systemd itself reads the unit, and rates how much it lets the server do.
#[test]
fn systemd_takes_the_unit_and_finds_little_exposed() {
    if !have_by("systemd-analyze", "command -v systemd-analyze") {
        return;
    }
    let root = Root::new();
    let printed = run_ok(&mut root.init(&["--user", "dovetail", "--print", "--json"]));
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let unit = root.path("dovetail.service");
    fs::write(&unit, printed["files"][1]["text"].as_str().unwrap()).unwrap();
    let (status, stdout, stderr) = run(Command::new("systemd-analyze").arg("verify").arg(&unit));
    let about_it: Vec<&str> = stderr.lines().filter(|line| line.contains("dovetail")).collect();
    assert!(status.success() && about_it.is_empty(), "{stdout}{stderr}");
    let (status, stdout, stderr) =
        run(Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=15"]).arg(&unit));
    assert!(status.success(), "more than 1.5 of 10 is exposed:\n{stdout}{stderr}");
}

/// Our own user, by number.
fn me() -> String {
    run_ok(Command::new("id").arg("-u")).trim().to_owned()
}
