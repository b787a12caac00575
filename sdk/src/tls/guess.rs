//! What a peer speaks that does not speak TLS, guessed from its first bytes. Only the guess is logged, never the bytes:
//! they may be a password.

/// What the first bytes look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// Text of this protocol.
    Text(&'static str),
    /// A PROXY protocol header.
    Proxy,
    /// SSL 2.0, or a client that starts in its format.
    Ssl2,
    /// TLS, or nothing known.
    Other,
}

/// Guesses what a peer speaks from what it sent first, as far as that is there.
pub fn guess(first: &[u8]) -> Guess {
    if first.starts_with(b"PROXY ") || first.starts_with(b"\r\n\r\n\0\r\nQUIT\n") {
        return Guess::Proxy;
    }
    // SSL 2.0's two-byte length has its top bit set, then comes CLIENT-HELLO (1).
    if first.len() >= 3 && first[0] & 0x80 != 0 && first[2] == 1 {
        return Guess::Ssl2;
    }
    let line = first.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let is_text = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    if first.is_empty()
        || !line.iter().all(is_text)
        || (line.is_empty() && !first.starts_with(b"\r") && !first.starts_with(b"\n"))
    {
        return Guess::Other;
    }
    let mut words = line.split(|byte| *byte == b' ').map(<[u8]>::to_ascii_uppercase);
    let (one, two) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let names = |list: &[&str], word: &[u8]| list.iter().any(|known| known.as_bytes() == word);
    Guess::Text(if one.starts_with(b"SSH-") {
        "SSH"
    } else if names(HTTP, &one) {
        "HTTP"
    } else if names(SMTP, &one) {
        "SMTP"
    } else if names(POP3, &one) {
        "POP3"
    } else if names(IMAP, &two) {
        "IMAP"
    } else {
        "an unknown text protocol"
    })
}

const HTTP: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "PRI"];
const SMTP: &[&str] = &["EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "RSET", "VRFY", "EXPN", "STARTTLS"];
const POP3: &[&str] = &["USER", "PASS", "APOP", "CAPA", "STLS", "STAT", "UIDL", "RETR"];
const IMAP: &[&str] = &["CAPABILITY", "LOGIN", "STARTTLS", "AUTHENTICATE", "NOOP", "LOGOUT", "ID", "SELECT"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_beginnings() {
        for (first, expected) in [
            (&b"EHLO client.example\r\n"[..], Guess::Text("SMTP")),
            (b"ehlo x", Guess::Text("SMTP")),
            (b"GET / HTTP/1.1\r\nHost: x\r\n", Guess::Text("HTTP")),
            (b"CAPA\r\n", Guess::Text("POP3")),
            (b"a1 LOGIN joe secret\r\n", Guess::Text("IMAP")),
            (b"SSH-2.0-OpenSSH_9\r\n", Guess::Text("SSH")),
            (b"hello there\r\n\xff", Guess::Text("an unknown text protocol")),
            (b"\r\n", Guess::Text("an unknown text protocol")),
            (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", Guess::Proxy),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11", Guess::Proxy),
            (b"\x80\x2e\x01\x00\x02", Guess::Ssl2),
            (b"\x16\x03\x01\x02\x00", Guess::Other),
            (b"", Guess::Other),
        ] {
            assert_eq!(guess(first), expected, "{first:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(first: Vec<u8>) {
            guess(&first);
        }
    }
}
