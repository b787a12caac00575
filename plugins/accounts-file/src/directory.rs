//! `dovetail.directory/1`: the answers that protocols and delivery ask for.
//!
//! A login name is an account's own address. A name that does not exist, one that has no password and a wrong password take
//! the same time and get the same answer; that an account is disabled is told only to who knows its password.

use crate::{
    book::{Book, Destination},
    gate::GateError,
    misfit::BookError,
    name::Name,
    password, Accounts,
};
use dovetail_sdk::{
    directory::{
        AddressKind, AuthOutcome, AuthStatus, DirectoryFailure, DirectoryProvider, PasswordAttempt, Resolution,
    },
    task, Secret,
};
use std::{sync::Arc, time::Instant};

impl DirectoryProvider for Accounts {
    async fn authenticate(&self, attempt: PasswordAttempt) -> Result<AuthOutcome, DirectoryFailure> {
        let rejected = AuthOutcome { status: AuthStatus::Rejected, account: None };
        if attempt.password.expose().len() > password::MAX_OCTETS {
            return Ok(rejected);
        }
        let book = self.current().await;
        let name: Option<Name> = attempt.authentication_id.parse().ok();
        let account = name.as_ref().and_then(|name| Some((name, book.account(name)?)));
        let usable = account.filter(|(_, account)| !account.password.is_empty());
        let right = match usable {
            Some((name, account)) => self.is_right(name, &account.password, attempt.password).await?,
            None => self.waste(attempt.password).await?,
        };
        let acts_as_itself = attempt.authorization_id.is_empty()
            || attempt.authorization_id.parse().is_ok_and(|other: Name| Some(&other) == name.as_ref());
        Ok(match usable {
            Some((_, account)) if right && acts_as_itself && !account.enabled => {
                AuthOutcome { status: AuthStatus::Disabled, account: None }
            }
            Some((name, _)) if right && acts_as_itself => {
                AuthOutcome { status: AuthStatus::Accepted, account: Some(name.to_string()) }
            }
            _ => rejected,
        })
    }

    async fn resolve(&self, address: String) -> Result<Resolution, DirectoryFailure> {
        Ok(match self.current().await.resolve(&address)? {
            Destination::Local(names) => {
                Resolution { kind: AddressKind::Local, accounts: names.iter().map(Name::to_string).collect() }
            }
            Destination::Unknown => Resolution { kind: AddressKind::Unknown, accounts: Vec::new() },
            Destination::Remote => Resolution { kind: AddressKind::Remote, accounts: Vec::new() },
        })
    }

    async fn may_send_as(&self, account: String, address: String) -> Result<bool, DirectoryFailure> {
        Ok(self.current().await.may_send_as(&account, &address))
    }
}

impl Accounts {
    /// What is in force, after a look at the file if it is time for one.
    async fn current(&self) -> Arc<Book> {
        if self.live.is_due(Instant::now()) {
            let live = self.live.clone();
            if task::spawn_blocking(move || live.look()).await.is_err() {
                tracing::warn!("the accounts file could not be looked at; the accounts known so far stay in force (check the disk, and who may read the file)");
            }
        }
        self.live.book()
    }

    async fn is_right(&self, name: &Name, hash: &str, password: Secret) -> Result<bool, GateError> {
        let ticket = self.cache.ticket(name.as_str(), hash, password.expose());
        if self.cache.knows(name, &ticket, Instant::now()) {
            return Ok(true);
        }
        let (hash, scratch) = (hash.to_owned(), self.scratch.clone());
        let right = self.gate.pass(ticket, move || password::verify(password.expose(), &hash, &scratch)).await?;
        self.scratch.give_back_later();
        if right {
            self.cache.remember(name, ticket, Instant::now());
        }
        Ok(right)
    }

    /// Takes the time of a check that fails.
    async fn waste(&self, password: Secret) -> Result<bool, GateError> {
        let ticket = self.cache.ticket("", &self.decoy, password.expose());
        let (decoy, scratch) = (self.decoy.clone(), self.scratch.clone());
        let right = self.gate.pass(ticket, move || password::verify(password.expose(), &decoy, &scratch)).await;
        self.scratch.give_back_later();
        right
    }
}

impl From<GateError> for DirectoryFailure {
    fn from(error: GateError) -> Self {
        DirectoryFailure { message: error.to_string() }
    }
}

impl From<BookError> for DirectoryFailure {
    fn from(error: BookError) -> Self {
        DirectoryFailure { message: error.to_string() }
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
