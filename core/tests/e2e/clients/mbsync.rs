//! mbsync, with the server's certificate checked: a Maildir and an account with changes on both sides.

use super::{
    letters::{with_lf, without, Inbox},
    Way, LOCAL,
};
use crate::{
    harness::{have, run, PASSWORD, USER},
    imap::client::Imap,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Mailbox and message, and the flags: one letter each, as in a Maildir.
type Mail = BTreeMap<(String, Vec<u8>), BTreeSet<char>>;

/// Mailboxes with so many messages each; 500 with what is in INBOX already.
const MAILBOXES: [(&str, usize); 4] = [("INBOX", 190), ("work", 150), ("work/projects", 100), ("K&AOQ-se", 50)];
const FLAGS: [(char, &str); 4] = [('D', "\\Draft"), ('F', "\\Flagged"), ('R', "\\Answered"), ('S', "\\Seen")];

struct Sync {
    inbox: Inbox,
    near: PathBuf,
}

impl Sync {
    fn new(inbox: Inbox) -> Sync {
        let near = inbox.folder("maildir");
        Sync { inbox, near }
    }

    fn command(&self, way: Way, ca: &Path) -> Command {
        let kind = if way == Way::Implicit { "IMAPS" } else { "STARTTLS" };
        let (port, near) = (self.inbox.server.port(way.imap()), self.near.display());
        let config = format!(
            "IMAPAccount dovetail\nHost {LOCAL}\nPort {port}\nUser {USER}\nPass \"{PASSWORD}\"\nSSLType {kind}\n\
             CertificateFile {}\nSystemCertificates no\nAuthMechs LOGIN\n\nIMAPStore far\nAccount dovetail\n\n\
             MaildirStore near\nPath {near}/\nInbox {near}/INBOX\nSubFolders Verbatim\n\n\
             Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSyncState *\n",
            ca.display()
        );
        let home = self.inbox.folder("mbsync");
        let rc = home.join("mbsyncrc");
        fs::write(&rc, config).unwrap();
        let mut command = Command::new("mbsync");
        // -Dn: what is said to the server is shown.
        command.args(["-a", "-Dn", "-c"]).arg(rc).env("HOME", home);
        command
    }

    /// Both sides are alike afterwards; gives the commands that were sent.
    #[track_caller]
    fn run(&self, way: Way) -> Vec<String> {
        let (status, stdout, stderr) = run(&mut self.command(way, &self.inbox.ca()));
        let said = stdout + &stderr;
        assert!(status.success(), "{status}\n{said}\n{}", self.inbox.server.log());
        let (near, far) = (self.near(), self.far());
        for (one, other, side) in [(&near, &far, "far"), (&far, &near, "near")] {
            for ((mailbox, message), flags) in one {
                let there = other.get(&(mailbox.clone(), message.clone()));
                let shown = || String::from_utf8_lossy(&message[..message.len().min(300)]).into_owned();
                assert_eq!(there, Some(flags), "{mailbox} on the {side} side: {}", shown());
            }
        }
        let commands = said.lines().filter_map(|line| line.split_once(">>> "));
        commands.map(|(_, command)| command.to_owned()).collect()
    }

    /// One more run moves nothing and changes nothing on either side.
    #[track_caller]
    fn assert_settled(&self, way: Way) {
        let before = (self.names(), self.numbers());
        let commands = self.run(way);
        let only = ["LOGIN ", "CAPABILITY", "STARTTLS", "NAMESPACE", "LIST ", "SELECT ", "CLOSE", "LOGOUT"];
        for command in &commands {
            let (_, command) = command.split_once(' ').unwrap();
            let flags = command.starts_with("UID FETCH ") && command.ends_with(" (UID FLAGS)");
            assert!(flags || only.iter().any(|word| command.starts_with(word)), "{command}");
        }
        assert!(commands.iter().any(|command| command.contains("UID FETCH ")), "{commands:?}");
        assert!(before == (self.names(), self.numbers()), "a second run has changed something");
    }

    /// What the server has.
    fn far(&self) -> Mail {
        let mut imap = self.inbox.imap();
        let mut mail = Mail::new();
        for mailbox in mailboxes(&mut imap) {
            imap.command(&format!("EXAMINE \"{mailbox}\"")).ok();
            for mut response in imap.command("UID FETCH 1:* (FLAGS BODY.PEEK[])").ok().untagged {
                let Some(message) = response.literals.pop() else { continue };
                let flags = FLAGS.iter().filter(|(_, flag)| response.text.contains(flag)).map(|(letter, _)| *letter);
                let known = mail.insert((mailbox.clone(), plain(&message)), flags.collect());
                assert!(known.is_none(), "twice in {mailbox}: {}", response.text);
            }
        }
        mail
    }

    /// What the Maildir has.
    fn near(&self) -> Mail {
        let mut mail = Mail::new();
        for path in self.messages("") {
            let mailbox = path.parent().and_then(Path::parent).unwrap().strip_prefix(&self.near).unwrap();
            let name = path.to_string_lossy();
            let flags = name.rsplit_once(":2,").map(|(_, flags)| flags.chars().collect()).unwrap_or_default();
            let mailbox = mailbox.to_string_lossy().into_owned();
            let known = mail.insert((mailbox, plain(&fs::read(&path).unwrap())), flags);
            assert!(known.is_none(), "twice: {name}");
        }
        mail
    }

    /// The files of messages in a mailbox (`""`: all of them) in the order of their names.
    fn messages(&self, mailbox: &str) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        walk(&self.near.join(mailbox), &mut paths);
        paths.retain(|path| {
            let folder = path.parent().and_then(Path::file_name).unwrap();
            (folder == "new" || folder == "cur")
                && (mailbox.is_empty() || path.parent().and_then(Path::parent) == Some(&self.near.join(mailbox)))
        });
        paths.sort();
        paths
    }

    /// Every file of the Maildir.
    fn names(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        walk(&self.near, &mut paths);
        paths.sort();
        paths
    }

    /// UIDs and flags of all mailboxes, and what their next UIDs are.
    fn numbers(&self) -> Vec<String> {
        let mut imap = self.inbox.imap();
        let mut all = Vec::new();
        for mailbox in mailboxes(&mut imap) {
            let status = format!("STATUS \"{mailbox}\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)");
            all.extend(imap.command(&status).ok().texts().into_iter().map(str::to_owned));
            imap.command(&format!("EXAMINE \"{mailbox}\"")).ok();
            let flags = imap.command("UID FETCH 1:* FLAGS").ok();
            // Whose they are when new is no property of theirs.
            all.extend(flags.texts().into_iter().map(|line| line.replace("\\Recent", "").replace(" )", ")")));
        }
        all
    }
}

fn mailboxes(imap: &mut Imap) -> Vec<String> {
    let listed = imap.command("LIST \"\" *").ok();
    let name = |line: &str| line.split_once(" \"/\" ").unwrap().1.trim_matches('"').to_owned();
    listed.texts().into_iter().map(name).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

/// Without mbsync's own header line, and with the line ends of Maildirs.
fn plain(message: &[u8]) -> Vec<u8> {
    without(&with_lf(message), &["X-TUID:"])
}

fn letter(mailbox: &str, number: usize) -> String {
    let words = "word ".repeat(number % 50);
    format!("From: bob@remote.test\nSubject: {mailbox} {number}\nMessage-ID: <{number}.{mailbox}@remote.test>\n\n{words}\n.\n")
}

/// A file's flags become these.
fn set_flags(path: &Path, flags: &str) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let name = format!("{}:2,{flags}", name.split(":2,").next().unwrap());
    fs::rename(path, path.parent().unwrap().with_file_name("cur").join(name)).unwrap();
}

#[test]
fn mbsync_keeps_a_maildir_and_an_account_alike() {
    if !have("mbsync") {
        return;
    }
    let sync = Sync::new(Inbox::new());
    let mut imap = sync.inbox.imap();
    for (mailbox, count) in MAILBOXES {
        if mailbox != "INBOX" {
            imap.command(&format!("CREATE {mailbox}")).ok();
        }
        for number in 0..count {
            let flags = ["", "\\Seen", "\\Seen \\Answered", "\\Flagged", "\\Draft $Work"][number % 5];
            imap.append(mailbox, flags, letter(mailbox, number).replace('\n', "\r\n").as_bytes()).ok();
        }
    }
    let brought = sync.inbox.stored.len();
    assert_eq!(brought, 10, "and so 500 in all");
    sync.run(Way::Explicit);
    assert_eq!(sync.near().len(), 500);
    sync.assert_settled(Way::Explicit);

    // Here: flags, deletions, new messages, a new mailbox.
    for path in sync.messages("INBOX").iter().skip(40).step_by(7) {
        set_flags(path, "FRS");
    }
    for path in sync.messages("work").iter().step_by(10) {
        fs::remove_file(path).unwrap();
    }
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(sync.near.join("made here").join(folder)).unwrap();
    }
    for (mailbox, count) in [("K&AOQ-se", 20), ("made here", 5)] {
        for number in 1000..1000 + count {
            let file = sync.near.join(mailbox).join("new").join(format!("{number}.test"));
            fs::write(file, letter(mailbox, number)).unwrap();
        }
    }
    // There: the same of other messages. What the letters of 500 look like decides who is who.
    let here: BTreeSet<Vec<u8>> = flagged(&sync.near(), "INBOX");
    imap.command("SELECT INBOX").ok();
    let all = imap.command("UID FETCH 1:* (BODY.PEEK[])").ok();
    let spared = all.untagged.iter().filter(|response| !here.contains(&plain(&response.literals[0])));
    let uids: Vec<&str> = spared.map(|response| response.text.split_once("UID ").unwrap().1).collect();
    let uids: Vec<&str> = uids.into_iter().map(|rest| rest.split(' ').next().unwrap()).take(30).collect();
    imap.command(&format!("UID STORE {} +FLAGS.SILENT (\\Deleted)", uids.join(","))).ok();
    imap.command("EXPUNGE").ok();
    imap.command("SELECT work/projects").ok();
    imap.command("STORE 1:50 FLAGS.SILENT (\\Flagged \\Answered)").ok();
    imap.command("CREATE \"made there\"").ok();
    for (mailbox, count) in [("work", 25), ("\"made there\"", 3)] {
        for number in 2000..2000 + count {
            imap.append(mailbox, "\\Seen", letter(mailbox, number).replace('\n', "\r\n").as_bytes()).ok();
        }
    }
    drop(imap);

    sync.run(Way::Implicit);
    let counts =
        [("INBOX", 170), ("work", 160), ("work/projects", 100), ("K&AOQ-se", 70), ("made here", 5), ("made there", 3)];
    let far = sync.far();
    for (mailbox, count) in counts {
        assert_eq!(far.keys().filter(|(name, _)| name == mailbox).count(), count, "{mailbox}");
    }
    assert_eq!(flagged(&far, "INBOX"), here);
    let answered = far.iter().filter(|((name, _), flags)| name == "work/projects" && flags.iter().eq(&['F', 'R']));
    assert_eq!(answered.count(), 50);
    sync.assert_settled(Way::Implicit);
}

/// The messages of a mailbox that have all three flags.
fn flagged(mail: &Mail, mailbox: &str) -> BTreeSet<Vec<u8>> {
    let all = mail.iter().filter(|((name, _), flags)| name == mailbox && flags.iter().eq(&['F', 'R', 'S']));
    all.map(|((_, message), _)| message.clone()).collect()
}

#[test]
fn mbsync_takes_no_strangers_certificate() {
    if !have("mbsync") {
        return;
    }
    let (sync, stranger) = (Sync::new(Inbox::new()), Inbox::new());
    for way in Way::BOTH {
        let (status, stdout, stderr) = run(&mut sync.command(way, &stranger.ca()));
        assert!(!status.success() && stderr.contains("certificate"), "{status}: {stdout}{stderr}");
        assert!(sync.near().is_empty());
    }
}
