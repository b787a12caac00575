//! Several pairs for one identity, each with a key of another family: RSA and ECDSA side by side.
//!
//! The identity NAME has its first pair in `NAME.key` and `NAME.crt`, whatever its key; a further pair is called
//! `NAME+rsa`, `NAME+ecdsa` or `NAME+ed25519`. They are served as one: the TLS provider picks by what the client offers.
//! Of one family an identity has one pair. What adds a pair (`--add`) asks [`further_pair`] for its name.
//!
//! Fails if there is nothing to add to, or if the identity has a pair of the family already.

use std::fmt;
use std::path::Path;

use crate::folder::{key_in, InputOrKeyError, PairFiles};
use crate::key::{KeyKind, KeyType};
use crate::name::{CertName, NameError};

/// Kinds of keys as far as a client's offer tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyFamily {
    /// ECDSA, on whatever curve.
    Ecdsa,
    /// Ed25519.
    Ed25519,
    /// RSA, of whatever size.
    Rsa,
}

impl KeyFamily {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ecdsa, Self::Ed25519, Self::Rsa];

    /// What follows the `+` in a further pair's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ecdsa => "ecdsa",
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
        }
    }
}

impl fmt::Display for KeyFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ecdsa => "ECDSA",
            Self::Ed25519 => "Ed25519",
            Self::Rsa => "RSA",
        })
    }
}

impl From<KeyKind> for KeyFamily {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Rsa(_) => Self::Rsa,
            KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521 => Self::Ecdsa,
            KeyKind::Ed25519 => Self::Ed25519,
        }
    }
}

impl From<KeyType> for KeyFamily {
    fn from(kind: KeyType) -> Self {
        let word = kind.word();
        if word.starts_with("rsa") {
            Self::Rsa
        } else if word.starts_with("ecdsa") {
            Self::Ecdsa
        } else {
            Self::Ed25519
        }
    }
}

impl CertName {
    /// The family that the name's ending promises: `mail+rsa` is a further pair of `mail`.
    pub fn family(&self) -> Option<KeyFamily> {
        self.split().1
    }

    /// The identity that the pair belongs to: the name without `+rsa`, `+ecdsa` or `+ed25519`.
    pub fn identity(&self) -> CertName {
        match self.split() {
            (identity, Some(_)) => CertName::new(identity).unwrap_or_else(|_| self.clone()),
            _ => self.clone(),
        }
    }

    /// The identity's further pair of this family.
    ///
    /// # Errors
    /// If that is too long for a name.
    pub fn further(&self, family: KeyFamily) -> Result<CertName, NameError> {
        CertName::new(&format!("{}+{}", self.split().0, family.word()))
    }

    /// Whether a key of this family may have the name: what the ending promises must be so.
    ///
    /// # Errors
    /// If the ending promises another family.
    pub fn suits(&self, family: KeyFamily) -> Result<(), FurtherError> {
        match self.family() {
            Some(promised) if promised != family => {
                Err(FurtherError::OtherFamily { name: self.to_string(), promised, family })
            }
            _ => Ok(()),
        }
    }

    fn split(&self) -> (&str, Option<KeyFamily>) {
        let whole = self.as_str();
        let parts = whole.rsplit_once('+').filter(|(identity, _)| !identity.is_empty());
        let family = |word: &str| KeyFamily::ALL.into_iter().find(|family| family.word() == word);
        match parts.and_then(|(identity, word)| Some((identity, family(word)?))) {
            Some((identity, family)) => (identity, Some(family)),
            None => (whole, None),
        }
    }
}

/// What a further pair of `identity` with a key of `family` is called in `folder`. With `replace`, the pair of that family
/// that is there already; for publishing it with [`Existing::Replace`](crate::publish::Existing::Replace).
///
/// # Errors
/// If the identity has no pair to add to, if it has one of the family already, or if a key of it can't be read.
pub fn further_pair(
    folder: &Path,
    identity: &CertName,
    family: KeyFamily,
    replace: bool,
) -> Result<CertName, FurtherError> {
    let identity = identity.identity();
    let further = KeyFamily::ALL.into_iter().filter_map(|family| identity.further(family).ok());
    let mut some = false;
    for name in std::iter::once(identity.clone()).chain(further) {
        let key = PairFiles::of(folder, &name).key;
        // A link to nowhere is there, too: publishing will say so.
        if key.symlink_metadata().is_err() {
            continue;
        }
        some = true;
        let found = key_in(&key).map_err(|reason| FurtherError::UnreadableKey { name: name.to_string(), reason })?;
        if KeyFamily::from(found.kind()) == family {
            return match replace {
                true => Ok(name),
                false => {
                    Err(FurtherError::HasFamily { identity: identity.to_string(), name: name.to_string(), family })
                }
            };
        }
    }
    if !some {
        return Err(FurtherError::NothingToAddTo {
            identity: identity.to_string(),
            folder: folder.display().to_string(),
        });
    }
    Ok(identity.further(family)?)
}

/// Why a further pair has no name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FurtherError {
    /// The first pair comes without `--add`.
    #[error(
        "there is no certificate \"{identity}\" in {folder} to add a pair to: leave out --add, or correct the name"
    )]
    NothingToAddTo {
        /// The identity.
        identity: String,
        /// Where it was looked for.
        folder: String,
    },
    /// One of each family is enough.
    #[error(
        "\"{identity}\" has a pair with an {family} key already, \"{name}\": add one with another kind of key, or replace that \
         one with --replace"
    )]
    HasFamily {
        /// The identity.
        identity: String,
        /// Its pair of that family.
        name: String,
        /// The family.
        family: KeyFamily,
    },
    /// A key in the folder that nobody knows the family of.
    #[error("the key of \"{name}\" can't be read, so nobody knows what a pair can be added to: {reason}")]
    UnreadableKey {
        /// The pair.
        name: String,
        /// What is wrong with its key.
        reason: InputOrKeyError,
    },
    /// The name says one thing, the key another.
    #[error("the name \"{name}\" is for a pair with an {promised} key, and this key is {family}: choose another name")]
    OtherFamily {
        /// The name.
        name: String,
        /// What it promises.
        promised: KeyFamily,
        /// What the key is.
        family: KeyFamily,
    },
    /// No name can be made of it.
    #[error(transparent)]
    Name(#[from] NameError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{create, CreateRequest};
    use crate::publish::{publish, Existing};

    fn name(text: &str) -> CertName {
        CertName::new(text).unwrap()
    }

    #[test]
    fn an_ending_says_the_family_and_nothing_else_does() {
        for (text, identity, family) in [
            ("mail", "mail", None),
            ("mail+rsa", "mail", Some(KeyFamily::Rsa)),
            ("mail.example.org+ecdsa", "mail.example.org", Some(KeyFamily::Ecdsa)),
            ("a+b+ed25519", "a+b", Some(KeyFamily::Ed25519)),
            ("a+b", "a+b", None),
            ("mail+RSA", "mail+RSA", None),
            ("+rsa", "+rsa", None),
            ("rsa", "rsa", None),
        ] {
            assert_eq!((name(text).identity(), name(text).family()), (name(identity), family), "{text}");
        }
        assert_eq!(name("mail+rsa").further(KeyFamily::Ecdsa).unwrap(), name("mail+ecdsa"));
        assert!(name(&"x".repeat(crate::name::MAX_NAME)).further(KeyFamily::Rsa).is_err());
        assert!(name("mail+rsa").suits(KeyFamily::Rsa).is_ok() && name("mail").suits(KeyFamily::Rsa).is_ok());
        let said = name("mail+rsa").suits(KeyFamily::Ecdsa).unwrap_err().to_string();
        assert!(said.contains("RSA") && said.contains("ECDSA"), "{said}");
    }

    #[test]
    fn a_further_pair_has_another_family() {
        let dir = tempfile::tempdir().unwrap();
        let add = |pair: &str, key_type| {
            let request =
                CreateRequest { name: Some(name(pair)), key_type, ..CreateRequest::for_host("mail.example.org") };
            let (pair, _) = create(&request, time::OffsetDateTime::now_utc()).unwrap();
            publish(dir.path(), &pair, Existing::Refuse).unwrap();
        };
        let further = |identity: &str, family, replace| further_pair(dir.path(), &name(identity), family, replace);
        let said = further("mail", KeyFamily::Rsa, false).unwrap_err().to_string();
        assert!(said.contains("no certificate \"mail\""), "{said}");
        add("mail", KeyType::EcdsaP256);
        assert_eq!(further("mail", KeyFamily::Rsa, false).unwrap(), name("mail+rsa"));
        let said = further("mail", KeyFamily::Ecdsa, false).unwrap_err().to_string();
        assert!(said.contains("ECDSA key already, \"mail\""), "{said}");
        assert_eq!(further("mail", KeyFamily::Ecdsa, true).unwrap(), name("mail"));
        add("mail+rsa", KeyType::Rsa2048);
        assert_eq!(further("mail+rsa", KeyFamily::Ed25519, false).unwrap(), name("mail+ed25519"));
        assert!(further("mail", KeyFamily::Rsa, false).unwrap_err().to_string().contains("\"mail+rsa\""));
        assert_eq!(further("mail", KeyFamily::Rsa, true).unwrap(), name("mail+rsa"));
        std::fs::write(dir.path().join("mail+rsa.key"), "no key").unwrap();
        assert!(further("mail", KeyFamily::Ed25519, false).unwrap_err().to_string().contains("can't be read"));
    }
}
