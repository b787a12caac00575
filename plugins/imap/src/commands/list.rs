//! LIST (RFC 9051 section 6.3.9, RFC 5258), with STATUS of each (RFC 5819) and special uses (RFC 6154).
//!
//! Every line says whether there are mailboxes below and what a mailbox is used for, asked or not: clients that do not know
//! the options get what they need in one round trip.
//!
//! Bounds: one pass over the account's mailboxes, whose number the store limits, for each of at most
//! [`dovetail_imap_grammar::Limits::patterns`] patterns.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;

use dovetail_imap_grammar::command::List;
use dovetail_imap_grammar::{encode, Mailbox, TextMode};
use dovetail_sdk::store::{special_use, MailboxEntry};

use super::status;
use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::names;

/// Special uses by name, and the store's bits for them.
pub const USES: [(&str, u32); 7] = [
    ("All", special_use::ALL),
    ("Archive", special_use::ARCHIVE),
    ("Drafts", special_use::DRAFTS),
    ("Flagged", special_use::FLAGGED),
    ("Junk", special_use::JUNK),
    ("Sent", special_use::SENT),
    ("Trash", special_use::TRASH),
];

/// Lists mailboxes.
pub async fn run(conversation: &mut Conversation<'_>, list: &List) -> io::Result<Answer> {
    let mode = conversation.mode();
    if !list.extended && list.patterns.iter().all(Mailbox::is_empty) {
        // The separator, and the root of the names (RFC 9051 section 6.3.9).
        conversation.session.stream.queue(b"* LIST (\\Noselect) \"/\" \"\"\r\n");
        return Ok(Completion::ok("That is all").into());
    }
    let patterns = match patterns(&list.reference, &list.patterns, mode) {
        Ok(patterns) => patterns,
        Err(refusal) => return Ok(refusal.into()),
    };
    let entries = match conversation.store().await {
        Ok(store) => store.mailboxes(conversation.account()).await,
        Err(failure) => Err(failure),
    };
    let entries = match entries {
        Ok(entries) => entries,
        Err(failure) => return Ok(Completion::store_failed(&failure).into()),
    };
    let tree = Tree::new(&entries);
    let mut out = Vec::with_capacity(4096);
    for name in tree.names() {
        if patterns.iter().any(|pattern| names::matches(pattern, name)) {
            tree.tell(name, list, &patterns, mode, &mut out);
        }
        if out.len() > PIECE {
            conversation.session.stream.write(&out).await?;
            out.clear();
        }
    }
    conversation.session.stream.queue(&out);
    Ok(Completion::ok("That is all").into())
}

/// The patterns behind their reference, in Unicode.
pub fn patterns(reference: &Mailbox, patterns: &[Mailbox], mode: TextMode) -> Result<Vec<String>, Completion> {
    let whole = |pattern: &Mailbox| {
        let wire = [reference.wire(), pattern.wire()].concat();
        Mailbox::new(wire).decode(mode).map_err(|error| Completion::bad(error.to_string()))
    };
    patterns.iter().map(whole).collect()
}

/// The account's names, and who has whom below.
struct Tree<'a> {
    entries: HashMap<&'a str, &'a MailboxEntry>,
    /// Names with an existing mailbox below.
    parents: HashSet<&'a str>,
    /// Names with a subscribed name below, and those names.
    subscribed_below: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Tree<'a> {
    fn new(entries: &'a [MailboxEntry]) -> Self {
        let mut tree = Tree {
            entries: entries.iter().map(|entry| (entry.name.as_str(), entry)).collect(),
            parents: HashSet::new(),
            subscribed_below: HashMap::new(),
        };
        for entry in entries {
            for above in names::above(&entry.name) {
                if entry.id != 0 {
                    tree.parents.insert(above);
                }
                if entry.subscribed {
                    tree.subscribed_below.entry(above).or_default().push(&entry.name);
                }
            }
        }
        tree
    }

    /// All names, those that exist only above others too.
    fn names(&self) -> BTreeSet<&'a str> {
        self.entries.keys().chain(self.subscribed_below.keys()).copied().collect()
    }

    /// Writes a name's line, if it is selected.
    fn tell(&self, name: &str, list: &List, patterns: &[String], mode: TextMode, out: &mut Vec<u8>) {
        let entry = self.entries.get(name).copied();
        let exists = entry.is_some_and(|entry| entry.id != 0);
        let subscribed = entry.is_some_and(|entry| entry.subscribed);
        let uses = entry.map_or(0, |entry| entry.special_use);
        let below = list.select.recursive_match.then(|| self.subscribed_below.get(name)).flatten();
        // A parent is told for its children's sake only if one of them is not told itself (RFC 5258 section 3.5).
        let for_children = below.is_some_and(|below| {
            below.iter().any(|child| !patterns.iter().any(|pattern| names::matches(pattern, child)))
        });
        let selected = (!list.select.subscribed || subscribed)
            && (!list.select.special_use || uses != 0)
            && (exists || list.select.subscribed);
        if !selected && !for_children {
            return;
        }
        out.extend_from_slice(b"* LIST (");
        let mut attributes = Attributes { out, first: true };
        if !exists {
            attributes.add("NonExistent");
        }
        attributes.add(if self.parents.contains(name) { "HasChildren" } else { "HasNoChildren" });
        if subscribed && (list.select.subscribed || list.returns.subscribed) {
            attributes.add("Subscribed");
        }
        USES.iter().filter(|(_, bit)| uses & bit != 0).for_each(|(name, _)| attributes.add(name));
        out.extend_from_slice(b") \"/\" ");
        encode::mailbox(out, name, mode);
        if below.is_some() {
            out.extend_from_slice(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
        }
        out.extend_from_slice(b"\r\n");
        if let (Some(entry), false, true) = (entry, list.returns.status.is_empty(), exists) {
            status::write(entry, &list.returns.status, mode, out);
        }
    }
}

struct Attributes<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl Attributes<'_> {
    fn add(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b' ');
        }
        self.out.push(b'\\');
        self.out.extend_from_slice(name.as_bytes());
    }
}

/// So much is made at a time.
const PIECE: usize = 16 * 1024;
