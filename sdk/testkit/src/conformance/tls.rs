//! The TLS conformance suite: what every provider of `dovetail.tls/1` has to do.
//!
//! The suite starts instances of the provider under test with a certificate store and a ring of ticket keys of its own, and
//! meets them over in-memory transports: as a client and as a server with rustls, as bytes that no TLS library would send, as
//! another provider, and over loopback sockets as the programs that people have (`openssl`, `gnutls-cli`, Python). Every case is
//! one requirement; it says which when it fails.
//!
//! In a module of the provider's unit tests:
//!
//! ```ignore
//! use dovetail_testkit::conformance::tls::{InMemory, Subject};
//! use std::sync::Arc;
//!
//! fn mine() -> Option<Arc<dyn Subject>> {
//!     Some(Arc::new(InMemory::<MyProvider>::new("()")))
//! }
//!
//! dovetail_testkit::tls_conformance!(mine());
//! ```
//!
//! makes one `#[test]` a case, in a module a topic: `cargo test resumption::` runs a topic. What is not a test harness takes
//! [`cases`] and runs them itself.
//!
//! **How it fails.** A case ends with a [`Failure`]: its name, the requirement, what happened. A case that hangs fails after
//! [`LIMIT`], and a contained panic in the provider fails the case in which it happened. Programs that are not installed are
//! skipped with a line that says so, unless the environment has `CI`.
//!
//! **Limits.** What only time shows is not here: tickets past their lifetime, revocation lists out of date, speed. So is what
//! cannot be seen from outside: whether keys are wiped.

mod alpn;
mod authority;
mod case;
mod certs;
mod check;
mod clients;
mod connector;
mod ends;
mod flow;
mod given_up;
mod gnutls;
mod hello;
mod lab;
mod list;
mod load;
mod names;
mod openssl;
mod pair;
mod peer;
mod pinned;
mod profiles;
mod program;
mod python;
mod resumption;
mod strangers;
mod subject;
mod transport;
mod versions;

pub use case::{Case, Failure, LIMIT};
pub use subject::{InMemory, Instance, Starting, Subject};

use std::sync::Arc;

macro_rules! collect {
    ([] $($topic:ident { $($case:ident $requirement:literal;)* })*) => {
        vec![$($(Case {
            name: concat!(stringify!($topic), "::", stringify!($case)),
            requirement: $requirement,
            run: |lab| Box::pin($topic::$case(lab)),
            limit: LIMIT,
        },)*)*]
    };
}

/// All cases for one provider.
pub fn cases() -> Vec<Case> {
    crate::__tls_cases! { [collect] [] }
}

/// The cases for two providers, of which the first serves and the second is the client.
pub fn cases_between() -> Vec<Case> {
    crate::__tls_cases_between! { [collect] [] }
}

/// Runs the case of this name, or says that it is skipped if there is no provider.
///
/// # Panics
/// If the provider does not pass, with the requirement; or if there is no such case.
#[track_caller]
pub fn must_pass(name: &str, subject: Option<Arc<dyn Subject>>) {
    let Some(subject) = subject else {
        return eprintln!("SKIPPED: {name}: there is no provider to try");
    };
    outcome(case(cases(), name).run(&subject));
}

/// The same for two providers.
///
/// # Panics
/// As [`must_pass`].
#[track_caller]
pub fn must_pass_between(name: &str, server: Option<Arc<dyn Subject>>, client: Option<Arc<dyn Subject>>) {
    let (Some(server), Some(client)) = (server, client) else {
        return eprintln!("SKIPPED: {name}: it takes two providers");
    };
    outcome(case(cases_between(), name).run_between(&server, &client));
}

#[track_caller]
fn case(cases: Vec<Case>, name: &str) -> Case {
    cases.into_iter().find(|case| case.name == name).unwrap_or_else(|| panic!("there is no case {name}"))
}

#[track_caller]
fn outcome(outcome: Result<(), Failure>) {
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Makes one `#[test]` of each case for one provider: an expression of type `Option<Arc<dyn Subject>>`, which is asked anew by
/// each test; `None` skips. Use it in a module by itself: it makes a module for each topic. See [`conformance::tls`](self).
#[macro_export]
macro_rules! tls_conformance {
    ($subject:expr) => {
        $crate::__tls_cases! { [$crate::__tls_tests] [must_pass $subject] }
    };
}

/// Makes one `#[test]` of each case for two providers, the server's first; see [`tls_conformance!`](crate::tls_conformance).
#[macro_export]
macro_rules! tls_conformance_between {
    ($server:expr, $client:expr) => {
        $crate::__tls_cases_between! { [$crate::__tls_tests] [must_pass_between $server, $client] }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tls_tests {
    ($given:tt $($topic:ident $cases:tt)*) => {
        $($crate::__tls_topic! { $topic $cases $given })*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tls_topic {
    ($topic:ident { $($case:ident $requirement:literal;)* } $given:tt) => {
        mod $topic {
            use super::*;
            $($crate::__tls_test! { $topic $case $given })*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tls_test {
    ($topic:ident $case:ident [$run:ident $($subject:expr),*]) => {
        #[test]
        fn $case() {
            $crate::conformance::tls::$run(concat!(stringify!($topic), "::", stringify!($case)), $($subject),*);
        }
    };
}
