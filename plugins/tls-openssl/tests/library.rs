//! The library as operators get it. That the crate is a dev-dependency of its own has cargo build it, and the server's tests
//! find it where it is.

use std::path::PathBuf;

/// Cargo puts it beside this test.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("this test's path");
    test.with_file_name("libdovetail_tls_openssl.so")
}

#[test]
fn it_names_the_systems_openssl_instead_of_holding_a_copy() {
    let bytes = std::fs::read(library()).expect("the library, which cargo builds for this test");
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(holds(b"\0libssl.so.3\0") && holds(b"\0libcrypto.so.3\0"));
    assert!(holds(b"tls-openssl"), "its id");
}
