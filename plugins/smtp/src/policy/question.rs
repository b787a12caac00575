//! What a policy is told.

use dovetail_sdk::policy::{Question, Stage};

use crate::conversation::Conversation;
use crate::state::Transaction;

/// A question with all that the session knows; `transaction` is the mail that it is about, if it is about one.
pub fn question(conversation: &Conversation<'_>, stage: Stage, transaction: Option<&Transaction>) -> Question {
    let info = &conversation.session.info;
    let state = &conversation.state;
    Question {
        stage,
        session: info.id.clone(),
        listener: info.listener.clone(),
        peer: info.peer,
        local: info.local,
        hostname: info.hostname.clone(),
        tls: conversation.session.tls().map(|facts| facts.version.clone()),
        helo: state.hello.as_ref().map(|hello| hello.name.clone()),
        account: state.account.clone(),
        transaction: transaction.map(|mail| mail.id.clone()),
        sender: transaction.map(Transaction::sender_text),
        size: transaction.and_then(|mail| mail.size),
        recipient: None,
        recipients: transaction.map(|mail| mail.recipients.clone()).unwrap_or_default(),
        message: None,
    }
}
