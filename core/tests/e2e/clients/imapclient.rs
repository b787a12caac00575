//! IMAPClient for Python, with the server's certificate checked.

use super::{imaplib::python, installed, letters::files, reads_all, run_and_deliver, Way};
use crate::{
    harness::{have_by, run, run_ok, Server, Setup},
    mail::hard_message,
    tls::HOST,
};
use std::{path::Path, process::Command};

const IMAPCLIENT: &str = r#"
sys.path.insert(0, PACKAGES)
import imapclient, datetime
from imapclient import imapclient as uses, fixed_offset
def imap():
    client = imapclient.IMAPClient(host, port, ssl=way == "Implicit", ssl_context=context, timeout=60)
    if way == "Explicit":
        assert client.has_capability("LOGINDISABLED")
        client.starttls(context)
    client.login(user, password)
    return client
"#;

fn packages() -> String {
    installed().join("python").display().to_string()
}

#[track_caller]
fn have_imapclient() -> bool {
    have_by("imapclient for Python", &format!("command -v python3 && test -d '{}/imapclient'", packages()))
}

fn imapclient(server: &Server, script: &str, way: Way, ca: &Path, folder: &Path) -> Command {
    let head = IMAPCLIENT.replace("PACKAGES", &format!("{:?}", packages()));
    python(server, &format!("{head}{script}"), way, ca, folder)
}

#[test]
fn imapclient_reads_every_message() {
    if !have_imapclient() {
        return;
    }
    reads_all(|inbox, way| {
        let folder = inbox.folder(&format!("imapclient-{way:?}"));
        let script = r#"
client = imap()
count = client.select_folder("INBOX")[b"EXISTS"]
got = client.fetch(client.search(), ["BODY.PEEK[]", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE", "FLAGS"])
assert sorted(got) == list(range(1, count + 1)), sorted(got)
for uid, data in got.items():
    assert data[b"RFC822.SIZE"] == len(data[b"BODY[]"]) and b"\\Seen" not in data[b"FLAGS"]
    keep(uid, data[b"BODY[]"])
subjects = [data[b"ENVELOPE"].subject for _, data in sorted(got.items())]
assert subjects[:4] == [b"all at once", b"8-bit", b"long lines", b"dots"] and subjects[-1] == b"no newline", subjects
[parts] = [data[b"BODYSTRUCTURE"] for data in got.values() if data[b"BODYSTRUCTURE"].is_multipart]
assert [part[0].lower() for part in parts[0]] == [b"text", b"application", b"message"], parts
client.logout()
"#;
        run_ok(&mut imapclient(&inbox.server, script, way, &inbox.server.setup.crt(HOST), &folder));
        files(&folder)
    });
}

#[test]
fn imapclient_does_a_whole_session() {
    if !have_imapclient() {
        return;
    }
    let script = r#"
client = imap()
assert client.namespace().personal == (("", "/"),) and client.namespace().other is None, client.namespace()
assert b"name" in client.id_({"name": "test"})[0]
for flag, name in [(uses.SENT, "Sent"), (uses.DRAFTS, "Drafts"), (uses.TRASH, "Trash"),
                   (uses.JUNK, "Junk"), (uses.ARCHIVE, "Archive")]:
    assert client.find_special_folder(flag) == name
    assert any(flag in flags and listed == name for flags, _, listed in client.list_folders())

# Names in all scripts, levels, rename, subscriptions.
names = ["Käse", "Käse/Grüße & more", "日本語/受信", "with \"quotes\" and \\"]
for name in names:
    client.create_folder(name)
    assert client.folder_exists(name)
    client.subscribe_folder(name)
listed = [name for _, _, name in client.list_folders()]
assert all(name in listed for name in names), listed
client.rename_folder("Käse", "Brot")
assert client.folder_exists("Brot/Grüße & more") and not client.folder_exists("Käse")
client.unsubscribe_folder("日本語/受信")
subscribed = [name for _, _, name in client.list_sub_folders()]
assert "日本語/受信" not in subscribed and names[3] in subscribed, subscribed

# A message with flags and a date.
when = datetime.datetime(2003, 2, 1, 4, 5, 6, tzinfo=fixed_offset.FixedOffset(60))
message = b"From: eve@remote.test\r\nSubject: =?utf-8?q?K=C3=A4se?=\r\n\r\ngr\xfc\xdfe"
client.append("Brot", message, flags=[b"\\Flagged", b"$Work"], msg_time=when)
assert client.folder_status("Brot", ["MESSAGES", "UIDNEXT", "SIZE"]) == {b"MESSAGES": 1, b"UIDNEXT": 2, b"SIZE": len(message)}
assert client.select_folder("Brot")[b"EXISTS"] == 1
client.normalise_times = False
got = client.fetch([1], ["BODY[]", "FLAGS", "INTERNALDATE"])[1]
assert got[b"BODY[]"] == message and got[b"INTERNALDATE"] == when, got
assert {b"\\Flagged", b"$Work"} <= set(got[b"FLAGS"])
assert client.search(["SUBJECT", "Käse", "KEYWORD", "$Work"], charset="UTF-8") == [1]
assert client.search(["NOT", ["FLAGGED"]]) == [] and client.search([["FROM", "eve"], "SINCE", datetime.date(2003, 1, 1)]) == [1]

# Flags, copy, move, expunge of one.
assert set(client.add_flags(1, [b"\\Answered"])[1]) >= {b"\\Answered", b"\\Flagged", b"$Work"}
assert b"\\Flagged" not in client.remove_flags(1, [b"\\Flagged"])[1]
assert set(client.set_flags(1, [b"\\Seen"])[1]) - {b"\\Recent"} == {b"\\Seen"}
client.copy([1], "INBOX"); client.copy([1], "Brot/Grüße & more")
client.move([1], "日本語/受信")
assert client.search() == []
client.select_folder("INBOX")
assert client.search("SEEN") == [2]
client.delete_messages([1, 2])
client.uid_expunge([2])
assert client.search() == [1] and client.get_flags([1])[1].count(b"\\Deleted") == 1
client.remove_flags([1], [b"\\Deleted"])

# IDLE: mail that comes, and what another session does.
client.idle()
print("idling", flush=True)
news = []
while (2, b"EXISTS") not in news:
    news += client.idle_check(timeout=60)
other = imap()
other.select_folder("INBOX")
other.add_flags([1], [b"\\Flagged"])
while not any(line[1] == b"FETCH" for line in news):
    news += client.idle_check(timeout=60)
other.delete_messages([1])
other.expunge()
while (1, b"EXPUNGE") not in news:
    news += client.idle_check(timeout=60)
client.idle_done()
assert b"delivered while idle" in client.fetch(client.search()[-1:], ["BODY[HEADER]"]).popitem()[1][b"BODY[HEADER]"]
client.unselect_folder()
for name in ["Brot/Grüße & more", "Brot", names[3]]:
    client.delete_folder(name)
    assert not client.folder_exists(name)
client.logout()
"#;
    for way in Way::BOTH {
        let server = Setup::mail().start();
        server.leave(&hard_message("one"));
        let mut command = imapclient(&server, script, way, &server.setup.crt(HOST), server.setup.dir.path());
        run_and_deliver(&server, &mut command, b"Subject: delivered while idle\r\n\r\n");
    }
}

#[test]
fn imapclient_takes_no_strangers_certificate() {
    if !have_imapclient() {
        return;
    }
    let (server, stranger) = (Setup::mail().start(), Setup::mail().start());
    for way in Way::BOTH {
        let folder = server.setup.dir.path();
        let (status, _, stderr) = run(&mut imapclient(&server, "imap()", way, &stranger.setup.crt(HOST), folder));
        assert!(!status.success() && stderr.contains("CERTIFICATE_VERIFY_FAILED"), "{stderr}");
    }
}
