//! Addresses and domains as the accounts file and its readers write them: in lower case, one way of writing each.
//!
//! RFC 5321 section 2.4 leaves the case of a local part to its owner; here it makes no difference, since nobody expects
//! `You@` and `you@` to be two people. Limits: those of an address (254 octets).

use dovetail_mail::address::{Address, AddressError, Domain};
use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

/// A domain in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct DomainName(Arc<str>);

/// An address with a domain, in lower case; what an account is called.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Name(Arc<str>);

/// Why a text is no [`Name`] or [`DomainName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not an address or domain at all.
    #[error("{text:?} is not usable: {reason}")]
    Syntax {
        /// What was read.
        text: String,
        /// What is wrong with it.
        reason: AddressError,
    },
    /// An address at an IP address.
    #[error("{0:?} has an IP address after the @; use a domain")]
    Literal(String),
}

impl DomainName {
    /// The domain.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Name {
    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`, quoted if it must be.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// What stands after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The domain as a value of its own.
    pub fn domain_name(&self) -> DomainName {
        DomainName(self.domain().into())
    }

    /// Whether it is `*@domain`, which stands for every address of the domain that is not otherwise known.
    pub fn is_catch_all(&self) -> bool {
        self.local() == "*"
    }

    /// The same local part at another domain. Not checked for length: it is only looked up.
    pub fn at(&self, domain: &str) -> Name {
        Name(format!("{}@{domain}", self.local()).into())
    }

    /// The address without its subaddress (RFC 5233): `you@x` of `you+tag@x`.
    pub fn without_subaddress(&self, separator: char) -> Option<Name> {
        let local = self.local();
        if local.starts_with('"') {
            return None;
        }
        let (base, _) = local.split_once(separator)?;
        (!base.is_empty()).then(|| Name(format!("{base}@{}", self.domain()).into()))
    }

    /// `*@domain` for the same domain.
    pub fn catch_all(&self) -> Name {
        Name(format!("*@{}", self.domain()).into())
    }
}

impl FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let address: Address = text.parse().map_err(|reason| NameError::Syntax { text: shown(text), reason })?;
        if address.domain().is_none() {
            return Err(NameError::Literal(shown(text)));
        }
        Ok(Name(address.to_string().to_ascii_lowercase().into()))
    }
}

impl FromStr for DomainName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let domain: Domain = text.parse().map_err(|reason| NameError::Syntax { text: shown(text), reason })?;
        Ok(DomainName(domain.as_str().into()))
    }
}

/// As much of a text as a message should repeat.
fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

macro_rules! as_text {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        // Hash and equality are the text's, as `Borrow` demands; lookups then need no value of their own.
        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}
as_text!(Name);
as_text!(DomainName);

const MAX_SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn one_way_of_writing_each() {
        assert_eq!(name("You@Example.ORG"), name("\"you\"@example.org"));
        assert_eq!(name("You@Example.ORG").as_str(), "you@example.org");
        assert_eq!(name("\"a b@c\"@x.org").domain(), "x.org");
        assert!(matches!("you@[192.0.2.1]".parse::<Name>(), Err(NameError::Literal(_))));
        assert!("you".parse::<Name>().unwrap_err().to_string().contains("no @"));
    }

    #[test]
    fn subaddresses() {
        assert_eq!(name("you+a+b@x.org").without_subaddress('+'), Some(name("you@x.org")));
        assert_eq!(name("you@x.org").without_subaddress('+'), None);
        assert_eq!(name("+a@x.org").without_subaddress('+'), None);
        assert_eq!(name("\"y u+a\"@x.org").without_subaddress('+'), None);
        assert_eq!(name("you+a@x.org").without_subaddress('-'), None);
    }
}
