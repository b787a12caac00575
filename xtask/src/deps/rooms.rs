//! Which room of the house a package lives in, told by its folder.

use std::path::Path;

/// A package's room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Room {
    /// `core`
    Core,
    /// `sdk/abi`
    Abi,
    /// `sdk`, `sdk/mail`
    Sdk,
    /// `sdk/testkit`
    Testkit,
    /// `plugins/NAME/...`, an example (`sdk/examples/NAME`), or a test's plugin: the folder that its packages share.
    Plugin(String),
    /// `xtask`, `benches/...`, `fuzz/...`: tools that may look at everything.
    Tool,
}

impl Room {
    /// The room of a folder below the workspace's top; none if the folder belongs to no room.
    pub fn of(folder: &Path) -> Option<Room> {
        let parts: Vec<&str> = folder.iter().filter_map(|p| p.to_str()).collect();
        Some(match parts.as_slice() {
            ["core"] => Room::Core,
            ["core", "tests", "plugins", name, ..] => Room::Plugin(format!("core/tests/plugins/{name}")),
            ["sdk", "abi"] => Room::Abi,
            ["sdk"] | ["sdk", "mail"] => Room::Sdk,
            ["sdk", "testkit"] => Room::Testkit,
            ["plugins", name, ..] => Room::Plugin(format!("plugins/{name}")),
            ["sdk", "examples", name] => Room::Plugin(format!("sdk/examples/{name}")),
            ["xtask"] | ["benches", _] | ["fuzz", ..] => Room::Tool,
            _ => return None,
        })
    }

    /// May a package of this room depend on one of `other`? Inside a plugin's folder the libraries may be
    /// used, which [`super::rule`] tells from plugins.
    pub fn may_use(&self, other: &Room) -> bool {
        match self {
            Room::Abi => false,
            Room::Core => *other == Room::Abi,
            Room::Sdk => matches!(other, Room::Abi | Room::Sdk),
            Room::Testkit => matches!(other, Room::Abi | Room::Sdk),
            Room::Plugin(_) => *other == Room::Sdk || self == other,
            Room::Tool => true,
        }
    }

    /// What it may use, in words.
    pub fn allowance(&self) -> &'static str {
        match self {
            Room::Abi => "the ABI depends on nothing of ours",
            Room::Core => "core depends on sdk/abi only",
            Room::Sdk => "the SDK depends on sdk/abi and itself only",
            Room::Testkit => "the testkit depends on the SDK only",
            Room::Plugin(_) => "a plugin depends on the SDK and on libraries of its own folder only",
            Room::Tool => "a tool may depend on anything",
        }
    }
}
