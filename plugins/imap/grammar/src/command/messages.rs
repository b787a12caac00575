//! Commands that change or move messages: `STORE`, `COPY`, `MOVE`, `UID EXPUNGE` (RFC 9051 sections 6.4.6 to 6.4.9).

use crate::cursor::{Cursor, Parsed};
use crate::error::ErrorKind;
use crate::flag::Flag;
use crate::mailbox::Mailbox;
use crate::sequence::SequenceSet;
use crate::sequence_parse::sequence_set;

/// `STORE` and `UID STORE`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Store {
    /// Whether the set holds UIDs.
    pub uid: bool,
    /// Which messages.
    pub set: SequenceSet,
    /// What happens to their flags.
    pub action: StoreAction,
    /// `.SILENT`: no FETCH responses for what the client can tell by itself.
    pub silent: bool,
    /// The flags. `\Recent` and unknown system flags may be among them and are the session's to refuse.
    pub flags: Vec<Flag>,
}

/// What `STORE` does with the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAction {
    /// `FLAGS`: these and no others.
    Replace,
    /// `+FLAGS`: these too.
    Add,
    /// `-FLAGS`: these no more.
    Remove,
}

/// `COPY`, `MOVE` and their `UID` forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Whether the set holds UIDs.
    pub uid: bool,
    /// Which messages.
    pub set: SequenceSet,
    /// Where to.
    pub mailbox: Mailbox,
}

pub(super) fn store(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Store> {
    let set = sequence_set(cursor)?;
    cursor.space()?;
    let action = match cursor.peek() {
        Some(b'+') => StoreAction::Add,
        Some(b'-') => StoreAction::Remove,
        _ => StoreAction::Replace,
    };
    if action != StoreAction::Replace {
        cursor.advance(1);
    }
    let at = cursor.at();
    let silent = match cursor.word("FLAGS")?.upper() {
        b"FLAGS" => false,
        b"FLAGS.SILENT" => true,
        _ => return Err(ErrorKind::Expected { what: "FLAGS", at }),
    };
    cursor.space()?;
    let flags = match cursor.peek() {
        Some(b'(') => cursor.list("flags", cursor.limits.flags, Cursor::flag)?,
        _ => bare_flags(cursor)?,
    };
    Ok(Store { uid, set, action, silent, flags })
}

/// `flag *(SP flag)`, without parentheses.
fn bare_flags(cursor: &mut Cursor<'_>) -> Parsed<Vec<Flag>> {
    let limit = cursor.limits.flags;
    let mut flags = vec![cursor.flag()?];
    while cursor.eat(b' ') {
        if flags.len() >= limit {
            return Err(ErrorKind::TooMany { what: "flags", limit });
        }
        flags.push(cursor.flag()?);
    }
    Ok(flags)
}

pub(super) fn transfer(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Transfer> {
    let set = sequence_set(cursor)?;
    cursor.space()?;
    let mailbox = cursor.mailbox()?;
    Ok(Transfer { uid, set, mailbox })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::testing::{fails, mailbox, parse};
    use crate::command::Command;
    use crate::limits::Limits;

    fn read(text: &str) -> Store {
        match parse(text) {
            Command::Store(store) => store,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn store_in_its_forms() {
        let store = read("STORE 2:4 +FLAGS (\\Deleted)");
        assert_eq!(store.set.uids(9).as_slice(), [(2, 4)]);
        assert_eq!((store.uid, store.action, store.silent), (false, StoreAction::Add, false));
        assert_eq!(store.flags, [Flag::Deleted]);
        let store = read("uid store 1 -flags.silent \\seen $Junk \\Foo");
        assert_eq!((store.uid, store.action, store.silent), (true, StoreAction::Remove, true));
        assert_eq!(store.flags, [Flag::Seen, Flag::Keyword("$Junk".into()), Flag::Extension("Foo".into())]);
        let store = read("UID STORE $ FLAGS ()");
        assert!(store.set.saved && store.flags.is_empty() && store.action == StoreAction::Replace);
        assert_eq!(read("STORE 1 FLAGS \\ANSWERED").flags, [Flag::Answered]);
    }

    #[test]
    fn what_is_no_store() {
        for bad in [
            "STORE",
            "STORE 1",
            "STORE 1 FLAGS",
            "STORE 1 FLAGS ",
            "STORE 1 *FLAGS (a)",
            "STORE 1 + FLAGS (a)",
            "STORE 1 FLAGS.LOUD (a)",
            "STORE 1 FLAGS (a) b",
            "STORE 1 FLAGS a (b)",
            "STORE 1 FLAGS (\\)",
            "STORE 1 FLAGS (\\*)",
            "STORE 1 FLAGS (a b",
            "STORE 1 FLAGS (\"a\")",
            "STORE 1 (UNCHANGEDSINCE 5) FLAGS (a)",
            "STORE x FLAGS (a)",
        ] {
            fails(bad);
        }
        let limit = Limits::default().flags;
        let many = vec!["a"; limit + 1].join(" ");
        assert_eq!(fails(&format!("STORE 1 FLAGS ({many})")), ErrorKind::TooMany { what: "flags", limit });
        assert_eq!(fails(&format!("STORE 1 FLAGS {many}")), ErrorKind::TooMany { what: "flags", limit });
    }

    #[test]
    fn copy_and_move() {
        let Command::Copy(copy) = parse("COPY 2:4 MEETING") else { panic!() };
        assert_eq!((copy.uid, copy.mailbox, copy.set.ranges.len()), (false, mailbox("MEETING"), 1));
        let Command::Move(moved) = parse("UID MOVE 42:69,* \"foo bar\"") else { panic!() };
        assert_eq!((moved.uid, moved.mailbox, moved.set.ranges.len()), (true, mailbox("foo bar"), 2));
        for bad in ["COPY 1", "MOVE a b", "COPY 1 a b", "COPY 0 a", "MOVE 1 "] {
            fails(bad);
        }
    }

    #[test]
    fn expunge_of_uids() {
        let Command::UidExpunge(set) = parse("UID EXPUNGE 3000:3002") else { panic!() };
        assert_eq!(set.uids(1).as_slice(), [(3000, 3002)]);
        fails("EXPUNGE 3");
        fails("UID EXPUNGE");
    }
}
