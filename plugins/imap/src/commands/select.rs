//! SELECT and EXAMINE (RFC 9051 sections 6.3.2 and 6.3.3).

use dovetail_imap_grammar::{encode, Mailbox};
use dovetail_sdk::store::{column, flag, MailboxState, StoreErrorCode, StoreFailure};

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::fetch::flags;
use crate::selected::Selected;
use crate::state::State;

/// Opens a mailbox. If that fails, none is open.
pub async fn run(conversation: &mut Conversation<'_>, mailbox: &Mailbox, read_only: bool) -> Answer {
    let name = match super::name(conversation, mailbox) {
        Ok(name) => name,
        Err(refusal) => return refusal.into(),
    };
    let account = conversation.account();
    if matches!(conversation.state, State::Selected(_)) {
        conversation.unselect();
        if conversation.rev2 {
            conversation.session.stream.queue(b"* OK [CLOSED] The previous mailbox is closed\r\n");
        }
    }
    match open(conversation, name, account, read_only).await {
        Ok(()) if read_only => Answer::quiet(Completion::ok("Examined").code("READ-ONLY")),
        Ok(()) => Answer::quiet(Completion::ok("Selected").code("READ-WRITE")),
        // A name that no mailbox can have is no mailbox.
        Err(failure) if failure.code == StoreErrorCode::Invalid => {
            Answer::quiet(Completion::no("NONEXISTENT", "There is no such mailbox"))
        }
        Err(failure) => Answer::quiet(Completion::store_failed(&failure)),
    }
}

async fn open(
    conversation: &mut Conversation<'_>,
    name: String,
    account: String,
    read_only: bool,
) -> Result<(), StoreFailure> {
    // Held until all is read: a store that is to be restarted waits for that.
    let store = conversation.store().await?;
    let mailbox = store.open(account.clone(), name.clone()).await?;
    let (mut selected, state) = Selected::open(mailbox, name, account, read_only)?;
    selected.share(&conversation.services.lists);
    let mut out = Vec::with_capacity(512);
    tell(&selected, &state, conversation.rev2, &mut out)?;
    drop(store);
    conversation.session.stream.queue(&out);
    conversation.state = State::Selected(Box::new(selected));
    Ok(())
}

fn tell(selected: &Selected, state: &MailboxState, rev2: bool, out: &mut Vec<u8>) -> Result<(), StoreFailure> {
    flags::write_defined(&selected.keywords, selected.read_only, out);
    out.extend_from_slice(format!("* {} EXISTS\r\n", selected.uids.len()).as_bytes());
    if !rev2 {
        out.extend_from_slice(format!("* {} RECENT\r\n", selected.recent.count(&selected.uids)).as_bytes());
        if let Some(number) = first_unseen(selected, state)? {
            out.extend_from_slice(format!("* OK [UNSEEN {number}] The first unseen message\r\n").as_bytes());
        }
    }
    out.extend_from_slice(
        format!(
            "* OK [UIDVALIDITY {}] UIDs are valid\r\n* OK [UIDNEXT {}] The next UID\r\n",
            state.uid_validity, state.uid_next
        )
        .as_bytes(),
    );
    if rev2 {
        out.extend_from_slice(b"* LIST () \"/\" ");
        encode::mailbox(out, &selected.name, dovetail_imap_grammar::TextMode::Utf8);
        out.extend_from_slice(b"\r\n");
    }
    Ok(())
}

fn first_unseen(selected: &Selected, state: &MailboxState) -> Result<Option<usize>, StoreFailure> {
    if state.unseen == 0 {
        return Ok(None);
    }
    let rows = selected.mailbox.rows(Vec::new(), 0, column::FLAGS)?;
    let unseen = rows.flags.iter().position(|flags| flags & u64::from(flag::SEEN) == 0);
    let uid = unseen.and_then(|at| rows.uids.get(at));
    Ok(uid.and_then(|uid| selected.uids.binary_search(uid).ok()).map(|at| at + 1))
}
