//! What operations do to the content of the file.

use crate::{
    content::{Account, Content},
    file::FileError,
    name::{DomainName, Name},
};
use std::path::PathBuf;

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
pub fn add(content: &mut Content, name: Name, hash: String) -> Result<(), EditError> {
    match content.accounts.add(name.clone(), Account::new(hash)) {
        true => Ok(()),
        false => Err(EditError::Exists(name)),
    }
}

/// Gives an account another password.
///
/// # Errors
/// [`EditError::Unknown`].
pub fn set_password(content: &mut Content, name: &Name, hash: String) -> Result<(), EditError> {
    let account = content.accounts.get_mut(name).ok_or_else(|| EditError::Unknown(name.clone()))?;
    account.password = hash;
    Ok(())
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
    fn what_is_not_there_cannot_be_changed() {
        let mut content = Content::default();
        assert!(matches!(remove(&mut content, &name("a@x.org")), Err(EditError::Unknown(_))));
        assert!(matches!(set_password(&mut content, &name("a@x.org"), String::new()), Err(EditError::Unknown(_))));
        add(&mut content, name("a@x.org"), "one".into()).unwrap();
        assert!(matches!(add(&mut content, name("a@x.org"), "two".into()), Err(EditError::Exists(_))));
        set_password(&mut content, &name("a@x.org"), "three".into()).unwrap();
        assert_eq!(content.accounts.iter().next().unwrap().1.password, "three");
    }
}
