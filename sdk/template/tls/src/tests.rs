//! The provider against the conformance suite for TLS providers.

use crate::{{Name}};
use dovetail_testkit::conformance::tls::{cases, InMemory, Subject};
use std::sync::Arc;

/// The suite's topics that are tried here.
const TOPICS: [&str; 11] = [
    "versions",
    "names",
    "alpn",
    "clients",
    "ends",
    "flow",
    "strangers",
    "given_up",
    "check",
    "connector",
    "pair",
];

/// What this provider does not do.
const NOT_DONE: [&str; 3] = [
    // rustls does not tell whether TLS 1.2 has the extended master secret, so there is no channel binding with TLS 1.2.
    "versions::the_exporter_is_the_peers",
    // What a stranger speaks is not looked at: all of it is `PlaintextOnTlsPort`.
    "strangers::a_proxy_header_is_plaintext",
    "strangers::ssl2_has_no_version_in_common",
];

#[test]
fn conformance() {
    let subject: Arc<dyn Subject> = Arc::new(InMemory::<{{Name}}>::new("()"));
    let mut wrong = vec![];
    for case in cases().iter().filter(|case| TOPICS.iter().any(|topic| case.name.split("::").next() == Some(topic))) {
        match (case.run(&subject), NOT_DONE.contains(&case.name)) {
            (Err(failure), false) => wrong.push(failure.to_string()),
            (Ok(()), true) => wrong.push(format!("{} is done: take it off `NOT_DONE`", case.name)),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
