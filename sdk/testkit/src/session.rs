//! A session without core: the test is the client.
//!
//! TLS is pretended: the handshake is done when both the protocol and the client have asked for it; then the same bytes go
//! on, with the facts that the test chose. The client asks by [`TestClient::start_tls`], which is the step `TLS` of a
//! dialogue.

mod control;
mod idle;

use control::{Control, Core};
use dovetail_sdk::{
    abi::protocol_v1::{SessionControl, SessionStart},
    protocol::{AuthReport, Session, SessionInfo, TlsFacts},
    tls::TlsError,
    Stream,
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// A session to be opened: a plain one, without the offer of TLS and without passwords, unless told otherwise.
///
/// ```
/// use dovetail_testkit::TestSession;
/// use tokio::io::AsyncReadExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut session, mut client) = TestSession::new().explicit_tls(true).session();
/// let (upgraded, begun) = tokio::join!(session.start_tls(b"go\r\n"), client.start_tls());
/// upgraded?;
/// begun?;
/// assert_eq!(session.tls().map(|facts| facts.version.as_str()), Some("TLSv1.3"));
/// drop(session);
/// let mut seen = String::new();
/// client.read_to_string(&mut seen).await?;
/// assert_eq!(seen, "go\r\n");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TestSession {
    info: SessionInfo,
    upgrade: Result<TlsFacts, TlsError>,
    idle: Option<Duration>,
}

impl TestSession {
    /// A session of the listener `test` with a client at 192.0.2.7.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        TestSession {
            info: SessionInfo {
                id: "test-1".into(),
                listener: "test".into(),
                peer: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 7), 40_000)),
                local: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 4190)),
                hostname: "mail.example.org".into(),
                tls: None,
                explicit_tls: false,
                require_tls: false,
                insecure_auth: false,
            },
            upgrade: Ok(Self::facts()),
            idle: None,
        }
    }

    /// Facts of an ordinary TLS 1.3 connection, to be changed at will.
    pub fn facts() -> TlsFacts {
        TlsFacts {
            version: "TLSv1.3".into(),
            cipher: "TLS_AES_128_GCM_SHA256".into(),
            group: Some("x25519".into()),
            server_name: Some("mail.example.org".into()),
            alpn: None,
            peer_chain: Vec::new(),
            resumed: false,
            exporter: Some(vec![7; 32]),
        }
    }

    /// The session has this id.
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.info.id);
        self
    }

    /// The client comes from this address.
    pub fn peer(mut self, peer: SocketAddr) -> Self {
        self.info.peer = peer;
        self
    }

    /// The session runs inside implicit TLS with these facts.
    pub fn implicit_tls(mut self, facts: TlsFacts) -> Self {
        self.info.tls = Some(facts);
        self
    }

    /// Whether the listener offers explicit TLS.
    pub fn explicit_tls(mut self, offered: bool) -> Self {
        self.info.explicit_tls = offered;
        self
    }

    /// Explicit TLS ends with these facts.
    pub fn tls(mut self, facts: TlsFacts) -> Self {
        self.upgrade = Ok(facts);
        self
    }

    /// Explicit TLS fails in the handshake.
    pub fn failing_tls(mut self, error: TlsError) -> Self {
        self.upgrade = Err(error);
        self
    }

    /// Whether nothing may be served before TLS.
    pub fn require_tls(mut self, required: bool) -> Self {
        self.info.require_tls = required;
        self
    }

    /// Whether passwords may cross without TLS.
    pub fn insecure_auth(mut self, allowed: bool) -> Self {
        self.info.insecure_auth = allowed;
        self
    }

    /// Reads and writes without progress for so long fail with `TimedOut`, as the listener's idle time makes them.
    pub fn idle(mut self, limit: Duration) -> Self {
        self.idle = Some(limit);
        self
    }

    /// Opens it as core hands it to the plugin.
    pub fn open(self) -> (SessionStart, TestClient) {
        let (near, far) = tokio::io::duplex(BUFFER);
        let control = Arc::new(Control::new(self.upgrade));
        let stream = match self.idle {
            Some(limit) => Stream::new(idle::Idle::new(near, limit)),
            None => Stream::new(near),
        };
        let start = SessionStart { info: self.info, stream, control: SessionControl::new(Core(control.clone())) };
        (start, TestClient { stream: far, control })
    }

    /// Opens it as a protocol gets it, for tests of code below `serve`.
    pub fn session(self) -> (Session, TestClient) {
        let (start, client) = self.open();
        (Session::new(start), client)
    }
}

/// The client's end of a session, and a look at what the protocol told core. Dropping it closes the connection.
#[derive(Debug)]
pub struct TestClient {
    stream: DuplexStream,
    control: Arc<Control>,
}

impl TestClient {
    /// The server stops: the session should end soon.
    pub fn drain(&self) {
        self.control.drain();
    }

    /// The authentications that the protocol reported.
    pub fn auth_reports(&self) -> Vec<AuthReport> {
        self.control.auth_reports()
    }

    /// The client's side of the handshake: waits until the protocol has begun its own. Put a time limit around it.
    ///
    /// # Errors
    /// If the test makes the handshake fail, or the client is inside TLS already.
    pub async fn start_tls(&mut self) -> io::Result<()> {
        self.control.client_upgrade().await
    }
}

impl Drop for TestClient {
    fn drop(&mut self) {
        self.control.client_is_gone();
    }
}

impl AsyncRead for TestClient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for TestClient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// So much may be under way in each direction before the writer waits.
const BUFFER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_sdk::{line::Line, protocol::StartTlsError, tls::TlsErrorCode};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn an_upgrade_that_fails_ends_the_connection() {
        let error = TlsError { code: TlsErrorCode::PeerMisbehaved, message: "no".into() };
        let (mut session, mut client) = TestSession::new().explicit_tls(true).failing_tls(error.clone()).session();
        assert!(session.may_start_tls());
        let (failed, begun) = tokio::join!(session.start_tls(b"go\r\n"), client.start_tls());
        assert!(matches!(failed, Err(StartTlsError::Tls(got)) if got == error));
        assert_eq!(begun.unwrap_err().to_string(), "no");
        let mut seen = String::new();
        client.read_to_string(&mut seen).await.unwrap();
        assert_eq!(seen, "go\r\n");
    }

    #[tokio::test]
    async fn an_upgrade_happens_once() {
        let (mut session, mut client) = TestSession::new().explicit_tls(true).session();
        let (upgraded, begun) = tokio::join!(session.start_tls(b""), client.start_tls());
        assert!(upgraded.is_ok() && begun.is_ok());
        assert!(matches!(session.start_tls(b"").await, Err(StartTlsError::Tls(_))));
        assert!(client.start_tls().await.is_err());
    }

    #[tokio::test]
    async fn a_client_that_goes_instead_of_a_handshake_fails_it() {
        let (mut session, client) = TestSession::new().explicit_tls(true).session();
        drop(client);
        let failed = session.start_tls(b"").await;
        assert!(matches!(failed, Err(StartTlsError::Tls(error)) if error.code == TlsErrorCode::Truncated));
    }

    #[tokio::test]
    async fn the_facts_and_the_listener_are_as_the_test_says() {
        let peer: SocketAddr = "[2001:db8::1]:5000".parse().unwrap();
        let test = TestSession::new().id("s7").peer(peer).require_tls(true).implicit_tls(TestSession::facts());
        let (session, _client) = test.session();
        assert_eq!((session.info.id.as_str(), session.info.peer, session.info.require_tls), ("s7", peer, true));
        assert!(session.may_take_password() && !session.may_start_tls());
        let (session, _client) = TestSession::new().session();
        assert!(!session.may_take_password());
        let (session, _client) = TestSession::new().insecure_auth(true).session();
        assert!(session.may_take_password());
        let (session, _client) = TestSession::new().insecure_auth(true).require_tls(true).session();
        assert!(!session.may_take_password(), "who demands TLS means passwords, too");
    }

    #[tokio::test]
    async fn authentications_and_draining_reach_the_other_side() {
        let (session, client) = TestSession::new().session();
        session.authenticated("anna", "PLAIN", false).await;
        let expected = AuthReport { name: "anna".into(), mechanism: "PLAIN".into(), accepted: false };
        assert_eq!(client.auth_reports(), [expected]);
        let draining = tokio::spawn(session.draining());
        tokio::task::yield_now().await;
        assert!(!draining.is_finished());
        client.drain();
        draining.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_idle_and_a_talking_one_is_not() {
        let (mut session, mut client) = TestSession::new().idle(Duration::from_secs(60)).session();
        let began = tokio::time::Instant::now();
        let talk = async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            client.write_all(b"NOOP\r\n").await.unwrap();
        };
        let (line, ()) = tokio::join!(session.stream.read_line(100), talk);
        assert_eq!(line.unwrap(), Line::Good(b"NOOP".to_vec()));
        let error = session.stream.read_line(100).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 110);
    }
}
