//! What operations do to the content of the file.

use crate::{
    content::{Account, ClientKey, Content},
    file::FileError,
    fingerprint::Fingerprint,
    name::{DomainName, Name},
    stored::Stored,
    upgrade::Upgrade,
};
use std::{collections::HashMap, path::PathBuf};

/// Why an edit was refused.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The account is there already.
    #[error("the account {0} exists; change its password with `dovetail accounts password {0}`")]
    Exists(Name),
    /// There is no such account.
    #[error("there is no account {0}; `dovetail accounts list` shows those there are")]
    Unknown(Name),
    /// There is no such alias.
    #[error("there is no alias {0}; `dovetail accounts list` shows those there are")]
    NoAlias(Name),
    /// There is no such alias domain.
    #[error("{0} is no alias domain; `dovetail accounts list` shows those there are")]
    NoAliasDomain(DomainName),
    /// The account has no such certificate.
    #[error("{0} has no certificate with the key {1}; `dovetail accounts certificates {0}` shows those it has")]
    NoCertificate(Name, Fingerprint),
    /// The key is an account's already.
    #[error("the key of this certificate logs in to {0} already; `dovetail accounts remove-certificate {0} --cert FILE` ends that")]
    KeyTaken(Name),
    /// The file has disappeared under a running server.
    #[error("{0} is gone, and writing a new one would drop all other accounts; put it back and try again")]
    Gone(PathBuf),
    /// The file cannot be read or written, or would not fit together.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What went with an account.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Aliases that led to it and now lead to fewer.
    pub shortened: Vec<Name>,
    /// Aliases that led to nobody else.
    pub removed: Vec<Name>,
    /// Whether it was named as postmaster.
    pub postmaster: bool,
}

/// Adds an account.
///
/// # Errors
/// [`EditError::Exists`].
pub fn add(content: &mut Content, name: Name, stored: Stored) -> Result<(), EditError> {
    let mut account = Account::new(String::new());
    account.set_stored(stored);
    match content.accounts.add(name.clone(), account) {
        true => Ok(()),
        false => Err(EditError::Exists(name)),
    }
}

/// Gives an account another password.
///
/// # Errors
/// [`EditError::Unknown`].
pub fn set_password(content: &mut Content, name: &Name, stored: Stored) -> Result<(), EditError> {
    let account = content.accounts.get_mut(name).ok_or_else(|| EditError::Unknown(name.clone()))?;
    account.set_stored(stored);
    Ok(())
}

/// Keeps of passwords what [`crate::upgrade`] has made of them, of accounts that have not changed meanwhile. Tells how many.
pub fn upgrade(content: &mut Content, upgrades: &HashMap<Name, Upgrade>) -> usize {
    let mut count = 0;
    for (name, Upgrade { before, after }) in upgrades {
        if let Some(account) = content.accounts.get_mut(name).filter(|account| account.stored() == *before) {
            account.set_stored(after.clone());
            count += 1;
        }
    }
    count
}

/// Lets whoever has this key log in to an account. An account's own key gets the new note.
///
/// # Errors
/// [`EditError::Unknown`], [`EditError::KeyTaken`].
pub fn add_certificate(content: &mut Content, name: &Name, key: ClientKey) -> Result<(), EditError> {
    let owner = content.accounts.iter().find(|(_, account)| account.certificates.iter().any(|one| one.key == key.key));
    if let Some((owner, _)) = owner.filter(|(owner, _)| *owner != name) {
        return Err(EditError::KeyTaken(owner.clone()));
    }
    let account = content.accounts.get_mut(name).ok_or_else(|| EditError::Unknown(name.clone()))?;
    match account.certificates.iter_mut().find(|one| one.key == key.key) {
        Some(there) => *there = key,
        None => account.certificates.push(key),
    }
    Ok(())
}

/// Ends that; gives what was removed.
///
/// # Errors
/// [`EditError::Unknown`], [`EditError::NoCertificate`].
pub fn remove_certificate(content: &mut Content, name: &Name, key: Fingerprint) -> Result<ClientKey, EditError> {
    let account = content.accounts.get_mut(name).ok_or_else(|| EditError::Unknown(name.clone()))?;
    let at = account.certificates.iter().position(|one| one.key == key);
    at.map(|at| account.certificates.remove(at)).ok_or_else(|| EditError::NoCertificate(name.clone(), key))
}

/// Makes an address lead to these, whatever it led to before.
pub fn set_alias(content: &mut Content, alias: Name, targets: Vec<Name>) {
    match content.aliases.get_mut(&alias) {
        Some(old) => *old = targets,
        None => drop(content.aliases.add(alias, targets)),
    }
}

/// Removes an alias, be it of its own or among the further addresses of an account.
///
/// # Errors
/// [`EditError::NoAlias`].
pub fn remove_alias(content: &mut Content, alias: &Name) -> Result<(), EditError> {
    let mut found = content.aliases.remove(alias).is_some();
    content.accounts.retain_mut(|_, account| {
        let before = account.aliases.len();
        account.aliases.retain(|own| own != alias);
        found |= account.aliases.len() < before;
        true
    });
    match found {
        true => Ok(()),
        false => Err(EditError::NoAlias(alias.clone())),
    }
}

/// Makes all addresses of a domain stand for those of another, whatever they stood for before.
pub fn set_alias_domain(content: &mut Content, domain: DomainName, target: DomainName) {
    match content.alias_domains.get_mut(&domain) {
        Some(old) => *old = target,
        None => drop(content.alias_domains.add(domain, target)),
    }
}

/// Removes an alias domain.
///
/// # Errors
/// [`EditError::NoAliasDomain`].
pub fn remove_alias_domain(content: &mut Content, domain: &DomainName) -> Result<(), EditError> {
    content.alias_domains.remove(domain).map(drop).ok_or_else(|| EditError::NoAliasDomain(domain.clone()))
}

/// Removes an account, and it from all aliases.
///
/// # Errors
/// [`EditError::Unknown`].
pub fn remove(content: &mut Content, name: &Name) -> Result<Removed, EditError> {
    let account = content.accounts.remove(name).ok_or_else(|| EditError::Unknown(name.clone()))?;
    let mut outcome = Removed::default();
    let mut gone = account.aliases;
    gone.push(name.clone());
    while let Some(gone_name) = gone.pop() {
        content.aliases.retain_mut(|alias, targets| {
            let before = targets.len();
            targets.retain(|target| *target != gone_name);
            if targets.len() == before {
                return true;
            }
            if targets.is_empty() {
                gone.push(alias.clone());
                outcome.removed.push(alias.clone());
                return false;
            }
            outcome.shortened.push(alias.clone());
            true
        });
    }
    outcome.shortened.retain(|alias| !outcome.removed.contains(alias));
    outcome.shortened.sort();
    outcome.shortened.dedup();
    if content.postmaster.as_ref() == Some(name) {
        content.postmaster = None;
        outcome.postmaster = true;
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Book, Settings};
    use crate::stored::testing::hashed;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn an_account_goes_with_all_that_leads_to_it() {
        let mut content = Content::parse(
            r#"(
                postmaster: "a@x.org",
                accounts: {"a@x.org": (aliases: ["info@x.org"]), "b@x.org": ()},
                aliases: {
                    "both@x.org": ["a@x.org", "info@x.org", "b@x.org"],
                    "only@x.org": ["a@x.org"],
                    "on@x.org": ["only@x.org", "info@x.org"],
                    "other@x.org": ["b@x.org"],
                },
            )"#,
        )
        .unwrap();
        let outcome = remove(&mut content, &name("a@x.org")).unwrap();
        assert_eq!(outcome.shortened, [name("both@x.org")]);
        assert_eq!(outcome.removed, [name("only@x.org"), name("on@x.org")]);
        assert!(outcome.postmaster);
        let want = r#"(accounts: {"b@x.org": ()}, aliases: {"both@x.org": ["b@x.org"], "other@x.org": ["b@x.org"]})"#;
        assert_eq!(content, Content::parse(want).unwrap());
        Book::new(content, &Settings::default()).unwrap();
    }

    #[test]
    fn aliases_come_change_and_go() {
        let mut content = Content::parse(r#"(accounts: {"a@x.org": (aliases: ["i@x.org", "*@x.org"])})"#).unwrap();
        set_alias(&mut content, name("s@x.org"), vec![name("i@x.org")]);
        set_alias(&mut content, name("s@x.org"), vec![name("a@x.org")]);
        set_alias_domain(&mut content, "y.org".parse().unwrap(), "z.org".parse().unwrap());
        set_alias_domain(&mut content, "y.org".parse().unwrap(), "x.org".parse().unwrap());
        remove_alias(&mut content, &name("i@x.org")).unwrap();
        let want = r#"(
            alias_domains: {"y.org": "x.org"},
            accounts: {"a@x.org": (aliases: ["*@x.org"])},
            aliases: {"s@x.org": ["a@x.org"]},
        )"#;
        assert_eq!(content, Content::parse(want).unwrap());
        remove_alias(&mut content, &name("s@x.org")).unwrap();
        remove_alias_domain(&mut content, &"y.org".parse().unwrap()).unwrap();
        assert!(content.aliases.is_empty() && content.alias_domains.is_empty());
        assert!(matches!(remove_alias(&mut content, &name("s@x.org")), Err(EditError::NoAlias(_))));
        assert!(matches!(
            remove_alias_domain(&mut content, &"y.org".parse().unwrap()),
            Err(EditError::NoAliasDomain(_))
        ));
    }

    #[test]
    fn certificates_come_and_go_and_belong_to_one_account() {
        let mut content = Content::parse(r#"(accounts: {"a@x.org": (), "b@x.org": ()})"#).unwrap();
        let (a, b, key) = (name("a@x.org"), name("b@x.org"), Fingerprint::of(b"key"));
        let noted = |note: &str| ClientKey { key, note: note.into() };
        add_certificate(&mut content, &a, noted("old")).unwrap();
        add_certificate(&mut content, &a, noted("new")).unwrap();
        assert_eq!(content.accounts.get_mut(&a).unwrap().certificates, [noted("new")]);
        assert!(matches!(add_certificate(&mut content, &b, noted("")), Err(EditError::KeyTaken(owner)) if owner == a));
        let nobody = name("c@x.org");
        assert!(matches!(add_certificate(&mut content, &nobody, noted("")), Err(EditError::KeyTaken(_))));
        assert!(matches!(remove_certificate(&mut content, &b, key), Err(EditError::NoCertificate(..))));
        assert!(matches!(remove_certificate(&mut content, &nobody, key), Err(EditError::Unknown(_))));
        assert_eq!(remove_certificate(&mut content, &a, key).unwrap(), noted("new"));
        assert!(matches!(add_certificate(&mut content, &nobody, noted("")), Err(EditError::Unknown(_))));
        add_certificate(&mut content, &b, noted("")).unwrap();
    }

    #[test]
    fn what_is_not_there_cannot_be_changed() {
        let mut content = Content::default();
        assert!(matches!(remove(&mut content, &name("a@x.org")), Err(EditError::Unknown(_))));
        assert!(matches!(set_password(&mut content, &name("a@x.org"), Stored::default()), Err(EditError::Unknown(_))));
        add(&mut content, name("a@x.org"), hashed("one")).unwrap();
        assert!(matches!(add(&mut content, name("a@x.org"), hashed("two")), Err(EditError::Exists(_))));
        set_password(&mut content, &name("a@x.org"), hashed("three")).unwrap();
        assert_eq!(content.accounts.iter().next().unwrap().1.password, "three");
    }

    #[test]
    fn an_upgrade_does_not_undo_a_change() {
        let mut content = Content::default();
        for address in ["a@x.org", "b@x.org"] {
            add(&mut content, name(address), hashed("old")).unwrap();
        }
        set_password(&mut content, &name("b@x.org"), hashed("changed")).unwrap();
        let upgrade = |to: &str| Upgrade { before: hashed("old"), after: hashed(to) };
        let upgrades = ["a@x.org", "b@x.org", "c@x.org"].map(|address| (name(address), upgrade("new")));
        assert_eq!(super::upgrade(&mut content, &HashMap::from(upgrades)), 1);
        let kept: Vec<_> = content.accounts.iter().map(|(_, account)| account.password.as_str()).collect();
        assert_eq!(kept, ["new", "changed"]);
    }
}
