//! What a FETCH needs to know before it looks at the first message.

use dovetail_imap_grammar::command::{Fetch, FetchItem};
use dovetail_imap_grammar::SectionText;
use dovetail_sdk::store::column;

/// What is asked for, and what that takes.
#[derive(Debug)]
pub struct Plan {
    /// The items in the order asked; UID first if it is implied.
    pub items: Vec<FetchItem>,
    /// The columns of the view that are needed.
    pub columns: u32,
    /// Whether summaries are.
    pub summaries: bool,
    /// Whether octets of bodies are.
    pub bodies: bool,
    /// Whether what is fetched counts as seen.
    pub marks_seen: bool,
}

impl Plan {
    /// Makes one.
    pub fn new(fetch: &Fetch) -> Self {
        let mut items = fetch.items.clone();
        if fetch.uid && !items.contains(&FetchItem::Uid) {
            items.insert(0, FetchItem::Uid);
        }
        let mut plan = Plan { items: Vec::new(), columns: 0, summaries: false, bodies: false, marks_seen: false };
        for item in &items {
            plan.columns |= columns(item);
            plan.summaries |= needs_summary(item);
            plan.bodies |= needs_body(item);
            plan.marks_seen |= item.marks_seen();
        }
        // Sizes also say how much of a body there is to read, or to summarise.
        if plan.bodies || plan.summaries {
            plan.columns |= column::SIZES;
        }
        Plan { items, ..plan }
    }
}

fn columns(item: &FetchItem) -> u32 {
    match item {
        FetchItem::Flags => column::FLAGS,
        FetchItem::InternalDate => column::DATES,
        FetchItem::Rfc822Size => column::SIZES,
        _ => 0,
    }
}

fn needs_summary(item: &FetchItem) -> bool {
    match item {
        FetchItem::Envelope
        | FetchItem::BodyStructure
        | FetchItem::BodyStructureShort
        | FetchItem::Rfc822Header
        | FetchItem::Rfc822Text => true,
        FetchItem::Body { section, .. } => !section.part.is_empty() || section.text.is_some(),
        FetchItem::Binary { part, .. } | FetchItem::BinarySize { part } => !part.is_empty(),
        _ => false,
    }
}

fn needs_body(item: &FetchItem) -> bool {
    matches!(
        item,
        FetchItem::Rfc822
            | FetchItem::Rfc822Header
            | FetchItem::Rfc822Text
            | FetchItem::Body { .. }
            | FetchItem::Binary { .. }
            | FetchItem::BinarySize { .. }
    )
}

/// The section that an item names, in the words of the message's structure.
pub fn section(text: Option<&SectionText>) -> dovetail_mail::mime::Section {
    use dovetail_mail::mime::Section;
    match text {
        Some(SectionText::Header | SectionText::HeaderFields { .. }) => Section::Header,
        Some(SectionText::Text) => Section::Text,
        Some(SectionText::Mime) => Section::Mime,
        _ => Section::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_imap_grammar::{Command, Limits, Request};

    fn plan(command: &str) -> Plan {
        match Request::parse(format!("a {command}").as_bytes(), &Limits::default()).unwrap().command {
            Command::Fetch(fetch) => Plan::new(&fetch),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_read_that_is_not_needed() {
        let (flags, dates, sizes) = (column::FLAGS, column::DATES, column::SIZES);
        for (items, columns, summaries, bodies, seen) in [
            ("UID", 0, false, false, false),
            ("FLAGS", flags, false, false, false),
            ("FAST", flags | dates | sizes, false, false, false),
            ("ALL", flags | dates | sizes, true, false, false),
            ("FULL", flags | dates | sizes, true, false, false),
            ("BODYSTRUCTURE", sizes, true, false, false),
            ("BODY.PEEK[]", sizes, false, true, false),
            ("BODY[]", sizes, false, true, true),
            ("BODY[]<0.10>", sizes, false, true, true),
            ("BODY.PEEK[HEADER]", sizes, true, true, false),
            ("BODY.PEEK[1]", sizes, true, true, false),
            ("RFC822", sizes, false, true, true),
            ("RFC822.HEADER", sizes, true, true, false),
            ("RFC822.TEXT", sizes, true, true, true),
            ("BINARY.PEEK[]", sizes, false, true, false),
            ("BINARY[1]", sizes, true, true, true),
            ("BINARY.SIZE[1]", sizes, true, true, false),
            ("(FLAGS BODY[1] UID)", flags | sizes, true, true, true),
        ] {
            let plan = plan(&format!("FETCH 1 {items}"));
            let got = (plan.columns, plan.summaries, plan.bodies, plan.marks_seen);
            assert_eq!(got, (columns, summaries, bodies, seen), "{items}");
        }
    }

    #[test]
    fn uid_fetch_tells_uids_once() {
        assert_eq!(plan("UID FETCH 1 FLAGS").items, [FetchItem::Uid, FetchItem::Flags]);
        assert_eq!(plan("UID FETCH 1 (FLAGS UID)").items, [FetchItem::Flags, FetchItem::Uid]);
        assert_eq!(plan("FETCH 1 FLAGS").items, [FetchItem::Flags]);
    }
}
