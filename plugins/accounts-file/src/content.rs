//! What stands in the accounts file, and its text form (RON).
//!
//! Unknown fields, keys that stand twice and addresses that are none are errors with line and column. What one line says
//! about another (an alias that leads nowhere) is the [`crate::book`]'s to judge.

use crate::{
    fingerprint::Fingerprint,
    name::{DomainName, Name},
    stored::Stored,
    table::Table,
};
use ron::{extensions::Extensions, ser::PrettyConfig};
use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The account that gets what is sent to `postmaster`; the first one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postmaster: Option<Name>,
    /// Domains whose addresses are those of another domain.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub alias_domains: Table<DomainName, DomainName>,
    /// Who owns mailboxes.
    #[serde(default)]
    pub accounts: Table<Name, Account>,
    /// Addresses that stand for others.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub aliases: Table<Name, Vec<Name>>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The hash of the password, argon2 in PHC form or one of [`crate::imported`]; empty: nobody can log in by one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// The SCRAM-SHA-256 keys of the password, in the form of RFC 5803; empty: none. See [`crate::scram`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scram: String,
    /// Whether it may log in. Its mail is taken either way.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// Further addresses of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Name>,
    /// Whoever shows a certificate with one of these keys, and proves that it is theirs, is this account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<ClientKey>,
}

/// The key of a client's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientKey {
    /// The fingerprint of its public key; a renewed certificate with the same key has the same.
    pub key: Fingerprint,
    /// What it is called by people; without a meaning.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Where in the text a mistake is, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl Account {
    /// An account that may log in with a password of this hash.
    pub fn new(password: String) -> Self {
        Account { password, scram: String::new(), enabled: true, aliases: Vec::new(), certificates: Vec::new() }
    }

    /// What is kept of its password.
    pub fn stored(&self) -> Stored {
        Stored { password: self.password.clone(), scram: self.scram.clone() }
    }

    /// Keeps something else of it.
    pub fn set_stored(&mut self, stored: Stored) {
        self.password = stored.password;
        self.scram = stored.scram;
    }

    /// Whether a password leads to it.
    pub fn has_password(&self) -> bool {
        !self.password.is_empty() || !self.scram.is_empty()
    }
}

impl Content {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The first [`Mistake`].
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        options().from_str(text).map_err(|error| Mistake {
            line: error.span.start.line,
            column: error.span.start.col,
            message: error.code.to_string(),
        })
    }

    /// The text of a file with this content.
    ///
    /// # Errors
    /// What RON cannot write; nothing in this type is of that kind.
    pub fn render(&self) -> Result<String, ron::Error> {
        let pretty = PrettyConfig::new().compact_arrays(true).new_line("\n");
        Ok(format!("{HEADER}{}\n", options().to_string_pretty(self, pretty)?))
    }
}

fn options() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME)
}

fn yes() -> bool {
    true
}

// serde asks for a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_yes(value: &bool) -> bool {
    *value
}

const HEADER: &str = "\
// The accounts of this server. Edit this file as you like: a running server reads it again within a second, and keeps
// what it knew if there is a mistake in it (see the log).
//
// `dovetail accounts add|remove|password|alias|...` rewrite it, and so does the first login to an account whose password is kept in an
// older way (no `scram`, unless the configuration says `scram: Off`; a hash of another kind). Your comments are lost then; what you
// had is kept as `.bak`.
//
//   postmaster: \"you@example.org\",                       who gets mail to postmaster; else the first account
//   alias_domains: { \"example.net\": \"example.org\" },     all addresses of one domain stand for those of another
//   accounts: { \"you@example.org\": (
//       password: \"$argon2id$...\",                       made by `dovetail accounts password you@example.org`
//       scram: \"SCRAM-SHA-256$...\",                     keys for SCRAM, made together with the hash above; remove them if you
//                                                        change it by hand (they count for nothing then, and are made again)
//       enabled: false,                                  may not log in; its mail is still taken
//       aliases: [\"info@example.org\", \"*@example.com\"],  further addresses; * is every address not known otherwise
//       certificates: [(key: \"5D:AE:...\", note: \"laptop\")], keys of certificates that log it in (SASL EXTERNAL); made by
//                                                        `dovetail accounts add-certificate you@example.org --cert FILE`
//   ) },
//   aliases: { \"sales@example.org\": [\"a@example.org\", \"b@example.org\"] },   one address for several accounts

";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn a_file_written_by_hand() {
        let content = Content::parse(
            r#"(
                postmaster: "You@Example.org",
                accounts: {
                    "you@example.org": (password: "$argon2id$x", aliases: ["*@shop.example"]),
                    "two@example.org": (enabled: false),
                },
                aliases: {"sales@example.org": ["you@example.org", "two@example.org"]},
                alias_domains: {"example.net": "example.org"},
            )"#,
        )
        .unwrap();
        assert_eq!(content.postmaster.as_ref().unwrap().as_str(), "you@example.org");
        let accounts: Vec<_> = content.accounts.iter().collect();
        assert!(accounts[0].1.enabled && !accounts[1].1.enabled);
        assert_eq!(accounts[1].0.as_str(), "two@example.org");
    }

    #[test]
    fn the_least_file() {
        assert_eq!(Content::parse("()"), Ok(Content::default()));
    }

    #[test]
    fn mistakes_have_positions() {
        for (text, line, words) in [
            ("(\n  acounts: {},\n)", 2, "acounts"),
            ("(\n accounts: {\n  \"a@b.org\": (pasword: \"\"),\n })", 3, "pasword"),
            ("(\n accounts: {\n  \"a@b.org\": (),\n  \"A@B.org\": (),\n })", 4, "twice"),
            ("(\n\n accounts: {\"a\": ()})", 3, "no @"),
            ("(\n alias_domains: {\"a_b\": \"c\"})", 2, "domain"),
            ("(\n accounts: {\"a@b.org\": (enabled: 1)})", 2, "bool"),
            ("(\n accounts: {\"a@b.org\": (certificates: [(key: \"5D:AE\")])})", 2, "64 hexadecimal digits"),
            ("(\n accounts: {", 2, "expected"),
            ("", 1, "expected"),
        ] {
            let mistake = Content::parse(text).unwrap_err();
            assert_eq!(mistake.line, line, "{text}: {mistake:?}");
            assert!(mistake.message.to_lowercase().contains(words), "{text}: {mistake:?}");
        }
    }

    fn name() -> impl Strategy<Value = Name> {
        ("[a-zA-Z0-9*+\"\\\\ ']{1,10}", "[a-z0-9]{1,8}(\\.[a-z]{1,4}){0,2}").prop_map(|(local, domain)| {
            let local = local.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{local}\"@{domain}").parse().unwrap()
        })
    }

    fn table<K, V>(entries: Vec<(K, V)>) -> Table<K, V>
    where
        K: PartialEq,
    {
        let mut table = Table::default();
        for (key, value) in entries {
            table.add(key, value);
        }
        table
    }

    fn content() -> impl Strategy<Value = Content> {
        let key = ("[a-f0-9]{64}", ".{0,10}").prop_map(|(key, note)| ClientKey { key: key.parse().unwrap(), note });
        let account = ((".{0,20}", ".{0,20}"), any::<bool>(), vec(name(), 0..3), vec(key, 0..3));
        let account = account.prop_map(|((password, scram), enabled, aliases, certificates)| Account {
            password,
            scram,
            enabled,
            aliases,
            certificates,
        });
        let domains = vec((name(), name()), 0..3)
            .prop_map(|pairs| pairs.into_iter().map(|(a, b)| (a.domain_name(), b.domain_name())).collect());
        (
            proptest::option::of(name()),
            domains.prop_map(table),
            vec((name(), account), 0..5).prop_map(table),
            vec((name(), vec(name(), 0..4)), 0..4).prop_map(table),
        )
            .prop_map(|(postmaster, alias_domains, accounts, aliases)| Content {
                postmaster,
                alias_domains,
                accounts,
                aliases,
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn what_is_written_reads_back_as_the_same(content in content()) {
            let text = content.render().unwrap();
            prop_assert_eq!(Content::parse(&text), Ok(content));
        }

        #[test]
        fn nothing_makes_the_parser_panic(text in "[(){}\\[\\]\":,@a-z#!/ \n]{0,80}") {
            let _ = Content::parse(&text);
        }
    }
}
