//! `dovetail.directory/1`: the answers that protocols and delivery ask for.
//!
//! A login name is an account's own address. A name that does not exist, one that has no password and a wrong password get the same
//! answer; that an account is disabled is told only to who knows its password. Who asks for SCRAM keys gets some for every name
//! ([`crate::fakes`]).
//!
//! They take the same time, too, where the account's hash costs what the config says. What costs something else can be told apart
//! by its time: imported hashes and keys alone, until they are upgraded; argon2 hashes of other costs. And SCRAM keys of other numbers
//! of iterations than most accounts have can be told apart by that number.

use crate::{
    book::{Book, Destination},
    certificate_login,
    content::Account,
    gate::GateError,
    misfit::BookError,
    name::Name,
    password,
    scram::{self, Scram},
    Accounts,
};
use dovetail_mail::sasl::scram::prepare;
use dovetail_sdk::{
    directory::{
        AddressKind, AuthOutcome, AuthStatus, CertificateAttempt, CertificateOutcome, DirectoryFailure,
        DirectoryProvider, LoginMethods, PasswordAttempt, Proven, Resolution, ScramKeys, ScramRequest,
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
        let right = match account.filter(|(_, account)| account.has_password()) {
            Some((name, account)) => self.is_right(name, account, attempt.password).await?,
            None => self.waste(attempt.password).await?,
        };
        Ok(match account.filter(|_| right) {
            Some((name, account)) => admit(name, account, &attempt.authorization_id),
            None => rejected,
        })
    }

    fn login_methods(&self) -> Result<LoginMethods, DirectoryFailure> {
        if self.live.is_due(Instant::now()) {
            let live = self.live.clone();
            // The next one is answered by what it finds.
            drop(task::spawn_blocking(move || live.look()));
        }
        Ok(LoginMethods {
            scram_sha_256: match self.scram {
                Scram::Auto => self.live.book().scram().is_complete(),
                Scram::On => true,
                Scram::Off => false,
            },
            certificates: !self.certificate_logins.is_empty(),
        })
    }

    async fn scram_keys(&self, request: ScramRequest) -> Result<ScramKeys, DirectoryFailure> {
        let book = self.current().await;
        let said = request.authentication_id;
        let name = named(&book, &said);
        let iterations = book.scram().iterations.unwrap_or(self.scram_iterations);
        // Made for every name, so that the time does not tell.
        let fake = self.fakes.keys(name.as_ref().map_or(said.as_str(), Name::as_str), iterations);
        let account = name.as_ref().and_then(|name| book.account(name));
        Ok(account.and_then(scram::usable).unwrap_or(fake))
    }

    async fn authorize(&self, proven: Proven) -> Result<AuthOutcome, DirectoryFailure> {
        let book = self.current().await;
        let name = named(&book, &proven.authentication_id);
        let account = name.as_ref().and_then(|name| Some((name, book.account(name)?)));
        Ok(match account {
            Some((name, account)) => admit(name, account, &proven.authorization_id),
            None => AuthOutcome { status: AuthStatus::Rejected, account: None },
        })
    }

    async fn authenticate_certificate(
        &self,
        attempt: CertificateAttempt,
    ) -> Result<CertificateOutcome, DirectoryFailure> {
        let book = self.current().await;
        Ok(certificate_login::judge(&book, &self.certificate_logins, &attempt))
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

    async fn is_right(&self, name: &Name, account: &Account, password: Secret) -> Result<bool, GateError> {
        let by_keys = account.password.is_empty();
        let stored = if by_keys { &account.scram } else { &account.password };
        let ticket = self.cache.ticket(name.as_str(), stored, password.expose());
        if self.cache.knows(name, &ticket, Instant::now()) {
            return Ok(true);
        }
        let upgrades = self.upgrades.wants(account).then(|| (self.upgrades.clone(), name.clone()));
        let (account, scratch) = (account.clone(), self.scratch.clone());
        let check = move || {
            let right = match by_keys {
                true => scram::verify(password.expose(), &account.scram),
                false => password::verify(password.expose(), &account.password, &scratch),
            };
            if let Some((upgrades, name)) = upgrades.filter(|_| right) {
                upgrades.make(&name, &account, password.expose());
            }
            right
        };
        let right = self.gate.pass(ticket, check).await?;
        self.scratch.give_back_later();
        if right {
            self.cache.remember(name, ticket, Instant::now());
            self.upgrades.write_soon(&self.live);
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

/// The account of a name as a client of SCRAM says it: as it is, or by SASLprep (RFC 5802 section 5.1). A name that is none of an
/// account is one too.
fn named(book: &Book, said: &str) -> Option<Name> {
    let plain: Option<Name> = said.parse().ok();
    if plain.as_ref().is_some_and(|name| book.account(name).is_some()) {
        return plain;
    }
    let prepared = prepare(said.as_bytes());
    std::str::from_utf8(&prepared).ok().and_then(|text| text.parse().ok()).or(plain)
}

/// Whether an account that proved itself may log in: as itself, and if it is enabled.
pub fn admit(name: &Name, account: &Account, acts_as: &str) -> AuthOutcome {
    let as_itself = acts_as.is_empty() || acts_as.parse().is_ok_and(|other: Name| other == *name);
    let status = match (as_itself, account.enabled) {
        (true, true) => AuthStatus::Accepted,
        (true, false) => AuthStatus::Disabled,
        (false, _) => AuthStatus::Rejected,
    };
    let accepted = status == AuthStatus::Accepted;
    AuthOutcome { status, account: accepted.then(|| name.to_string()) }
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

#[cfg(test)]
#[path = "directory_scram_tests.rs"]
mod scram_tests;
