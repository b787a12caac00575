//! `ENABLE` (RFC 5161).

use crate::cursor::{Cursor, Parsed};
use crate::error::ErrorKind;

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    let limit = cursor.limits.options;
    let mut names = Vec::new();
    loop {
        if names.len() >= limit {
            return Err(ErrorKind::TooMany { what: "capabilities", limit });
        }
        names.push(cursor.atom("a capability")?.to_ascii_uppercase());
        if !cursor.eat(b' ') {
            return Ok(names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::testing::{fails, parse};
    use crate::command::Command;
    use crate::limits::Limits;

    #[test]
    fn enable_takes_capabilities() {
        let names = |names: &[&str]| Command::Enable(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(parse("ENABLE CONDSTORE"), names(&["CONDSTORE"]));
        assert_eq!(
            parse("enable imap4rev2 UTF8=accept X-GOOD-IDEA"),
            names(&["IMAP4REV2", "UTF8=ACCEPT", "X-GOOD-IDEA"])
        );
        for bad in ["ENABLE", "ENABLE ", "ENABLE A  B", "ENABLE A ", "ENABLE (A)", "ENABLE \"A\""] {
            fails(bad);
        }
        let many = "ENABLE".to_owned() + &" A".repeat(Limits::default().options + 1);
        assert!(matches!(fails(&many), ErrorKind::TooMany { .. }));
    }
}
