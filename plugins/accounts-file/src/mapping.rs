//! Which account a client's certificate stands for.
//!
//! Each rule is tried in this order, if the config has it (`certificate_logins`; all but the last by default), and the first one by
//! which the certificate stands for an account decides:
//!
//! 1. its key is among the `certificates` of an account in the accounts file;
//! 2. a mail address among its alternative names (`rfc822Name`) is an account's;
//! 3. the mail address in its subject (`emailAddress`) is: see [`Certificate::subject_names`] for when it is believed.
//!
//! An address is an account's if it is the account's own, as with login names: no alias, no subaddress, no catch-all. **Fails**
//! with [`Unmapped`], also if the addresses of one kind stand for several accounts: nobody guesses which is meant.

use crate::{book::Book, certificate::Certificate, fingerprint::Fingerprint, name::Name};
use std::fmt;

/// By what a certificate leads to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub enum By {
    /// Its key stands in the accounts file.
    Key,
    /// A mail address among its alternative names.
    AlternativeName,
    /// The mail address in its subject.
    Subject,
}

/// All of them, in the order in which they are tried.
pub const ALL: [By; 3] = [By::Key, By::AlternativeName, By::Subject];

/// Those that hold if the operator says nothing. Not the subject: see [`Certificate::subject_names`].
pub const DEFAULT: [By; 2] = [By::Key, By::AlternativeName];

/// Why a certificate stands for no account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmapped {
    /// No rule is in force.
    #[error("`certificate_logins` lets nobody in by certificate")]
    Off,
    /// It is nobody's.
    #[error("it stands for no account; `dovetail accounts add-certificate ADDRESS --cert FILE` gives its key to one")]
    Nobody,
    /// The accounts file has the wrong one of its fingerprints.
    #[error("it stands for no account: the accounts file has its own fingerprint for {0}, and not its key's; `dovetail accounts add-certificate {0} --cert FILE` takes the right one")]
    NotTheKeys(Name),
    /// It is several accounts'.
    #[error("{by} stand for several accounts, {one} and {other}; `dovetail accounts add-certificate ADDRESS --cert FILE` says which one is meant")]
    Ambiguous {
        /// By what.
        by: By,
        /// The first.
        one: Name,
        /// The next.
        other: Name,
    },
}

/// Finds the account.
///
/// # Errors
/// See [`Unmapped`].
pub fn account_of(book: &Book, certificate: &Certificate, rules: &[By]) -> Result<(Name, By), Unmapped> {
    if rules.is_empty() {
        return Err(Unmapped::Off);
    }
    for by in ALL.into_iter().filter(|by| rules.contains(by)) {
        let found = match by {
            By::Key => book.account_by_key(&certificate.key).cloned(),
            By::AlternativeName => the_only(book, &certificate.alternative_names, by)?,
            By::Subject => the_only(book, &certificate.subject_names, by)?,
        };
        if let Some(name) = found {
            return Ok((name, by));
        }
    }
    let mistaken = |print: &Fingerprint| book.account_by_key(print).filter(|_| rules.contains(&By::Key)).cloned();
    Err(mistaken(&certificate.fingerprint).map_or(Unmapped::Nobody, Unmapped::NotTheKeys))
}

fn the_only(book: &Book, addresses: &[String], by: By) -> Result<Option<Name>, Unmapped> {
    let mut found: Option<Name> = None;
    for name in addresses.iter().filter_map(|address| address.parse::<Name>().ok()) {
        if book.account(&name).is_none() {
            continue;
        }
        match &found {
            Some(one) if *one != name => return Err(Unmapped::Ambiguous { by, one: one.clone(), other: name }),
            _ => found = Some(name),
        }
    }
    Ok(found)
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            By::Key => "its key",
            By::AlternativeName => "the mail addresses among its alternative names",
            By::Subject => "the mail addresses in its subject",
        })
    }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
