//! NeoMutt in batch, with the server's certificate checked.

use super::{
    letters::{files, with_lf, without, Inbox},
    Way, LOCAL,
};
use crate::harness::{have_by, run_ok, PASSWORD, USER};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

#[track_caller]
fn have_neomutt() -> bool {
    have_by("neomutt, and script for its terminal", "command -v neomutt script")
}

/// NeoMutt that opens INBOX and is given these keys.
fn neomutt(inbox: &Inbox, way: Way, keys: &str, ca: &Path) -> Command {
    let home = inbox.folder("neomutt");
    let (scheme, port) = (way.imap(), inbox.server.port(way.imap()));
    let config = format!(
        "set imap_user = \"{USER}\"\nset imap_pass = \"{PASSWORD}\"\nset folder = \"{scheme}://{LOCAL}:{port}\"\n\
         set certificate_file = \"{}\"\nset ssl_force_tls = yes\nset ssl_starttls = yes\n\
         set mbox_type = Maildir\nset confirm_append = no\nset confirm_create = no\nset quit = yes\nset delete = yes\n\
         set sort = mailbox-order\nset sleep_time = 0\nset wait_key = no\nset history_file = \"\"\npush \"{keys}\"\n",
        ca.display()
    );
    let rc = home.join("neomuttrc");
    fs::write(&rc, config).unwrap();
    // In the terminal's foreground whatever shell `script` finds: from behind it NeoMutt would be stopped, and with it
    // the test, for ever.
    let line = format!(
        "exec timeout --foreground --kill-after=10 60 neomutt -n -F '{}' -f '{scheme}://{LOCAL}:{port}/INBOX'",
        rc.display()
    );
    let mut command = Command::new("script");
    command.args(["-qefc", &line, "/dev/null"]).env("TERM", "vt100").env("HOME", home).env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null());
    command
}

/// The messages of a Maildir.
fn maildir(path: &Path) -> Vec<Vec<u8>> {
    [files(&path.join("new")), files(&path.join("cur"))].concat()
}

/// NeoMutt says in its files how long they are.
fn as_saved(message: &[u8]) -> Vec<u8> {
    without(&with_lf(message), LENGTHS)
}

const LENGTHS: &[&str] = &["Content-Length:", "Lines:"];

#[test]
fn neomutt_saves_every_message() {
    if !have_neomutt() {
        return;
    }
    let inbox = Inbox::new();
    for way in Way::BOTH {
        let saved: PathBuf = inbox.server.setup.dir.path().join(format!("saved-{way:?}"));
        let keys = format!("<tag-pattern>~A<enter><tag-prefix><copy-message>{}<enter><exit>", saved.display());
        run_ok(&mut neomutt(&inbox, way, &keys, &inbox.ca()));
        let got = maildir(&saved).iter().map(|message| without(message, LENGTHS)).collect();
        inbox.assert_all(got, as_saved, &format!("{way:?}"));
    }
}

#[test]
fn neomutt_flags_copies_and_deletes() {
    if !have_neomutt() {
        return;
    }
    for way in Way::BOTH {
        let inbox = Inbox::new();
        let last = inbox.stored.len();
        let keys =
            "<jump>3<enter><flag-message><tag-pattern>~s'^dots$'<enter><tag-prefix><save-message>=Archive<enter>\
                    <delete-pattern>~s'^8-bit$'<enter><sync-mailbox><exit>";
        let screen = run_ok(&mut neomutt(&inbox, way, keys, &inbox.ca()));
        let mut imap = inbox.imap();
        imap.command("EXAMINE INBOX").ok();
        let left: Vec<String> = (1..=last).filter(|uid| ![2, 4].contains(uid)).map(|uid| uid.to_string()).collect();
        assert_eq!(imap.command("UID SEARCH ALL").ok().texts(), [format!("* SEARCH {}", left.join(" "))], "{screen}");
        assert_eq!(imap.command("UID SEARCH FLAGGED").ok().texts(), ["* SEARCH 3"], "{screen}");
        imap.command("EXAMINE Archive").ok();
        assert_eq!(imap.command("SEARCH ALL SUBJECT dots").ok().texts(), ["* SEARCH 1"], "{screen}");
    }
}

#[test]
fn neomutt_takes_no_strangers_certificate() {
    if !have_neomutt() {
        return;
    }
    let (inbox, stranger) = (Inbox::new(), Inbox::new());
    for way in Way::BOTH {
        let logins = || inbox.server.log().matches(": login account=").count();
        let before = logins();
        let mut child = neomutt(&inbox, way, "", &stranger.ca()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut screen, mut stdout) = (Vec::new(), child.stdout.take().unwrap());
        // It asks the person before it.
        while !String::from_utf8_lossy(&screen).contains("(r)eject, accept (o)nce") {
            let mut room = [0; 4096];
            let len = stdout.read(&mut room).unwrap();
            assert!(len > 0, "{way:?}: {}", String::from_utf8_lossy(&screen));
            screen.extend_from_slice(&room[..len]);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(logins(), before, "{way:?}");
    }
}
