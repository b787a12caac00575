//! Python's imaplib, with the server's certificate checked.

use super::{
    letters::{files, Inbox},
    reads_all, Way,
};
use crate::{
    harness::{have, run_ok, Server, Setup, PASSWORD, USER},
    mail::hard_message,
    tls::HOST,
};
use std::{path::Path, process::Command};

/// What every script begins with: names for what it is given, and connections to [`HOST`] that end up at loopback.
pub const HEAD: &str = r#"
import os, socket, ssl, sys
way, port, host, ca, user, password, folder = sys.argv[1:]
port = int(port)
context = ssl.create_default_context(cafile=ca)
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda name, *rest, **more: resolve("127.0.0.1" if name == host else name, *rest, **more)
def keep(uid, message):
    with open(os.path.join(folder, "%04d" % uid), "wb") as file:
        file.write(message)
"#;

const IMAPLIB: &str = r#"
import imaplib, re
def imap():
    if way == "Implicit":
        return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=60)
    client = imaplib.IMAP4(host, port, timeout=60)
    assert "LOGINDISABLED" in client.capabilities and "AUTH=PLAIN" not in client.capabilities, client.capabilities
    client.starttls(context)
    assert "LOGINDISABLED" not in client.capabilities and "AUTH=PLAIN" in client.capabilities, client.capabilities
    return client
def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]
"#;

/// Python with a script behind [`HEAD`]; `ca` is what it trusts.
pub fn python(server: &Server, script: &str, way: Way, ca: &Path, folder: &Path) -> Command {
    let mut command = Command::new("python3");
    command
        .args(["-I", "-c", &format!("{HEAD}{script}")])
        .args([&format!("{way:?}"), &server.port(way.imap()).to_string(), HOST])
        .arg(ca)
        .args([USER, PASSWORD])
        .arg(folder);
    command
}

/// Python with a script behind [`HEAD`] and [`IMAPLIB`].
pub fn imaplib(server: &Server, script: &str, way: Way, folder: &Path) -> Command {
    python(server, &format!("{IMAPLIB}{script}"), way, &server.setup.crt(HOST), folder)
}

#[test]
fn imaplib_reads_every_message() {
    if !have("python3") {
        return;
    }
    reads_all(|inbox: &Inbox, way| {
        let folder = inbox.folder(&format!("imaplib-{way:?}"));
        let script = r#"
client = imap()
ok(client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode()))
count = int(ok(client.select("INBOX", readonly=True))[0])
# All in one answer, each alone, and in pieces.
for item in ok(client.uid("FETCH", "1:*", "(RFC822.SIZE BODY.PEEK[])")):
    if isinstance(item, tuple):
        uid, size = (int(re.search(name + rb" (\d+)", item[0])[1]) for name in (b"UID", b"RFC822.SIZE"))
        assert size == len(item[1]), (size, len(item[1]))
        keep(uid, item[1])
for uid in range(1, count + 1):
    kept = open(os.path.join(folder, "%04d" % uid), "rb").read()
    assert ok(client.uid("FETCH", str(uid), "(BODY.PEEK[])"))[0][1] == kept
    parts = ok(client.uid("FETCH", str(uid), "(RFC822.HEADER BODY.PEEK[TEXT])"))
    assert b"".join(part[1] for part in parts if isinstance(part, tuple)) == kept, uid
    pieces, step = [], 4099 if len(kept) < 100_000 else 300_000
    for at in range(0, len(kept), step):
        pieces.append(ok(client.uid("FETCH", str(uid), f"(BODY.PEEK[]<{at}.{step}>)"))[0][1])
    assert b"".join(pieces) == kept, uid
client.logout()
"#;
        run_ok(&mut imaplib(&inbox.server, script, way, &folder));
        files(&folder)
    });
}

#[test]
fn imaplib_does_a_whole_session() {
    if !have("python3") {
        return;
    }
    let script = r#"
client = imap()
try:
    client.login(user, "wrong password")
    sys.exit("logged in")
except imaplib.IMAP4.error as error:
    assert b"AUTHENTICATIONFAILED" in error.args[0], error
ok(client.login(user, password))
assert ok(client.namespace())[0] == b'(("" "/")) NIL NIL', client.namespace()

# Mailboxes: the special ones, names in modified UTF-7, levels.
listed = ok(client.list())
for use in [b"Drafts", b"Sent", b"Trash", b"Junk", b"Archive"]:
    assert any(b"\\" + use in line and line.endswith(b' "/" ' + use) for line in listed), listed
name = '"K&AOQ-se/M&APw-ller &- Sohn"'
ok(client.create(name))
assert [line.rsplit(b' "/" ')[1] for line in ok(client.list('""', "K*"))] == [b"K&AOQ-se", name.encode()], client.list()
ok(client.subscribe(name))
assert any(name.encode() in line for line in ok(client.lsub()))
ok(client.rename("K&AOQ-se", "cheese"))
name = name.replace("K&AOQ-se", "cheese")
assert client.select('"K&AOQ-se"')[0] == "NO"

# A message with flags, a keyword and a date; no end of line at its end.
message = b"Subject: three\r\n\r\ngr\xfc\xdfe"
date = '"01-Feb-2003 04:05:06 +0100"'
answer = ok(client.append(name, r"(\Seen \Flagged $Work)", date, message))
assert re.match(rb"\[APPENDUID \d+ 1\]", answer[0]), answer
assert b"MESSAGES 1 UIDNEXT 2 UNSEEN 0" in ok(client.status(name, "(MESSAGES UIDNEXT UNSEEN)"))[0]
assert ok(client.select(name)) == [b"1"]
(flags, body), _ = ok(client.fetch("1", "(FLAGS INTERNALDATE BODY[])"))
assert body == message and b" 1-Feb-2003 04:05:06 +0100" in flags, (flags, body)
assert set(imaplib.ParseFlags(flags)) >= {b"\\Seen", b"\\Flagged", b"$Work"}, flags
assert client.response("UIDNEXT")[1] == [b"2"]
ok(client.close())

# INBOX: search, flags, copy, move, expunge.
assert ok(client.select()) == [b"2"]
assert ok(client.search(None, "ALL")) == [b"1 2"]
assert ok(client.search(None, "SUBJECT", '"two"', "UNSEEN")) == [b"2"]
client.literal = "größe".encode()
assert ok(client.search("UTF-8", "BODY")) == [b""]
client.literal = "ü".encode()
assert ok(client.search("UTF-8", "TEXT")) == [b"1"]
assert ok(client.uid("SEARCH", "FROM", "bob@remote.test")) == [b"2"]
assert b"\\Answered" in ok(client.store("2", "+FLAGS", r"(\Answered)"))[0]
assert ok(client.search(None, "ANSWERED")) == [b"2"]
ok(client.copy("2", name))
assert client.response("COPYUID")[1][0].endswith(b" 2 2"), client.response("COPYUID")
assert ok(client.uid("MOVE", "2", "Archive"))
assert ok(client.search(None, "ALL")) == [b"1"]
assert client.response("EXPUNGE")[1] == [b"2"]
ok(client.store("1", "+FLAGS.SILENT", r"(\Deleted)"))
assert ok(client.expunge()) == [b"1"]
assert ok(client.select(name)) == [b"2"] and ok(client.search(None, "ANSWERED")) == [b"2"]
assert ok(client.select("Archive")) == [b"1"]
assert ok(client.unselect())
assert client.state == "AUTH"
ok(client.unsubscribe(name))
ok(client.delete(name))
assert client.delete(name)[0] == "NO"
assert client.logout()[0] == "BYE"
"#;
    for way in Way::BOTH {
        let server = Setup::mail().start();
        server.leave(&hard_message("one"));
        server.leave(b"From: bob@remote.test\r\nSubject: two\r\n\r\n1\r\n2\r\n");
        run_ok(&mut imaplib(&server, script, way, server.setup.dir.path()));
    }
}
