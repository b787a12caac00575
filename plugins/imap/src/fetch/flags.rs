//! Flags: from the store's words to the client's names, and back.

use dovetail_imap_grammar::Flag;
use dovetail_sdk::store::{flag, Flags};

use crate::completion::Completion;

/// The system flags that a client may set.
const SYSTEM: [(u32, &str); 5] = [
    (flag::ANSWERED, "\\Answered"),
    (flag::FLAGGED, "\\Flagged"),
    (flag::DELETED, "\\Deleted"),
    (flag::SEEN, "\\Seen"),
    (flag::DRAFT, "\\Draft"),
];

/// Writes `(\Seen word)`.
pub fn write(flags: u64, recent: bool, keywords: &[String], out: &mut Vec<u8>) {
    out.push(b'(');
    let start = out.len();
    let mut add = |name: &str| {
        if out.len() > start {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
    };
    for (bit, name) in SYSTEM {
        if flags & u64::from(bit) != 0 {
            add(name);
        }
    }
    if recent {
        add("\\Recent");
    }
    let mut words = flags >> flag::FIRST_KEYWORD;
    while words != 0 {
        let at = words.trailing_zeros();
        if let Some(keyword) = keywords.get(at as usize) {
            add(keyword);
        }
        words &= words - 1;
    }
    out.push(b')');
}

/// Tells which flags there are, and which a client may set (RFC 9051 sections 7.3.5 and 7.1).
pub fn write_defined(keywords: &[String], read_only: bool, out: &mut Vec<u8>) {
    let names = SYSTEM.iter().map(|(_, name)| *name).chain(keywords.iter().map(String::as_str));
    let list = names.collect::<Vec<_>>().join(" ");
    out.extend_from_slice(format!("* FLAGS ({list})\r\n").as_bytes());
    let permanent = match read_only {
        true => String::new(),
        false => format!("{list} \\*"),
    };
    out.extend_from_slice(format!("* OK [PERMANENTFLAGS ({permanent})] Flags that can be changed\r\n").as_bytes());
}

/// Flags that a client names. `\Recent` is nobody's to set and is passed over.
pub fn from_client(flags: &[Flag]) -> Result<Flags, Completion> {
    let mut named = Flags::default();
    for flag in flags {
        match flag {
            Flag::Answered => named.system |= flag::ANSWERED,
            Flag::Flagged => named.system |= flag::FLAGGED,
            Flag::Deleted => named.system |= flag::DELETED,
            Flag::Seen => named.system |= flag::SEEN,
            Flag::Draft => named.system |= flag::DRAFT,
            Flag::Recent => {}
            Flag::Keyword(word) => named.keywords.push(word.clone()),
            _ => return Err(Completion::no("CANNOT", "There is no such system flag")),
        }
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_names() {
        let keywords = ["$Junk".to_owned(), "work".to_owned()];
        let text = |flags, recent| {
            let mut out = Vec::new();
            write(flags, recent, &keywords, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(0, false), "()");
        assert_eq!(text(1 | 8, false), "(\\Deleted \\Seen)");
        assert_eq!(text(1 << 9 | 1 << 8 | 16, true), "(\\Draft \\Recent $Junk work)");
        assert_eq!(text(1 << 60, false), "()", "a keyword that is not known yet");
    }

    #[test]
    fn unknown_system_flags_are_refused() {
        assert!(from_client(&[Flag::Extension("Odd".into())]).is_err());
        let flags = from_client(&[Flag::Seen, Flag::Recent, Flag::Keyword("a".into())]).unwrap();
        assert_eq!(flags, Flags { system: flag::SEEN, keywords: vec!["a".into()] });
    }
}
