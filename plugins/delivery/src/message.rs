//! A message into the mailboxes of everybody it is for: their inboxes, or those for junk.

use crate::{answers, join::join, junk, LocalDelivery};
use dovetail_sdk::{
    delivery::{Answer, DeliveryFailure, Envelope, Verdict},
    directory::{AddressKind, Directory},
    store::{Append, Appended, Body, Flags, Store, StoreErrorCode, StoreFailure},
    time,
};
use std::collections::HashMap;

impl LocalDelivery {
    pub(crate) async fn deliver_message(&self, envelope: Envelope, body: Body) -> Result<Vec<Answer>, DeliveryFailure> {
        // The body is the store's, so that is the one to finish with.
        let (directory, store) = (self.directory.ready().await?, self.store.finishing().await?);
        let id = body.id().map_err(answers::store_failed)?;
        let plan = Plan::make(&directory, &envelope, self.max_accounts).await;
        let append = Append {
            mailbox: INBOX.to_owned(),
            body: id,
            flags: Flags::default(),
            internal_date: time::unix_milliseconds(),
            zone: 0,
            delivery_id: envelope.id.clone(),
        };
        let appends = plan.accounts.iter().map(|account| put(&store, account, append.clone(), envelope.junk));
        let results = join(appends).await;
        for (account, result) in plan.accounts.iter().zip(&results) {
            self.figures.appended(result);
            log(&envelope, account, result);
        }
        // Until here the body must stay: the handle keeps it.
        drop(body);
        let answers = plan.answers(&results);
        self.figures.answered(&answers);
        Ok(answers)
    }
}

/// A message that is in a mailbox, and which.
pub(crate) type Put = (String, Appended);

async fn put(store: &Store, account: &str, append: Append, junk: bool) -> Result<Put, StoreFailure> {
    if junk {
        return junk::append(store, account, append).await;
    }
    append_to(store, account, append).await.map(|appended| (INBOX.to_owned(), appended))
}

pub(crate) async fn append_to(store: &Store, account: &str, append: Append) -> Result<Appended, StoreFailure> {
    let appended = store.append(account.to_owned(), vec![append]).await?;
    appended.first().copied().ok_or_else(|| StoreFailure {
        code: StoreErrorCode::Temporary,
        message: "the store did not say where it put the message".to_owned(),
    })
}

fn log(envelope: &Envelope, account: &str, result: &Result<Put, StoreFailure>) {
    let delivery = envelope.id.as_str();
    match result {
        Ok((mailbox, appended)) => tracing::info!(delivery, account, mailbox, uid = appended.uid, "delivered"),
        Err(failure) => tracing::warn!(
            delivery,
            account,
            mailbox = if envelope.junk { "junk" } else { INBOX },
            failure = failure.message,
            "not delivered: the client keeps the message and tries again, or tells its sender"
        ),
    }
}

/// Who gets the message, and for which recipient.
struct Plan {
    /// Each account once.
    accounts: Vec<String>,
    /// For each recipient what is known already, or its accounts by their place in `accounts`.
    recipients: Vec<Result<Vec<usize>, Answer>>,
}

impl Plan {
    async fn make(directory: &Directory, envelope: &Envelope, max_accounts: usize) -> Self {
        let mut plan = Plan { accounts: Vec::new(), recipients: Vec::with_capacity(envelope.recipients.len()) };
        let mut places = HashMap::new();
        for recipient in &envelope.recipients {
            let found = accounts_of(directory, envelope, recipient).await;
            plan.recipients
                .push(found.and_then(|accounts| plan_room(&mut plan.accounts, &mut places, accounts, max_accounts)));
        }
        plan
    }

    /// The answer for each recipient: accepted only if all its accounts have the message, else what stood in the way. What
    /// may be tried again comes before what may not: a refusal for good would hide that a second try helps the others.
    fn answers(self, results: &[Result<Put, StoreFailure>]) -> Vec<Answer> {
        let answer = |places: Vec<usize>| {
            let failures = places.iter().filter_map(|&place| results.get(place)?.as_ref().err());
            let mut refusals: Vec<_> = failures.map(|failure| answers::refused_by_store(failure.code)).collect();
            refusals.sort_by_key(|refusal| refusal.verdict != Verdict::Defer);
            refusals.into_iter().next().unwrap_or_else(answers::delivered)
        };
        self.recipients.into_iter().map(|recipient| recipient.map_or_else(|known| known, answer)).collect()
    }
}

/// The accounts behind a recipient, asked again: much may have happened since RCPT TO.
async fn accounts_of(directory: &Directory, envelope: &Envelope, recipient: &str) -> Result<Vec<String>, Answer> {
    let resolution = directory.resolve(recipient.to_owned()).await.map_err(|failure| {
        tracing::warn!(
            delivery = envelope.id.as_str(),
            recipient,
            failure = failure.message,
            "recipient put off: the client tries again; look for the cause in the directory's lines"
        );
        answers::later()
    })?;
    match resolution.kind {
        AddressKind::Local if resolution.accounts.is_empty() => Err(answers::unknown()),
        AddressKind::Local => Ok(resolution.accounts),
        AddressKind::Remote => Err(answers::not_here(envelope.account.is_some())),
        _ => Err(answers::unknown()),
    }
}

/// Gives a recipient's accounts their places, if all of them still fit.
fn plan_room(
    all: &mut Vec<String>,
    places: &mut HashMap<String, usize>,
    accounts: Vec<String>,
    max_accounts: usize,
) -> Result<Vec<usize>, Answer> {
    let alone = accounts.len();
    let new = accounts.iter().filter(|account| !places.contains_key(*account)).count();
    if alone > max_accounts {
        return Err(answers::too_wide());
    }
    if all.len() + new > max_accounts {
        return Err(answers::too_many());
    }
    let mut place_of = |account: String| {
        *places.entry(account).or_insert_with_key(|account| {
            all.push(account.clone());
            all.len() - 1
        })
    };
    Ok(accounts.into_iter().map(&mut place_of).collect())
}

pub(crate) const INBOX: &str = "INBOX";

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
