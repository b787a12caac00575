//! Policies that fail, panic, take too long or are gone: what the operator set happens.

use super::{greeted, messages, rules, setup, LETTER};
use crate::{harness::USER, metrics};

#[test]
fn each_failure_and_each_on_error() {
    for (on_error, mail, end) in [
        ("Accept", "250 ", "250 2.0.0 "),
        ("Defer", "451 4.7.1 ", "451 4.7.1 "),
        ("Reject", "550 5.7.1 ", "550 5.7.1 "),
    ] {
        let fails = |says: &str| {
            format!("(stage: Mail, text: \"{says}\", says: {says}), (stage: EndOfMessage, text: \"please {says}\", says: {says}),")
        };
        let slow = "(stage: Mail, text: \"Slow\", says: Accept, delay_milliseconds: 600000),";
        let instances = rules("p", &(fails("Fail") + &fails("Panic") + slow)) + "\"spool\": (),";
        let policies = format!("(instance: \"p\", timeout_seconds: 1, on_error: {on_error})");
        let server = setup(&policies, &instances).start();
        let mut client = greeted(&server);
        for (says, why) in
            [("Fail", "failure (on purpose)"), ("Panic", "while answering"), ("Slow", "no answer within 1 seconds")]
        {
            client.expect(&format!("MAIL FROM:<{says}@remote.test>"), mail);
            let line = server.wait_for_line(why, |line| line.contains("policy failed") && line.contains(why));
            assert!(line.contains("policy=p stage=Mail") && line.contains(&format!("on_error={on_error}")), "{line}");
            client.expect("RSET", "250 ");
        }
        for says in ["Fail", "Panic"] {
            let message = format!("Subject: x\r\n\r\nplease {says}\r\n");
            let answer = client.mail("x@remote.test", &[USER], message.as_bytes());
            assert!(answer.starts_with(end), "{on_error} {says}: {answer}");
        }
        // One reply each, and the session goes on.
        assert!(client.mail("x@remote.test", &[USER], LETTER).starts_with("250 2.0.0 "));
        assert_eq!(messages(&server, "INBOX").len(), if on_error == "Accept" { 3 } else { 1 });
    }
}

#[test]
fn one_in_quarantine_is_one_that_is_gone() {
    for (on_error, mail) in [("Accept", "250 "), ("Defer", "451 4.7.1 ")] {
        let policies = format!("(instance: \"p\", stages: [Mail], timeout_seconds: 1, on_error: {on_error})");
        let setup = setup(&policies, &rules("p", "(stage: Mail, text: \"Panic\", says: Panic)"));
        let config = std::fs::read_to_string(&setup.config).unwrap();
        let faults = "(faults: (count: 1, backoff_seconds: 3600, max_backoff_seconds: 3600),";
        std::fs::write(&setup.config, format!("{faults}{}", config.strip_prefix('(').unwrap())).unwrap();
        let server = setup.start();
        let mut client = greeted(&server);
        client.expect("MAIL FROM:<fine@remote.test>", "250 ");
        client.expect("RSET", "250 ");
        client.expect("MAIL FROM:<Panic@remote.test>", mail);
        client.expect("RSET", "250 ");
        // Said once it stands at its place no more.
        server.wait_for_line("the quarantine", |line| line.contains("quarantined instance is started anew after"));
        client.expect("MAIL FROM:<fine@remote.test>", mail);
        greeted(&server).expect("MAIL FROM:<fine@remote.test>", mail);
    }
}

#[test]
fn decisions_are_counted() {
    let rule = "(stage: Mail, text: \"bad\", says: Reject), (stage: Mail, text: \"worse\", says: Fail)";
    let setup = setup("(instance: \"p\", stages: [Mail])", &rules("p", rule));
    let config = std::fs::read_to_string(&setup.config).unwrap();
    let metrics = "(metrics: (bind: [\"127.0.0.1:0\"]),";
    std::fs::write(&setup.config, format!("{metrics}{}", config.strip_prefix('(').unwrap())).unwrap();
    let server = setup.start();
    let mut client = greeted(&server);
    for sender in ["bad", "bad", "worse", "good"] {
        client.ask(&format!("MAIL FROM:<{sender}@remote.test>"));
    }
    let page = metrics::page(&server);
    let count = |verdict: &str| {
        page[&format!("dovetail_smtp_policy_decisions_total{{plugin=\"mx\",policy=\"p\",verdict=\"{verdict}\"}}")]
    };
    assert_eq!([count("reject"), count("failed"), count("accept"), count("junk")], [2.0, 1.0, 1.0, 0.0]);
    assert_eq!(page["dovetail_smtp_policy_seconds_count{plugin=\"mx\",policy=\"p\"}"], 4.0);
}
