//! The plugin as the server sees it, with a memory that the test can look into and a clock that the test turns.

mod kv;

use super::Greylist;
use dovetail_sdk::kv::{Kv, KvErrorCode};
use dovetail_sdk::policy::{Decision, Policy, PolicyFailure, PolicyVerdict, Question, Stage};
use dovetail_testkit::{bound, Started, TestHost, TestSlot};
use kv::Shelf;
use std::time::Duration;

/// A server with a greylist, at noon of some day.
struct World {
    host: TestHost,
    shelf: Shelf,
    plugin: Started<Greylist>,
}

impl World {
    async fn new(section: &str) -> World {
        let host = TestHost::new();
        let shelf = Shelf::new();
        host.set_unix_milliseconds(kv::NOON * 1000);
        let plugin = host.start::<Greylist>(section, [bound(Kv::new(shelf.clone()))]).await.unwrap();
        World { host, shelf, plugin }
    }

    async fn ask(&self, question: Question) -> Result<PolicyVerdict, PolicyFailure> {
        self.plugin.query::<Policy>().decide(question).await
    }

    /// Whether it is deferred; then the words must be right.
    async fn waits(&self, question: Question) -> bool {
        let verdict = self.ask(question).await.unwrap();
        assert!(self.host.panics().is_empty());
        if verdict.decision == Decision::Accept {
            return false;
        }
        let reply = verdict.reply.unwrap();
        assert_eq!((verdict.decision, reply.code, reply.enhanced.as_str()), (Decision::Defer, 451, "4.7.1"));
        true
    }
}

async fn seconds(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

fn mail(peer: &str, sender: &str, recipient: &str) -> Question {
    Question {
        stage: Stage::Recipient,
        session: "s1".into(),
        listener: "mx".into(),
        peer: format!("{peer}:4711").parse().unwrap(),
        local: ([192, 0, 2, 2], 25).into(),
        hostname: "mail.example.org".into(),
        tls: None,
        helo: Some("client.example".into()),
        account: None,
        transaction: Some("s1.1".into()),
        sender: Some(sender.into()),
        size: None,
        recipient: Some(recipient.into()),
        recipients: vec![],
        message: None,
    }
}

fn a_mail() -> Question {
    mail("198.51.100.7", "ann@remote.example", "bob@example.org")
}

#[tokio::test(start_paused = true)]
async fn an_unknown_triplet_waits_and_then_is_known() {
    let world = World::new("()").await;
    let first = world.ask(a_mail()).await.unwrap();
    let text = |verdict: PolicyVerdict| verdict.reply.map(|reply| reply.text).unwrap_or_default();
    assert_eq!(text(first), "Greylisted, please try again in 300 seconds");
    seconds(299).await;
    assert_eq!(text(world.ask(a_mail()).await.unwrap()), "Greylisted, please try again in 1 seconds");
    seconds(1).await;
    assert!(!world.waits(a_mail()).await);
    assert!(world.host.logged("has come back in time"));
    // Known: no wait, however soon or late.
    assert!(!world.waits(a_mail()).await);
    seconds(30 * 86400).await;
    assert!(!world.waits(a_mail()).await);
}

#[tokio::test(start_paused = true)]
async fn another_host_of_the_network_is_the_same_and_all_else_is_not() {
    let world = World::new("(network_passes_after: 0)").await;
    assert!(world.waits(a_mail()).await);
    seconds(300).await;
    assert!(world.waits(mail("198.51.101.7", "ann@remote.example", "bob@example.org")).await, "another network");
    assert!(world.waits(mail("198.51.100.7", "eve@remote.example", "bob@example.org")).await, "another sender");
    assert!(world.waits(mail("198.51.100.7", "ann@remote.example", "cat@example.org")).await, "another recipient");
    assert!(!world.waits(mail("198.51.100.250", "Ann@Remote.example", "BOB@example.org")).await);
    assert!(world.waits(mail("[2001:db8:1:2::1]", "ann@remote.example", "bob@example.org")).await);
    seconds(300).await;
    assert!(!world.waits(mail("[2001:db8:1:2:ffff::9]", "ann@remote.example", "bob@example.org")).await);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_comes_too_late_is_a_first_try() {
    let world = World::new("(retry_window_seconds: 1000)").await;
    assert!(world.waits(a_mail()).await);
    seconds(1000).await;
    assert!(world.waits(a_mail()).await);
    seconds(999).await;
    assert!(!world.waits(a_mail()).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_used_is_remembered_and_what_is_not_is_forgotten() {
    let world = World::new("(remember_seconds: 1000, network_passes_after: 0)").await;
    assert!(world.waits(a_mail()).await);
    seconds(300).await;
    assert!(!world.waits(a_mail()).await);
    let writes = world.shelf.writes();
    seconds(100).await;
    assert!(!world.waits(a_mail()).await);
    assert_eq!(world.shelf.writes(), writes, "soon after a mail nothing is written for another one");
    for _ in 0..3 {
        seconds(800).await;
        assert!(!world.waits(a_mail()).await);
    }
    seconds(1000).await;
    assert!(world.waits(a_mail()).await);
}

#[tokio::test(start_paused = true)]
async fn a_network_whose_mails_come_back_passes_as_a_whole() {
    let world = World::new("(network_passes_after: 2, remember_seconds: 10000)").await;
    let unknown = || mail("198.51.100.9", "unseen@remote.example", "bob@example.org");
    let of = |transaction: &str, recipient: &str| Question {
        transaction: Some(transaction.into()),
        ..mail("198.51.100.7", "ann@remote.example", recipient)
    };
    // One mail to three recipients is one mail.
    for recipient in ["a@example.org", "b@example.org", "c@example.org"] {
        assert!(world.waits(of("s1.1", recipient)).await);
    }
    seconds(300).await;
    for recipient in ["a@example.org", "b@example.org", "c@example.org"] {
        assert!(!world.waits(of("s2.1", recipient)).await);
    }
    assert!(world.waits(unknown()).await);
    assert!(world.waits(of("s3.1", "d@example.org")).await);
    seconds(300).await;
    assert!(!world.waits(of("s4.1", "d@example.org")).await);
    assert_eq!(world.shelf.value("network 198.51.100.0/24").as_deref(), Some("2 returned, last s4.1"));
    assert!(!world.waits(mail("198.51.100.9", "other@remote.example", "bob@example.org")).await);
    assert!(world.waits(mail("198.51.99.9", "other@remote.example", "bob@example.org")).await);
    // It lasts as long as mail comes.
    seconds(9000).await;
    assert!(!world.waits(unknown()).await);
    seconds(9000).await;
    assert!(!world.waits(unknown()).await);
    seconds(10000).await;
    assert!(world.waits(mail("198.51.100.9", "third@remote.example", "bob@example.org")).await);
}

#[tokio::test(start_paused = true)]
async fn who_has_logged_in_and_bounces_do_not_wait() {
    let bounce = || mail("198.51.100.7", "", "bob@example.org");
    let world = World::new("()").await;
    assert!(!world.waits(bounce()).await);
    assert!(!world.waits(Question { account: Some("ann@example.org".into()), ..a_mail() }).await);
    assert_eq!(world.shelf.writes(), 0);
    let strict = World::new("(null_sender: true)").await;
    assert!(strict.waits(bounce()).await);
    seconds(300).await;
    assert!(!strict.waits(bounce()).await);
}

#[tokio::test(start_paused = true)]
async fn sessions_at_the_same_time_agree() {
    let world = World::new("()").await;
    let of = |transaction: usize| Question { transaction: Some(format!("s{transaction}.1")), ..a_mail() };
    // All have read that it is new before the first one writes.
    let all = |world: &World| {
        let policy = world.plugin.query::<Policy>();
        let asked: Vec<_> = (0..8).map(|n| tokio::spawn(policy.decide(of(n)))).collect();
        async move {
            let mut decisions = Vec::new();
            for one in asked {
                decisions.push(one.await.unwrap().unwrap().decision);
            }
            decisions
        }
    };
    assert_eq!(all(&world).await, [Decision::Defer; 8]);
    assert_eq!(world.shelf.writes(), 1);
    assert!(world.shelf.refused() > 0, "the test is about nothing: no two sessions met");
    seconds(300).await;
    assert_eq!(all(&world).await, [Decision::Accept; 8]);
    let network = world.shelf.value("network 198.51.100.0/24").unwrap();
    assert!(network.starts_with("1 returned"), "{network}");
}

#[tokio::test(start_paused = true)]
async fn without_its_memory_it_says_so_and_decides_nothing() {
    let world = World::new("()").await;
    world.shelf.fail(Some(KvErrorCode::Full));
    assert!(world.ask(a_mail()).await.unwrap_err().message.contains("the memory failed"));
    world.shelf.fail(None);
    world.shelf.meddle(true);
    assert!(world.ask(a_mail()).await.unwrap_err().message.contains("changed by others"));
    world.shelf.meddle(false);
    assert!(world.waits(a_mail()).await);

    let slot = TestSlot::<Kv>::empty();
    let greylist = world.host.start::<Greylist>("()", [slot.bound()]).await.unwrap();
    let failure = greylist.query::<Policy>().decide(a_mail()).await.unwrap_err();
    assert!(failure.message.contains("the memory is not there"), "{failure}");
    // The next mail is asked about anew.
    slot.put(Kv::new(world.shelf.clone()));
    assert!(greylist.query::<Policy>().decide(a_mail()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_may_pass_does_so_though_nothing_can_be_noted() {
    let world = World::new("()").await;
    assert!(world.waits(a_mail()).await);
    seconds(300).await;
    // No room for the network's entry.
    world.shelf.fill();
    assert!(!world.waits(a_mail()).await);
    assert!(world.host.logged("could not be noted"));
    assert_eq!(world.shelf.value("network 198.51.100.0/24"), None);
    // The entry cannot be refreshed.
    let lines = world.host.log().len();
    world.shelf.read_only(true);
    seconds(20 * 86400).await;
    assert!(!world.waits(a_mail()).await);
    assert_eq!(world.host.log().len(), lines + 1);
}

#[tokio::test(start_paused = true)]
async fn a_memory_that_is_restarted_is_waited_for() {
    let host = TestHost::new();
    let slot = TestSlot::<Kv>::empty();
    slot.put(Kv::new(Shelf::new()));
    let greylist = host.start::<Greylist>("()", [slot.bound()]).await.unwrap();
    slot.hold();
    let asked = tokio::spawn(greylist.query::<Policy>().decide(a_mail()));
    tokio::task::yield_now().await;
    let next = Shelf::new();
    slot.put(Kv::new(next.clone()));
    assert_eq!(asked.await.unwrap().unwrap().decision, Decision::Defer);
    assert_eq!(next.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn odd_entries_and_clocks_that_were_put_back_are_a_beginning() {
    let key = "triplet 198.51.100.0/24 <ann@remote.example> <bob@example.org>";
    for odd in ["passed?", "waiting since 99999999999"] {
        let world = World::new("()").await;
        world.shelf.set(key, odd);
        assert!(world.waits(a_mail()).await, "{odd}");
        assert_eq!(world.shelf.value(key), Some(format!("waiting since {}", kv::NOON)));
        seconds(300).await;
        assert!(!world.waits(a_mail()).await, "{odd}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_asks_to_be_asked_about_recipients_and_has_a_name_of_its_own() {
    let shelf = Shelf::new();
    for name in ["one", "two"] {
        let host = TestHost::new().instance(name);
        let greylist = host.start::<Greylist>("()", [bound(Kv::new(shelf.clone()))]).await.unwrap();
        let policy = greylist.query::<Policy>();
        assert_eq!(policy.stages().unwrap(), [Stage::Recipient]);
        policy.decide(a_mail()).await.unwrap();
    }
    assert_eq!(shelf.namespaces(), ["one", "two"]);
}

#[tokio::test]
async fn the_section_is_checked() {
    let host = TestHost::new();
    for good in ["()", "(delay_seconds: 0)", "(delay_seconds: 60, retry_window_seconds: 61, null_sender: true)"] {
        assert!(host.check::<Greylist>(good).unwrap().is_empty(), "{good}");
    }
    for (wrong, named) in [
        ("(delay: 1)", "delay"),
        ("(delay_seconds: 300, retry_window_seconds: 300)", "no retry could ever be in time"),
        ("(remember_seconds: 0)", "nothing would ever be known"),
        ("(remember_seconds: 18446744073709551615)", "ten years"),
    ] {
        let problems = host.check::<Greylist>(wrong).unwrap_err();
        assert!(problems.iter().any(|problem| problem.to_string().contains(named)), "{wrong}: {problems:?}");
    }
}
