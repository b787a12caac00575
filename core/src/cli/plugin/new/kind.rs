//! The kinds of plugins that can be begun with a template.

use clap::ValueEnum;

/// What a new plugin provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A protocol that a listener speaks
    Protocol,
    /// Decisions on the way of a mail
    Policy,
    /// Accounts and addresses
    Directory,
    /// TLS for listeners and outgoing connections
    Tls,
    /// Mailboxes
    Store,
}

/// A file's path in the crate, and its template.
type File = (&'static str, &'static str);

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../../../../sdk/template/", $path))
    };
}

const COMMON: [File; 2] =
    [("Cargo.toml", template!("common/Cargo.toml")), (".gitignore", template!("common/gitignore"))];
const PROTOCOL: [File; 5] = [
    ("README.md", template!("protocol/README.md")),
    ("dovetail.ron", template!("protocol/dovetail.ron")),
    ("src/lib.rs", template!("protocol/src/lib.rs")),
    ("src/tests.rs", template!("protocol/src/tests.rs")),
    ("dialogues/counts.txt", template!("protocol/dialogues/counts.txt")),
];
const POLICY: [File; 3] = [
    ("README.md", template!("policy/README.md")),
    ("src/lib.rs", template!("policy/src/lib.rs")),
    ("src/tests.rs", template!("policy/src/tests.rs")),
];
const DIRECTORY: [File; 3] = [
    ("README.md", template!("directory/README.md")),
    ("src/lib.rs", template!("directory/src/lib.rs")),
    ("src/tests.rs", template!("directory/src/tests.rs")),
];
const TLS: [File; 9] = [
    ("README.md", template!("tls/README.md")),
    ("src/lib.rs", template!("tls/src/lib.rs")),
    ("src/acceptor.rs", template!("tls/src/acceptor.rs")),
    ("src/check.rs", template!("tls/src/check.rs")),
    ("src/connector.rs", template!("tls/src/connector.rs")),
    ("src/errors.rs", template!("tls/src/errors.rs")),
    ("src/identity.rs", template!("tls/src/identity.rs")),
    ("src/policy.rs", template!("tls/src/policy.rs")),
    ("src/tests.rs", template!("tls/src/tests.rs")),
];
const STORE: [File; 7] = [
    ("README.md", template!("store/README.md")),
    ("src/lib.rs", template!("store/src/lib.rs")),
    ("src/bodies.rs", template!("store/src/bodies.rs")),
    ("src/messages.rs", template!("store/src/messages.rs")),
    ("src/open.rs", template!("store/src/open.rs")),
    ("src/tests.rs", template!("store/src/tests.rs")),
    ("src/world.rs", template!("store/src/world.rs")),
];

impl Kind {
    /// All files of the kind.
    pub fn files(self) -> impl Iterator<Item = File> {
        let own: &[File] = match self {
            Kind::Protocol => &PROTOCOL,
            Kind::Policy => &POLICY,
            Kind::Directory => &DIRECTORY,
            Kind::Tls => &TLS,
            Kind::Store => &STORE,
        };
        COMMON.into_iter().chain(own.iter().copied())
    }

    /// What it depends on beside what all kinds do, as lines of the manifest.
    pub fn dependencies(self) -> &'static [&'static str] {
        match self {
            Kind::Protocol | Kind::Policy => &[],
            Kind::Directory => &["sha2 = \"0.10\""],
            Kind::Store => &["tokio = { version = \"1\", default-features = false, features = [\"sync\"] }"],
            Kind::Tls => &[
                "rustls = { version = \"0.23\", default-features = false, features = [\"aws_lc_rs\", \"prefer-post-quantum\", \"std\", \"tls12\"] }",
                "tokio = { version = \"1\", default-features = false, features = [\"io-util\", \"macros\"] }",
                "tokio-rustls = { version = \"0.26\", default-features = false, features = [\"aws_lc_rs\", \"tls12\"] }",
            ],
        }
    }

    /// What of the test kit its tests need beside what is always there.
    pub fn testkit_features(self) -> &'static [&'static str] {
        match self {
            Kind::Tls => &["tls-conformance"],
            _ => &[],
        }
    }
}
