//! What the directory says to who logs in by SCRAM.

use crate::{
    password::CHEAP,
    scram::{self, MIN_ITERATIONS},
    stored::Costs,
    Accounts,
};
use dovetail_sdk::directory::{AuthStatus, Directory, Proven, ScramKeys, ScramRequest};
use dovetail_testkit::TestHost;
use std::{fs, net::Ipv4Addr, path::Path};

const PASSWORD: &[u8] = b"correct horse";

/// Accounts with and without keys; `more` of them.
fn write(folder: &Path, more: &str) {
    let stored = Costs { hash: CHEAP, scram: Some(MIN_ITERATIONS) }.store(PASSWORD).unwrap();
    let (hash, keys) = (stored.password, stored.scram);
    let foreign = scram::make(PASSWORD, "from elsewhere", 5000);
    let text = format!(
        r#"(accounts: {{
            "you@example.org": (password: "{hash}", scram: "{keys}"),
            "off@example.org": (password: "{hash}", scram: "{keys}", enabled: false),
            "came@example.org": (scram: "{foreign}"),
            "mute@example.org": (),
            {more}
        }})"#
    );
    fs::write(folder.join("accounts.ron"), text).unwrap();
}

fn keys_of(text: &str) -> String {
    format!(r#""old@example.org": (password: "{text}"),"#)
}

fn section(more: &str) -> String {
    format!("(password_hash: (memory_kib: 8, passes: 1), scram_iterations: 20000{more})")
}

async fn ask(directory: &Directory, name: &str) -> ScramKeys {
    let request =
        ScramRequest { authentication_id: name.into(), peer: Ipv4Addr::LOCALHOST.into(), service: "imap".into() };
    directory.scram_keys(request).await.unwrap()
}

fn same(one: &ScramKeys, two: &ScramKeys) -> bool {
    (&one.salt, one.iterations, one.stored_key.expose(), one.server_key.expose())
        == (&two.salt, two.iterations, two.stored_key.expose(), two.server_key.expose())
}

#[tokio::test]
async fn every_name_has_keys_and_some_fit() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "");
    let host = TestHost::new().directory(folder.path());
    let started = host.start::<Accounts>(&section(""), []).await.unwrap();
    let directory: Directory = started.query();
    let fits = |keys: &ScramKeys| {
        let made = dovetail_mail::sasl::scram::derive(PASSWORD, &keys.salt, keys.iterations);
        made.stored_key.expose() == keys.stored_key.expose() && made.server_key.expose() == keys.server_key.expose()
    };
    let you = ask(&directory, "You@Example.ORG").await;
    assert!(fits(&you) && you.iterations == MIN_ITERATIONS);
    assert!(same(&you, &ask(&directory, "\u{ff59}ou@example.org").await), "by SASLprep");
    let came = ask(&directory, "came@example.org").await;
    assert!(fits(&came) && came.iterations == 5000);
    for name in ["nobody@example.org", "mute@example.org", "nobody", "", "info@example.org"] {
        let keys = ask(&directory, name).await;
        assert!(!fits(&keys), "{name}");
        assert_eq!((keys.salt.len(), keys.iterations), (you.salt.len(), MIN_ITERATIONS), "{name} looks like the most");
        assert!(same(&keys, &ask(&directory, name).await), "{name}");
    }
    assert!(same(&ask(&directory, "nobody@example.org").await, &ask(&directory, "NOBODY@example.org").await));

    // The same after a restart.
    let before = ask(&directory, "nobody@example.org").await;
    let again = host.start::<Accounts>(&section(""), []).await.unwrap();
    assert!(same(&before, &ask(&again.query::<Directory>(), "nobody@example.org").await));
    fs::write(folder.path().join("scram-secret"), "none").unwrap();
    let error = host.start::<Accounts>(&section(""), []).await.err().unwrap().to_string();
    assert!(error.contains("scram-secret") && error.contains("remove it"), "{error}");
    assert!(host.panics().is_empty());
}

#[tokio::test]
async fn who_has_proved_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "");
    let host = TestHost::new().directory(folder.path());
    let started = host.start::<Accounts>(&section(""), []).await.unwrap();
    let directory: Directory = started.query();
    for (name, acts_as, status, account) in [
        ("YOU@example.org", "", AuthStatus::Accepted, Some("you@example.org")),
        ("you@example.org", "You@example.org", AuthStatus::Accepted, Some("you@example.org")),
        ("you@example.org", "off@example.org", AuthStatus::Rejected, None),
        ("you@example.org", "nonsense", AuthStatus::Rejected, None),
        ("off@example.org", "", AuthStatus::Disabled, None),
        ("off@example.org", "you@example.org", AuthStatus::Rejected, None),
        ("gone@example.org", "", AuthStatus::Rejected, None),
        ("", "", AuthStatus::Rejected, None),
    ] {
        let proven = Proven {
            authentication_id: name.into(),
            authorization_id: acts_as.into(),
            peer: Ipv4Addr::LOCALHOST.into(),
            service: "imap".into(),
        };
        let outcome = directory.authorize(proven).await.unwrap();
        assert_eq!((outcome.status, outcome.account.as_deref()), (status, account), "{name} as {acts_as:?}");
    }
}

#[tokio::test]
async fn offered_where_every_account_can_use_it_or_by_config() {
    let folder = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(folder.path());
    let hash = crate::password::hash(PASSWORD, CHEAP).unwrap();
    let disabled = keys_of(&hash).replace("),", ", enabled: false),");
    for (more, auto) in [("", true), (keys_of(&hash).as_str(), false), (disabled.as_str(), true)] {
        write(folder.path(), more);
        for (config, want) in [("", auto), (", scram: On", true), (", scram: Off", false)] {
            let started = host.start::<Accounts>(&section(config), []).await.unwrap();
            let methods = started.query::<Directory>().login_methods().unwrap();
            assert_eq!(methods.scram_sha_256, want, "{more} {config}");
        }
    }
    fs::write(folder.path().join("accounts.ron"), "()").unwrap();
    let started = host.start::<Accounts>(&section(""), []).await.unwrap();
    assert!(!started.query::<Directory>().login_methods().unwrap().scram_sha_256, "there is nobody");
}
