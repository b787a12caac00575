//! Command lines.

use crate::commands::Command;
use crate::reply::Reply;

/// A command is read the same in either case of its verb; a refusal is one good reply.
pub fn smtp_command(line: &[u8]) -> bool {
    let mut other_case = line.to_vec();
    let verb = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
    for byte in &mut other_case[..verb] {
        *byte = if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
    }
    let read = Command::parse(line);
    assert_eq!(read, Command::parse(&other_case), "the verb's case makes a difference");
    match read {
        Ok(_) => true,
        Err(reply) => {
            check(&reply);
            false
        }
    }
}

/// RFC 5321 section 4.2: each line has the code, printable text and CRLF, in 512 octets.
fn check(reply: &Reply) {
    assert!((500..=599).contains(&reply.code()), "{reply:?} is no refusal");
    let mut wire = Vec::new();
    reply.encode(&mut wire);
    let mut lines = wire.split_inclusive(|&b| b == b'\n').peekable();
    while let Some(line) = lines.next() {
        assert!(line.len() <= 512, "{reply:?} is too long");
        let text = line.strip_suffix(b"\r\n").unwrap_or_else(|| panic!("{reply:?} has no line end"));
        assert!(text.iter().all(|b| matches!(b, b' '..=b'~')), "{reply:?} has odd octets");
        let separator = if lines.peek().is_some() { b'-' } else { b' ' };
        assert!(text.starts_with(reply.code().to_string().as_bytes()) && text[3] == separator, "{reply:?}");
    }
}
