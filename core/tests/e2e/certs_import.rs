//! What people bring to `certs import`, and what becomes of it: a table of fixtures that other programs make.
//!
//! Each case is named `good-`, `warn-` or `bad-` and what it proves, and so is its file. One file a row of the table below
//! `certs_import/`; each makes its fixtures when the test runs, with openssl, certtool, keytool, pk12util and
//! python-cryptography. Nothing is kept between runs.

mod case;
mod check;
mod rows;
mod snapshot;
mod table;
mod workshop;

pub use snapshot::Snapshot;
