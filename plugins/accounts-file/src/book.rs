//! The accounts file, checked and ready to be asked: who may log in, and where does an address go.
//!
//! A domain is ours if the config names it or if an account, an alias or an alias domain has it. An address is looked for in
//! this order: account, alias, the same without its subaddress, `postmaster`, `*@domain`.
//!
//! **Fails** when it is made, if what the file says does not fit together ([`BookError`]). **Bounds**: an alias is followed
//! through at most [`MAX_DEPTH`] others and to at most [`MAX_EXPANSION`] accounts; one that leads back to itself is refused. An
//! account has at most [`MAX_CERTIFICATES`] keys of certificates, and each key belongs to one account.
//! RFC 5321 section 4.5.1 (postmaster), RFC 5233 (subaddresses).

use crate::{
    content::{Account, Content},
    fingerprint::Fingerprint,
    misfit::BookError,
    name::{DomainName, Name, NameError},
    password,
    scram::{self, Summary},
};
use std::collections::{HashMap, HashSet};

/// How many aliases may lead on to one another.
pub const MAX_DEPTH: usize = 16;
/// How many accounts an address may stand for.
pub const MAX_EXPANSION: usize = 1000;
/// How many certificates may log in to an account.
pub const MAX_CERTIFICATES: usize = 100;

/// What the config adds to the file.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Domains that are ours even without an account.
    pub domains: Vec<DomainName>,
    /// What begins a subaddress.
    pub separator: Option<char>,
}

/// Accounts and addresses; never changes.
#[derive(Debug, Default)]
pub struct Book {
    domains: HashSet<DomainName>,
    alias_domains: HashMap<DomainName, DomainName>,
    accounts: HashMap<Name, Account>,
    aliases: HashMap<Name, Vec<Name>>,
    /// Whose key it is.
    keys: HashMap<Fingerprint, Name>,
    postmaster: Option<Name>,
    separator: Option<char>,
    scram: Summary,
}

/// Where an address goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To these accounts.
    Local(Vec<Name>),
    /// To a domain of ours, but to nobody in it.
    Unknown,
    /// Elsewhere.
    Remote,
}

impl Book {
    /// Checks the content of a file.
    ///
    /// # Errors
    /// The first thing that does not fit together.
    pub fn new(content: Content, settings: &Settings) -> Result<Self, BookError> {
        let mut book = Book { separator: settings.separator, ..Book::default() };
        book.postmaster = content.postmaster.or_else(|| content.accounts.iter().next().map(|(name, _)| name.clone()));
        for (domain, target) in content.alias_domains.iter() {
            book.alias_domains.insert(domain.clone(), target.clone());
        }
        book.domains.extend(settings.domains.iter().cloned());
        book.domains.extend(book.alias_domains.values().cloned());
        for (name, account) in content.accounts.iter() {
            book.add_account(name, account)?;
        }
        for (name, targets) in content.aliases.iter() {
            book.add_alias(name, targets.clone())?;
        }
        book.check()?;
        book.scram = summary(book.accounts.values());
        Ok(book)
    }

    fn add_account(&mut self, name: &Name, account: &Account) -> Result<(), BookError> {
        if name.is_catch_all() {
            return Err(BookError::CatchAllAccount(name.clone()));
        }
        if !account.password.is_empty() {
            password::check(&account.password).map_err(|error| BookError::Hash(name.clone(), error))?;
        }
        if !account.scram.is_empty() {
            scram::check(&account.scram).map_err(|error| BookError::Scram(name.clone(), error))?;
        }
        for alias in &account.aliases {
            self.add_alias(alias, vec![name.clone()])?;
        }
        if account.certificates.len() > MAX_CERTIFICATES {
            return Err(BookError::Certificates(name.clone()));
        }
        for certificate in &account.certificates {
            if let Some(other) = self.keys.insert(certificate.key, name.clone()) {
                return Err(BookError::KeyTwice(certificate.key, other, name.clone()));
            }
        }
        self.claim(name)?;
        self.accounts.insert(name.clone(), account.clone());
        Ok(())
    }

    fn add_alias(&mut self, name: &Name, targets: Vec<Name>) -> Result<(), BookError> {
        self.claim(name)?;
        if targets.is_empty() {
            return Err(BookError::Empty(name.clone()));
        }
        if let Some(target) = targets.iter().find(|target| target.is_catch_all()) {
            return Err(BookError::CatchAllTarget(name.clone(), target.clone()));
        }
        self.aliases.insert(name.clone(), targets);
        Ok(())
    }

    /// Takes an address that must not have a meaning yet.
    fn claim(&mut self, name: &Name) -> Result<(), BookError> {
        let domain = name.domain_name();
        if let Some(target) = self.alias_domains.get(&domain) {
            return Err(BookError::AtAliasDomain(name.clone(), domain, target.clone()));
        }
        if self.accounts.contains_key(name) || self.aliases.contains_key(name) {
            return Err(BookError::Twice(name.clone()));
        }
        self.domains.insert(domain);
        Ok(())
    }

    /// What can be seen only when all is there.
    fn check(&self) -> Result<(), BookError> {
        for (domain, target) in &self.alias_domains {
            if self.alias_domains.contains_key(target) {
                return Err(BookError::DomainChain(domain.clone(), target.clone()));
            }
        }
        if let Some(name) = self.postmaster.as_ref().filter(|name| !self.accounts.contains_key(*name)) {
            return Err(BookError::Postmaster(name.clone()));
        }
        // In the same order each time, so that the same file gives the same message.
        let mut aliases: Vec<_> = self.aliases.keys().collect();
        aliases.sort();
        aliases.into_iter().try_for_each(|alias| self.expand(alias).map(drop))
    }

    /// The account of this name.
    pub fn account(&self, name: &Name) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// The account that has a certificate with this key.
    pub fn account_by_key(&self, key: &Fingerprint) -> Option<&Name> {
        self.keys.get(key)
    }

    /// The SCRAM keys of the accounts, taken together.
    pub fn scram(&self) -> Summary {
        self.scram
    }

    /// How many accounts there are.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Whether mail to this domain is for us.
    pub fn is_ours(&self, domain: &DomainName) -> bool {
        self.domains.contains(domain) || self.alias_domains.contains_key(domain)
    }

    /// All domains that are ours, sorted.
    pub fn domains(&self) -> Vec<&str> {
        let all = self.domains.iter().chain(self.alias_domains.keys());
        let mut all: Vec<_> = all.map(DomainName::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Where a recipient's address goes. `postmaster` without a domain is an address too.
    ///
    /// # Errors
    /// [`BookError`] if following aliases found no end; [`Book::new`] has refused such a file.
    pub fn resolve(&self, address: &str) -> Result<Destination, BookError> {
        let address = address.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(address);
        if address.eq_ignore_ascii_case(POSTMASTER) {
            return Ok(match &self.postmaster {
                Some(name) => Destination::Local(vec![name.clone()]),
                None => Destination::Unknown,
            });
        }
        let name: Name = match address.parse() {
            Ok(name) => name,
            Err(NameError::Literal(_)) => return Ok(Destination::Remote),
            Err(NameError::Syntax { .. }) => return Ok(Destination::Unknown),
        };
        match self.find(&name) {
            Found::Nothing => Ok(Destination::Unknown),
            Found::Elsewhere => Ok(Destination::Remote),
            Found::Account(account) => Ok(Destination::Local(vec![account.clone()])),
            Found::Alias(..) => self.expand(&name).map(Destination::Local),
        }
    }

    /// Whether mail to `address` goes to this account and to no other, which is what entitles it to send as it.
    pub fn may_send_as(&self, account: &str, address: &str) -> bool {
        let (Ok(account), Ok(address)) = (account.parse::<Name>(), address.parse::<Name>()) else {
            return false;
        };
        self.accounts.contains_key(&account) && self.expand(&address).is_ok_and(|accounts| accounts == [account])
    }

    fn find(&self, name: &Name) -> Found<'_> {
        let mapped = self.alias_domains.get(name.domain()).map(|target| name.at(target.as_str()));
        let name = mapped.as_ref().unwrap_or(name);
        if !self.domains.contains(name.domain()) {
            return Found::Elsewhere;
        }
        let exact = |name: &Name| {
            let account = self.accounts.get_key_value(name).map(|(name, _)| Found::Account(name));
            account.or_else(|| self.aliases.get_key_value(name).map(|(name, to)| Found::Alias(name, to)))
        };
        let base = || self.separator.and_then(|separator| name.without_subaddress(separator));
        exact(name)
            .or_else(|| base().and_then(|base| exact(&base)))
            .or_else(|| self.postmaster.as_ref().filter(|_| name.local() == POSTMASTER).map(Found::Account))
            .or_else(|| exact(&name.catch_all()))
            .unwrap_or(Found::Nothing)
    }

    /// The accounts that an address stands for, each once.
    fn expand(&self, name: &Name) -> Result<Vec<Name>, BookError> {
        let mut walk =
            Walk { book: self, path: Vec::new(), done: HashSet::new(), found: HashSet::new(), accounts: Vec::new() };
        walk.follow(name)?;
        Ok(walk.accounts)
    }
}

fn summary<'a>(accounts: impl Iterator<Item = &'a Account>) -> Summary {
    let mut summary = Summary::default();
    let mut counts: HashMap<u32, usize> = HashMap::new();
    for account in accounts.filter(|account| account.enabled && account.has_password()) {
        summary.accounts += 1;
        if let Some(keys) = scram::usable(account) {
            summary.with_keys += 1;
            *counts.entry(keys.iterations).or_default() += 1;
        }
    }
    // Of two that are as frequent the greater, so that the same file gives the same.
    summary.iterations =
        counts.into_iter().max_by_key(|(iterations, count)| (*count, *iterations)).map(|(most, _)| most);
    summary
}

enum Found<'a> {
    Account(&'a Name),
    Alias(&'a Name, &'a [Name]),
    Nothing,
    Elsewhere,
}

/// Following aliases, each once.
struct Walk<'a> {
    book: &'a Book,
    /// The aliases that led to where we are.
    path: Vec<&'a Name>,
    done: HashSet<&'a Name>,
    found: HashSet<&'a Name>,
    accounts: Vec<Name>,
}

impl Walk<'_> {
    fn follow(&mut self, name: &Name) -> Result<(), BookError> {
        let by = |path: &[&Name]| path.last().map_or_else(|| name.clone(), |&alias| alias.clone());
        match self.book.find(name) {
            Found::Nothing => Err(BookError::NoTarget(by(&self.path), name.clone())),
            Found::Elsewhere => Err(BookError::RemoteTarget(by(&self.path), name.clone())),
            Found::Account(account) => {
                if self.found.insert(account) {
                    if self.accounts.len() == MAX_EXPANSION {
                        let first = self.path.first().map_or(name, |&first| first);
                        return Err(BookError::TooWide(first.clone()));
                    }
                    self.accounts.push(account.clone());
                }
                Ok(())
            }
            Found::Alias(alias, _) if self.path.contains(&alias) => Err(BookError::Loop(alias.clone())),
            Found::Alias(alias, _) if self.path.len() == MAX_DEPTH => Err(BookError::TooDeep(alias.clone())),
            Found::Alias(alias, targets) => {
                if self.done.insert(alias) {
                    self.path.push(alias);
                    targets.iter().try_for_each(|target| self.follow(target))?;
                    self.path.pop();
                }
                Ok(())
            }
        }
    }
}

const POSTMASTER: &str = "postmaster";

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
