use super::{{Name}};
use dovetail_sdk::directory::{AddressKind, AuthStatus, Directory, PasswordAttempt};
use dovetail_testkit::TestHost;

/// The hash is that of `secret`.
const SECTION: &str = "(domains: [\"example.org\"], accounts: {
    \"Ann@example.org\": Sha256(\"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"),
})";

fn attempt(name: &str, acts_as: &str, password: &str) -> PasswordAttempt {
    PasswordAttempt {
        authentication_id: name.into(),
        authorization_id: acts_as.into(),
        password: password.to_owned().into(),
        peer: [192, 0, 2, 1].into(),
        service: "imap".into(),
    }
}

#[tokio::test]
async fn knows_who_is_who() {
    let host = TestHost::new();
    let plugin = host.start::<{{Name}}>(SECTION, []).await.unwrap();
    let directory = plugin.query::<Directory>();
    for (name, acts_as, password, expected) in [
        ("ann@example.org", "", "secret", AuthStatus::Accepted),
        ("ANN@example.org", "ann@example.org", "secret", AuthStatus::Accepted),
        ("ann@example.org", "bob@example.org", "secret", AuthStatus::Rejected),
        ("ann@example.org", "", "secre", AuthStatus::Rejected),
        ("bob@example.org", "", "secret", AuthStatus::Rejected),
    ] {
        let outcome = directory.authenticate(attempt(name, acts_as, password)).await.unwrap();
        assert_eq!(outcome.status, expected, "{name} {acts_as} {password}");
    }
    for (address, expected) in [
        ("ann@EXAMPLE.org", AddressKind::Local),
        ("bob@example.org", AddressKind::Unknown),
        ("ann@example.net", AddressKind::Remote),
    ] {
        assert_eq!(directory.resolve(address.into()).await.unwrap().kind, expected, "{address}");
    }
    assert!(host.panics().is_empty());
}

#[test]
fn the_section_is_checked() {
    let host = TestHost::new();
    assert!(host.check::<{{Name}}>(SECTION).is_ok());
    assert!(host.check::<{{Name}}>("(domains: [], accounts: {\"ann@example.org\": Sha256(\"12\")})").is_err());
}
