//! The plugin as the server sees it: dialogues from files, each in a session of its own, and a delivery that remembers.

mod mailboxes;

use super::Lmtp;
use dovetail_sdk::delivery::Delivery;
use dovetail_testkit::{bound, run_dir, Script, Started, TestHost, TestSession, TestSlot};
use mailboxes::Mailboxes;
use std::cell::RefCell;
use std::time::Duration;
use tokio::io::AsyncReadExt;

struct World {
    host: TestHost,
    mailboxes: Mailboxes,
    plugin: Started<Lmtp>,
}

impl World {
    async fn new(section: &str) -> World {
        let (host, mailboxes) = (TestHost::new(), Mailboxes::default());
        let plugin = host.start::<Lmtp>(section, [bound(Delivery::new(mailboxes.clone()))]).await.unwrap();
        World { host, mailboxes, plugin }
    }

    /// Plays a script in a session; the client then goes, and the session must end well.
    async fn play(&self, session: TestSession, script: &str) {
        let (mut client, served) = self.plugin.serve(session);
        Script::parse("script", script).unwrap().play(&mut client).await.unwrap();
        drop(client);
        served.await.unwrap().unwrap();
        assert!(self.host.panics().is_empty());
        assert_eq!(self.mailboxes.open_sinks(), 0);
    }
}

/// A session up to DATA, with this recipient.
fn before_data(recipient: &str) -> String {
    format!(
        "S: 220 *\nC+ LHLO front.example\nC+ MAIL FROM:<ann@remote.example>\nC+ RCPT TO:<{recipient}@example.org>\nC: DATA\n\
         S: ...\nS: 250 SIZE *\nS: 250 2.1.0 *\nS: 250 2.1.5 *\nS: 354 *\n"
    )
}

#[tokio::test]
async fn every_dialogue_is_held() {
    let world = World::new("()").await;
    let served = RefCell::new(Vec::new());
    let played = run_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/dialogues"), |_| {
        let (client, session) = world.plugin.serve(TestSession::new());
        served.borrow_mut().push(session);
        async { Ok(client) }
    });
    played.await.unwrap_or_else(|error| panic!("{error}"));
    for session in served.take() {
        session.await.unwrap().unwrap();
    }
    assert!(world.host.panics().is_empty());
    assert_eq!(world.mailboxes.open_sinks(), 0);
}

#[tokio::test]
async fn a_message_arrives_as_it_was_sent() {
    let world = World::new("()").await;
    world.host.set_unix_milliseconds(1_772_366_400_000);
    let rest = "C: Subject: dots\nC:\nC: ..one\nC: ...\nC: a.b\nC: .\nS: 250 2.0.0 <bob@example.org> Delivered\nC: QUIT\nS: 221 *\nS!\n";
    world.play(TestSession::new().id("s7"), &(before_data("bob") + rest)).await;
    let (envelope, message) = world.mailboxes.last();
    assert_eq!((envelope.id.as_str(), envelope.sender.as_str()), ("s7.1", "ann@remote.example"));
    assert_eq!(envelope.recipients, ["bob@example.org"]);
    let (top, message) = message.split_once("Subject: ").unwrap();
    assert_eq!(message, "dots\r\n\r\n.one\r\n..\r\na.b\r\n");
    assert!(
        top.starts_with("Return-Path: <ann@remote.example>\r\nReceived: from front.example ([192.0.2.7])\r\n"),
        "{top}"
    );
    assert!(top.ends_with("with LMTP id s7.1;\r\n\tSun, 01 Mar 2026 12:00:00 +0000\r\n"), "{top}");
    assert!(world.host.logged("s7.1"));
}

#[tokio::test]
async fn a_large_message_goes_through_in_pieces() {
    let world = World::new("()").await;
    let line = "x".repeat(76);
    let rest = format!("{}C: .\nS: 250 *\n", format!("C: {line}\n").repeat(4000));
    world.play(TestSession::new(), &(before_data("bob") + &rest)).await;
    let (_, message) = world.mailboxes.last();
    assert!(message.ends_with(&format!("{line}\r\n").repeat(4000)));
    assert!(world.mailboxes.largest_piece() < 80_000);
}

#[tokio::test]
async fn limits_are_told_at_the_end_of_the_message_and_hold() {
    let world = World::new("(max_message_size: 65536, max_data_line: 998, max_recipients: 100)").await;
    let big = format!("C: {}\n", "x".repeat(900)).repeat(80);
    let long = format!("C: {}\n", "x".repeat(999));
    let dotted = format!("C: .{}\n", "x".repeat(998));
    for (content, reply) in [
        (big.as_str(), "552 5.3.4 The message is larger than 65536 octets"),
        (&long, "554 5.6.0 The message has a line of more than 998 octets"),
        ("C> nul\\0\\r\\n\n", "554 5.6.0 The message has a NUL octet"),
        ("C: break the sink\n", "452 4.3.1 No room for messages at the moment, try again later"),
    ] {
        let rest = format!("{content}C: .\nS: {reply}\nC: NOOP\nS: 250 2.0.0 Ok\n");
        world.play(TestSession::new(), &(before_data("bob") + &rest)).await;
    }
    assert!(world.mailboxes.is_empty());
    world.play(TestSession::new(), &format!("{}{dotted}C: .\nS: 250 *\n", before_data("bob"))).await;
    // One who never ends is cut off.
    let endless = big.repeat(2);
    let rest = format!("{endless}S: 552 5.3.4 *\nS!\n");
    world.play(TestSession::new(), &(before_data("bob") + &rest)).await;
    let mut many = String::from("S: 220 *\nC: LHLO a\nS: ...\nS: 250 SIZE 65536\nC: MAIL FROM:<> SIZE=65537\nS: 552 5.3.4 *\nC: MAIL FROM:<>\nS: 250 *\n");
    many.push_str(&"C: RCPT TO:<bob@example.org>\nS: 250 2.1.5 *\n".repeat(100));
    many.push_str("C: RCPT TO:<bob@example.org>\nS: 452 4.5.3 *\n");
    world.play(TestSession::new(), &many).await;
}

#[tokio::test]
async fn a_bare_newline_ends_the_session_and_nothing_is_delivered() {
    let world = World::new("()").await;
    for raw in ["a\\n.\\r\\nMAIL FROM:<evil@x.example>\\r\\n", "a\\r\\n.\\n", "a\\r\\n\\n.\\r\\n", "a\\r.\\r\\n"] {
        let rest = format!("C> {raw}\nS: 554 5.6.0 In the message the line has a bare CR or LF\nS!\n");
        world.play(TestSession::new(), &(before_data("bob") + &rest)).await;
    }
    assert!(world.mailboxes.is_empty());
}

#[tokio::test]
async fn a_message_whose_end_does_not_come_is_thrown_away() {
    let world = World::new("()").await;
    let rest = "C> Subject: x\\r\\n\\r\\nhalf\\r\\n.\nC!\nS!\n";
    world.play(TestSession::new(), &(before_data("bob") + rest)).await;
    assert!(world.mailboxes.is_empty());
    assert!(world.host.logged("message discarded"));
}

#[tokio::test]
async fn refusals_add_up() {
    let world = World::new("(max_errors: 2)").await;
    let script = "S: 220 *\nC: X\nS: 500 *\nC: EHLO a\nS: 500 *\nC: DATA\nS: 503 *\nS: 421 4.7.0 Too many errors, closing connection\nS!\n";
    world.play(TestSession::new(), script).await;
}

#[tokio::test]
async fn without_a_delivery_the_client_keeps_its_mail() {
    let host = TestHost::new();
    let slot = TestSlot::<Delivery>::empty();
    let mailboxes = Mailboxes::default();
    slot.put(Delivery::new(mailboxes.clone()));
    let plugin = host.start::<Lmtp>("()", [slot.bound()]).await.unwrap();
    let (mut client, served) = plugin.serve(TestSession::new());
    let play = |script: String| Script::parse("script", &script).unwrap();
    play(before_data("bob")).play(&mut client).await.unwrap();
    slot.clear();
    let rest = "C: x\nC: .\nS: 451 4.3.0 <bob@example.org> Temporary failure, try again later\n\
                C: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<bob@example.org>\nS: 451 4.3.0 *\nC: DATA\nS: 503 *\n";
    play(rest.to_owned()).play(&mut client).await.unwrap();
    slot.put(Delivery::new(mailboxes.clone()));
    play("C: RCPT TO:<bob@example.org>\nS: 250 *\n".to_owned()).play(&mut client).await.unwrap();
    slot.clear();
    // No 354: the client sends nothing in vain.
    play("C: DATA\nS: 451 4.3.0 Temporary failure, try again later\nC: QUIT\nS: 221 *\nS!\n".to_owned())
        .play(&mut client)
        .await
        .unwrap();
    served.await.unwrap().unwrap();
    assert!(host.logged("the client was told to try later"));
}

#[tokio::test]
async fn nothing_is_promised_before_the_delivery_has_it() {
    let world = World::new("()").await;
    let gate = world.mailboxes.gate();
    let (mut client, served) = world.plugin.serve(TestSession::new());
    let play = |script: &str| Script::parse("script", script).unwrap();
    play(&before_data("bob")).play(&mut client).await.unwrap();
    play("C: x\nC: .\n").play(&mut client).await.unwrap();
    gate.reached.notified().await;
    let mut octet = [0];
    tokio::select! {
        biased;
        heard = client.read(&mut octet) => panic!("the client has heard {heard:?} of a message that is nowhere yet"),
        () = tokio::task::yield_now() => {}
    }
    gate.open.notify_one();
    play("S: 250 *\nC: QUIT\nS: 221 *\nS!\n").play(&mut client).await.unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_message_is_finished_with_the_delivery_that_it_was_begun_with() {
    let host = TestHost::new();
    let slot = TestSlot::<Delivery>::empty();
    let [old, new] = [Mailboxes::default(), Mailboxes::default()];
    slot.put(Delivery::new(old.clone()));
    let plugin = host.start::<Lmtp>("()", [slot.bound()]).await.unwrap();
    let (mut client, served) = plugin.serve(TestSession::new());
    let play = |script: &str| Script::parse("script", script).unwrap();
    play(&before_data("bob")).play(&mut client).await.unwrap();
    // Held, as a server does at a reload. The message does not wait for the next one; the next mail does.
    slot.hold();
    play("C: x\nC: .\nS: 250 *\nC: MAIL FROM:<>\nS: 250 *\n").play(&mut client).await.unwrap();
    assert!(!old.is_empty());
    play("C: RCPT TO:<bob@example.org>\n").play(&mut client).await.unwrap();
    slot.put(Delivery::new(new.clone()));
    play("S: 250 *\nC: DATA\nS: 354 *\nC: y\nC: .\nS: 250 *\n").play(&mut client).await.unwrap();
    assert!(new.last().1.ends_with("y\r\n"));
    drop(client);
    served.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn silence_and_the_servers_end_are_told() {
    let world = World::new("()").await;
    let idle = "S: 220 *\nS: 421 4.4.2 Idle for too long, closing connection\nS!\n";
    world.play(TestSession::new().idle(Duration::from_secs(5)), idle).await;

    // A mail that was begun is finished first.
    let (mut client, served) = world.plugin.serve(TestSession::new());
    let play = |script: &str| Script::parse("script", script).unwrap();
    play("S: 220 *\nC: LHLO a\nS: ...\nS: 250 SIZE *\nC: MAIL FROM:<>\nS: 250 *\n").play(&mut client).await.unwrap();
    client.drain();
    let rest = "C: RCPT TO:<bob@example.org>\nS: 250 *\nC: DATA\nS: 354 *\nC: x\nC: .\nS: 250 *\nS: 421 4.3.2 *\nS!\n";
    play(rest).play(&mut client).await.unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn where_tls_is_required_it_must_be_there_from_the_first_octet() {
    let world = World::new("()").await;
    world.play(TestSession::new().require_tls(true), "S: 554 No LMTP without TLS here\nS!\n").await;
    let tls = || TestSession::new().require_tls(true).implicit_tls(TestSession::facts());
    world.play(tls(), &(before_data("bob") + "C: x\nC: .\nS: 250 *\n")).await;
    assert!(world.mailboxes.last().1.contains("with LMTPS id "));
}

#[tokio::test]
async fn the_section_is_checked() {
    let host = TestHost::new();
    assert!(host
        .check::<Lmtp>("(max_message_size: 65536, max_recipients: 100, max_data_line: 998)")
        .unwrap()
        .is_empty());
    for wrong in ["(size: 1)", "(max_message_size: 65535)", "(max_recipients: 99)", "(max_data_line: 997)"] {
        assert!(host.check::<Lmtp>(wrong).is_err(), "{wrong}");
    }
}
