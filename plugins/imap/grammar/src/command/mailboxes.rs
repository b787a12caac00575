//! Commands about whole mailboxes: `SELECT`, `CREATE`, `RENAME`, `STATUS`, and those that take nothing but a name.

use crate::cursor::{Cursor, Parsed};
use crate::error::ErrorKind;
use crate::mailbox::Mailbox;
use crate::status::StatusItem;

/// `SELECT` and `EXAMINE` (RFC 9051 sections 6.3.2 and 6.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Select {
    /// The mailbox to open.
    pub mailbox: Mailbox,
}

/// `CREATE` (RFC 9051 section 6.3.4, `USE` from RFC 6154 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The new mailbox. A separator at the end says that it is meant to hold others.
    pub mailbox: Mailbox,
    /// The special uses asked for, without their `\`, known or not. An unknown one is `NO [USEATTR]`.
    pub special_use: Vec<String>,
}

/// `RENAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The name it has.
    pub from: Mailbox,
    /// The name it gets.
    pub to: Mailbox,
}

/// `STATUS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The mailbox asked about.
    pub mailbox: Mailbox,
    /// What is asked, in the order sent, each once.
    pub items: Vec<StatusItem>,
}

pub(super) fn select(cursor: &mut Cursor<'_>) -> Parsed<Select> {
    Ok(Select { mailbox: cursor.mailbox()? })
}

pub(super) fn create(cursor: &mut Cursor<'_>) -> Parsed<Create> {
    let mailbox = cursor.mailbox()?;
    let mut special_use = Vec::new();
    if cursor.eat(b' ') {
        let limit = cursor.limits.options;
        cursor.filled_list("a CREATE parameter", limit, |cursor| {
            let at = cursor.at();
            if cursor.word("a CREATE parameter")?.upper() != b"USE" {
                return Err(ErrorKind::Unknown { what: "CREATE parameter", at });
            }
            cursor.space()?;
            let uses = cursor.list("special uses", limit, |cursor| {
                cursor.expect(b'\\', "a special use like \\Sent")?;
                cursor.atom("a special use like \\Sent").map(str::to_owned)
            })?;
            special_use.extend(uses);
            Ok(())
        })?;
    }
    Ok(Create { mailbox, special_use })
}

pub(super) fn rename(cursor: &mut Cursor<'_>) -> Parsed<Rename> {
    let from = cursor.mailbox()?;
    cursor.space()?;
    let to = cursor.mailbox()?;
    Ok(Rename { from, to })
}

pub(super) fn status(cursor: &mut Cursor<'_>) -> Parsed<Status> {
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    let items = status_items(cursor)?;
    Ok(Status { mailbox, items })
}

/// `(MESSAGES UNSEEN ...)`; what is asked twice is answered once.
pub(super) fn status_items(cursor: &mut Cursor<'_>) -> Parsed<Vec<StatusItem>> {
    let mut items = Vec::new();
    cursor.filled_list("status items", cursor.limits.options, |cursor| {
        let at = cursor.at();
        let word = cursor.word("a status item")?;
        let item = StatusItem::from_name(word.upper()).ok_or(ErrorKind::Unknown { what: "status item", at })?;
        if !items.contains(&item) {
            items.push(item);
        }
        Ok(())
    })?;
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::testing::{fails, mailbox, parse};
    use crate::command::Command;
    use crate::limits::Limits;

    #[test]
    fn commands_with_a_name_only() {
        let select = |name: &str| Select { mailbox: mailbox(name) };
        for (text, command) in [
            ("SELECT INBOX", Command::Select(select("INBOX"))),
            ("EXAMINE blurdybloop", Command::Examine(select("blurdybloop"))),
            ("DELETE foo/bar", Command::Delete(mailbox("foo/bar"))),
            ("SUBSCRIBE #news.comp.mail.mime", Command::Subscribe(mailbox("#news.comp.mail.mime"))),
            ("UNSUBSCRIBE {3}\r\na b", Command::Unsubscribe(mailbox("a b"))),
            ("SELECT \"\"", Command::Select(select(""))),
            ("SELECT &U,BTFw-", Command::Select(select("&U,BTFw-"))),
        ] {
            assert_eq!(parse(text), command, "{text}");
            fails(&format!("{text} x"));
        }
        for bad in ["SELECT a*", "SELECT (a)", "SELECT", "SELECT \u{e4}", "SELECT a b"] {
            fails(bad);
        }
        let limit = Limits::default().mailbox;
        assert_eq!(
            fails(&format!("SELECT {}", "x".repeat(limit + 1))),
            ErrorKind::TooLong { what: "a mailbox name", limit }
        );
    }

    #[test]
    fn create_with_and_without_use() {
        let created = |name: &str, uses: &[&str]| {
            let special_use = uses.iter().map(|&name| name.to_owned()).collect();
            Command::Create(Create { mailbox: mailbox(name), special_use })
        };
        assert_eq!(parse("CREATE owatagusiam/"), created("owatagusiam/", &[]));
        assert_eq!(parse("CREATE MyDrafts (USE (\\Drafts))"), created("MyDrafts", &["Drafts"]));
        assert_eq!(parse("CREATE Everything (use (\\All \\Sent))"), created("Everything", &["All", "Sent"]));
        assert_eq!(parse("CREATE x (USE ())"), created("x", &[]));
        for bad in [
            "CREATE x ()",
            "CREATE x (USE)",
            "CREATE x (USE (Drafts))",
            "CREATE x USE (\\All)",
            "CREATE x (USE (\\All)",
        ] {
            fails(bad);
        }
        assert!(matches!(fails("CREATE x (COLOUR (red))"), ErrorKind::Unknown { what: "CREATE parameter", at: 13 }));
    }

    #[test]
    fn rename_takes_two() {
        let renamed = Command::Rename(Rename { from: mailbox("blurdybloop"), to: mailbox("sarasoop") });
        assert_eq!(parse("RENAME blurdybloop sarasoop"), renamed);
        assert_eq!(parse("RENAME {11}\r\nblurdybloop {8+}\r\nsarasoop"), renamed);
        fails("RENAME a");
        fails("RENAME a b c");
    }

    #[test]
    fn status_lists_its_items() {
        let Command::Status(status) = parse("STATUS blurdybloop (UIDNEXT MESSAGES)") else { panic!() };
        assert_eq!(
            (status.mailbox, status.items),
            (mailbox("blurdybloop"), vec![StatusItem::UidNext, StatusItem::Messages])
        );
        let all = StatusItem::ALL.map(StatusItem::name).join(" ");
        let Command::Status(status) = parse(&format!("STATUS a ({all} {})", all.to_lowercase())) else { panic!() };
        assert_eq!(status.items, StatusItem::ALL);
        for bad in ["STATUS a", "STATUS a ()", "STATUS a MESSAGES", "STATUS a (MESSAGES UNSEEN", "STATUS (MESSAGES)"] {
            fails(bad);
        }
        assert!(matches!(fails("STATUS a (MESSAGES WEATHER)"), ErrorKind::Unknown { what: "status item", at: 22 }));
    }
}
