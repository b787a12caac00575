//! Messages on their way to several accounts.

use crate::fakes::{delivery, FakeBody, FakeDirectory, FakeStore};
use dovetail_sdk::{
    delivery::{Answer, DeliveryProvider, Envelope, Verdict},
    store::{special_use, Body, StoreErrorCode},
};
use std::time::Duration;

const ADDRESSES: [(&str, &[&str]); 6] = [
    ("a@x.org", &["a@x.org"]),
    ("info@x.org", &["a@x.org"]),
    ("b@x.org", &["b@x.org"]),
    ("team@x.org", &["a@x.org", "b@x.org", "c@x.org"]),
    ("d@x.org", &["d@x.org"]),
    ("all@x.org", &["a@x.org", "b@x.org", "c@x.org", "d@x.org"]),
];

async fn deliver(store: &FakeStore, recipients: &[&str]) -> Vec<Answer> {
    deliver_as(store, recipients, false).await
}

async fn deliver_as(store: &FakeStore, recipients: &[&str], junk: bool) -> Vec<Answer> {
    let envelope = Envelope {
        id: "delivery-1".into(),
        sender: "s@elsewhere.example".into(),
        recipients: recipients.iter().map(|&recipient| recipient.to_owned()).collect(),
        account: None,
        junk,
    };
    let delivery = delivery(FakeDirectory::new(ADDRESSES), store.clone());
    delivery.deliver(envelope, Body::new(FakeBody(42))).await.unwrap()
}

fn codes(answers: &[Answer]) -> Vec<(u16, &str)> {
    answers.iter().map(|answer| (answer.code, answer.enhanced.as_str())).collect()
}

#[tokio::test]
async fn each_account_gets_it_once() {
    let store = FakeStore::default();
    let answers = deliver(&store, &["info@x.org", "team@x.org", "a@x.org"]).await;
    assert_eq!(codes(&answers), [(250, "2.0.0"); 3]);
    let appends = store.appends();
    let accounts: Vec<_> = appends.iter().map(|(account, _)| account.as_str()).collect();
    assert_eq!(accounts, ["a@x.org", "b@x.org", "c@x.org"]);
    for (_, messages) in appends {
        assert_eq!(messages.len(), 1);
        let message = &messages[0];
        assert_eq!((message.mailbox.as_str(), message.body, message.delivery_id.as_str()), ("INBOX", 42, "delivery-1"));
        assert_eq!(message.flags, Default::default());
    }
}

#[tokio::test]
async fn appends_run_side_by_side() {
    // None of them ends before all have begun.
    let store = FakeStore::together(3);
    let delivered = tokio::time::timeout(Duration::from_secs(10), deliver(&store, &["a@x.org", "team@x.org"]));
    assert_eq!(codes(&delivered.await.unwrap()), [(250, "2.0.0"); 2]);
}

#[tokio::test]
async fn a_recipient_is_accepted_only_if_all_its_accounts_have_it() {
    let store = FakeStore::refusing([("b@x.org", StoreErrorCode::OverQuota)]);
    let answers = deliver(&store, &["a@x.org", "team@x.org", "b@x.org"]).await;
    assert_eq!(codes(&answers), [(250, "2.0.0"), (452, "4.2.2"), (452, "4.2.2")]);
    assert_eq!(store.appends().len(), 2, "the others have it");
}

#[tokio::test]
async fn what_may_be_tried_again_comes_before_what_may_not() {
    let store = FakeStore::refusing([("a@x.org", StoreErrorCode::TooLarge), ("b@x.org", StoreErrorCode::Temporary)]);
    let answers = deliver(&store, &["team@x.org", "a@x.org", "b@x.org"]).await;
    assert_eq!(codes(&answers), [(451, "4.3.0"), (552, "5.3.4"), (451, "4.3.0")]);
    assert!(answers.iter().all(|answer| !answer.text.contains("fire")));
}

#[tokio::test]
async fn recipients_that_have_gone_since_are_answered_in_their_place() {
    let store = FakeStore::default();
    let answers = deliver(&store, &["gone@x.org", "a@x.org", "fail@x.org", "a@y.org", "all@x.org"]).await;
    assert_eq!(codes(&answers), [(550, "5.1.1"), (250, "2.0.0"), (451, "4.3.0"), (550, "5.7.1"), (550, "5.3.5")]);
    assert_eq!(store.appends().len(), 1);
}

#[tokio::test]
async fn recipients_beyond_the_limit_are_put_off() {
    let store = FakeStore::default();
    let answers = deliver(&store, &["team@x.org", "d@x.org", "info@x.org"]).await;
    assert_eq!(codes(&answers), [(250, "2.0.0"), (452, "4.5.3"), (250, "2.0.0")]);
    assert_eq!(store.appends().len(), 3);
}

#[tokio::test]
async fn bodies_that_the_store_does_not_take() {
    for (code, want) in [
        (StoreErrorCode::Full, (Verdict::Defer, 452, "4.3.1")),
        (StoreErrorCode::TooLarge, (Verdict::Reject, 552, "5.3.4")),
        (StoreErrorCode::Temporary, (Verdict::Defer, 451, "4.3.0")),
    ] {
        let delivery = delivery(FakeDirectory::default(), FakeStore::refusing_bodies(code));
        let failure = delivery.begin(1000).await.unwrap_err();
        let answer = failure.answer;
        assert_eq!((answer.verdict, answer.code, answer.enhanced.as_str()), want);
        assert_eq!(failure.message, "the store is on fire");
    }
    let delivery = delivery(FakeDirectory::default(), FakeStore::default());
    assert!(delivery.begin(0).await.is_ok());
}

#[tokio::test]
async fn junk_goes_into_the_mailbox_for_it() {
    let junk = special_use::JUNK;
    for (there, may_grow, vanishes, want, left) in [
        // The first by its use, whatever its name ...
        (&[("Junk", 0), ("Spam", junk), ("Trash", junk)][..], false, 0, "Spam", 3),
        // ... else one is made ...
        (&[("Trash", special_use::TRASH)], true, 0, "Junk", 2),
        // ... or that of its name is taken.
        (&[("Junk", 0)], false, 0, "Junk", 1),
        // One that vanishes is made again, once.
        (&[("Spam", junk)], true, 1, "Junk", 1),
        (&[("Spam", junk)], true, 2, "INBOX", 0),
        (&[], false, 0, "INBOX", 0),
    ] {
        let store = FakeStore::with_mailboxes(there, may_grow, vanishes);
        assert_eq!(codes(&deliver_as(&store, &["a@x.org"], true).await), [(250, "2.0.0")]);
        assert_eq!(store.appends()[0].1[0].mailbox, want, "{there:?}");
        assert_eq!(store.mailboxes_now().len(), left, "{there:?}");
        if want == "Junk" && may_grow {
            assert!(store.mailboxes_now().contains(&("Junk".to_owned(), junk)));
        }
    }
}
