//! The conformance suite, on the provider without a library around it.

use crate::provider::OpensslProvider;
use dovetail_testkit::conformance::tls::{InMemory, Subject};
use std::sync::Arc;

fn openssl() -> Option<Arc<dyn Subject>> {
    Some(Arc::new(InMemory::<OpensslProvider>::new("()")))
}

dovetail_testkit::tls_conformance!(openssl());
