//! Summaries of messages: from the store, or made from the body where the store keeps none.

use dovetail_mail::mime::{Limits, Scanner, Summary};
use dovetail_sdk::store::{Mailbox, StoreErrorCode, StoreFailure};

/// The summaries of these messages; `None` for one that is gone.
///
/// # Errors
/// As the store gives them.
pub async fn get(mailbox: &Mailbox, uids: &[u32]) -> Result<Vec<Option<Summary>>, StoreFailure> {
    let mut summaries = Vec::with_capacity(uids.len());
    while let Some(rest) = uids.get(summaries.len()..).filter(|rest| !rest.is_empty()) {
        let pieces = mailbox.summaries(rest.to_vec()).await?;
        if pieces.lengths.is_empty() {
            return Err(StoreFailure {
                code: StoreErrorCode::Temporary,
                message: "the store gave no summaries".to_owned(),
            });
        }
        for (piece, uid) in pieces.iter().zip(rest) {
            summaries.push(match piece {
                None => None,
                Some(octets) => match Summary::decode(octets) {
                    Ok(summary) => Some(summary),
                    // None kept, or one of another format: the body has the same to say.
                    Err(_) => make(mailbox, *uid).await?,
                },
            });
        }
    }
    Ok(summaries)
}

/// Reads a whole message and summarises it.
async fn make(mailbox: &Mailbox, uid: u32) -> Result<Option<Summary>, StoreFailure> {
    let reader = match mailbox.read(uid, 0, u64::MAX).await {
        Ok(reader) => reader,
        Err(failure) if failure.code == StoreErrorCode::NotFound => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let mut scanner = Scanner::new(&Limits::default());
    loop {
        let piece = reader.next(PIECE).await?;
        if piece.is_empty() {
            return Ok(Some(scanner.finish()));
        }
        scanner.push(&piece);
    }
}

/// What is read at a time.
const PIECE: u32 = 64 * 1024;
