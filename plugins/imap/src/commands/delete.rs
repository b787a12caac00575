//! DELETE (RFC 9051 section 6.3.5).

use dovetail_imap_grammar::Mailbox;

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;

/// Deletes a mailbox with all that is in it.
pub async fn run(conversation: &mut Conversation<'_>, mailbox: &Mailbox) -> Answer {
    let name = match super::name(conversation, mailbox) {
        Ok(name) => name,
        Err(refusal) => return refusal.into(),
    };
    if name == "INBOX" {
        return Completion::no("CANNOT", "INBOX cannot be deleted").into();
    }
    let deleted = match conversation.store().await {
        Ok(store) => store.delete_mailbox(conversation.account(), name).await,
        Err(failure) => Err(failure),
    };
    super::done(deleted, "Deleted")
}
