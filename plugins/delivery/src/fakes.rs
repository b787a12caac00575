//! A directory and a store in memory.

use crate::LocalDelivery;
use dovetail_sdk::{directory::*, store::*, Service};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::sync::Barrier;

/// Addresses at `x.org` are ours.
#[derive(Default)]
pub struct FakeDirectory {
    addresses: HashMap<String, Vec<String>>,
    fails: bool,
}

impl FakeDirectory {
    pub fn new<'a>(addresses: impl IntoIterator<Item = (&'a str, &'a [&'a str])>) -> Self {
        let owned = |(address, accounts): (&str, &[&str])| {
            (address.to_owned(), accounts.iter().map(|&account| account.to_owned()).collect())
        };
        FakeDirectory { addresses: addresses.into_iter().map(owned).collect(), fails: false }
    }

    pub fn failing() -> Self {
        FakeDirectory { fails: true, ..FakeDirectory::default() }
    }
}

impl DirectoryProvider for FakeDirectory {
    async fn authenticate(&self, _attempt: PasswordAttempt) -> Result<AuthOutcome, DirectoryFailure> {
        Err(DirectoryFailure { message: "not asked here".into() })
    }

    async fn authenticate_certificate(
        &self,
        _attempt: CertificateAttempt,
    ) -> Result<CertificateOutcome, DirectoryFailure> {
        Err(DirectoryFailure { message: "not asked here".into() })
    }

    fn login_methods(&self) -> Result<LoginMethods, DirectoryFailure> {
        Ok(LoginMethods::default())
    }

    async fn scram_keys(&self, _: ScramRequest) -> Result<ScramKeys, DirectoryFailure> {
        Err(DirectoryFailure::new("not asked here"))
    }

    async fn authorize(&self, _: Proven) -> Result<AuthOutcome, DirectoryFailure> {
        Err(DirectoryFailure::new("not asked here"))
    }

    async fn resolve(&self, address: String) -> Result<Resolution, DirectoryFailure> {
        if self.fails || address.starts_with("fail@") {
            return Err(DirectoryFailure { message: "the directory is on fire".into() });
        }
        Ok(match self.addresses.get(&address) {
            Some(accounts) => Resolution { kind: AddressKind::Local, accounts: accounts.clone() },
            None if address.ends_with("@x.org") => Resolution { kind: AddressKind::Unknown, accounts: vec![] },
            None => Resolution { kind: AddressKind::Remote, accounts: vec![] },
        })
    }

    async fn may_send_as(&self, _account: String, _address: String) -> Result<bool, DirectoryFailure> {
        Ok(false)
    }
}

/// Remembers what it was given.
#[derive(Clone, Default)]
pub struct FakeStore(Arc<FakeState>);

#[derive(Default)]
struct FakeState {
    appends: Mutex<Vec<(String, Vec<Append>)>>,
    refuses: HashMap<String, StoreErrorCode>,
    refuses_bodies: Option<StoreErrorCode>,
    /// Appends end when so many wait.
    together: Option<Barrier>,
    /// Of every account, beside INBOX; with their uses.
    mailboxes: Mutex<Vec<(String, u32)>>,
    /// No more mailboxes can be made.
    no_more_mailboxes: bool,
    /// The first appends elsewhere than to INBOX, so many, find the mailbox gone.
    vanishes: Mutex<u32>,
}

impl FakeStore {
    pub fn refusing<'a>(accounts: impl IntoIterator<Item = (&'a str, StoreErrorCode)>) -> Self {
        let refuses = accounts.into_iter().map(|(account, code)| (account.to_owned(), code)).collect();
        FakeStore(Arc::new(FakeState { refuses, ..FakeState::default() }))
    }

    pub fn refusing_bodies(code: StoreErrorCode) -> Self {
        FakeStore(Arc::new(FakeState { refuses_bodies: Some(code), ..FakeState::default() }))
    }

    pub fn together(number: usize) -> Self {
        FakeStore(Arc::new(FakeState { together: Some(Barrier::new(number)), ..FakeState::default() }))
    }

    /// Accounts with these mailboxes.
    pub fn with_mailboxes(mailboxes: &[(&str, u32)], may_grow: bool, vanishes: u32) -> Self {
        let mailboxes = mailboxes.iter().map(|&(name, used_for)| (name.to_owned(), used_for)).collect();
        FakeStore(Arc::new(FakeState {
            mailboxes: Mutex::new(mailboxes),
            no_more_mailboxes: !may_grow,
            vanishes: Mutex::new(vanishes),
            ..FakeState::default()
        }))
    }

    pub fn mailboxes_now(&self) -> Vec<(String, u32)> {
        self.0.mailboxes.lock().unwrap().clone()
    }

    pub fn appends(&self) -> Vec<(String, Vec<Append>)> {
        let mut appends = self.0.appends.lock().unwrap().clone();
        appends.sort_by(|a, b| a.0.cmp(&b.0));
        appends
    }
}

fn failure(code: StoreErrorCode) -> StoreFailure {
    StoreFailure { code, message: "the store is on fire".into() }
}

/// A body in the fake store.
pub struct FakeBody(pub u64);

impl BodyProvider for FakeBody {
    fn id(&self) -> Result<u64, StoreFailure> {
        Ok(self.0)
    }
    fn size(&self) -> Result<u64, StoreFailure> {
        Ok(0)
    }
}

struct FakeSink;

impl BodySinkProvider for FakeSink {
    async fn write(&self, _bytes: dovetail_sdk::Bytes) -> Result<(), StoreFailure> {
        Ok(())
    }
    async fn seal(&self) -> Result<Body, StoreFailure> {
        Ok(Body::new(FakeBody(7)))
    }
}

impl StoreProvider for FakeStore {
    async fn begin_body(&self, _size: u64) -> Result<BodySink, StoreFailure> {
        match self.0.refuses_bodies {
            Some(code) => Err(failure(code)),
            None => Ok(BodySink::new(FakeSink)),
        }
    }
    async fn append(&self, account: String, messages: Vec<Append>) -> Result<Vec<Appended>, StoreFailure> {
        if let Some(together) = &self.0.together {
            together.wait().await;
        }
        if let Some(&code) = self.0.refuses.get(&account) {
            return Err(failure(code));
        }
        if messages[0].mailbox != "INBOX" {
            let mut vanishes = self.0.vanishes.lock().unwrap();
            if *vanishes > 0 {
                *vanishes -= 1;
                self.0.mailboxes.lock().unwrap().clear();
            }
            if !self.mailboxes_now().iter().any(|(name, _)| *name == messages[0].mailbox) {
                return Err(failure(StoreErrorCode::NotFound));
            }
        }
        let appended = messages.iter().map(|_| Appended { uid_validity: 1, uid: 1 }).collect();
        self.0.appends.lock().unwrap().push((account, messages));
        Ok(appended)
    }
    async fn open(&self, _: String, _: String) -> Result<Mailbox, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn mailboxes(&self, _: String) -> Result<Vec<MailboxEntry>, StoreFailure> {
        let entry = |(name, special_use): (String, u32)| MailboxEntry {
            name,
            id: 1,
            subscribed: true,
            special_use,
            uid_validity: 1,
            uid_next: 1,
            highest_modseq: 1,
            messages: 0,
            unseen: 0,
            deleted: 0,
            octets: 0,
            recent: 0,
        };
        Ok(self.mailboxes_now().into_iter().map(entry).collect())
    }
    async fn status(&self, _: String, _: String) -> Result<MailboxEntry, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn create_mailbox(&self, _: String, name: String, special_use: u32) -> Result<(), StoreFailure> {
        if self.mailboxes_now().iter().any(|(there, _)| *there == name) {
            return Err(failure(StoreErrorCode::Exists));
        }
        if self.0.no_more_mailboxes {
            return Err(failure(StoreErrorCode::Limit));
        }
        self.0.mailboxes.lock().unwrap().push((name, special_use));
        Ok(())
    }
    async fn delete_mailbox(&self, _: String, _: String) -> Result<(), StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn rename_mailbox(&self, _: String, _: String, _: String) -> Result<(), StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn subscribe(&self, _: String, _: String, _: bool) -> Result<(), StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn usage(&self, _: String) -> Result<Usage, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
}

/// Delivery between the two, to at most three accounts.
pub fn delivery(directory: FakeDirectory, store: FakeStore) -> LocalDelivery {
    LocalDelivery {
        directory: Service::fixed(Directory::new(directory)),
        store: Service::fixed(Store::new(store)),
        max_accounts: 3,
        figures: crate::figures::Figures::new(),
    }
}
