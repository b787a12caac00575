//! Fetching everything at the end: each message that was accepted must be there once, as it was sent.

use crate::{imap::Imap, tally::Kind, worker, Common};
use std::{collections::BTreeMap, io};

/// Looks into all mailboxes.
pub fn all(common: &Common) {
    for account in &common.plan.accounts {
        let expected = common.tally.messages(&account.0);
        let found = match mailbox(common, account) {
            Ok(found) => found,
            Err(error) => {
                common
                    .tally
                    .lost(expected.len() as u64, format!("the mailbox of {} cannot be read: {error}", account.0));
                continue;
            }
        };
        for name in expected {
            match found.get(&name) {
                None => common.tally.lost(1, format!("{name} is not in the mailbox of {}", account.0)),
                Some((_, false)) => common.tally.lost(1, format!("{name} is not what was sent")),
                Some((1, true)) => {}
                Some((times, true)) => common.tally.doubled(format!("{name} is there {times} times")),
            }
        }
    }
}

/// How often each message is there, and whether it is what was sent.
fn mailbox(common: &Common, account: &(String, String)) -> io::Result<BTreeMap<String, (u32, bool)>> {
    let mut imap = Imap::open(common, Kind { imap: true, implicit: true })?;
    imap.log_in(account)?;
    imap.command("SELECT INBOX")?;
    let mut found: BTreeMap<String, (u32, bool)> = BTreeMap::new();
    for (_, text) in imap.command("UID FETCH 1:* (BODY.PEEK[])")? {
        let shown = String::from_utf8_lossy(&text);
        let Some(name) = shown.lines().find_map(|line| line.strip_prefix("Subject: ")) else { continue };
        let entry = found.entry(name.to_owned()).or_insert((0, true));
        entry.0 += 1;
        // Behind the trace lines of the server.
        entry.1 &= text.ends_with(worker::message(name).as_bytes());
    }
    imap.command("LOGOUT")?;
    Ok(found)
}
