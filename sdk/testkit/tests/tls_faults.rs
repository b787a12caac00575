//! The TLS conformance suite finds faults: a provider passes the cases for a fault without it, and with it does not.

#![cfg(feature = "tls-conformance")]

#[path = "tls_faults/provider.rs"]
mod provider;
#[path = "tls_faults/stream.rs"]
mod stream;

use dovetail_testkit::conformance::tls::{cases, InMemory, Subject};
use provider::{Fault, Faulty};
use std::sync::Arc;

/// Each of these cases passes without the fault and fails with it.
#[track_caller]
fn is_found(fault: Fault, names: &[&str]) {
    let right: Arc<dyn Subject> = Arc::new(InMemory::<Faulty>::new("()"));
    let wrong: Arc<dyn Subject> = Arc::new(InMemory::<Faulty>::new(&format!("(fault: Some({fault:?}))")));
    let cases = cases();
    for name in names {
        let case = cases.iter().find(|case| case.name == *name).unwrap();
        if let Err(failure) = case.run(&right) {
            panic!("without a fault: {failure}");
        }
        assert!(case.run(&wrong).is_err(), "{name} does not find {fault:?}");
    }
}

#[test]
fn one_ticket_key_for_all() {
    is_found(
        Fault::OneTicketKey,
        &[
            "resumption::never_around_a_required_certificate",
            "resumption::not_where_clients_are_judged_otherwise",
            "resumption::not_with_another_certificate",
            "resumption::not_for_another_name",
        ],
    );
}

#[test]
fn truncation_that_nobody_notices() {
    is_found(
        Fault::SilentTruncation,
        &["ends::an_end_without_close_notify_is_an_error", "ends::an_end_within_a_record_is_an_error"],
    );
}

#[test]
fn no_close_notify() {
    is_found(
        Fault::NoCloseNotify,
        &["ends::a_shutdown_sends_close_notify", "ends::our_half_ends_and_the_peers_goes_on"],
    );
}

#[test]
fn writes_that_must_be_repeated() {
    is_found(Fault::SameWriteAgain, &["given_up::a_write"]);
}

#[test]
fn memory_for_a_peer_that_does_not_read() {
    is_found(Fault::Greedy, &["flow::a_peer_that_does_not_read"]);
}

#[test]
fn text_for_who_speaks_no_tls() {
    is_found(Fault::Talkative, &["strangers::plaintext_is_named_and_gets_no_text"]);
}

#[test]
fn panics_that_the_glue_contains() {
    is_found(Fault::PanicsWhenDropped, &["given_up::an_accept", "strangers::the_deadline_of_a_slow_one"]);
}

#[test]
fn another_exporter() {
    is_found(Fault::OtherExporter, &["versions::the_exporter_is_the_peers"]);
}

#[test]
fn any_application_protocol() {
    is_found(Fault::AnyProtocol, &["alpn::nothing_that_fits_is_alert_120"]);
}

#[test]
fn certificates_of_yesterday() {
    is_found(Fault::OldCertificate, &["names::a_new_certificate_is_served_at_once"]);
}

#[test]
fn clients_that_nobody_judges() {
    is_found(Fault::NoJudgement, &["clients::required_refuses_none", "clients::an_untrusted_one"]);
}
