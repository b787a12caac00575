//! `LIST` and `LSUB` (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154; `LSUB` from RFC 3501 section 6.3.9).

use super::mailboxes::status_items;
use super::Command;
use crate::chars;
use crate::cursor::{Cursor, Parsed};
use crate::error::ErrorKind;
use crate::mailbox::Mailbox;
use crate::status::StatusItem;

/// `LIST` in all its forms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// Whether selection options, patterns in parentheses or return options were sent. Without any of them
    /// `LIST ref ""` asks for the separator and the root.
    pub extended: bool,
    /// Which mailboxes.
    pub select: ListSelect,
    /// What the patterns are relative to.
    pub reference: Mailbox,
    /// The patterns with their wildcards; at least one.
    pub patterns: Vec<Mailbox>,
    /// What to tell about each.
    pub returns: ListReturn,
}

/// Selection options. All unset: every mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListSelect {
    /// `SUBSCRIBED`: subscribed names, even of mailboxes that don't exist.
    pub subscribed: bool,
    /// `REMOTE`: remote mailboxes too.
    pub remote: bool,
    /// `RECURSIVEMATCH`: parents of what is selected too. Never without `subscribed`.
    pub recursive_match: bool,
    /// `SPECIAL-USE`: only mailboxes with a special use.
    pub special_use: bool,
}

/// Return options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListReturn {
    /// `SUBSCRIBED`: say which are subscribed.
    pub subscribed: bool,
    /// `CHILDREN`: say which have children.
    pub children: bool,
    /// `SPECIAL-USE`: say which use each has.
    pub special_use: bool,
    /// `STATUS (...)`: a STATUS response for each that can be selected; nothing if empty.
    pub status: Vec<StatusItem>,
}

pub(super) fn list(cursor: &mut Cursor<'_>) -> Parsed<List> {
    let mut list = List::default();
    if cursor.peek() == Some(b'(') {
        list.extended = true;
        list.select = select(cursor)?;
        cursor.space()?;
    }
    list.reference = cursor.mailbox()?;
    cursor.space()?;
    if cursor.peek() == Some(b'(') {
        list.extended = true;
        list.patterns = cursor.filled_list("patterns", cursor.limits.patterns, pattern)?;
    } else {
        list.patterns.push(pattern(cursor)?);
    }
    if cursor.eat(b' ') {
        list.extended = true;
        let at = cursor.at();
        if cursor.word("RETURN")?.upper() != b"RETURN" {
            return Err(ErrorKind::Expected { what: "RETURN", at });
        }
        cursor.space()?;
        list.returns = returns(cursor)?;
    }
    Ok(list)
}

pub(super) fn lsub(cursor: &mut Cursor<'_>) -> Parsed<Command> {
    let reference = cursor.mailbox()?;
    cursor.space()?;
    let pattern = pattern(cursor)?;
    Ok(Command::Lsub { reference, pattern })
}

/// `list-mailbox`.
fn pattern(cursor: &mut Cursor<'_>) -> Parsed<Mailbox> {
    const WHAT: &str = "a mailbox pattern";
    let limit = cursor.limits.mailbox;
    match cursor.peek() {
        Some(b'"' | b'{') => cursor.string(limit, WHAT).map(|text| Mailbox::new(text.into_owned())),
        _ => cursor.run(chars::is_list, limit, WHAT).map(|text| Mailbox::new(text.to_vec())),
    }
}

/// `list-select-opts`. An unknown one has to be refused (RFC 5258 section 3).
fn select(cursor: &mut Cursor<'_>) -> Parsed<ListSelect> {
    let mut select = ListSelect::default();
    cursor.list("LIST options", cursor.limits.options, |cursor| {
        let at = cursor.at();
        match cursor.word("a LIST selection option")?.upper() {
            b"SUBSCRIBED" => select.subscribed = true,
            b"REMOTE" => select.remote = true,
            b"RECURSIVEMATCH" => select.recursive_match = true,
            b"SPECIAL-USE" => select.special_use = true,
            _ => return Err(ErrorKind::Unknown { what: "LIST selection option", at }),
        }
        Ok(())
    })?;
    if select.recursive_match && !select.subscribed {
        return Err(ErrorKind::LoneRecursiveMatch);
    }
    Ok(select)
}

/// What is in the parentheses behind `RETURN`.
fn returns(cursor: &mut Cursor<'_>) -> Parsed<ListReturn> {
    let mut returns = ListReturn::default();
    cursor.list("LIST options", cursor.limits.options, |cursor| {
        let at = cursor.at();
        match cursor.word("a LIST return option")?.upper() {
            b"SUBSCRIBED" => returns.subscribed = true,
            b"CHILDREN" => returns.children = true,
            b"SPECIAL-USE" => returns.special_use = true,
            b"STATUS" => {
                cursor.space()?;
                returns.status = status_items(cursor)?;
            }
            _ => return Err(ErrorKind::Unknown { what: "LIST return option", at }),
        }
        Ok(())
    })?;
    Ok(returns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::testing::{fails, mailbox, parse};
    use crate::limits::Limits;

    fn read(text: &str) -> List {
        match parse(text) {
            Command::List(list) => list,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn plain(reference: &str, pattern: &str) -> List {
        List { reference: mailbox(reference), patterns: vec![mailbox(pattern)], ..List::default() }
    }

    #[test]
    fn plain_forms() {
        assert_eq!(read("LIST \"\" \"\""), plain("", ""));
        assert_eq!(read("LIST /usr/staff/jones \"\""), plain("/usr/staff/jones", ""));
        assert_eq!(read("LIST ~/Mail/ %"), plain("~/Mail/", "%"));
        assert_eq!(read("LIST \"\" *"), plain("", "*"));
        assert_eq!(read("LIST \"\" {3}\r\na*%"), plain("", "a*%"));
        let lsub = Command::Lsub { reference: mailbox("#news."), pattern: mailbox("comp.mail.*") };
        assert_eq!(parse("LSUB \"#news.\" \"comp.mail.*\""), lsub);
    }

    #[test]
    fn extended_forms() {
        let list = read("LIST (SUBSCRIBED) \"\" \"*\"");
        assert!(list.extended && list.select == ListSelect { subscribed: true, ..ListSelect::default() });
        let list = read("LIST () \"\" \"%\" RETURN (CHILDREN)");
        assert!(list.extended && list.returns == ListReturn { children: true, ..ListReturn::default() });
        let list = read("LIST (REMOTE) \"\" \"%\" RETURN (SUBSCRIBED CHILDREN)");
        assert!(list.select.remote && list.returns.subscribed && list.returns.children);
        let list = read("LIST \"\" (\"INBOX\" \"Drafts\" \"Sent/%\")");
        assert!(list.extended);
        assert_eq!(list.patterns, [mailbox("INBOX"), mailbox("Drafts"), mailbox("Sent/%")]);
        let list = read("list (recursivematch Subscribed) \"\" (% *) return ()");
        assert!(list.select.recursive_match && list.patterns.len() == 2 && list.returns == ListReturn::default());
        let list = read("LIST (SPECIAL-USE) \"\" * RETURN (SPECIAL-USE STATUS (MESSAGES SIZE) CHILDREN)");
        assert!(list.select.special_use && list.returns.special_use && list.returns.children);
        assert_eq!(list.returns.status, [StatusItem::Messages, StatusItem::Size]);
    }

    #[test]
    fn what_is_no_list() {
        for bad in [
            "LIST",
            "LIST \"\"",
            "LIST \"\" ",
            "LIST a* b",
            "LIST \"\" ()",
            "LIST \"\" (a",
            "LIST \"\" a b",
            "LIST \"\" a RETURN",
            "LIST \"\" a RETURN CHILDREN",
            "LIST \"\" a RETURN (STATUS)",
            "LIST \"\" a RETURN (STATUS ())",
            "LIST \"\" a RETURN (CHILDREN) x",
            "LIST (SUBSCRIBED)\"\" a",
            "LIST ( SUBSCRIBED) \"\" a",
            "LSUB \"\" (a)",
            "LSUB (SUBSCRIBED) \"\" a",
        ] {
            fails(bad);
        }
        for lone in ["LIST (RECURSIVEMATCH) \"\" %", "LIST (REMOTE RECURSIVEMATCH) \"\" %"] {
            assert_eq!(fails(lone), ErrorKind::LoneRecursiveMatch);
        }
        for unknown in ["LIST (XYZZY) \"\" %", "LIST \"\" % RETURN (XYZZY)", "LIST (VENDOR.X-Y (1)) \"\" %"] {
            assert!(matches!(fails(unknown), ErrorKind::Unknown { .. }), "{unknown}");
        }
        let many = format!("LIST \"\" ({})", vec!["%"; Limits::default().patterns + 1].join(" "));
        assert!(matches!(fails(&many), ErrorKind::TooMany { what: "patterns", .. }));
    }
}
