//! Dialogues: what clients hear, and what is delivered.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use dovetail_sdk::policy::{Decision, Policy, PolicyFailure, PolicyProvider, PolicyVerdict, Question, Stage};
use dovetail_sdk::{CallFailure, Service};
use dovetail_testkit::TestHost;

use crate::config::{Config, OnError, PolicyStep};
use crate::testing::policies::{step, ALL, HANGS};
use crate::testing::{mx, submission, World};

type Said = Result<PolicyVerdict, PolicyFailure>;

fn says(decision: Decision) -> Said {
    Ok(PolicyVerdict::new(decision, "because"))
}

fn fails(message: &str) -> Said {
    Err(PolicyFailure { message: message.to_owned() })
}

/// A policy that says this at one stage, and nothing against anything at the others.
fn at(stage: Stage, decision: Decision) -> impl Fn(&Question) -> Said + Send + Sync {
    move |question| says(if question.stage == stage { decision } else { Decision::Accept })
}

const HELO: &str = "S: 220 mx.example ESMTP Dovetail\nC: HELO c\nS: 250 mx.example\n";
const MAIL: &str = "C: MAIL FROM:<x@remote.example>\nS: 250 2.1.0 Sender ok\n";
const RCPT: &str = "C: RCPT TO:<bob@example.org>\nS: 250 2.1.5 Recipient ok\n";
const DATA: &str = "C: DATA\nS: 354 Go ahead; end with CRLF.CRLF\nC: Subject: x\nC:\nC: text\nC: .\n";
const DONE: &str = "S: 250 2.0.0 Delivered as s1.1\n";

const HELLO_TLS: &str = "S: 220 mx.example ESMTP Dovetail\nC: EHLO c\nS: 250-mx.example greets c\nS: 250-PIPELINING\n\
    S: 250-8BITMIME\nS: 250-ENHANCEDSTATUSCODES\nS: 250-SIZE 52428800\nS: 250 AUTH PLAIN LOGIN\n";
const AUTH: &str = "C: AUTH PLAIN AGFubkBleGFtcGxlLm9yZwBzZWNyZXQ=\n";

/// Talks, and checks that nothing is left in spool or sinks.
async fn talk(world: &World, script: &str) {
    world.talk(script).await.unwrap();
    // What a policy was asked about is kept by the test alone.
    world.seen.questions.lock().unwrap().iter_mut().for_each(|question| question.message = None);
    assert_eq!(*world.seen.open_sinks.lock().unwrap(), 0, "{script}");
}

/// Whether the messages that were delivered are junk.
fn junk(world: &World) -> Vec<bool> {
    world.seen.messages.lock().unwrap().iter().map(|(envelope, _)| envelope.junk).collect()
}

#[tokio::test]
async fn each_refusal_at_each_stage() {
    let again = "C: NOOP\nS: 250 2.0.0 Ok\n";
    for (stage, decision, script) in [
        (
            Stage::Connect,
            Decision::Reject,
            "S: 554 5.7.1 Your mail is not taken here\nC: EHLO c\nC: X\nC: QUIT\n\
             S: 503 5.5.1 No mail is taken from you here; say QUIT\nS: 503 5.5.1 No mail is taken from you here; say QUIT\n\
             S: 221 2.0.0 Bye\nS."
                .to_owned(),
        ),
        (Stage::Connect, Decision::Defer, "S: 421 4.7.1 Not now, try again later\nS.".to_owned()),
        (
            Stage::Helo,
            Decision::Reject,
            "S: 220 mx.example ESMTP Dovetail\nC: HELO c\nS: 550 5.7.1 Your mail is not taken here\n\
             C: MAIL FROM:<>\nS: 503 5.5.1 Say EHLO or HELO first"
                .to_owned(),
        ),
        (
            Stage::Helo,
            Decision::Defer,
            "S: 220 mx.example ESMTP Dovetail\nC: EHLO c\nS: 451 4.7.1 Not now, try again later".to_owned(),
        ),
        (
            Stage::Mail,
            Decision::Reject,
            format!("{HELO}C: MAIL FROM:<>\nS: 550 5.7.1 The sender is refused\nC: RCPT TO:<bob@example.org>\nS: 503 5.5.1 Say MAIL first"),
        ),
        (Stage::Mail, Decision::Defer, format!("{HELO}C: MAIL FROM:<>\nS: 451 4.7.1 Not now, try again later")),
        (
            Stage::Recipient,
            Decision::Reject,
            format!("{HELO}{MAIL}C: RCPT TO:<bob@example.org>\nC: DATA\nS: 550 5.7.1 The recipient is refused\nS: 554 5.5.1 No valid recipients"),
        ),
        (
            Stage::Recipient,
            Decision::Defer,
            format!("{HELO}{MAIL}C: RCPT TO:<bob@example.org>\nS: 451 4.7.1 Not now, try again later"),
        ),
        (
            Stage::EndOfMessage,
            Decision::Reject,
            format!("{HELO}{MAIL}{RCPT}{DATA}S: 550 5.7.1 The message is refused\n{again}"),
        ),
        (
            Stage::EndOfMessage,
            Decision::Defer,
            format!("{HELO}{MAIL}{RCPT}{DATA}S: 451 4.7.1 Not now, try again later\n{again}"),
        ),
    ] {
        let world = mx().with(step("p"), &ALL, at(stage, decision));
        talk(&world, &script).await;
        assert!(world.delivered().is_empty(), "{stage:?} {decision:?}");
        assert_eq!(world.asked().iter().filter(|&&asked| asked == stage).count(), 1, "{stage:?}");
    }
}

#[tokio::test]
async fn a_login_that_is_refused_is_none() {
    for (decision, reply) in
        [(Decision::Reject, "535 5.7.1 The login is refused"), (Decision::Defer, "454 4.7.1 Not now, try again later")]
    {
        let world = submission().with(step("p"), &ALL, at(Stage::Auth, decision));
        let script = format!("{HELLO_TLS}{AUTH}S: {reply}\nC: MAIL FROM:<>\nS: 530 5.7.0 Authentication required");
        talk(&world, &script).await;
        let questions = world.seen.questions.lock().unwrap();
        assert_eq!(questions.last().unwrap().account.as_deref(), Some("ann@example.org"));
    }
}

#[tokio::test]
async fn junk_and_discard_at_each_stage() {
    for stage in [Stage::Connect, Stage::Helo, Stage::Mail, Stage::Recipient, Stage::EndOfMessage] {
        let script = format!("{HELO}{MAIL}{RCPT}{DATA}{DONE}");
        let world = mx().with(step("p"), &ALL, at(stage, Decision::Junk));
        talk(&world, &script).await;
        assert_eq!((world.delivered(), junk(&world)), (vec!["Subject: x\r\n\r\ntext\r\n".to_owned()], vec![true]));
        assert_eq!(world.asked().len(), 5, "{stage:?}");

        let world = mx().with(step("p"), &ALL, at(stage, Decision::Discard));
        talk(&world, &script).await;
        assert!(world.delivered().is_empty(), "{stage:?}");
        // Nothing more is asked about what will be thrown away.
        assert_eq!(world.asked().last(), Some(&stage), "{stage:?}");
    }
    for (decision, delivered) in [(Decision::Junk, 1), (Decision::Discard, 0)] {
        let world = submission().with(step("p"), &ALL, at(Stage::Auth, decision));
        let mail = "C: MAIL FROM:<ann@example.org>\nS: 250 2.1.0 Sender ok\n";
        talk(&world, &format!("{HELLO_TLS}{AUTH}S: 235 2.7.0 Logged in\n{mail}{RCPT}{DATA}{DONE}")).await;
        assert_eq!(junk(&world), vec![true; delivered]);
    }
}

#[tokio::test]
async fn what_is_thrown_away_makes_no_relay_and_keeps_the_limits() {
    let config = Config { max_message_size: 65_536, ..Config::default() };
    let world = World { config, ..mx() }.with(step("p"), &ALL, at(Stage::Connect, Decision::Discard));
    let line = "x".repeat(998);
    let large: String = (0..70).map(|_| format!("C: {line}\n")).collect();
    let script = format!(
        "{HELO}{MAIL}C: RCPT TO:<ann@elsewhere.example>\nS: 550 5.7.1 Relaying denied\n{RCPT}C: DATA\n\
         S: 354 Go ahead; end with CRLF.CRLF\n{large}C: .\nS: 552 5.3.4 Message is larger than 65536 octets\n"
    );
    talk(&world, &script).await;
    assert_eq!(world.asked(), [Stage::Connect]);
}

#[tokio::test]
async fn a_recipient_that_is_thrown_away_is_one_of_several() {
    let only_bob = |question: &Question| {
        let eve = question.recipient.as_deref() == Some("eve@example.org");
        says(if eve { Decision::Discard } else { Decision::Accept })
    };
    let world = mx().with(step("p"), &ALL, only_bob);
    let eve = "C: RCPT TO:<eve@example.org>\nS: 250 2.1.5 Recipient ok\n";
    let twice = "C: RCPT TO:<eve@example.org>\nS: 250 2.1.5 Recipient ok, named before\n";
    talk(&world, &format!("{HELO}{MAIL}{eve}{RCPT}{twice}{DATA}{DONE}")).await;
    assert_eq!(world.seen.messages.lock().unwrap()[0].0.recipients, ["bob@example.org"]);
    // Alone, it is answered all the same.
    let world = mx().with(step("p"), &ALL, only_bob);
    talk(&world, &format!("{HELO}{MAIL}{eve}{DATA}{DONE}")).await;
    assert!(world.delivered().is_empty());
}

#[tokio::test]
async fn the_first_refusal_ends_the_chain_and_junk_does_not() {
    let world = mx()
        .with(step("first"), &[Stage::Mail], |_| says(Decision::Junk))
        .with(step("second"), &[Stage::Mail], |_| {
            Ok(PolicyVerdict::new(Decision::Reject, "x").saying(553, "5.1.8", "Second says no"))
        })
        .with(step("third"), &[Stage::Mail], |_| {
            Ok(PolicyVerdict::new(Decision::Reject, "x").saying(550, "5.7.1", "Third says no"))
        });
    talk(&world, &format!("{HELO}C: MAIL FROM:<>\nS: 553 5.1.8 Second says no")).await;
    assert_eq!(world.asked(), [Stage::Mail; 2]);
}

#[tokio::test]
async fn a_policy_may_close_the_connection() {
    let close = |_: &Question| Ok(PolicyVerdict::new(Decision::Defer, "x").saying(421, "4.7.0", "Come back tomorrow"));
    let world = mx().with(step("p"), &[Stage::Recipient], close);
    talk(&world, &format!("{HELO}{MAIL}C: RCPT TO:<bob@example.org>\nS: 421 4.7.0 Come back tomorrow\nS.")).await;
}

#[tokio::test]
async fn questions_say_what_is_known() {
    let world = mx().with(step("p"), &ALL, |_| says(Decision::Accept));
    let mail = "C: MAIL FROM:<x@remote.example> SIZE=20\nS: 250 2.1.0 Sender ok\n";
    let eve = "C: RCPT TO:<eve@example.org>\nS: 250 2.1.5 Recipient ok\n";
    let refused = "C: RCPT TO:<nobody@example.org>\nS: 550 5.1.1 No such user\n";
    world.talk(&format!("{HELO}{mail}{RCPT}{refused}{eve}{DATA}{DONE}")).await.unwrap();
    let questions = world.seen.questions.lock().unwrap();
    // A recipient that the delivery does not take is no question.
    let stages: Vec<Stage> = questions.iter().map(|question| question.stage).collect();
    use Stage::{Connect, EndOfMessage, Helo, Mail, Recipient};
    assert_eq!(stages, [Connect, Helo, Mail, Recipient, Recipient, EndOfMessage]);
    let (first, third, fifth, last) = (&questions[0], &questions[2], &questions[4], &questions[5]);
    assert_eq!(
        (first.session.as_str(), first.listener.as_str(), first.hostname.as_str()),
        ("s1", "test", "mx.example")
    );
    assert_eq!((first.peer.port(), first.local.port(), &first.tls), (1234, 25, &None));
    assert_eq!((&first.helo, &first.transaction, &first.sender), (&None, &None, &None));
    assert_eq!((third.helo.as_deref(), third.transaction.as_deref()), (Some("c"), Some("s1.1")));
    assert_eq!((third.sender.as_deref(), third.size), (Some("x@remote.example"), Some(20)));
    assert_eq!((fifth.recipient.as_deref(), fifth.recipients.len()), (Some("eve@example.org"), 1));
    assert_eq!((last.recipients.len(), &last.recipient), (2, &None));
    let message = last.message.as_ref().unwrap();
    assert_eq!(message.length(), Ok(20));
    assert_eq!(message.header_length(), Ok(14));
}

#[tokio::test]
async fn headers_change_from_policy_to_policy() {
    let seen: Arc<Mutex<Vec<u8>>> = Arc::default();
    let (sink, first) = (seen.clone(), |_: &Question| {
        Ok(PolicyVerdict::accept().adding("X-Spam", "no").adding("X-Long", "word ".repeat(30)).removing("Subject"))
    });
    let second = move |question: &Question| {
        let message = question.message.clone().unwrap();
        sink.lock().unwrap().extend_from_slice(&message.length().unwrap().to_be_bytes());
        Ok(PolicyVerdict::new(Decision::Junk, "x").removing("x-spam").adding("X-Spam", "yes"))
    };
    let world = mx().with(step("a"), &[Stage::EndOfMessage], first).with(step("b"), &[Stage::EndOfMessage], second);
    talk(&world, &format!("{HELO}{MAIL}{RCPT}{DATA}{DONE}")).await;
    let long = format!("X-Long: {}\r\n {}\r\n", ["word"; 14].join(" "), ["word"; 15].join(" "));
    let rest = long.strip_suffix("\r\n").unwrap();
    let delivered = world.delivered();
    assert!(delivered[0].starts_with("X-Spam: yes\r\nX-Long: word"), "{delivered:?}");
    assert!(delivered[0].ends_with("\r\n\r\ntext\r\n") && !delivered[0].contains("Subject"), "{delivered:?}");
    assert_eq!(delivered[0].matches("word").count(), rest.matches("word").count() + 1);
    // The second saw what the first had changed.
    let length = u64::from_be_bytes(seen.lock().unwrap()[..].try_into().unwrap());
    assert_eq!(length, delivered[0].len() as u64 - 1);
    assert_eq!(junk(&world), [true]);
}

#[tokio::test]
async fn what_cannot_be_done_is_a_failure() {
    for (on_error, reply, delivered) in [
        (OnError::Accept, "250 2.0.0 Delivered as s1.1", 1),
        (OnError::Defer, "451 4.7.1 Not now, try again later", 0),
        (OnError::Reject, "550 5.7.1 The message is refused", 0),
    ] {
        for verdict in [
            PolicyVerdict::accept().adding("X", "a\r\nBcc: x"),
            PolicyVerdict::accept().adding("X", "fine").removing("Received"),
        ] {
            let world =
                mx().with(PolicyStep { on_error, ..step("p") }, &[Stage::EndOfMessage], move |_| Ok(verdict.clone()));
            talk(&world, &format!("{HELO}{MAIL}{RCPT}{DATA}S: {reply}")).await;
            assert_eq!(world.delivered(), vec!["Subject: x\r\n\r\ntext\r\n"; delivered]);
        }
    }
    // A refusal's changes are none.
    let world = mx().with(PolicyStep { on_error: OnError::Accept, ..step("p") }, &[Stage::EndOfMessage], |_| {
        Ok(PolicyVerdict::new(Decision::Defer, "x").adding("", ""))
    });
    talk(&world, &format!("{HELO}{MAIL}{RCPT}{DATA}S: 451 4.7.1 Not now, try again later")).await;
}

#[tokio::test]
async fn failures_are_followed_by_what_the_operator_set() {
    for (on_error, script) in [
        (OnError::Accept, format!("{HELO}{MAIL}")),
        (OnError::Defer, format!("{HELO}C: MAIL FROM:<>\nS: 451 4.7.1 Not now, try again later")),
        (OnError::Reject, format!("{HELO}C: MAIL FROM:<>\nS: 550 5.7.1 The sender is refused")),
    ] {
        let world = mx().with(PolicyStep { on_error, ..step("p") }, &[Stage::Mail], |_| fails("broken"));
        talk(&world, &script).await;
        let world = mx().with(PolicyStep { on_error, ..step("p") }, &[Stage::Mail], |_| panic!("on purpose"));
        talk(&world, &script).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_does_not_answer_in_time_is_passed_over() {
    let host = TestHost::new();
    let hanging = PolicyStep { timeout_seconds: 3, on_error: OnError::Accept, ..step("slow") };
    let world = mx()
        .with(hanging, &[Stage::Mail], |_| fails(HANGS))
        .with(step("next"), &[Stage::Mail], |_| says(Decision::Accept));
    let begun = tokio::time::Instant::now();
    host.run(talk(&world, &format!("{HELO}{MAIL}"))).await;
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert!(host.logged("no answer within 3 seconds") && host.logged("on_error"));
    assert_eq!(world.asked().len(), 2);
}

#[tokio::test]
async fn decisions_are_logged_and_counted() {
    let host = TestHost::new();
    let world = mx()
        .with(step("a"), &[Stage::Helo], |_| says(Decision::Accept))
        .with(step("b"), &[Stage::Helo], |_| says(Decision::Junk))
        .with(PolicyStep { on_error: OnError::Accept, ..step("c") }, &[Stage::Helo], |_| fails("broken"));
    host.run(talk(&world, HELO)).await;
    let lines: Vec<String> = host
        .log()
        .iter()
        .filter(|record| record.message().starts_with("policy"))
        .map(|record| format!("{} {:?}", record.message(), record.fields().map(|(_, value)| value).collect::<Vec<_>>()))
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for word in ["\"b\"", "\"Helo\"", "\"junk\"", "\"because\""] {
        assert!(lines[0].contains(word), "{lines:?}");
    }
    assert!(lines[1].contains("broken") && lines[1].contains("Accept"), "{lines:?}");
    for (policy, verdict) in [("a", "accept"), ("b", "junk"), ("c", "failed")] {
        let name = format!("smtp_policy_decisions_total{{policy=\"{policy}\",verdict=\"{verdict}\"}}");
        assert_eq!(host.metric(&name), Some(1), "{name}");
        assert_eq!(host.metric(&format!("smtp_policy_seconds{{policy=\"{policy}\"}}")), Some(1));
    }
}

#[tokio::test]
async fn only_stages_that_operator_and_policy_both_name_are_asked() {
    use crate::config::StageName;
    let only = PolicyStep { stages: Some(vec![StageName::Helo, StageName::Mail]), ..step("p") };
    let world = mx().with(only, &[Stage::Mail, Stage::EndOfMessage], |_| says(Decision::Accept));
    talk(&world, &format!("{HELO}{MAIL}{RCPT}{DATA}{DONE}")).await;
    assert_eq!(world.asked(), [Stage::Mail]);
}

#[tokio::test]
async fn what_helo_and_auth_brought_is_forgotten_with_them() {
    let first = Arc::new(AtomicU32::new(0));
    let once = move |question: &Question| {
        let is_first = question.stage == Stage::Helo && first.fetch_add(1, Ordering::Relaxed) == 0;
        says(if is_first { Decision::Discard } else { Decision::Accept })
    };
    let world = mx().with(step("p"), &ALL, once);
    talk(&world, &format!("{HELO}C: HELO d\nS: 250 mx.example\n{MAIL}{RCPT}{DATA}{DONE}")).await;
    assert_eq!(world.delivered().len(), 1);
}

#[tokio::test]
async fn pipelined_commands_are_asked_about_in_their_order() {
    let world = mx().with(step("p"), &ALL, |question: &Question| {
        says(if question.recipient.as_deref() == Some("eve@example.org") { Decision::Reject } else { Decision::Accept })
    });
    let script = "S: 220 mx.example ESMTP Dovetail\nC: HELO c\nC: MAIL FROM:<>\nC: RCPT TO:<bob@example.org>\n\
        C: RCPT TO:<eve@example.org>\nC: RCPT TO:<joe@example.org>\nC: DATA\nS: 250 mx.example\nS: 250 2.1.0 Sender ok\n\
        S: 250 2.1.5 Recipient ok\nS: 550 5.7.1 The recipient is refused\nS: 250 2.1.5 Recipient ok\n\
        S: 354 Go ahead; end with CRLF.CRLF\nC: x\nC: .\nC: QUIT\nS: 250 2.0.0 Delivered as s1.1\nS: 221 2.0.0 Bye\nS.";
    talk(&world, script).await;
    assert_eq!(world.seen.messages.lock().unwrap()[0].0.recipients, ["bob@example.org", "joe@example.org"]);
}

#[tokio::test]
async fn a_spool_without_room_makes_the_client_wait() {
    let world = mx().with(step("p"), &[Stage::EndOfMessage], |_| says(Decision::Accept));
    let big = "C: MAIL FROM:<> SIZE=4000\nS: 250 2.1.0 Sender ok\n";
    let refusal = "S: 452 4.3.1 No room for messages at the moment, try again later\n";
    talk(&world, &format!("{HELO}{big}{RCPT}C: DATA\n{refusal}C: NOOP\nS: 250 2.0.0 Ok")).await;
    let lines = "C: 1234567890123456789012345678901234567890\n".repeat(100);
    let data = "C: DATA\nS: 354 Go ahead; end with CRLF.CRLF\n";
    talk(&world, &format!("{HELO}{MAIL}{RCPT}{data}{lines}C: .\n{refusal}C: NOOP\nS: 250 2.0.0 Ok")).await;
    assert!(world.delivered().is_empty());
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_in_the_spool() {
    let world = mx().with(step("p"), &ALL, |_| says(Decision::Accept));
    talk(&world, &format!("{HELO}{MAIL}{RCPT}C: DATA\nS: 354 Go ahead; end with CRLF.CRLF\nC: half")).await;
    assert!(world.delivered().is_empty() && !world.asked().contains(&Stage::EndOfMessage));
}

/// A policy that comes and goes: when it is there, the stages that it wants and what it says.
#[derive(Clone, Default)]
struct Passing(Arc<Mutex<Option<There>>>);

type There = (Vec<Stage>, Decision);

impl PolicyProvider for Passing {
    fn stages(&self) -> Result<Vec<Stage>, PolicyFailure> {
        let there = self.0.lock().unwrap().clone();
        there.map(|(stages, _)| stages).ok_or_else(|| CallFailure::Unavailable.into())
    }
    async fn decide(&self, _: Question) -> Result<PolicyVerdict, PolicyFailure> {
        says(self.0.lock().unwrap().as_ref().unwrap().1)
    }
}

#[tokio::test]
async fn one_that_is_gone_is_missed_where_it_was_asked_before() {
    let passing = Passing::default();
    let service = || Service::fixed(Policy::new(passing.clone()));
    let chain = |on_error| {
        let spool = mx().spool();
        super::Chain::new(vec![super::Step::new(&PolicyStep { on_error, ..step("p") }, service())], Some(spool))
    };
    let (strict, mild) = (chain(OnError::Defer), chain(OnError::Accept));
    let code = |stage| strict.ask(Question { stage, ..blank() });
    let code = |stage| async move { code(stage).await.fate().map_or_else(|reply| reply.code(), |_| 250) };
    let is = |there| *passing.0.lock().unwrap() = there;
    // Never seen: it is missed wherever it may be asked.
    assert_eq!(
        (code(Stage::Helo).await, strict.spool().await.is_some(), mild.spool().await.is_some()),
        (451, true, false)
    );
    is(Some((vec![Stage::Mail], Decision::Accept)));
    assert_eq!((code(Stage::Helo).await, code(Stage::Mail).await, strict.spool().await.is_some()), (250, 250, false));
    is(None);
    assert_eq!((code(Stage::Helo).await, code(Stage::Mail).await, strict.spool().await.is_some()), (250, 451, false));
    // Another one in its place is asked as it wants.
    is(Some((vec![Stage::Helo, Stage::EndOfMessage], Decision::Reject)));
    assert_eq!((code(Stage::Helo).await, code(Stage::Mail).await), (550, 250));
    assert!(strict.spool().await.is_some() && mild.spool().await.is_some());
    is(None);
    assert!(strict.spool().await.is_some() && mild.spool().await.is_none());
}

#[tokio::test]
async fn an_instance_asks_the_policies_that_its_section_names() {
    use dovetail_sdk::delivery::Delivery;
    use dovetail_sdk::directory::Directory;
    use dovetail_testkit::{bound, Script, TestSession, TestSlot};
    let host = TestHost::new();
    let world =
        mx().with(step("no"), &[Stage::Mail], |_| says(Decision::Reject))
            .with(step("yes"), &[Stage::Mail], |_| says(Decision::Accept));
    let slot = TestSlot::<Policy>::empty();
    slot.put(world.policies[0].1.clone());
    let other = TestSlot::<Policy>::empty();
    other.put(world.policies[1].1.clone());
    let services = || {
        let (directory, delivery): (Directory, Delivery) = world.services();
        [bound(directory), bound(delivery), other.bound_from("yes"), slot.bound_from("no")]
    };
    let section = "(policies: [(instance: \"no\", stages: [Mail])])";
    let smtp = host.start::<crate::Smtp>(section, services()).await.unwrap();
    let (mut client, served) = smtp.serve(TestSession::new());
    let script = "S: 220 mail.example.org ESMTP Dovetail\nC: HELO c\nS: 250 mail.example.org\nC: MAIL FROM:<>\nS: 550 5.7.1 The sender is refused\nC: QUIT\nS: 221 2.0.0 Bye\nS!";
    Script::parse("policies", script).unwrap().play(&mut client).await.unwrap();
    served.await.unwrap().unwrap();
    // A service that was not asked for is no service, and a spool is asked for only where messages may be read.
    for section in ["(policies: [(instance: \"third\", stages: [Mail])])", "(policies: [(instance: \"no\")])"] {
        let refused = host.start::<crate::Smtp>(section, services()).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains("Plugin::needs"), "{refused}");
    }
}

/// A question about nobody.
fn blank() -> Question {
    Question {
        stage: Stage::Helo,
        session: "s".into(),
        listener: "l".into(),
        peer: ([192, 0, 2, 1], 1).into(),
        local: ([127, 0, 0, 1], 25).into(),
        hostname: "mx.example".into(),
        tls: None,
        helo: None,
        account: None,
        transaction: None,
        sender: None,
        size: None,
        recipient: None,
        recipients: vec![],
        message: None,
    }
}
