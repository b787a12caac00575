//! A session with one message of 8 KiB: greeting, EHLO, MAIL, RCPT and DATA in one packet, the message, QUIT.

use super::{
    tls::{self, PIPE},
    ways::{acceptor::Accept, protocol::Serve},
};
use crate::{error::Error, fakes};
use dovetail_sdk::Stream;
use tokio::io::{duplex, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;

/// Sessions over plain connections.
pub async fn plain(serve: impl Serve, count: u32) -> Result<(), Error> {
    let message = message();
    for _ in 0..count {
        let (near, far) = duplex(PIPE);
        let served = tokio::spawn(serve(fakes::session(Stream::new(far), None)));
        send(near, &message).await?;
        served.await??;
    }
    Ok(())
}

/// Sessions over TLS connections, with the handshake.
pub async fn in_tls((accept, client): (impl Accept, TlsConnector), serve: impl Serve, count: u32) -> Result<(), Error> {
    let message = message();
    for _ in 0..count {
        let (client, stream, facts) = tls::connect(&accept, &client).await?;
        let served = tokio::spawn(serve(fakes::session(stream, Some(facts))));
        send(client, &message).await?;
        served.await??;
    }
    Ok(())
}

async fn send(mut server: impl AsyncRead + AsyncWrite + Unpin, message: &[u8]) -> Result<(), Error> {
    let envelope = b"MAIL FROM:<ann@example.com> SIZE=8192\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n";
    for (bytes, code) in [
        (&b""[..], "220 "),
        (b"EHLO client.example.com\r\n", "250 "),
        (envelope, "354 "),
        (message, "250 "),
        (b"QUIT\r\n", "221 "),
    ] {
        server.write_all(bytes).await?;
        server.flush().await?;
        answer(&mut server, code).await?;
    }
    Ok(())
}

/// Reads until the last line that came is a last line with this code.
async fn answer(server: &mut (impl AsyncRead + Unpin), code: &str) -> Result<(), Error> {
    let mut answer = [0; 1024];
    let mut len = 0;
    loop {
        let count = server.read(&mut answer[len..]).await?;
        len += count;
        let came = &answer[..len];
        if let Some(lines) = came.strip_suffix(b"\r\n") {
            let last = lines.rsplit(|&b| b == b'\n').next().unwrap_or_default();
            if last.starts_with(code.as_bytes()) {
                return Ok(());
            }
        }
        if count == 0 {
            return Err(Error::Unexpected { expected: code.into(), got: String::from_utf8_lossy(came).into_owned() });
        }
    }
}

/// 8192 octets and the end of data.
fn message() -> Vec<u8> {
    let mut message = Vec::with_capacity(SIZE + END.len());
    message.extend_from_slice(HEADER);
    while message.len() + LINE.len() <= SIZE {
        message.extend_from_slice(LINE);
    }
    let rest = SIZE - message.len();
    message.extend(std::iter::repeat_n(b'x', rest.saturating_sub(2)));
    message.extend_from_slice(b"\r\n");
    message.extend_from_slice(END);
    message
}

const SIZE: usize = 8192;
const END: &[u8] = b".\r\n";
const HEADER: &[u8] = b"From: Ann <ann@example.com>\r\nTo: Bob <bob@example.org>\r\nSubject: 8 KiB\r\n\
    Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\n";
const LINE: &[u8] = b"The quick brown fox jumps over the lazy dog, and the dog does not mind.\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_8_kib_and_whole_lines() {
        let message = message();
        let text = message.strip_suffix(END).unwrap();
        assert_eq!(text.len(), SIZE);
        assert!(text.ends_with(b"\r\n"));
        assert!(text.split(|&b| b == b'\n').all(|line| line.is_empty() || line.ends_with(b"\r")));
    }

    #[tokio::test]
    async fn an_answer_ends_with_its_last_line() {
        answer(&mut &b"250-a\r\n250 b\r\n"[..], "250 ").await.unwrap();
        assert!(answer(&mut &b"250-a\r\n"[..], "250 ").await.is_err());
        assert!(answer(&mut &b"550 no\r\n"[..], "250 ").await.is_err());
    }
}
