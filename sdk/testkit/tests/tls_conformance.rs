//! The TLS conformance suite can fail: a provider that hands through what it is given passes no case that a provider has to do
//! something for.

#![cfg(feature = "tls-conformance")]

use dovetail_sdk::{
    certs::{Certs, Identity},
    tls::*,
    Context, Plugin, StartFailure, Stream,
};
use dovetail_testkit::conformance::tls::{cases, cases_between, Case, InMemory, Subject};
use std::{sync::Arc, time::Duration};

/// Says yes to everything, and encrypts nothing.
struct Yes;

impl Plugin for Yes {
    type Config = ();
    async fn start(_: (), context: Context) -> Result<Self, StartFailure> {
        context.service::<Certs>()?;
        Ok(Yes)
    }
}

impl TlsProvider for Yes {
    fn acceptor(&self, _: ServerPolicy) -> Result<TlsAcceptor, TlsError> {
        Ok(TlsAcceptor::new(Yes))
    }
    fn connector(&self, _: ClientPolicy) -> Result<TlsConnector, TlsError> {
        Ok(TlsConnector::new(Yes))
    }
    async fn check_identity(&self, _: Identity) -> Result<(), TlsError> {
        Ok(())
    }
}

fn open(stream: Stream) -> TlsConnection {
    let facts = TlsFacts {
        version: "TLSv1.3".into(),
        cipher: "TLS_AES_128_GCM_SHA256".into(),
        group: None,
        server_name: None,
        alpn: None,
        peer_chain: vec![],
        resumed: false,
        exporter: None,
    };
    TlsConnection { stream, facts }
}

impl TlsAcceptorProvider for Yes {
    async fn accept(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        Ok(open(stream))
    }
}

impl TlsConnectorProvider for Yes {
    async fn connect(&self, stream: Stream, _: String) -> Result<TlsConnection, TlsError> {
        Ok(open(stream))
    }
}

/// Cases that a provider passes by doing nothing.
const NOTHING_TO_DO: &[&str] = &["check::good_pairs", "check::dates_are_not_its_business"];

/// What waits for this provider waits in vain.
const LIMIT: Duration = Duration::from_secs(5);

fn passed(cases: Vec<Case>) -> Vec<&'static str> {
    let yes: Arc<dyn Subject> = Arc::new(InMemory::<Yes>::new("()"));
    // Those with programs run them in vain, for as long as a program has patience.
    let quick = cases
        .into_iter()
        .filter(|case| !["openssl::", "gnutls::", "python::"].iter().any(|topic| case.name.starts_with(topic)));
    let threads: Vec<_> = quick
        .map(|case| {
            let yes = yes.clone();
            std::thread::spawn(move || case.within(LIMIT).run(&yes).is_ok().then_some(case.name))
        })
        .collect();
    threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn a_provider_without_tls_passes_nothing() {
    assert_eq!(passed(cases()), NOTHING_TO_DO);
    assert_eq!(passed(cases_between()), [""; 0]);
}

#[test]
fn names_are_not_used_twice() {
    for cases in [cases(), cases_between()] {
        let mut names: Vec<&str> = cases.iter().map(|case| case.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cases.len());
    }
}

#[test]
fn the_book_names_every_topic() {
    let page = include_str!("../../../docs/src/plugins/tls-conformance.md");
    for case in cases().iter().chain(&cases_between()) {
        let (topic, _) = case.name.split_once("::").unwrap();
        assert!(page.contains(&format!("`{topic}`")), "the book does not name {topic}");
    }
}
