//! SUBSCRIBE and UNSUBSCRIBE (RFC 9051 sections 6.3.7 and 6.3.8). A name may be subscribed to before its mailbox is there,
//! and after it is gone.

use dovetail_imap_grammar::Mailbox;

use crate::answer::Answer;
use crate::conversation::Conversation;

/// Subscribes to a name, or ends that.
pub async fn run(conversation: &mut Conversation<'_>, mailbox: &Mailbox, subscribed: bool) -> Answer {
    let name = match super::name(conversation, mailbox) {
        Ok(name) => name,
        Err(refusal) => return refusal.into(),
    };
    let done = match conversation.store().await {
        Ok(store) => store.subscribe(conversation.account(), name, subscribed).await,
        Err(failure) => Err(failure),
    };
    super::done(done, if subscribed { "Subscribed" } else { "Unsubscribed" })
}
