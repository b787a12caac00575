//! The commands, one a file, and the way to them.

pub mod append;
mod authenticate;
mod capability;
mod close;
mod copy;
mod create;
mod delete;
mod enable;
mod expunge;
mod fetch;
mod id;
mod idle;
mod list;
mod login;
mod logout;
mod lsub;
mod namespace;
mod noop;
mod rename;
mod search;
mod select;
mod starttls;
mod status;
mod store;
mod subscribe;

use std::io;

use dovetail_imap_grammar::{Command, Mailbox, Tag};
use dovetail_sdk::store::StoreFailure;

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::selected::reopen::{NotReopened, REOPENINGS};

/// Runs a command that is allowed now.
///
/// # Errors
/// Each of them ends the connection.
pub async fn run(conversation: &mut Conversation<'_>, tag: &Tag, command: Command) -> io::Result<Answer> {
    let mut tries = 0;
    while let Some(answer) = on_selected(conversation, tag, &command).await? {
        if !answer.completion.again || tries == REOPENINGS {
            return Ok(answer);
        }
        tries += 1;
        match Box::pin(conversation.reopen()).await {
            Ok(()) => {}
            Err(NotReopened::Later(_)) => return Ok(Answer::quiet(answer.completion)),
            Err(NotReopened::Another) => {
                let next = conversation.another_mailbox();
                return Ok(Answer { next, ..Answer::quiet(answer.completion) });
            }
        }
    }
    // Boxed, each by itself: a session that waits in IDLE must not keep room for the largest of them.
    Ok(match command {
        Command::Capability => capability::run(conversation),
        Command::Noop => noop::run(),
        Command::Check => noop::run(),
        Command::Logout => logout::run(conversation),
        Command::StartTls => Box::pin(starttls::run(conversation, tag)).await?,
        Command::Id(pairs) => id::run(conversation, pairs.unwrap_or_default()),
        Command::Login(login) => Box::pin(login::run(conversation, login)).await,
        Command::Authenticate(authenticate) => Box::pin(authenticate::run(conversation, authenticate)).await?,
        Command::Enable(words) => enable::run(conversation, &words),
        Command::Select(select) => Box::pin(select::run(conversation, &select.mailbox, false)).await,
        Command::Examine(select) => Box::pin(select::run(conversation, &select.mailbox, true)).await,
        Command::Create(create) => Box::pin(create::run(conversation, &create)).await,
        Command::Delete(mailbox) => Box::pin(delete::run(conversation, &mailbox)).await,
        Command::Rename(rename) => Box::pin(rename::run(conversation, &rename)).await,
        Command::Subscribe(mailbox) => Box::pin(subscribe::run(conversation, &mailbox, true)).await,
        Command::Unsubscribe(mailbox) => Box::pin(subscribe::run(conversation, &mailbox, false)).await,
        Command::List(list) => Box::pin(list::run(conversation, &list)).await?,
        Command::Lsub { reference, pattern } => Box::pin(lsub::run(conversation, &reference, &pattern)).await,
        Command::Namespace => namespace::run(conversation),
        Command::Status(status) => Box::pin(status::run(conversation, &status)).await,
        Command::Idle => Box::pin(idle::run(conversation)).await?,
        // The grammar knows more than this server: APPEND comes another way, and what is new there is not known here.
        _ => Answer::quiet(Completion::bad("Unknown command")),
    })
}

/// Runs one of the commands that work on the selected mailbox; `None` if it is none of them. They may be run a second time: one
/// that finds that the store was stopped has changed nothing, and told nothing that may not be told twice.
async fn on_selected(conversation: &mut Conversation<'_>, tag: &Tag, command: &Command) -> io::Result<Option<Answer>> {
    Ok(Some(match command {
        Command::Close => Box::pin(close::run(conversation, true)).await,
        Command::Unselect => Box::pin(close::run(conversation, false)).await,
        Command::Expunge => Box::pin(expunge::run(conversation, None)).await,
        Command::UidExpunge(set) => Box::pin(expunge::run(conversation, Some(set))).await,
        Command::Search(search) => Box::pin(search::run(conversation, tag, search)).await,
        Command::Fetch(fetch) => Box::pin(fetch::run(conversation, fetch)).await?,
        Command::Store(store) => Box::pin(store::run(conversation, store)).await,
        Command::Copy(transfer) => Box::pin(copy::run(conversation, transfer, false)).await,
        Command::Move(transfer) => Box::pin(copy::run(conversation, transfer, true)).await,
        _ => return Ok(None),
    }))
}

/// The name in Unicode, or what the client hears if it is none.
fn name(conversation: &Conversation<'_>, mailbox: &Mailbox) -> Result<String, Completion> {
    mailbox.decode(conversation.mode()).map_err(|error| Completion::bad(error.to_string()))
}

/// What a change in the account's mailboxes came to.
fn done(result: Result<(), StoreFailure>, text: &'static str) -> Answer {
    match result {
        Ok(()) => Completion::ok(text).into(),
        Err(failure) => Completion::store_failed(&failure).into(),
    }
}
