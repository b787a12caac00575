//! RENAME (RFC 9051 section 6.3.6).

use dovetail_imap_grammar::command::Rename;

use crate::answer::Answer;
use crate::conversation::Conversation;
use crate::names::SEPARATOR;

/// Gives a mailbox, and all that is below it, another name.
pub async fn run(conversation: &mut Conversation<'_>, rename: &Rename) -> Answer {
    let names =
        super::name(conversation, &rename.from).and_then(|from| Ok((from, super::name(conversation, &rename.to)?)));
    let (from, to) = match names {
        Ok(names) => names,
        Err(refusal) => return refusal.into(),
    };
    let to = to.strip_suffix(SEPARATOR).unwrap_or(&to).to_owned();
    let renamed = match conversation.store().await {
        Ok(store) => store.rename_mailbox(conversation.account(), from, to).await,
        Err(failure) => Err(failure),
    };
    super::done(renamed, "Renamed")
}
