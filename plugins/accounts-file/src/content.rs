//! What stands in the accounts file, and its text form (RON).
//!
//! Unknown fields, keys that stand twice and addresses that are none are errors with line and column. What one line says
//! about another (an alias that leads nowhere) is the [`crate::book`]'s to judge.

use crate::{
    name::{DomainName, Name},
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
    /// The argon2 hash of the password, in PHC form; empty: nobody can log in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// Whether it may log in. Its mail is taken either way.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// Further addresses of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Name>,
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
        Account { password, enabled: true, aliases: Vec::new() }
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
// `dovetail accounts add|remove|password|alias|...` rewrite it. Your comments are lost then; what you had is kept as `.bak`.
//
//   postmaster: \"you@example.org\",                       who gets mail to postmaster; else the first account
//   alias_domains: { \"example.net\": \"example.org\" },     all addresses of one domain stand for those of another
//   accounts: { \"you@example.org\": (
//       password: \"$argon2id$...\",                       made by `dovetail accounts password you@example.org`
//       enabled: false,                                  may not log in; its mail is still taken
//       aliases: [\"info@example.org\", \"*@example.com\"],  further addresses; * is every address not known otherwise
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
        let account = (".{0,20}", any::<bool>(), vec(name(), 0..3)).prop_map(|(password, enabled, aliases)| Account {
            password,
            enabled,
            aliases,
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
