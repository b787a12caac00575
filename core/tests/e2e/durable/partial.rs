//! One message for several accounts, of which one cannot be written: the client is told to try again, nobody else waits
//! for the damaged one, and a later try reaches it.

use super::{
    letters::{Ledger, Letter},
    mailboxes,
    peers::{Pop, Smtp},
    setup, ACCOUNTS,
};
use crate::harness::{have, run_ok, Server};
use std::process::Command;

/// Replaces an account's header row by one that nobody can read, or brings it back.
const DAMAGE: &str = r#"
import sqlite3, sys
path, account, way = sys.argv[1:]
rows = "part = (SELECT id FROM part WHERE name = ?) AND key = x'48'"
db = sqlite3.connect(path)
change = "substr(value, 2)" if way == "repair" else "x'ff' || value"
changed = db.execute("UPDATE row SET value = CAST(" + change + " AS BLOB) WHERE " + rows, (account,)).rowcount
assert changed == 1, changed
db.commit()
"#;

fn change(server: Server, way: &str) -> Server {
    let setup = server.stop();
    let database = setup.data_dir().join("store/mail.sqlite");
    run_ok(Command::new("python3").args(["-c", DAMAGE]).arg(&database).args([ACCOUNTS[1], way]));
    setup.start()
}

fn send(server: &Server, recipients: &[&str], letter: &Letter) -> u16 {
    let mut smtp = Smtp::open(server.address("smtp")).unwrap();
    smtp.mail("x@elsewhere.example", recipients, letter, || {}).unwrap().code
}

#[test]
fn an_account_that_cannot_be_written_puts_the_message_off_and_harms_no_other() {
    if !have("python3") {
        return;
    }
    let (ledger, mailboxes) = (Ledger::default(), mailboxes());
    let server = setup().start();
    let first = Letter::new("first", 2000);
    ledger.begin(&first, &ACCOUNTS);
    assert_eq!(send(&server, &ACCOUNTS, &first), 250);
    ledger.answered(&first, 250);

    let server = change(server, "damage");
    for size in [2000, 300_000] {
        let letter = Letter::new(format!("all{size}"), size);
        ledger.begin(&letter, &ACCOUNTS);
        assert_eq!(send(&server, &ACCOUNTS, &letter), 451, "one of three cannot have it");
        ledger.answered(&letter, 451);
        let letter = Letter::new(format!("others{size}"), size);
        ledger.begin(&letter, &[ACCOUNTS[0], ACCOUNTS[2]]);
        assert_eq!(send(&server, &[ACCOUNTS[0], ACCOUNTS[2]], &letter), 250);
        ledger.answered(&letter, 250);
    }
    for mailbox in [&mailboxes[0], &mailboxes[2]] {
        mailbox.check(&server, &ledger);
        mailbox.read_again(&server);
    }
    let told = |line: &str| line.contains("nothing was stored") && line.contains(&format!("account={}", ACCOUNTS[1]));
    assert!(server.log().lines().any(told), "{}", server.log());

    let server = change(server, "repair");
    let letter = Letter::new("again", 300_000);
    ledger.begin(&letter, &ACCOUNTS);
    assert_eq!(send(&server, &ACCOUNTS, &letter), 250);
    ledger.answered(&letter, 250);
    for mailbox in &mailboxes {
        mailbox.check(&server, &ledger);
        mailbox.read_again(&server);
    }
    let of_bob = Pop::log_in(server.address("pop3"), ACCOUNTS[1]).unwrap().list().unwrap();
    assert_eq!(of_bob.len(), 2, "what was put off is not there by itself");
}
