//! What a new user gets from the README's first command.

use crate::harness::{have, run_ok, Setup};
use std::{os::unix::fs::PermissionsExt, process::Command};

/// The one test that uses the fixed ports of `--dev`.
#[test]
fn a_new_user_sends_and_reads_a_message_with_what_the_first_start_made() {
    if !have("curl") {
        return;
    }
    let server = Setup::dev().start();
    for (listener, port) in [
        ("smtp", 2525),
        ("submission", 2587),
        ("submissions", 2465),
        ("pop3", 2110),
        ("pop3s", 2995),
        ("imap", 2143),
        ("imaps", 2993),
    ] {
        assert_eq!(server.address(listener).to_string(), format!("127.0.0.1:{port}"));
    }
    assert!(
        server.log().contains("made a self-signed certificate for localhost, SHA-256 fingerprint "),
        "{}",
        server.log()
    );
    let file = server.setup.data_dir().join("first-password");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let password = std::fs::read_to_string(&file).unwrap();
    assert!(!server.log().contains(password.trim()));

    let message = server.setup.dir.path().join("message");
    std::fs::write(&message, "Subject: hello\r\n\r\nIt works.\r\n").unwrap();
    let curl = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--cacert"]).arg(server.setup.data_dir().join("certs/localhost.crt"));
        run_ok(command.args(["--user", &format!("you@localhost:{}", password.trim())]).args(arguments))
    };
    let upload = message.to_str().unwrap();
    curl(&[
        "--ssl-reqd",
        "--mail-from",
        "you@localhost",
        "--mail-rcpt",
        "you@localhost",
        "--upload-file",
        upload,
        "smtp://localhost:2587",
    ]);
    let read = curl(&["pop3s://localhost:2995/1"]);
    assert!(read.ends_with("Subject: hello\r\n\r\nIt works.\r\n"), "{read}");

    // Everything is there again after a restart, and the password is not made a second time.
    let setup = server.stop();
    let server = setup.start();
    assert!(run_ok(server.dovetail().args(["accounts", "list"])).contains("you@localhost"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), password);
}
