//! Whether the store shows what the model shows.

use std::collections::BTreeSet;

use super::model::{flag_set, Account, Mailbox as Model};
use super::summary_of;
use crate::{Flags, Mailbox, MailboxRow, MessageRow, Store, Uid, Vanished};

pub(super) fn compare_account(store: &Store, name: &str, model: &mut Account) {
    let mailboxes = store.mailboxes(name).expect("mailboxes are listed");
    let names: Vec<&str> = mailboxes.iter().map(|m| m.name.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    assert_eq!(names, model.mailboxes.keys().map(String::as_str).collect::<Vec<_>>());
    let subscriptions = store.subscriptions(name).expect("subscriptions are listed");
    assert_eq!(subscriptions.into_iter().collect::<BTreeSet<_>>(), model.subscribed);
    let usage = store.usage(name).expect("usage is known");
    let all = || model.mailboxes.values().flat_map(|b| b.messages.values());
    assert_eq!(usage.messages, all().count() as u64);
    assert_eq!(usage.bytes, all().map(|m| m.bytes.len() as u64).sum::<u64>());
    for mailbox in &mailboxes {
        assert_eq!(store.find(name, &mailbox.name).ok(), Some(mailbox.row.id));
        assert_eq!(mailbox.subscribed, model.subscribed.contains(&mailbox.name));
        compare_mailbox(store, name, &mailbox.row, &model.mailboxes[&mailbox.name]);
        compare_view(store, name, mailbox);
    }
    // Mailboxes keep their numbers and UIDVALIDITYs; new ones have greater ones than all before.
    let mut by_number = mailboxes;
    by_number.sort_by_key(|m| m.row.id);
    for mailbox in by_number {
        let (row, known) = (mailbox.row, model.mailboxes.get_mut(&mailbox.name));
        let Some(known) = known else { continue };
        if known.id.is_none() {
            assert!(row.uid_validity > model.last.0 && row.id > model.last.1, "{} is not new: {row:?}", mailbox.name);
            model.last = (row.uid_validity, row.id);
            (known.id, known.uid_validity) = (Some(row.id), row.uid_validity);
        }
        assert_eq!((known.id, known.uid_validity), (Some(row.id), row.uid_validity));
    }
}

fn compare_mailbox(store: &Store, account: &str, row: &MailboxRow, model: &Model) {
    assert_eq!(row.uid_next, model.uid_next + 1);
    assert_eq!(row.messages as usize, model.messages.len());
    assert_eq!(row.bytes, model.messages.values().map(|m| m.bytes.len() as u64).sum::<u64>());
    let with = |flag: &str| model.messages.values().filter(|m| m.flags.contains(flag)).count();
    assert_eq!(row.unseen as usize, model.messages.len() - with("\\Seen"));
    assert_eq!(row.deleted as usize, with("\\Deleted"));
    // The store starts counting at 1.
    assert_eq!(row.highest_modseq, model.highest + 1);
    assert_eq!(row.special_use, model.special_use);
    assert_eq!(row.keywords.iter().cloned().collect::<BTreeSet<_>>(), model.keywords);
    assert_eq!(row.recent_from, model.recent_from.max(1));
    let recent = model.messages.range(model.recent_from..).count();
    assert_eq!(store.recent(account, row).expect("recent messages are counted") as usize, recent);
    let mut listed = Vec::new();
    let mut next = Some(1);
    while let Some(first) = next {
        let part = store.list(account, row.id, first, Uid::MAX, None, 3).expect("messages are listed");
        listed.extend(part.rows);
        next = part.next;
    }
    assert_eq!(listed.iter().map(|m| m.uid).collect::<Vec<_>>(), model.messages.keys().copied().collect::<Vec<_>>());
    for message in &listed {
        let expected = &model.messages[&message.uid];
        assert_eq!(message.size as usize, expected.bytes.len());
        assert_eq!(message.modseq, expected.modseq + 1);
        assert_eq!((message.internal_date.milliseconds, message.internal_date.offset), (expected.date, -60));
        assert_eq!(message.save_date, expected.saved as i64);
        assert_eq!(names_of(row, message), expected.flags);
        assert_eq!(store.read(message.body, 0, 100_000).expect("a body is read"), expected.bytes);
        let part = store.read(message.body, 10, 20).expect("a part of a body is read");
        assert_eq!(part, expected.bytes.iter().skip(10).take(20).copied().collect::<Vec<_>>());
    }
    let bodies: Vec<_> = listed.iter().map(|message| message.body).collect();
    let summaries: Vec<_> = model.messages.values().map(|message| summary_of(&message.bytes)).collect();
    assert_eq!(store.summaries(account, &bodies).expect("summaries are read"), summaries);
    let since = model.highest / 2;
    let gone = model.gone.iter().filter(|g| g.0 > since).map(|g| g.1).collect();
    assert_eq!(store.vanished(account, row.id, since + 1).expect("expunges are listed"), Vanished::Uids(gone));
}

/// The view in memory, which commits have brought up to date since it was opened, and the back end agree.
fn compare_view(store: &Store, account: &str, mailbox: &Mailbox) {
    let view = store.open_mailbox(account, &mailbox.name).expect("a mailbox is opened");
    let row = &mailbox.row;
    let rows = store.list(account, row.id, 1, Uid::MAX, None, 10_000).expect("messages are listed").rows;
    view.look(|state, columns| {
        assert_eq!((view.mailbox(), state.gone), (row.id, false));
        assert_eq!((state.uid_validity, state.uid_next), (row.uid_validity, row.uid_next));
        assert_eq!((state.highest_modseq, state.unseen), (row.highest_modseq, row.unseen));
        assert_eq!((state.recent_from, &state.keywords), (row.recent_from, &row.keywords));
        assert_eq!(columns.uids, rows.iter().map(|row| row.uid).collect::<Vec<_>>());
        assert_eq!(columns.flags, rows.iter().map(|row| row.flags.0).collect::<Vec<_>>());
        assert_eq!(columns.modseqs, rows.iter().map(|row| row.modseq).collect::<Vec<_>>());
        assert_eq!(columns.sizes, rows.iter().map(|row| row.size).collect::<Vec<_>>());
        assert_eq!(columns.dates, rows.iter().map(|row| row.internal_date.milliseconds).collect::<Vec<_>>());
        assert_eq!(columns.save_dates, rows.iter().map(|row| row.save_date).collect::<Vec<_>>());
        assert_eq!(columns.bodies, rows.iter().map(|row| row.body.0).collect::<Vec<_>>());
    });
}

fn names_of(mailbox: &MailboxRow, message: &MessageRow) -> BTreeSet<String> {
    let mut set = flag_set((message.flags.0 & Flags::SYSTEM.0) as u8);
    let has = |n: &usize| message.flags.0 & 1 << (Flags::FIRST_KEYWORD as usize + n) != 0;
    set.extend((0..mailbox.keywords.len()).filter(has).map(|n| mailbox.keywords[n].clone()));
    set
}
