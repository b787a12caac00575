//! fetchmail, with the server's certificate checked: takes mail from IMAP or POP3 and hands it on.

use super::{
    letters::{files, with_lf, Inbox},
    Way, LOCAL,
};
use crate::{
    harness::{have, run, run_ok, PASSWORD, USER},
    mail::assert_same,
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

/// fetchmail for a listener; `options` say what becomes of the mail.
fn fetchmail(inbox: &Inbox, way: Way, listener: &str, options: &str, ca: &Path) -> Command {
    let home = inbox.folder("fetchmail");
    let rc = home.join("fetchmailrc");
    let protocol = if listener.starts_with("pop3") { "POP3" } else { "IMAP" };
    let tls = if way == Way::Implicit { "ssl" } else { "sslproto \"TLS1.2+\"" };
    let config = format!(
        "set no bouncemail\nset invisible\n\
         poll {LOCAL} protocol {protocol} port {} auth password timeout 60\n  user \"{USER}\" password \"{PASSWORD}\"\n  \
         {tls} sslcertck sslcertfile \"{}\" sslcertpath \"{}\"\n  no rewrite pass8bits fetchall {options}\n",
        inbox.server.port(listener),
        ca.display(),
        // Nothing else is trusted.
        inbox.folder("nothing").display(),
    );
    fs::write(&rc, config).unwrap();
    fs::set_permissions(&rc, fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new("fetchmail");
    command.arg("--fetchmailrc").arg(rc).arg("--pidfile").arg(home.join("pid")).arg("--idfile").arg(home.join("ids"));
    command.env("FETCHMAILHOME", home);
    command
}

/// A mail program that puts each message into a file of its own.
fn into(folder: &Path) -> String {
    format!("mda \"cat > {0}/$(ls {0} | wc -l)\"", folder.display())
}

/// What fetchmail hands to programs: lines that end in LF, the last one too.
fn as_handed(message: &[u8]) -> Vec<u8> {
    let mut kept = with_lf(message);
    if !kept.ends_with(b"\n") {
        kept.push(b'\n');
    }
    kept
}

/// fetchmail garbles lines of more than 8 KiB; without the message that has one.
fn inbox() -> Inbox {
    let mut inbox = Inbox::new();
    let long = |message: &Vec<u8>| message.split(|&octet| octet == b'\n').any(|line| line.len() > 8192);
    let at = inbox.stored.iter().position(long).unwrap();
    inbox.stored.remove(at);
    let mut imap = inbox.imap();
    imap.command("SELECT INBOX").ok();
    imap.command(&format!("STORE {} +FLAGS (\\Deleted)", at + 1)).ok();
    imap.command("CLOSE").ok();
    inbox
}

fn count(inbox: &Inbox) -> usize {
    inbox.server.mailbox(USER, PASSWORD).len()
}

#[test]
fn fetchmail_keeps_and_then_takes_every_message() {
    if !have("fetchmail") {
        return;
    }
    for way in Way::BOTH {
        for listener in [way.imap(), way.pop3()] {
            let inbox = inbox();
            for (keep, left) in [("keep", inbox.stored.len()), ("no keep", 0)] {
                let folder = inbox.folder(&keep.replace(' ', "-"));
                let options = format!("{keep} {}", into(&folder));
                run_ok(&mut fetchmail(&inbox, way, listener, &options, &inbox.ca()));
                inbox.assert_all(files(&folder), as_handed, &format!("{listener}, {keep}"));
                assert_eq!(count(&inbox), left, "{listener}, {keep}");
            }
            let mut again = fetchmail(&inbox, way, listener, &into(&inbox.folder("again")), &inbox.ca());
            let (status, _, stderr) = run(&mut again);
            assert_eq!(status.code(), Some(1), "there is no mail: {stderr}");
        }
    }
}

#[test]
fn fetchmail_hands_every_message_to_smtp() {
    if !have("fetchmail") {
        return;
    }
    const BOB: &str = "bob@example.test";
    let inbox = inbox();
    inbox.server.setup.add_account(BOB, PASSWORD);
    let options = format!("keep smtphost \"{LOCAL}/{}\" smtpname \"{BOB}\"", inbox.server.port("smtp"));
    run_ok(&mut fetchmail(&inbox, Way::Implicit, "imaps", &options, &inbox.ca()));
    let got = inbox.server.mailbox(BOB, PASSWORD);
    assert_eq!(got.len(), inbox.stored.len());
    for (got, stored) in got.iter().zip(&inbox.stored) {
        // It takes the old Return-Path away; the server has put new trace on top.
        let mut want = super::letters::without(stored, &["Return-Path:"]);
        if !want.ends_with(b"\r\n") {
            want.extend_from_slice(b"\r\n");
        }
        assert_same(crate::mail::after_trace(got), &want, "handed to SMTP");
    }
}

#[test]
fn fetchmail_takes_no_strangers_certificate() {
    if !have("fetchmail") {
        return;
    }
    let (inbox, stranger) = (Inbox::new(), Inbox::new());
    for way in Way::BOTH {
        let folder = inbox.folder("none");
        let options = format!("keep {}", into(&folder));
        let (status, _, stderr) = run(&mut fetchmail(&inbox, way, way.imap(), &options, &stranger.ca()));
        assert!(!status.success() && stderr.contains("certificate verif"), "{status}: {stderr}");
        assert!(files(&folder).is_empty());
    }
}
