//! Python's smtplib and poplib, with the server's certificate checked.

use super::{fetches, sends, Way};
use crate::{
    harness::{have, run, run_ok, Server, Setup, PASSWORD, USER},
    mail::hard_message,
    tls::HOST,
};
use std::process::{Command, Stdio};

/// What every script begins with: names for what it is given, and connections to [`HOST`] that end up at loopback.
const HEAD: &str = r#"
import poplib, smtplib, socket, ssl, sys
way, port, host, ca, user, password, path = sys.argv[1:]
port = int(port)
context = ssl.create_default_context(cafile=ca)
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda name, *rest, **more: resolve("127.0.0.1" if name == host else name, *rest, **more)
poplib._MAXLINE = 100000
def smtp():
    if way == "Implicit":
        return smtplib.SMTP_SSL(host, port, "client.test", timeout=60, context=context)
    client = smtplib.SMTP(host, port, "client.test", timeout=60)
    assert not client.has_extn("auth")
    client.starttls(context=context)
    return client
def pop():
    if way == "Implicit":
        return poplib.POP3_SSL(host, port, timeout=60, context=context)
    client = poplib.POP3(host, port, timeout=60)
    client.stls(context=context)
    return client
"#;

/// Python with a script behind [`HEAD`], for a listener.
pub fn python(server: &Server, script: &str, way: Way, listener: &str) -> Command {
    let mut command = Command::new("python3");
    command
        .args(["-I", "-c", &format!("{HEAD}{script}")])
        .args([&format!("{way:?}"), &server.port(listener).to_string(), HOST])
        .arg(server.setup.crt(HOST))
        .args([USER, PASSWORD])
        .arg(server.setup.dir.path().join("message"));
    command
}

#[test]
fn smtplib_sends() {
    if !have("python3") {
        return;
    }
    sends(|server, way, message| {
        std::fs::write(server.setup.dir.path().join("message"), message).unwrap();
        let script = r#"
client = smtp()
client.login(user, password)
assert client.has_extn("size") and client.has_extn("8bitmime") and client.has_extn("pipelining")
refused = client.sendmail(user, [user], open(path, "rb").read(), mail_options=["BODY=8BITMIME"])
assert refused == {}, refused
client.quit()
"#;
        run_ok(&mut python(server, script, way, way.submission()));
    });
}

#[test]
fn poplib_fetches() {
    if !have("python3") {
        return;
    }
    fetches(|server, way| {
        let script = r#"
client = pop()
client.user(user)
client.pass_(password)
assert client.stat()[0] == 1
answer, lines, octets = client.retr(1)
whole = b"".join(line + b"\r\n" for line in lines)
assert len(whole) == client.stat()[1], (len(whole), client.stat())
sys.stdout.buffer.write(whole)
client.quit()
"#;
        let output = python(server, script, way, way.pop3()).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success());
        output.stdout
    });
}

#[test]
fn poplib_does_a_whole_session() {
    if !have("python3") {
        return;
    }
    let server = Setup::mail().start();
    server.leave(&hard_message("one"));
    server.leave(b"Subject: two\r\n\r\n1\r\n2\r\n");
    let script = r#"
client = pop()
assert "USER" in client.capa()
client.user(user); client.pass_(password)
assert client.stat()[0] == 2
assert len(client.list()[1]) == 2 and len(client.uidl()[1]) == 2
assert client.top(2, 1)[1][-3:] == [b"Subject: two", b"", b"1"], client.top(2, 1)
client.dele(1)
assert client.stat()[0] == 1
client.rset()
assert client.stat()[0] == 2
client.dele(1)
client.noop()
client.quit()
client = pop()
client.user(user); client.pass_(password)
assert client.stat()[0] == 1
assert b"Subject: two" in client.retr(1)[1]
client.dele(1)
# Cut off: not a word, not even TLS's.
client.sock.shutdown(socket.SHUT_RDWR)
client = pop()
client.user(user); client.pass_(password)
assert client.stat()[0] == 1
client.quit()
"#;
    run_ok(&mut python(&server, script, Way::Explicit, "pop3"));
}

#[test]
fn smtplib_is_told_what_is_wrong() {
    if !have("python3") {
        return;
    }
    let server = Setup::mail().start();
    let script = r#"
client = smtp()
try:
    client.login(user, "wrong password")
    sys.exit("logged in")
except smtplib.SMTPAuthenticationError as error:
    assert error.smtp_code == 535, error
client.login(user, password)
refused = client.sendmail(user, [user, "nobody@example.test"], b"Subject: x\r\n\r\n")
assert list(refused) == ["nobody@example.test"] and refused["nobody@example.test"][0] == 550, refused
try:
    client.sendmail(user, ["somebody@elsewhere.test"], b"Subject: x\r\n\r\n")
    sys.exit("relayed")
except smtplib.SMTPRecipientsRefused as error:
    assert error.recipients["somebody@elsewhere.test"][0] == 550, error
client.quit()
"#;
    run_ok(&mut python(&server, script, Way::Explicit, "submission"));
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 1);
    // Without STARTTLS, smtplib finds no way to log in.
    let script = r#"
smtplib.SMTP(host, port, timeout=60).login(user, password)
"#;
    let (status, _, stderr) = run(&mut python(&server, script, Way::Explicit, "submission"));
    assert!(!status.success());
    assert!(stderr.contains("SMTPNotSupportedError"), "{stderr}");
}
