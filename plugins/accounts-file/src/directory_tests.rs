//! The directory as its users see it, on a host without a server.

use crate::{
    password::{self, CHEAP},
    Accounts,
};
use dovetail_sdk::{
    directory::{AddressKind, AuthOutcome, AuthStatus, Directory, PasswordAttempt},
    Secret,
};
use dovetail_testkit::TestHost;
use std::{fs, net::Ipv4Addr, path::Path, time::Duration};

/// Without SCRAM, so that no login writes the file.
const SECTION: &str = "(password_hash: (memory_kib: 8, passes: 1), scram: Off)";

fn write(folder: &Path, password: &str) {
    let hash = password::hash(password.as_bytes(), CHEAP).unwrap();
    let text = format!(
        r#"(accounts: {{
            "you@example.org": (password: "{hash}", aliases: ["info@example.org"]),
            "off@example.org": (password: "{hash}", enabled: false),
            "mute@example.org": (),
        }})"#
    );
    fs::write(folder.join("accounts.ron"), text).unwrap();
}

fn attempt(name: &str, acts_as: &str, password: &str) -> PasswordAttempt {
    PasswordAttempt {
        authentication_id: name.into(),
        authorization_id: acts_as.into(),
        password: Secret::from(password.to_owned()),
        peer: Ipv4Addr::LOCALHOST.into(),
        service: "pop3".into(),
    }
}

fn outcome(status: AuthStatus, account: Option<&str>) -> AuthOutcome {
    AuthOutcome { status, account: account.map(str::to_owned) }
}

#[tokio::test]
async fn logins() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "correct horse");
    let host = TestHost::new().directory(folder.path());
    let started = host.start::<Accounts>(SECTION, []).await.unwrap();
    let directory: Directory = started.query();
    let accepted = outcome(AuthStatus::Accepted, Some("you@example.org"));
    let rejected = outcome(AuthStatus::Rejected, None);
    for (name, acts_as, password, want) in [
        ("you@example.org", "", "correct horse", &accepted),
        ("You@EXAMPLE.org", "", "correct horse", &accepted),
        ("you@example.org", "YOU@example.org", "correct horse", &accepted),
        ("you@example.org", "", "wrong horse", &rejected),
        ("you@example.org", "", "", &rejected),
        ("you@example.org", "off@example.org", "correct horse", &rejected),
        ("you@example.org", "nonsense", "correct horse", &rejected),
        ("info@example.org", "", "correct horse", &rejected),
        ("you+x@example.org", "", "correct horse", &rejected),
        ("you", "", "correct horse", &rejected),
        ("", "", "", &rejected),
        ("nobody@example.org", "", "correct horse", &rejected),
        ("mute@example.org", "", "", &rejected),
        ("off@example.org", "", "correct horse", &outcome(AuthStatus::Disabled, None)),
        ("off@example.org", "", "wrong horse", &rejected),
        ("you@example.org", "", &"x".repeat(5000), &rejected),
    ] {
        let answer = directory.authenticate(attempt(name, acts_as, password)).await.unwrap();
        assert_eq!(&answer, want, "{name} as {acts_as:?} with {password}");
    }
    assert!(host.panics().is_empty());
}

#[tokio::test]
async fn a_right_password_costs_one_hash_and_a_changed_one_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "correct horse");
    let host = TestHost::new().directory(folder.path());
    let started = host.start::<Accounts>(SECTION, []).await.unwrap();
    let plugin = started.plugin();
    let directory: Directory = started.query();
    let log_in = |password| {
        let answer = directory.authenticate(attempt("you@example.org", "", password));
        async move { answer.await.map(|outcome| outcome.status) }
    };

    assert_eq!(log_in("correct horse").await, Ok(AuthStatus::Accepted));
    // With no room for a hash, only what is remembered can be answered.
    let full = plugin.gate.fill();
    assert_eq!(log_in("correct horse").await, Ok(AuthStatus::Accepted));
    assert!(log_in("wrong horse").await.unwrap_err().message.contains("max_parallel_hashes"));
    drop(full);

    write(folder.path(), "battery staple");
    plugin.live.look();
    assert_eq!(log_in("correct horse").await, Ok(AuthStatus::Rejected));
    assert_eq!(log_in("battery staple").await, Ok(AuthStatus::Accepted));
}

#[tokio::test]
async fn addresses() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "correct horse");
    let host = TestHost::new().directory(folder.path()).hostname("mail.example.org");
    let started = host.start::<Accounts>(SECTION, []).await.unwrap();
    let directory: Directory = started.query();
    for (address, kind, accounts) in [
        ("Info+x@example.org", AddressKind::Local, &["you@example.org"][..]),
        ("off@example.org", AddressKind::Local, &["off@example.org"]),
        ("postmaster@mail.example.org", AddressKind::Local, &["you@example.org"]),
        ("root@mail.example.org", AddressKind::Unknown, &[]),
        ("you@elsewhere.example", AddressKind::Remote, &[]),
    ] {
        let answer = directory.resolve(address.into()).await.unwrap();
        assert_eq!(
            (answer.kind, answer.accounts),
            (kind, accounts.iter().map(|&a| a.to_owned()).collect()),
            "{address}"
        );
    }
    let may = |account: &str, address: &str| directory.may_send_as(account.into(), address.into());
    assert_eq!(may("you@example.org", "info@example.org").await, Ok(true));
    assert_eq!(may("off@example.org", "info@example.org").await, Ok(false));
}

#[tokio::test]
async fn the_first_account_is_made_once_and_works() {
    let folder = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(folder.path()).hostname("localhost");
    let section = "(create_first: \"you@localhost\", password_hash: (memory_kib: 8, passes: 1))";
    let started = host.start::<Accounts>(section, []).await.unwrap();
    let secrets = host.secrets();
    assert_eq!(secrets.len(), 1);
    assert_eq!(
        (secrets[0].label.as_str(), secrets[0].file_name.as_str()),
        ("the password of you@localhost", "first-password")
    );
    let password = secrets[0].secret.expose_str().unwrap();
    assert!(password.len() >= 20);
    let directory: Directory = started.query();
    let answer = directory.authenticate(attempt("you@localhost", "", password)).await.unwrap();
    assert_eq!(answer.status, AuthStatus::Accepted);
    assert!(!host.logged(password));

    host.start::<Accounts>(section, []).await.unwrap();
    assert_eq!(host.secrets().len(), 1, "there is a file now");
}

#[tokio::test]
async fn starts_that_fail_or_warn() {
    let folder = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(folder.path());
    host.start::<Accounts>("()", []).await.unwrap();
    assert!(host.logged("dovetail accounts add"));

    fs::write(folder.path().join("accounts.ron"), "(\n  acounts: {},\n)").unwrap();
    let error = match host.start::<Accounts>("()", []).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("accounts.ron:2:"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_memory_of_hashes_is_given_back_when_nobody_logs_in() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "correct horse");
    let host = TestHost::new().directory(folder.path());
    let started = host.start::<Accounts>(SECTION, []).await.unwrap();
    let directory: Directory = started.query();
    let pieces = || format!("{:?}", started.plugin().scratch);
    for name in ["you@example.org", "nobody@example.org"] {
        directory.authenticate(attempt(name, "", "correct horse")).await.unwrap();
        assert_eq!(pieces(), "Scratch(1 pieces)", "{name}");
        // The clock stands still but for this, so the task has had its time when it is over.
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(pieces(), "Scratch(0 pieces)", "{name}");
    }
}
