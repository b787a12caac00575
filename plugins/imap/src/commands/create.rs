//! CREATE (RFC 9051 section 6.3.4), with special uses (RFC 6154 section 3).

use dovetail_imap_grammar::command::Create;

use super::list::USES;
use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::names::SEPARATOR;

/// Makes a mailbox, and those above it.
pub async fn run(conversation: &mut Conversation<'_>, create: &Create) -> Answer {
    let name = match super::name(conversation, &create.mailbox) {
        Ok(name) => name,
        Err(refusal) => return refusal.into(),
    };
    // A separator at the end announces that there will be mailboxes below; any of ours can have some.
    let name = name.strip_suffix(SEPARATOR).unwrap_or(&name).to_owned();
    let mut uses = 0;
    for word in &create.special_use {
        let Some((_, bit)) = USES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)) else {
            return Completion::no("USEATTR", "That special use is not known here").into();
        };
        uses |= bit;
    }
    let created = match conversation.store().await {
        Ok(store) => store.create_mailbox(conversation.account(), name, uses).await,
        Err(failure) => Err(failure),
    };
    super::done(created, "Created")
}
