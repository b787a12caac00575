//! What can go wrong in a measurement.

use dovetail_abi::{
    certs_v1::CertsFailure, kernel_v1::Diagnostic, protocol_v1::SessionFailure, tls_v1::TlsError, CallFailure,
};
use std::io;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Called wrongly.
    #[error("say `boundary list`, `boundary run NAME COUNT`, `boundary facts`, `boundary fill DIR COUNT` or `boundary certs DIR`")]
    Usage,
    /// A plugin that is not there or cannot be used.
    #[error("plugin {id}: {detail}; `cargo build --release` makes it")]
    Plugin {
        /// Its id.
        id: String,
        /// What is wrong.
        detail: String,
    },
    /// A direct call that cannot be prepared.
    #[error("the direct way cannot be prepared: {0}")]
    Direct(String),
    /// The certificate of the measurement.
    #[error("no certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS on the client's side.
    #[error("the client's TLS: {0}")]
    Client(#[from] rustls::Error),
    /// TLS on the server's side.
    #[error("the server's TLS: {0}")]
    Server(#[from] TlsError),
    /// A session.
    #[error("the session failed: {0}")]
    Session(#[from] SessionFailure),
    /// The certificate store.
    #[error("the certificate store: {0}")]
    Certs(#[from] CertsFailure),
    /// A call that was not answered.
    #[error(transparent)]
    Call(#[from] CallFailure),
    /// The pipe between client and server.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// A task that panicked.
    #[error("the server's task: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// An answer that is not the one to be measured.
    #[error("expected {expected}, got {got:?}")]
    Unexpected {
        /// What should have come.
        expected: String,
        /// What came.
        got: String,
    },
    /// A program that could not be run.
    #[error("{program}: {detail}")]
    Program {
        /// The program.
        program: &'static str,
        /// Why.
        detail: String,
    },
}

impl Error {
    /// For `map_err` around what a plugin is asked to do.
    pub fn plugin<E: ToString>(id: &str) -> impl FnOnce(E) -> Error + '_ {
        move |error| Error::Plugin { id: id.to_owned(), detail: error.to_string() }
    }

    /// What a plugin says about its section.
    pub fn section(id: &str) -> impl FnOnce(Vec<Diagnostic>) -> Error + '_ {
        move |found| {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            Error::Plugin { id: id.to_owned(), detail: found.join("; ") }
        }
    }

    /// For `map_err` around what the direct way asks the SDK for.
    pub fn direct(failure: dovetail_abi::kernel_v1::StartFailure) -> Error {
        Error::Direct(failure.message)
    }
}
