//! Peers that do not speak TLS, or stop in the middle.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What the peer gets that sends `bytes`, and closes if `close`; and what is logged.
async fn say(bytes: &[u8], close: bool) -> (Vec<u8>, TlsError) {
    let acceptor = FakeCerts::default().acceptor();
    let (mut near, far) = duplex(64 * 1024);
    let peer = async {
        near.write_all(bytes).await.unwrap();
        if close {
            near.shutdown().await.unwrap();
        }
        let mut answer = Vec::new();
        near.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let (answer, outcome) = tokio::join!(peer, acceptor.accept(Stream::new(far)));
    (answer, outcome.unwrap_err())
}

fn is_alert(answer: &[u8]) -> bool {
    answer.len() == 7 && answer.starts_with(&[21, 3]) && answer[3..5] == [0, 2] && answer[5] == 2
}

#[tokio::test]
async fn plaintext_gets_an_alert_and_never_text() {
    for (bytes, guess) in [
        (&b"EHLO client.example\r\n"[..], "SMTP"),
        (b"GET / HTTP/1.0\r\n\r\n", "HTTP"),
        (b"a LOGIN joe secret\r\n", "IMAP"),
        (b"USER joe\r\n", "POP3"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY"),
    ] {
        let (answer, error) = say(bytes, false).await;
        assert_eq!(error.code, TlsErrorCode::PlaintextOnTlsPort, "{error}");
        assert!(error.message.contains(guess), "{error}");
        assert!(is_alert(&answer), "{answer:?}");
    }
}

#[tokio::test]
async fn binary_rubbish_gets_an_alert() {
    for bytes in [&[0_u8; 64][..], &[0xff; 64], &[22, 3, 1, 0, 4, 9, 9, 9, 9], &[22, 3, 1, 0xff, 0xff, 1, 2, 3]] {
        let (answer, error) = say(bytes, true).await;
        assert!(
            matches!(
                error.code,
                TlsErrorCode::PlaintextOnTlsPort | TlsErrorCode::PeerMisbehaved | TlsErrorCode::Truncated
            ),
            "{bytes:?}: {error}"
        );
        assert!(answer.is_empty() || is_alert(&answer), "{answer:?}");
    }
}

#[tokio::test]
async fn ssl2_has_no_version_in_common() {
    let (_, error) = say(b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", false).await;
    assert_eq!(error.code, TlsErrorCode::NoCommonVersion, "{error}");
}

#[tokio::test]
async fn an_end_during_the_handshake_is_truncation() {
    for bytes in [&b""[..], &[22], &[22, 3, 1, 2, 0, 1, 0, 1, 0xfc]] {
        let (answer, error) = say(bytes, true).await;
        assert_eq!(error.code, TlsErrorCode::Truncated, "{bytes:?}: {error}");
        assert!(answer.is_empty(), "{answer:?}");
    }
    // Too short for a record, and clearly text.
    let (_, error) = say(b"hi", true).await;
    assert_eq!(error.code, TlsErrorCode::PlaintextOnTlsPort);
}

#[tokio::test]
async fn an_end_after_the_servers_flight_is_truncation() {
    let authority = Authority::new();
    let acceptor = FakeCerts::with("one.example", vec![authority.ecdsa("one.example")]).acceptor();
    let config = Arc::new(authority.client_config(&[&rustls::version::TLS13]));
    let name = ServerName::try_from("one.example").unwrap();
    let mut client = rustls::ClientConnection::new(config, name).unwrap();
    let (mut near, far) = duplex(64 * 1024);
    let peer = async {
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        near.write_all(&hello).await.unwrap();
        // ServerHello is on its way.
        assert_eq!(near.read_u8().await.unwrap(), 22);
        near.shutdown().await.unwrap();
        near.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let ((), outcome) = tokio::join!(peer, acceptor.accept(Stream::new(far)));
    assert_eq!(outcome.unwrap_err().code, TlsErrorCode::Truncated);
}
