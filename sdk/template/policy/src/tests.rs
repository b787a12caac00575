use super::{{Name}};
use dovetail_sdk::policy::{Decision, Policy, Question, Stage};
use dovetail_testkit::TestHost;

fn question(stage: Stage, sender: &str) -> Question {
    Question {
        stage,
        session: "test".into(),
        listener: "mx".into(),
        peer: ([192, 0, 2, 1], 4711).into(),
        local: ([192, 0, 2, 2], 25).into(),
        hostname: "mail.example.org".into(),
        tls: None,
        helo: Some("client.example".into()),
        account: None,
        transaction: None,
        sender: Some(sender.into()),
        size: None,
        recipient: None,
        recipients: vec![],
        message: None,
    }
}

#[tokio::test]
async fn decides_by_the_domain() {
    let host = TestHost::new();
    let plugin = host.start::<{{Name}}>("(refuse: [\"Spam.example\"])", []).await.unwrap();
    let policy = plugin.query::<Policy>();
    for (sender, expected) in [
        ("ann@spam.example", Decision::Reject),
        ("ann@deep.SPAM.example", Decision::Reject),
        ("ann@notspam.example", Decision::Accept),
        ("", Decision::Accept),
    ] {
        let verdict = policy.decide(question(Stage::Mail, sender)).await.unwrap();
        assert_eq!(verdict.decision, expected, "{sender}");
    }
    let passed = policy.decide(question(Stage::EndOfMessage, "bob@example.org")).await.unwrap();
    assert_eq!(passed.headers[0].name, "X-{{Name}}");
    assert!(host.panics().is_empty());
}
