//! A search key, looked at for all messages at once.

use std::future::Future;
use std::pin::Pin;

use dovetail_imap_grammar::command::SearchKey;
use dovetail_imap_grammar::{NoSuchMessage, RangeSet, SequenceSet};
use dovetail_mail::mime::{fold_case, Day};
use dovetail_sdk::store::{MessageColumns, StoreFailure};
use time::Date;

use super::cache::SearchCache;
use super::columns;
use super::fields::Field;
use super::text::{self, Wanted};
use crate::selected::Selected;

/// Why a search has no result.
#[derive(Debug)]
pub enum SearchError {
    /// A message number that there is not.
    NoSuchMessage(NoSuchMessage),
    /// A string that is not in the charset it should be in.
    NotText,
    /// The store failed.
    Store(StoreFailure),
}

impl From<StoreFailure> for SearchError {
    fn from(failure: StoreFailure) -> Self {
        SearchError::Store(failure)
    }
}

/// A search in one mailbox.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Where.
    pub selected: &'a Selected,
    /// What the view has of its messages.
    pub rows: &'a MessageColumns,
    /// Header fields.
    pub cache: &'a SearchCache,
}

type Found<'a> = Pin<Box<dyn Future<Output = Result<Vec<u32>, SearchError>> + Send + 'a>>;

impl<'a> Search<'a> {
    /// The rows among `among` (ascending) that fit a key, ascending. As deep as the key, whose depth the grammar limits.
    pub fn find(self, key: &'a SearchKey, among: Vec<u32>) -> Found<'a> {
        Box::pin(async move {
            match key {
                SearchKey::And(keys) => self.all_of(keys, among).await,
                SearchKey::Or(left, right) => {
                    let mut found = self.find(left, among.clone()).await?;
                    let rest = without(&among, &found);
                    found.extend(self.find(right, rest).await?);
                    found.sort_unstable();
                    Ok(found)
                }
                SearchKey::Not(key) => {
                    let found = self.find(key, among.clone()).await?;
                    Ok(without(&among, &found))
                }
                key => self.leaf(key, among).await,
            }
        })
    }

    async fn all_of(self, keys: &'a [SearchKey], mut among: Vec<u32>) -> Result<Vec<u32>, SearchError> {
        let mut keys: Vec<&SearchKey> = keys.iter().collect();
        keys.sort_by_key(|key| cost(key));
        for key in keys {
            // Even with nothing left: a number that there is not is an error wherever it stands.
            among = self.find(key, among).await?;
        }
        Ok(among)
    }

    async fn leaf(self, key: &SearchKey, among: Vec<u32>) -> Result<Vec<u32>, SearchError> {
        let Search { selected, rows, .. } = self;
        let field = |field: Field, text: &[u8]| (field, text.to_vec());
        let (kept, text) = match key {
            SearchKey::Sequence(set) => return self.in_set(set, false, &among),
            SearchKey::Uid(set) => return self.in_set(set, true, &among),
            SearchKey::SentBefore(date) => return self.sent(among, |day| day < day_of(*date)).await,
            SearchKey::SentOn(date) => return self.sent(among, |day| day == day_of(*date)).await,
            SearchKey::SentSince(date) => return self.sent(among, |day| day >= day_of(*date)).await,
            SearchKey::Subject(text) => field(Field::Subject, text),
            SearchKey::From(text) => field(Field::From, text),
            SearchKey::To(text) => field(Field::To, text),
            SearchKey::Cc(text) => field(Field::Cc, text),
            SearchKey::Bcc(text) => field(Field::Bcc, text),
            SearchKey::Header { name, value } => match Field::by_name(name) {
                Some(kept) => field(kept, value),
                None => {
                    let wanted = Wanted::Field(name.clone(), folded(value)?);
                    return Ok(text::find(&wanted, selected, rows, &among).await?);
                }
            },
            SearchKey::Body(text) => {
                return Ok(text::find(&Wanted::Body(folded(text)?), selected, rows, &among).await?);
            }
            SearchKey::Text(text) => {
                return Ok(text::find(&Wanted::Anywhere(folded(text)?), selected, rows, &among).await?);
            }
            key => {
                let fits = |row: &u32| columns::test(key, selected, rows, *row as usize).unwrap_or(false);
                return Ok(among.into_iter().filter(fits).collect());
            }
        };
        let needle = folded(&text)?;
        let found: RangeSet = self.cache.fields(selected).await?.find(kept, &needle).into_iter().collect();
        Ok(columns::rows_in(&found, rows, &among))
    }

    fn in_set(self, set: &SequenceSet, by_uid: bool, among: &[u32]) -> Result<Vec<u32>, SearchError> {
        let places = self.selected.places(set, by_uid).map_err(SearchError::NoSuchMessage)?;
        let uids: RangeSet = self.selected.uids_at(&places).into_iter().collect();
        Ok(columns::rows_in(&uids, self.rows, among))
    }

    async fn sent(self, among: Vec<u32>, fits: impl Fn(Day) -> bool + Send) -> Result<Vec<u32>, SearchError> {
        let found: RangeSet = self.cache.fields(self.selected).await?.sent(fits).into_iter().collect();
        Ok(columns::rows_in(&found, self.rows, &among))
    }
}

/// What of `all` is not in `some`; both ascending.
fn without(all: &[u32], some: &[u32]) -> Vec<u32> {
    let mut some = some.iter().peekable();
    let mut left = Vec::with_capacity(all.len());
    for row in all {
        while some.peek().is_some_and(|other| *other < row) {
            some.next();
        }
        if some.peek() != Some(&row) {
            left.push(*row);
        }
    }
    left
}

fn day_of(date: Date) -> Day {
    let year = u16::try_from(date.year()).unwrap_or(0);
    Day { year, month: u8::from(date.month()), day: date.day() }
}

fn folded(text: &[u8]) -> Result<String, SearchError> {
    std::str::from_utf8(text).map(fold_case).map_err(|_| SearchError::NotText)
}

/// What a key costs, for the order of an AND.
fn cost(key: &SearchKey) -> u32 {
    match key {
        SearchKey::And(keys) => keys.iter().map(cost).max().unwrap_or(0),
        SearchKey::Or(left, right) => cost(left).max(cost(right)),
        SearchKey::Not(key) => cost(key),
        SearchKey::Body(_) | SearchKey::Text(_) => 3,
        SearchKey::Header { name, .. } if Field::by_name(name).is_none() => 2,
        SearchKey::Header { .. }
        | SearchKey::Subject(_)
        | SearchKey::From(_)
        | SearchKey::To(_)
        | SearchKey::Cc(_)
        | SearchKey::Bcc(_)
        | SearchKey::SentBefore(_)
        | SearchKey::SentOn(_)
        | SearchKey::SentSince(_) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_without_some() {
        assert_eq!(without(&[1, 2, 3, 5, 8], &[2, 3, 4, 8]), [1, 5]);
        assert_eq!(without(&[1], &[]), [1]);
        assert!(without(&[], &[1]).is_empty());
    }
}
