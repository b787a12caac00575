//! Peers that do not speak TLS, or stop, or lie.

use super::{
    case::{check, same, soon, Doing, Failed, Outcome},
    hello::{records, Hello},
    lab::{policy, Lab, NAME},
    peer::{connected, Peer, CAPACITY, V12, V13},
};
use dovetail_sdk::{
    tls::{TlsAcceptor, TlsError, TlsErrorCode as Code},
    Stream,
};
use rustls::pki_types::ServerName;
use std::{io, time::Duration};
use tokio::io::{duplex, AsyncReadExt, AsyncWriteExt};

/// Sends bytes to an acceptor, and closes if `close`: what comes back until the acceptor closes, and its error.
pub(super) async fn say(acceptor: &TlsAcceptor, bytes: &[u8], close: bool) -> Result<(Vec<u8>, TlsError), Failed> {
    let (mut near, far) = duplex(CAPACITY);
    let peer = async {
        near.write_all(bytes).await?;
        if close {
            near.shutdown().await?;
        }
        let mut answer = Vec::new();
        near.read_to_end(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let both = async { tokio::join!(peer, acceptor.accept(Stream::new(far))) };
    let (answer, outcome) = soon("the acceptor, after what is no handshake,", both).await?;
    match outcome {
        Ok(_) => Err(Failed("the acceptor accepts what is no handshake".into())),
        Err(error) => Ok((answer?, error)),
    }
}

/// One fatal alert, and nothing else.
pub(super) fn is_alert(answer: &[u8], description: u8) -> bool {
    matches!(answer, [21, 3, _, 0, 2, 2, found] if *found == description)
}

/// An alert of any kind or nothing at all: what a peer may see that made no sense.
fn is_quiet(answer: &[u8]) -> bool {
    matches!(answer, [] | [21, 3, _, 0, 2, 2, _])
}

pub(super) async fn plaintext_is_named_and_gets_no_text(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for bytes in [
        &b"EHLO client.example\r\n"[..],
        b"HELO x\r\n",
        b"MAIL FROM:<a@b.example>\r\n",
        b"a LOGIN joe hunter2\r\n",
        b"a1 CAPABILITY\r\n",
        b". LOGOUT\r\n",
        b"USER hunter2\r\n",
        b"CAPA\r\n",
        b"QUIT\r\n",
        b"STARTTLS\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\npassword=hunter2",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"hello there, how are you?\r\n",
    ] {
        let shown = String::from_utf8_lossy(bytes);
        let (answer, error) = say(&acceptor, bytes, false).await.doing(&shown)?;
        same!(error.code, Code::PlaintextOnTlsPort, "the code for {shown:?} ({error})");
        check!(is_quiet(&answer), "the answer to {shown:?} is {answer:02x?}");
        check!(!error.message.contains("hunter2"), "what the peer sent is in the message: {error}");
    }
    Ok(())
}

/// Shorter than a record's header, and the peer gives up.
pub(super) async fn a_few_letters_are_plaintext(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for bytes in [&b"hi"[..], b"\r\n", b"\r\n\r\n", b"NOOP"] {
        let (answer, error) = say(&acceptor, bytes, true).await?;
        same!(error.code, Code::PlaintextOnTlsPort, "the code for {bytes:?} ({error})");
        check!(is_quiet(&answer), "the answer to {bytes:?} is {answer:02x?}");
    }
    Ok(())
}

pub(super) async fn a_proxy_header_is_plaintext(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for bytes in [
        &b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"[..],
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\0\x01\0\x02",
    ] {
        let (answer, error) = say(&acceptor, bytes, false).await?;
        same!(error.code, Code::PlaintextOnTlsPort, "the code for {bytes:?} ({error})");
        check!(error.message.contains("PROXY"), "the message does not say what it is: {error}");
        check!(is_quiet(&answer), "the answer is {answer:02x?}");
    }
    Ok(())
}

pub(super) async fn ssl2_has_no_version_in_common(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let mut hello = b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10".to_vec();
    hello.resize(0x2e + 2, 0x05);
    let (answer, error) = say(&acceptor, &hello, false).await?;
    same!(error.code, Code::NoCommonVersion, "the code ({error})");
    check!(is_quiet(&answer), "the answer is {answer:02x?}");
    Ok(())
}

pub(super) async fn garbage_is_refused(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let finished = [22, 3, 3, 0, 4, 20, 0, 0, 0];
    let application_data = [23, 3, 3, 0, 4, 1, 2, 3, 4];
    let heartbeat = [24, 3, 3, 0, 3, 1, 0, 0];
    let length_lies = [22, 3, 1, 0, 9, 1, 0, 0, 5, 3, 3, 0, 0, 0];
    let too_long = [22, 3, 1, 0xff, 0xff, 1, 2, 3];
    let huge_message = [22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff];
    for bytes in [
        &[0_u8; 64][..],
        &[0xff; 64],
        &[22, 3, 1, 0, 4, 9, 9, 9, 9],
        &finished,
        &application_data,
        &heartbeat,
        &length_lies,
        &too_long,
        &huge_message,
    ] {
        let (answer, error) = say(&acceptor, bytes, true).await?;
        check!(
            matches!(
                error.code,
                Code::PlaintextOnTlsPort | Code::PeerMisbehaved | Code::Truncated | Code::NoCommonVersion
            ),
            "the code for {bytes:02x?} is {:?} ({error})",
            error.code
        );
        check!(is_quiet(&answer), "the answer to {bytes:02x?} is {answer:02x?}");
    }
    Ok(())
}

/// Each octet of a good hello changed, one after the other.
pub(super) async fn a_damaged_hello_does_no_harm(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let hello = Hello { version: [3, 3], suites: &[0xc02b, 0xc02f], name: Some(NAME.as_bytes()) }.record();
    for position in 0..hello.len() {
        let mut damaged = hello.clone();
        damaged[position] ^= 0xff;
        let (mut near, far) = duplex(CAPACITY);
        let peer = async {
            near.write_all(&damaged).await?;
            near.shutdown().await?;
            near.read_to_end(&mut Vec::new()).await
        };
        let (read, outcome) = tokio::join!(peer, acceptor.accept(Stream::new(far)));
        read?;
        check!(outcome.is_err(), "a hello with octet {position} changed, and nothing after it, is a connection");
    }
    let config = Peer::new(&lab, V13).config()?;
    connected(&acceptor, &config, NAME).await.doing("after all that")?;
    Ok(())
}

pub(super) async fn a_strange_server_name_is_an_error_or_none(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for name in [&b""[..], b"\0", b"\xff\xfe", b"a..b", b"..", b"mail.example.org\0.evil.example", &[b'x'; 300]] {
        // The slice lives as long as the table it comes from.
        let name: &'static [u8] = Box::leak(name.to_vec().into_boxed_slice());
        let hello = Hello { version: [3, 3], suites: &[0xc02b, 0xc02f], name: Some(name) };
        let (answer, error) = say(&acceptor, &hello.record(), true).await?;
        check!(error.code != Code::Provider, "the provider fails at the name {name:02x?}: {error}");
        check!(!answer.starts_with(&[22]), "the name {name:02x?} gets a ServerHello");
    }
    Ok(())
}

pub(super) async fn an_end_in_the_hello_is_truncation(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let hello = Hello { version: [3, 3], suites: &[0xc02b], name: Some(NAME.as_bytes()) }.record();
    for length in 0..hello.len() {
        let (answer, error) = say(&acceptor, &hello[..length], true).await?;
        same!(error.code, Code::Truncated, "the code after {length} octets ({error})");
        check!(is_quiet(&answer), "the answer after {length} octets is {answer:02x?}");
    }
    Ok(())
}

pub(super) async fn an_end_after_the_servers_flight_is_truncation(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        let config = Peer::new(&lab, versions).config()?;
        let mut client = rustls::ClientConnection::new(config, ServerName::try_from(NAME)?)?;
        let (mut near, far) = duplex(CAPACITY);
        let peer = async {
            let mut hello = Vec::new();
            client.write_tls(&mut hello)?;
            near.write_all(&hello).await?;
            // ServerHello is on its way.
            let first = near.read_u8().await?;
            near.shutdown().await?;
            near.read_to_end(&mut Vec::new()).await?;
            io::Result::Ok(first)
        };
        let (first, outcome) = tokio::join!(peer, acceptor.accept(Stream::new(far)));
        same!(first?, 22, "the first octet of the answer");
        let error = outcome.err().ok_or("a connection with a peer that is gone")?;
        same!(error.code, Code::Truncated, "the code ({error})");
    }
    Ok(())
}

/// RFC 8446 §5.1: handshake messages may be spread over records.
pub(super) async fn a_hello_in_many_records(lab: Lab) -> Outcome {
    lab.serve_rsa();
    let acceptor = lab.acceptor(policy())?;
    for versions in [V12, V13] {
        for most in [1, 5, 64] {
            let config = Peer::new(&lab, versions).group(rustls::NamedGroup::X25519).config()?;
            let mut client = rustls::ClientConnection::new(config, ServerName::try_from(NAME)?)?;
            let mut hello = Vec::new();
            client.write_tls(&mut hello)?;
            let message = hello.get(5..).unwrap_or_default();
            let (mut near, far) = duplex(CAPACITY);
            let peer = async {
                near.write_all(&records(message, most)).await?;
                let mut first = [0; 6];
                near.read_exact(&mut first).await?;
                io::Result::Ok(first)
            };
            let mut accepting = std::pin::pin!(acceptor.accept(Stream::new(far)));
            let first = tokio::select! {
                first = peer => first?,
                outcome = &mut accepting => return Err(match outcome {
                    Ok(_) => "accepted before the client's end of the handshake".into(),
                    Err(error) => Failed(format!("a hello in records of {most}: {error}")),
                }),
            };
            check!(first.starts_with(&[22, 3]) && first[5] == 2, "no ServerHello but {first:02x?}");
        }
    }
    Ok(())
}

/// The caller sets the deadline by dropping the future; nobody else is to notice.
pub(super) async fn the_deadline_of_a_slow_one(lab: Lab) -> Outcome {
    let acceptor = lab.acceptor(policy())?;
    let hello = Hello { version: [3, 3], suites: &[0xc02b], name: Some(NAME.as_bytes()) }.record();
    tokio::time::pause();
    let (mut near, far) = duplex(CAPACITY);
    let deadline = Duration::from_secs(30);
    let drip = async {
        for octet in &hello {
            // Never quick enough, never idle.
            tokio::time::sleep(Duration::from_secs(1)).await;
            if near.write_all(&[*octet]).await.is_err() {
                break;
            }
        }
        let mut answer = Vec::new();
        near.read_to_end(&mut answer).await.map(|_| answer)
    };
    let (answer, outcome) = tokio::join!(drip, tokio::time::timeout(deadline, acceptor.accept(Stream::new(far))));
    tokio::time::resume();
    check!(outcome.is_err(), "the handshake ended by itself: {:?}", outcome.map(|ended| ended.err()));
    let answer = answer?;
    check!(is_quiet(&answer), "the slow peer is answered {answer:02x?}");
    connected(&acceptor, &Peer::new(&lab, V13).config()?, NAME).await.doing("after the deadline of another")?;
    Ok(())
}
