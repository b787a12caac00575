//! Playing a script.

use super::{pattern::Pattern, Act, DialogueError, Peer, Script, MAX_LINE};
use std::{future::Future, io};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

impl Script {
    /// Holds the dialogue. What the server has said beyond the last step may have been read and is forgotten then.
    ///
    /// # Errors
    /// At the first step that fails.
    pub async fn play<S: Peer>(&self, peer: &mut S) -> Result<(), DialogueError> {
        let mut heard = Heard { peer, buffer: Vec::new() };
        for step in &self.steps {
            let at = At { script: self, line: step.line };
            match &step.act {
                Act::Send(bytes) => at.send(heard.peer, bytes).await?,
                Act::Close => at.timed("closing", heard.peer.shutdown()).await?,
                Act::Expect(pattern) => {
                    let line = at.line(&mut heard, pattern).await?;
                    if !pattern.matches(&line) {
                        return Err(at.differs(pattern, show(&line)));
                    }
                }
                Act::ExpectLater(pattern) => while !pattern.matches(&at.line(&mut heard, pattern).await?) {},
                Act::ExpectEnd => at.end(&mut heard).await?,
                Act::Tls => {
                    if !heard.buffer.is_empty() {
                        return Err(at.differs("the handshake", show(&heard.buffer)));
                    }
                    at.timed("the upgrade to TLS", heard.peer.upgrade()).await?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn io(&self, line: usize, doing: &str, source: io::Error) -> DialogueError {
        DialogueError::Io { script: self.name.clone(), line, doing: doing.to_owned(), source }
    }
}

/// A place in a script.
struct At<'a> {
    script: &'a Script,
    line: usize,
}

impl At<'_> {
    async fn send<S: Peer>(&self, peer: &mut S, bytes: &[u8]) -> Result<(), DialogueError> {
        let sent = async {
            peer.write_all(bytes).await?;
            peer.flush().await
        };
        self.timed("sending", sent).await
    }

    async fn timed<T>(&self, doing: &str, work: impl Future<Output = io::Result<T>>) -> Result<T, DialogueError> {
        let done = tokio::time::timeout(self.script.limit, work).await;
        done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|source| self.script.io(self.line, doing, source))
    }

    /// The server's next line.
    async fn line<S: Peer>(&self, heard: &mut Heard<'_, S>, expected: &Pattern) -> Result<Vec<u8>, DialogueError> {
        match tokio::time::timeout(self.script.limit, heard.line()).await {
            Ok(Ok(Some(line))) => match line.strip_suffix(b"\r\n") {
                Some(content) => Ok(content.to_vec()),
                None => Err(self.differs(expected, format!("{} (a line that ends in a bare LF)", show(&line)))),
            },
            Ok(Ok(None)) => {
                Err(self.differs(expected, format!("{} (then the end of the connection)", show(&heard.buffer))))
            }
            Ok(Err(source)) => Err(self.script.io(self.line, "reading", source)),
            Err(_) => Err(self.silent(expected, &heard.buffer)),
        }
    }

    async fn end<S: Peer>(&self, heard: &mut Heard<'_, S>) -> Result<(), DialogueError> {
        let expected = "the end of the connection";
        if heard.buffer.is_empty() {
            match tokio::time::timeout(self.script.limit, heard.more()).await {
                Ok(Ok(_)) => {}
                Ok(Err(source)) => return Err(self.script.io(self.line, "reading", source)),
                Err(_) => return Err(self.silent(expected, &[])),
            }
        }
        if heard.buffer.is_empty() {
            return Ok(());
        }
        Err(self.differs(expected, show(&heard.buffer)))
    }

    fn differs(&self, expected: impl ToString, got: String) -> DialogueError {
        let (script, expected) = (self.script.name.clone(), expected.to_string());
        DialogueError::Differs { script, line: self.line, expected, got }
    }

    fn silent(&self, expected: impl ToString, got: &[u8]) -> DialogueError {
        let (script, expected, got) = (self.script.name.clone(), expected.to_string(), show(got));
        DialogueError::Silent { script, line: self.line, limit: self.script.limit, expected, got }
    }
}

/// What has come and is not yet consumed.
struct Heard<'a, S> {
    peer: &'a mut S,
    buffer: Vec<u8>,
}

impl<S: Peer> Heard<'_, S> {
    /// The next line with its end, or nothing at the end of the connection. May be dropped while it waits.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut looked = 0;
        loop {
            if let Some(at) = self.buffer[looked..].iter().position(|&octet| octet == b'\n') {
                let rest = self.buffer.split_off(looked + at + 1);
                return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
            }
            looked = self.buffer.len();
            if looked > MAX_LINE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the server's line is longer than 1 MiB"));
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    async fn more(&mut self) -> io::Result<bool> {
        Ok(self.peer.read_buf(&mut self.buffer).await? > 0)
    }
}

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dialogue::WithTls, TestSession};
    use std::time::Duration;
    use tokio::io::{duplex, DuplexStream};

    /// What a script says to a server that sends `said` and closes if `closes`.
    async fn play(script: &str, said: &[u8], closes: bool) -> Result<(), DialogueError> {
        let (mut client, mut server) = duplex(1 << 16);
        server.write_all(said).await.unwrap();
        let open = (!closes).then_some(server);
        let played = Script::parse("s", script).unwrap().play(&mut client).await;
        drop(open);
        played
    }

    async fn failure(script: &str, said: &[u8], closes: bool) -> String {
        play(script, said, closes).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn what_is_expected_may_come() {
        play("S: a\nS: b*\nS!", b"a\r\nbcd\r\n", true).await.unwrap();
        play("S: 250-x\nS: ...\nS: 250 *\nS: 221", b"250-x\r\n250-y\r\n250-z\r\n250 w\r\n221\r\n", false)
            .await
            .unwrap();
        play("S: ...\nS: a", b"a\r\n", false).await.unwrap();
    }

    #[tokio::test]
    async fn other_lines_are_shown_beside_the_expected_one() {
        let error = failure("\nS: 250 *", b"500 \xffno\r\n", false).await;
        assert_eq!(error, "s:2: the server said something else\n  expected: 250 *\n       got: 500 \\xffno");
        assert!(failure("S: a", b"a\n", false).await.contains("bare LF"));
        assert!(failure("S: a", b"par", true).await.contains("got: par (then the end"));
        assert!(failure("S: ...\nS: a", b"b\r\n", true).await.contains("then the end"));
    }

    #[tokio::test]
    async fn the_end_comes_without_another_octet() {
        assert!(failure("S!", b"x", true).await.contains("got: x"));
        assert!(failure("S: a\nS!", b"a\r\nb\r\n", true).await.contains("got: b\\r\\n"));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_fails_after_the_limit_and_not_before() {
        let began = tokio::time::Instant::now();
        let error = failure("S: hello", b"hel", false).await;
        assert!(error.contains("silent for 10s") && error.contains("got: hel"), "{error}");
        assert_eq!(began.elapsed(), Duration::from_secs(10));
        let (mut client, _server) = duplex(16);
        let script = Script::parse("s", "S!").unwrap().limit(Duration::from_secs(1));
        assert!(matches!(script.play(&mut client).await, Err(DialogueError::Silent { .. })));
        assert_eq!(began.elapsed(), Duration::from_secs(11));
    }

    #[tokio::test]
    async fn what_is_said_arrives_as_written_and_pipelined_lines_together() {
        let (mut client, mut server) = duplex(1 << 16);
        let script = Script::parse("s", "C+ a\nC: b\nC> c\\0\nC!").unwrap();
        script.play(&mut client).await.unwrap();
        let mut got = [0; 64];
        let first = server.read(&mut got).await.unwrap();
        assert_eq!(&got[..first], b"a\r\nb\r\nc\0");
        assert_eq!(server.read(&mut got).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn pipelined_lines_leave_in_one_write() {
        let (mut client, server) = duplex(1 << 16);
        let writes = tokio::spawn(async move { sizes(server).await });
        Script::parse("s", "C+ a\nC: b\nS: ok").unwrap().play(&mut client).await.unwrap();
        assert_eq!(writes.await.unwrap(), 6);
    }

    /// The size of the first piece; then answers.
    async fn sizes(mut server: DuplexStream) -> usize {
        let size = server.read(&mut [0; 64]).await.unwrap();
        server.write_all(b"ok\r\n").await.unwrap();
        size
    }

    #[tokio::test]
    async fn a_closed_server_is_an_error_of_the_connection() {
        let (mut client, server) = duplex(16);
        drop(server);
        let error = Script::parse("s", "C: a").unwrap().play(&mut client).await.unwrap_err();
        assert!(error.to_string().contains("s:1: the connection failed at sending"), "{error}");
    }

    #[tokio::test]
    async fn an_endless_line_is_cut_off() {
        let (mut client, mut server) = duplex(1 << 16);
        tokio::spawn(async move { while server.write_all(&[b'x'; 1 << 15]).await.is_ok() {} });
        let error = Script::parse("s", "S: a").unwrap().play(&mut client).await.unwrap_err();
        assert!(error.to_string().contains("longer than 1 MiB"), "{error}");
    }

    #[tokio::test]
    async fn tls_waits_for_the_protocol_and_refuses_early_octets() {
        let (mut session, mut client) = TestSession::new().explicit_tls(true).session();
        let served = tokio::spawn(async move {
            session.stream.read_line(100).await.unwrap();
            session.start_tls(b"go\r\n").await.unwrap();
            session.stream.queue(b"in\r\n");
            session.stream.flush().await.unwrap();
            session
        });
        Script::parse("s", "C: STARTTLS\nS: go\nTLS\nS: in").unwrap().play(&mut client).await.unwrap();
        served.await.unwrap();
        let error = failure("S: go\nTLS", b"go\r\ninjected\r\n", false).await;
        assert!(error.contains("expected: the handshake") && error.contains("injected"), "{error}");
        assert!(failure("TLS", b"", false).await.contains("use WithTls"));
    }

    #[tokio::test]
    async fn a_handshake_that_fails_is_an_error_and_happens_once() {
        let (client, _server) = duplex(16);
        let mut peer = WithTls::new(client, |_| async { Err::<DuplexStream, _>(io::Error::other("bad certificate")) });
        let error = Script::parse("s", "TLS").unwrap().play(&mut peer).await.unwrap_err().to_string();
        assert!(error.contains("the upgrade to TLS: bad certificate"), "{error}");
        let error = Script::parse("s", "TLS").unwrap().play(&mut peer).await.unwrap_err().to_string();
        assert!(error.contains("upgraded before"), "{error}");
    }
}
