//! About how much memory and disk an operation takes until it is durable: heavy ones don't go to the disk together.

use crate::limits::{MAX_COPY, MAX_ROWS_PER_OP};
use crate::names::INBOX;
use crate::types::MailOp;
use crate::uidset::UidSet;

/// Bytes of the rows that change with one message.
const ROWS: usize = 400;

impl MailOp {
    /// An upper bound, in bytes.
    pub(crate) fn weight(&self) -> usize {
        match self {
            MailOp::Append(appends) => {
                let bodies = appends.iter().filter(|append| !append.body.is_apart());
                bodies.map(|append| append.body.size() as usize).sum::<usize>() + appends.len() * ROWS
            }
            MailOp::StoreFlags { uids, .. } | MailOp::Expunge { uids, .. } => rows(uids, MAX_ROWS_PER_OP),
            MailOp::Copy { uids, .. } => rows(uids, MAX_COPY),
            MailOp::RenameMailbox { name, .. } if name.eq_ignore_ascii_case(INBOX) => rows(&UidSet::all(), MAX_COPY),
            MailOp::DeleteMailbox { .. } => super::delete::DELETE_AT_ONCE * ROWS,
            MailOp::RenameMailbox { .. }
            | MailOp::CreateMailbox { .. }
            | MailOp::Subscribe { .. }
            | MailOp::Claim { .. } => ROWS,
        }
    }
}

fn rows(uids: &UidSet, most: usize) -> usize {
    usize::try_from(uids.len()).unwrap_or(most).min(most) * ROWS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_BATCH_BYTES;

    #[test]
    fn copies_of_much_go_to_the_disk_alone_and_of_little_together() {
        let copy = |uids| MailOp::Copy { mailbox: "a".into(), uids, to: "b".into(), remove: false };
        assert!(copy(UidSet::all()).weight() > MAX_BATCH_BYTES);
        assert!(copy(UidSet::range(1, 10)).weight() < MAX_BATCH_BYTES / 1000);
        let rename = |name: &str| MailOp::RenameMailbox { name: name.into(), to: "b".into() }.weight();
        assert!(rename("inbox") > MAX_BATCH_BYTES && rename("inbox/x") < MAX_BATCH_BYTES / 1000);
    }
}
