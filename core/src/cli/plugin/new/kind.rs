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

impl Kind {
    /// All files of the kind.
    pub fn files(self) -> impl Iterator<Item = File> {
        let own: &[File] = match self {
            Kind::Protocol => &PROTOCOL,
            Kind::Policy => &POLICY,
            Kind::Directory => &DIRECTORY,
        };
        COMMON.into_iter().chain(own.iter().copied())
    }

    /// What it depends on beside what all kinds do, as lines of the manifest.
    pub fn dependencies(self) -> &'static [&'static str] {
        match self {
            Kind::Protocol | Kind::Policy => &[],
            Kind::Directory => &["sha2 = \"0.10\""],
        }
    }
}
