//! Everything that reads octets from outside, each as one function that asserts what must hold whatever they are.
//!
//! A target says whether the octets were taken as what they should be; it panics if a promise is broken. The fuzzer runs
//! them for as long as it is let (`fuzz/README.md`), the test `replay` over the corpus on every change.

mod address;
mod config;
mod control;
mod imap;
mod lines;
mod manifest;
mod mime;
#[path = "../../parsers/pieces.rs"]
mod pieces;
mod probe;
mod proxy;
mod sasl;

pub use address::address;
pub use config::config;
pub use control::control;
pub use dovetail_fuzz_accounts_file::accounts;
pub use dovetail_fuzz_cert_store::{certs_der, certs_import, certs_pem, certs_pkcs12, certs_pkcs7};
pub use dovetail_fuzz_mailstore::store_rows;
pub use dovetail_fuzz_pop3::{pop3_command, pop3_dots};
pub use dovetail_fuzz_smtp::{smtp_command, smtp_data, smtp_header};
pub use dovetail_fuzz_tls_rustls::tls_hello;
pub use imap::{imap_command, imap_literal, imap_search};
pub use lines::lines;
pub use manifest::manifest;
pub use mime::{mime, mime_summary};
pub use probe::probe;
pub use proxy::proxy;
pub use sasl::sasl;

/// One target: whether the octets were taken.
pub type Target = fn(&[u8]) -> bool;

/// All of them, by the name of their corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("accounts", accounts),
    ("address", address),
    ("certs_der", certs_der),
    ("certs_import", certs_import),
    ("certs_pem", certs_pem),
    ("certs_pkcs12", certs_pkcs12),
    ("certs_pkcs7", certs_pkcs7),
    ("config", config),
    ("control", control),
    ("imap_command", imap_command),
    ("imap_literal", imap_literal),
    ("imap_search", imap_search),
    ("lines", lines),
    ("manifest", manifest),
    ("mime", mime),
    ("mime_summary", mime_summary),
    ("pop3_command", pop3_command),
    ("pop3_dots", pop3_dots),
    ("probe", probe),
    ("proxy", proxy),
    ("sasl", sasl),
    ("smtp_command", smtp_command),
    ("smtp_data", smtp_data),
    ("smtp_header", smtp_header),
    ("store_rows", store_rows),
    ("tls_hello", tls_hello),
];
