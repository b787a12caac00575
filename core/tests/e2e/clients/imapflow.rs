//! imapflow for Node, with the server's certificate checked.

use super::{installed, letters::files, reads_all, run_and_deliver, Way};
use crate::{
    harness::{have_by, run, run_ok, Server, Setup, PASSWORD, USER},
    mail::hard_message,
    tls::HOST,
};
use std::{path::Path, process::Command};

/// What every script begins with.
const HEAD: &str = r#"
const assert = require('assert'), fs = require('fs');
const { ImapFlow } = require('imapflow');
const [way, port, host, ca, user, pass, folder] = process.argv.slice(1);
function imap(more) {
    const tls = { ca: fs.readFileSync(ca), servername: host };
    const secure = way === 'Implicit';
    // An explicit one without STARTTLS is none.
    return new ImapFlow({ host: '127.0.0.1', servername: host, port: Number(port), secure, doSTARTTLS: secure ? undefined : true,
        tls, auth: { user, pass }, logger: false, ...more });
}
function keep(uid, message) {
    fs.writeFileSync(`${folder}/${String(uid).padStart(4, '0')}`, message);
}
async function session() {
    const client = imap();
    await client.connect();
    return client;
}
function run(main) {
    main().then(() => process.exit(0), error => { console.error(error); process.exit(1); });
}
"#;

#[track_caller]
fn have_imapflow() -> bool {
    let folder = installed().join("node_modules/imapflow");
    have_by("imapflow for Node", &format!("command -v node && test -d '{}'", folder.display()))
}

fn imapflow(server: &Server, script: &str, way: Way, ca: &Path, folder: &Path) -> Command {
    let mut command = Command::new("node");
    command
        .args(["-e", &format!("{HEAD}run(async () => {{{script}}});"), "--"])
        .args([&format!("{way:?}"), &server.port(way.imap()).to_string(), HOST])
        .arg(ca)
        .args([USER, PASSWORD])
        .arg(folder)
        .env("NODE_PATH", installed().join("node_modules"));
    command
}

#[test]
fn imapflow_reads_every_message() {
    if !have_imapflow() {
        return;
    }
    reads_all(|inbox, way| {
        let folder = inbox.folder(&format!("imapflow-{way:?}"));
        let script = r#"
const client = await session();
assert.strictEqual(client.secureConnection, true);
await client.mailboxOpen('INBOX', { readOnly: true });
for await (const message of client.fetch('1:*', { source: true, size: true, envelope: true, bodyStructure: true })) {
    assert.strictEqual(message.size, message.source.length);
    keep(message.uid, message.source);
    if (message.envelope.subject === 'attachments') {
        assert.deepStrictEqual(message.bodyStructure.childNodes.map(node => node.type),
            ['text/plain', 'application/octet-stream', 'message/rfc822']);
    }
}
// In pieces, undecoded; and an attachment, decoded.
const download = async (uid, part) => {
    const { content } = await client.download(uid, part, { uid: true, chunkSize: 10000 });
    const pieces = [];
    for await (const piece of content) pieces.push(piece);
    return Buffer.concat(pieces);
};
for (const uid of await client.search({ all: true }, { uid: true })) {
    assert.ok(fs.readFileSync(`${folder}/${String(uid).padStart(4, '0')}`).equals(await download(String(uid))), `UID ${uid}`);
}
const [attached] = await client.search({ subject: 'attachments' }, { uid: true });
const octets = await download(String(attached), '2');
assert.ok(octets.length === 40000 && octets.every((octet, at) => octet === at % 256), `${octets.length}`);
await client.logout();
"#;
        run_ok(&mut imapflow(&inbox.server, script, way, &inbox.server.setup.crt(HOST), &folder));
        files(&folder)
    });
}

#[test]
fn imapflow_does_a_whole_session() {
    if !have_imapflow() {
        return;
    }
    let script = r#"
const client = await session();
const special = Object.fromEntries((await client.list()).map(box => [box.path, box.specialUse]));
assert.deepStrictEqual(special, { INBOX: '\\Inbox', Archive: '\\Archive', Drafts: '\\Drafts', Junk: '\\Junk', Sent: '\\Sent',
    Trash: '\\Trash' });
const { created } = await client.mailboxCreate(['Käse', 'Grüße & more']);
assert.ok(created);
assert.ok((await client.list()).some(box => box.path === 'Käse/Grüße & more'));
const { path: renamed } = await client.mailboxRename('Käse', 'Brot').then(({ newPath }) => ({ path: newPath }));
assert.strictEqual(renamed, 'Brot');

const message = Buffer.from('From: eve@remote.test\r\nSubject: k\u00e4se\r\n\r\ngr\u00fc\u00dfe', 'latin1');
const when = new Date('2003-02-01T03:05:06Z');
const appended = await client.append('Brot', message, ['\\Flagged', '$Work'], when);
assert.strictEqual(appended.uid, 1);
assert.deepStrictEqual({ messages: 1, uidNext: 2, unseen: 1 },
    (({ messages, uidNext, unseen }) => ({ messages, uidNext, unseen }))(
        await client.status('Brot', { messages: true, uidNext: true, unseen: true })));
await client.mailboxOpen('Brot');
let got = await client.fetchOne('1', { source: true, flags: true, internalDate: true });
assert.ok(got.source.equals(message));
assert.ok(got.flags.has('\\Flagged') && got.flags.has('$Work'));
assert.strictEqual(new Date(got.internalDate).getTime(), when.getTime());
assert.ok(await client.messageFlagsAdd('1', ['\\Answered', 'other']));
assert.ok(await client.messageFlagsRemove('1', ['\\Flagged']));
got = await client.fetchOne('1', { flags: true });
assert.ok(got.flags.has('\\Answered') && got.flags.has('other') && !got.flags.has('\\Flagged'));
assert.deepStrictEqual(await client.search({ answered: true, from: 'eve' }), [1]);
const copied = await client.messageCopy('1', 'Archive');
assert.strictEqual(copied.uidMap.get(1), 1);
const moved = await client.messageMove('1', 'Brot/Grüße & more');
assert.strictEqual(moved.uidMap.get(1), 1);
assert.strictEqual(client.mailbox.exists, 0);

// IDLE begins by itself; mail comes, and another session takes some away.
const lock = await client.getMailboxLock('INBOX');
lock.release();
const exists = new Promise(resolve => client.once('exists', resolve));
const idle = client.idle();
while (!client.idling) await new Promise(setImmediate);
console.log('idling');
const news = await exists;
assert.strictEqual(news.count, 2);
assert.strictEqual(news.prevCount, 1);
const gone = new Promise(resolve => client.once('expunge', resolve));
const other = await session();
await other.mailboxOpen('INBOX');
assert.ok(await other.messageDelete('1'));
await other.logout();
assert.strictEqual((await gone).seq, 1);
got = await client.fetchOne('*', { source: true });
await idle;
assert.ok(got.source.toString().endsWith('Subject: delivered while idle\r\n\r\n'));
await client.mailboxClose();
assert.ok(await client.mailboxDelete('Brot/Grüße & more'));
await client.logout();
"#;
    for way in Way::BOTH {
        let server = Setup::mail().start();
        server.leave(&hard_message("one"));
        let mut command = imapflow(&server, script, way, &server.setup.crt(HOST), server.setup.dir.path());
        run_and_deliver(&server, &mut command, b"Subject: delivered while idle\r\n\r\n");
    }
}

#[test]
fn imapflow_takes_no_strangers_certificate_and_knows_a_refusal() {
    if !have_imapflow() {
        return;
    }
    let (server, stranger) = (Setup::mail().start(), Setup::mail().start());
    let folder = server.setup.dir.path();
    let refused = r#"
const error = await imap({ auth: { user, pass: 'wrong' } }).connect().then(() => assert.fail('logged in'), error => error);
assert.ok(error.authenticationFailed && error.serverResponseCode === 'AUTHENTICATIONFAILED', error);
"#;
    for way in Way::BOTH {
        let crt = stranger.setup.crt(HOST);
        let (status, _, stderr) = run(&mut imapflow(&server, "await session();", way, &crt, folder));
        assert!(!status.success() && stderr.contains("SELF_SIGNED_CERT"), "{stderr}");
        run_ok(&mut imapflow(&server, refused, way, &server.setup.crt(HOST), folder));
    }
}
