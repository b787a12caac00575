//! Command lines.

use crate::commands::Command;

/// A command is read the same in either case of its keyword; a refusal is one good reply.
pub fn pop3_command(line: &[u8]) -> bool {
    let mut other_case = line.to_vec();
    let keyword = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
    for byte in &mut other_case[..keyword] {
        *byte = if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
    }
    let read = Command::parse(line);
    let again = Command::parse(&other_case);
    assert_eq!(format!("{read:?}"), format!("{again:?}"), "the keyword's case makes a difference");
    let Err(reply) = read else {
        return true;
    };
    assert!(!reply.is_ok(), "{reply:?} is no refusal");
    let mut wire = Vec::new();
    reply.encode(&mut wire);
    // RFC 1939 section 3.
    assert!(wire.len() <= 512 && wire.starts_with(b"-ERR") && wire.ends_with(b"\r\n"), "{reply:?}");
    assert!(wire[..wire.len() - 2].iter().all(|b| matches!(b, b' '..=b'~')), "{reply:?} has odd octets");
    false
}
