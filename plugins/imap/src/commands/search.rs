//! SEARCH and UID SEARCH (RFC 9051 section 6.4.4; ESEARCH of RFC 4731, `$` of RFC 5182). What is found is found in
//! [`crate::search`].

use dovetail_imap_grammar::command::{Search as Command, SearchReturn};
use dovetail_imap_grammar::{encode, RangeSet, Tag};
use dovetail_sdk::store::UidRange;

use crate::answer::Answer;
use crate::completion::{Completion, Status};
use crate::conversation::Conversation;
use crate::search::columns;
use crate::search::evaluate::{Search, SearchError};
use crate::selected::Selected;
use crate::state::State;

/// Looks for messages.
pub async fn run(conversation: &mut Conversation<'_>, tag: &Tag, search: &Command) -> Answer {
    let rev2 = conversation.rev2;
    let State::Selected(selected) = &mut conversation.state else {
        return Answer::quiet(Completion::bad("Select a mailbox first"));
    };
    let saves = search.returns.is_some_and(|returns| returns.save);
    let charset = search.charset.as_deref().unwrap_or("UTF-8");
    let found = if ["UTF-8", "US-ASCII"].iter().any(|known| known.eq_ignore_ascii_case(charset)) {
        let mut news = Vec::new();
        let found = find(selected, search, &conversation.services.search, &mut news).await;
        conversation.session.stream.queue(&news);
        found
    } else {
        Err(Completion::no("BADCHARSET (US-ASCII UTF-8)", "That charset is not known here"))
    };
    let found = match found {
        Ok(found) => found,
        Err(refusal) => {
            // RFC 5182 section 2.1: a search that fails leaves nothing behind, one that makes no sense all that was.
            if saves && refusal.status == Status::No && !refusal.again {
                selected.saved = RangeSet::new();
            }
            return Answer::about_messages(refusal, search.uid);
        }
    };
    let mut out = Vec::with_capacity(256);
    match search.returns {
        None if !rev2 => plain(selected, search.uid, &found, &mut out),
        returns => {
            let returns = returns.unwrap_or_else(all);
            extended(selected, tag, search.uid, returns, &found, &mut out);
            if saves {
                selected.saved = saved(returns, &found);
            }
        }
    }
    conversation.session.stream.queue(&out);
    Answer::about_messages(Completion::ok("Searched"), search.uid)
}

/// The UIDs that are found, ascending.
async fn find(
    selected: &mut Selected,
    search: &Command,
    cache: &crate::search::cache::SearchCache,
    news: &mut Vec<u8>,
) -> Result<Vec<u32>, Completion> {
    let failed = |failure| Completion::store_failed(&failure);
    let keywords = selected.mailbox.state().map_err(failed)?.keywords;
    selected.learn_keywords(&keywords, news);
    let known = match (selected.uids.first(), selected.uids.last()) {
        (Some(first), Some(last)) => vec![UidRange { first: *first, last: *last }],
        _ => Vec::new(),
    };
    let rows = match known.is_empty() {
        true => Default::default(),
        false => selected.mailbox.rows(known, 0, columns::needed(&search.key)).map_err(failed)?,
    };
    let all = (0..u32::try_from(rows.uids.len()).unwrap_or(u32::MAX)).collect();
    let found = Search { selected, rows: &rows, cache }.find(&search.key, all).await;
    match found {
        Ok(found) => Ok(found.iter().filter_map(|row| rows.uids.get(*row as usize).copied()).collect()),
        Err(SearchError::NoSuchMessage(error)) => Err(Completion::bad(error.to_string())),
        Err(SearchError::NotText) => Err(Completion::bad("A string of the search is not valid UTF-8")),
        Err(SearchError::Store(failure)) => Err(Completion::store_failed(&failure)),
    }
}

/// What the client wants to see of the messages: UIDs or numbers.
fn shown(selected: &Selected, uid: bool, found: &[u32]) -> Vec<u32> {
    if uid {
        return found.to_vec();
    }
    let number = |uid: &u32| selected.uids.binary_search(uid).ok().and_then(|at| u32::try_from(at + 1).ok());
    found.iter().filter_map(number).collect()
}

fn plain(selected: &Selected, uid: bool, found: &[u32], out: &mut Vec<u8>) {
    out.extend_from_slice(b"* SEARCH");
    for number in shown(selected, uid, found) {
        out.push(b' ');
        encode::number(out, u64::from(number));
    }
    out.extend_from_slice(b"\r\n");
}

fn extended(selected: &Selected, tag: &Tag, uid: bool, returns: SearchReturn, found: &[u32], out: &mut Vec<u8>) {
    if !(returns.min || returns.max || returns.all || returns.count) {
        return;
    }
    let numbers = shown(selected, uid, found);
    let all: RangeSet = numbers.iter().copied().collect();
    encode::Esearch {
        tag,
        uid,
        min: numbers.first().copied().filter(|_| returns.min),
        max: numbers.last().copied().filter(|_| returns.max),
        count: returns.count.then_some(numbers.len() as u64),
        all: (returns.all && !all.is_empty()).then_some(&all),
    }
    .write(out);
}

/// What `$` stands for afterwards (RFC 5182 section 2.4): with MIN or MAX and nothing else, only those.
fn saved(returns: SearchReturn, found: &[u32]) -> RangeSet {
    if (returns.min || returns.max) && !returns.all && !returns.count {
        let ends = [found.first().filter(|_| returns.min), found.last().filter(|_| returns.max)];
        return ends.into_iter().flatten().copied().collect();
    }
    found.iter().copied().collect()
}

fn all() -> SearchReturn {
    let mut returns = SearchReturn::default();
    returns.all = true;
    returns
}
