//! What can be wrong with an accounts file that reads well: its lines do not fit together.

use crate::{
    book::{MAX_CERTIFICATES, MAX_DEPTH, MAX_EXPANSION},
    fingerprint::Fingerprint,
    name::{DomainName, Name},
    password::HashError,
};
use dovetail_mail::sasl::scram::KeysError;

/// What does not fit together in the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// An address with two meanings.
    #[error("{0} stands for two things (an account or alias each); keep one")]
    Twice(Name),
    /// An account called `*@domain`.
    #[error("{0} cannot be an account; give it to an account under `aliases`")]
    CatchAllAccount(Name),
    /// `*@domain` as a target.
    #[error("the alias {0} leads to {1}, which is not one address; name one")]
    CatchAllTarget(Name, Name),
    /// An address below an alias domain.
    #[error("{0} is at the alias domain {1}; write it with {2}, for which {1} stands")]
    AtAliasDomain(Name, DomainName, DomainName),
    /// An alias domain of an alias domain.
    #[error("the alias domain {0} stands for {1}, which is an alias domain too; name the last one")]
    DomainChain(DomainName, DomainName),
    /// An alias without targets.
    #[error("the alias {0} leads nowhere; give it an address or remove it")]
    Empty(Name),
    /// An alias to an address that does not exist.
    #[error("the alias {0} leads to {1}, which is neither an account nor an alias; add it or remove it there")]
    NoTarget(Name, Name),
    /// An alias to somewhere else.
    #[error("the alias {0} leads to {1}, at a domain that is not ours; this server does not forward mail elsewhere")]
    RemoteTarget(Name, Name),
    /// An alias that leads back to itself.
    #[error("the alias {0} leads back to itself; lead it to an account")]
    Loop(Name),
    /// Too many aliases in a row.
    #[error("the alias {0} is led to through more than {MAX_DEPTH} others; shorten the chain")]
    TooDeep(Name),
    /// Too many accounts.
    #[error("{0} stands for more than {MAX_EXPANSION} accounts; split it")]
    TooWide(Name),
    /// A postmaster that is no account.
    #[error("`postmaster` is {0}, which is not an account; name one, or remove the line")]
    Postmaster(Name),
    /// A key of two accounts, or twice of one.
    #[error(
        "the key {0} is among the `certificates` of {1} and again of {2}; a certificate is one account's: remove one"
    )]
    KeyTwice(Fingerprint, Name, Name),
    /// Too many keys.
    #[error("{0} has more than {MAX_CERTIFICATES} `certificates`; remove those that are not used any more")]
    Certificates(Name),
    /// SCRAM keys that cannot be used.
    #[error("the SCRAM keys of {0} cannot be used: {1}; remove them, and they are made again at the next login with the password")]
    Scram(Name, KeysError),
    /// A hash that cannot be used.
    #[error("the password hash of {0} cannot be used: {1}; make a new one with `dovetail accounts password {0}`")]
    Hash(Name, HashError),
}
