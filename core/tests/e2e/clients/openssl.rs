//! `openssl s_client` as a tunnel, with the server's certificate checked; a person types through it.

use super::{fetches, sends, Way};
use crate::{
    harness::{have, Client, Server, PASSWORD, USER},
    mail::plain,
    tls::HOST,
};
use std::{
    io::{self, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A running s_client.
struct Tunnel {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
}

impl Read for Tunnel {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stdout.read(buf)
    }
}

impl Write for Tunnel {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stdin.write(buf)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.stdin.flush()
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tunnel(server: &Server, listener: &str, starttls: Option<&str>) -> Client<Tunnel> {
    let mut command = Command::new("timeout");
    command.args(["60", "openssl", "s_client", "-quiet", "-verify_return_error", "-verify_hostname", HOST, "-CAfile"]);
    command.arg(server.setup.crt(HOST)).args(["-servername", HOST, "-connect", &server.address(listener).to_string()]);
    if let Some(protocol) = starttls {
        command.args(["-starttls", protocol]);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    Client { stream: BufReader::new(Tunnel { child, stdin, stdout }) }
}

#[test]
fn openssl_sends() {
    if !have("openssl") {
        return;
    }
    sends(|server, way, message| {
        let mut client = match way {
            // s_client reads the greeting itself.
            Way::Explicit => tunnel(server, "submission", Some("smtp")),
            Way::Implicit => {
                let mut client = tunnel(server, "submissions", None);
                assert!(client.line().starts_with("220 "));
                client
            }
        };
        client.ehlo();
        client.expect(&format!("AUTH PLAIN {}", plain(USER, PASSWORD)), "235 ");
        let answer = client.mail(USER, &[USER], message);
        assert!(answer.starts_with("250 2.0.0 "), "{answer}");
        client.expect("QUIT", "221 ");
        assert_eq!(client.rest(), b"");
    });
}

#[test]
fn openssl_fetches() {
    if !have("openssl") {
        return;
    }
    fetches(|server, way| {
        let mut client = match way {
            Way::Explicit => tunnel(server, "pop3", Some("pop3")),
            Way::Implicit => {
                let mut client = tunnel(server, "pop3s", None);
                assert!(client.line().starts_with("+OK"));
                client
            }
        };
        client.pop_login(USER, PASSWORD);
        let message = client.pop_body("RETR 1");
        client.expect("QUIT", "+OK");
        assert_eq!(client.rest(), b"");
        message
    });
}
