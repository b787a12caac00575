//! Policies that change under a session: it meets the new one at its next stage.

use super::{counts, greeted, reload, rules, setup, LETTER};
use crate::harness::{run_ok, USER};

#[test]
fn a_session_meets_the_new_policy_at_the_next_stage() {
    let instances = rules("p", "(stage: Recipient, text: \"bob\", says: Reject)") + "\"spool\": (),";
    let server = setup("(instance: \"p\")", &instances).start();
    let mut client = greeted(&server);
    client.expect("MAIL FROM:<x@remote.test>", "250 ");
    client.expect("RCPT TO:<bob@example.test>", "550 5.7.1 ");
    reload(&server, "text: \"bob\", says: Reject", "text: \"eve\", says: Defer");
    client.expect("RCPT TO:<bob@example.test>", "250 ");
    client.expect("RCPT TO:<eve@example.test>", "451 4.7.1 ");
    // A new one that reads messages, too, reads the one that this session sends now.
    reload(
        &server,
        "(stage: Recipient, text: \"eve\", says: Defer)",
        "(stage: EndOfMessage, text: \"Hello\", says: Junk)",
    );
    client.expect("RCPT TO:<eve@example.test>", "250 ");
    client.expect("DATA", "354 ");
    client.send([LETTER, b".\r\n"].concat());
    assert!(client.line().starts_with("250 2.0.0 "));
    assert_eq!(counts(&server), (0, 1));
    // While the message comes in, it changes again: nobody is asked any more, and the message passes.
    client.expect("MAIL FROM:<x@remote.test>", "250 ");
    client.expect(&format!("RCPT TO:<{USER}>"), "250 ");
    client.expect("DATA", "354 ");
    client.send(LETTER);
    reload(&server, "(stage: EndOfMessage, text: \"Hello\", says: Junk)", "");
    client.send(".\r\n");
    assert!(client.line().starts_with("250 2.0.0 "));
    assert_eq!(counts(&server), (1, 1));
}

#[test]
fn a_reload_adds_and_removes_policies_for_new_sessions() {
    let server = setup("", &rules("p", "(stage: Mail, says: Reject)")).start();
    let mut before = greeted(&server);
    before.expect("MAIL FROM:<x@remote.test>", "250 ");
    reload(&server, "(role: Mx, policies: [])", "(role: Mx, policies: [(instance: \"p\", stages: [Mail])])");
    let mut with = greeted(&server);
    with.expect("MAIL FROM:<x@remote.test>", "550 5.7.1 ");
    // A session keeps the protocol's section that it began with.
    before.expect("RSET", "250 ");
    before.expect("MAIL FROM:<x@remote.test>", "250 ");
    reload(&server, "(role: Mx, policies: [(instance: \"p\", stages: [Mail])])", "(role: Mx, policies: [])");
    let mut without = greeted(&server);
    without.expect("MAIL FROM:<x@remote.test>", "250 ");
}

#[test]
fn a_session_asks_the_policies_of_its_own_list_to_its_end() {
    let policies = "(instance: \"p\", stages: [Mail], on_error: Reject)";
    let instance = rules("p", "(stage: Mail, text: \"bad\", says: Reject)");
    let server = setup(policies, &instance).start();
    let mut before = greeted(&server);
    let text = std::fs::read_to_string(&server.setup.config).unwrap();
    let without = text.replace(&instance, "").replace(&format!("policies: [{policies}]"), "policies: []");
    std::fs::write(&server.setup.config, without).unwrap();
    run_ok(server.dovetail().arg("reload"));
    before.expect("MAIL FROM:<bad@remote.test>", "550 5.7.1 ");
    before.expect("MAIL FROM:<x@remote.test>", "250 ");
    greeted(&server).expect("MAIL FROM:<bad@remote.test>", "250 ");
}

#[test]
fn a_reload_that_takes_away_a_policy_that_is_asked_is_refused_and_changes_nothing() {
    let server = setup("(instance: \"p\", stages: [Mail])", &rules("p", "(stage: Mail, says: Reject)")).start();
    let text = std::fs::read_to_string(&server.setup.config).unwrap();
    std::fs::write(&server.setup.config, text.replace(&rules("p", "(stage: Mail, says: Reject)"), "")).unwrap();
    let (status, _, stderr) = crate::harness::run(server.dovetail().arg("reload"));
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("`mx` needs dovetail.policy/1: its section names `p`, which is no instance"), "{stderr}");
    greeted(&server).expect("MAIL FROM:<x@remote.test>", "550 5.7.1 ");
}
