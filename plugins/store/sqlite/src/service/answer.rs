//! The store's answers in the words of `dovetail.store/1`.

use dovetail_mailstore::{BackendError, FlagNames, Flags, Mailbox, MessageRow, StoreError};
use dovetail_sdk::store::{self as sdk, MailboxStatus, MessageColumns, StoreErrorCode, StoreFailure};

pub(super) fn failure(error: &StoreError) -> StoreFailure {
    let code = match error {
        StoreError::Backend(BackendError::Full { .. }) => StoreErrorCode::Full,
        StoreError::TooLarge { .. } => StoreErrorCode::TooLarge,
        StoreError::NoSuchMailbox { .. } | StoreError::NoSuchBody(_) => StoreErrorCode::NotFound,
        StoreError::MailboxExists { .. } => StoreErrorCode::Exists,
        error if error.is_temporary() => StoreErrorCode::Temporary,
        _ => StoreErrorCode::Invalid,
    };
    StoreFailure { code, message: error.to_string() }
}

pub(super) fn flag_names(flags: sdk::Flags) -> FlagNames {
    FlagNames { system: Flags(u64::from(flags.system) & Flags::SYSTEM.0), keywords: flags.keywords }
}

pub(super) fn status(mailbox: Mailbox) -> MailboxStatus {
    MailboxStatus {
        name: mailbox.name,
        uid_validity: mailbox.row.uid_validity,
        uid_next: mailbox.row.uid_next,
        highest_modseq: mailbox.row.highest_modseq,
        messages: mailbox.row.messages,
        octets: mailbox.row.bytes,
    }
}

pub(super) fn columns(rows: &[MessageRow]) -> MessageColumns {
    MessageColumns {
        uids: rows.iter().map(|row| row.uid).collect(),
        sizes: rows.iter().map(|row| u64::from(row.size)).collect(),
        flags: rows.iter().map(|row| (row.flags.0 & Flags::SYSTEM.0) as u32).collect(),
        modseqs: rows.iter().map(|row| row.modseq).collect(),
        dates: rows.iter().map(|row| row.internal_date.milliseconds).collect(),
    }
}
