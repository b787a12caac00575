//! What plain `cargo build` and `cargo test` take: everything that can be built on a machine with nothing but Rust and a C
//! compiler. A package that needs a library of the system is left out, and none of the others may depend on it, not even
//! for its tests.

use crate::workspace::{Package, Workspace};
use std::path::Path;

/// The folders of packages that need a library of the system.
const NEED_A_SYSTEM_LIBRARY: &[&str] = &["plugins/tls-openssl"];
/// Below these are packages without tests of their own: they are built for the tests of others.
const FOR_OTHERS: &[&str] = &["core/tests/plugins", "fuzz/parsers"];

/// One line a breach.
pub fn check(workspace: &Workspace) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in &workspace.packages {
        let folder = workspace.folder(package);
        let (name, shown) = (&package.name, folder.display());
        let is_default = workspace.workspace_default_members.contains(&package.id);
        if needs_a_system_library(folder) {
            if is_default {
                breaches.push(format!("{name} needs a library of the system: take {shown} out of default-members"));
            }
            continue;
        }
        if !is_default && !FOR_OTHERS.iter().any(|above| folder.starts_with(above)) {
            breaches.push(format!("{name} is not tested by `cargo test`: add {shown} to default-members"));
        }
        breaches.extend(needed(workspace, package).map(|on| {
            format!("{name} depends on {on}, which needs a library of the system; plain `cargo test` must do without")
        }));
    }
    breaches
}

fn needs_a_system_library(folder: &Path) -> bool {
    NEED_A_SYSTEM_LIBRARY.iter().any(|known| folder == Path::new(known))
}

/// The dependencies of any kind that need a library of the system.
fn needed<'a>(workspace: &'a Workspace, package: &'a Package) -> impl Iterator<Item = &'a str> {
    package.dependencies.iter().filter_map(|dependency| {
        let folder = dependency.path.as_deref()?;
        let folder = folder.strip_prefix(&workspace.workspace_root).unwrap_or(folder);
        needs_a_system_library(folder).then_some(dependency.name.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace of packages (folder, whether it is a default member, the folders of what it depends on for its tests).
    fn breaches(packages: &[(&str, bool, &[&str])]) -> Vec<String> {
        let described = |(folder, _, dependencies): &(&str, bool, &[&str])| {
            let dependencies: Vec<_> = dependencies
                .iter()
                .map(|on| serde_json::json!({ "name": on, "kind": "dev", "path": format!("/house/{on}") }))
                .collect();
            serde_json::json!({
                "id": folder,
                "name": folder,
                "manifest_path": format!("/house/{folder}/Cargo.toml"),
                "dependencies": dependencies,
                "targets": [],
            })
        };
        let defaults = packages.iter().filter(|(_, is_default, _)| *is_default).map(|(folder, ..)| folder);
        let json = serde_json::json!({
            "packages": packages.iter().map(described).collect::<Vec<_>>(),
            "workspace_default_members": defaults.collect::<Vec<_>>(),
            "workspace_root": "/house",
            "target_directory": "/house/target",
        });
        check(&Workspace::parse(&json.to_string()).expect("synthetic metadata"))
    }

    #[test]
    fn everything_but_what_needs_a_system_library_is_a_default_member() {
        let good = breaches(&[
            ("core", true, &["plugins/smtp", "core/tests/plugins/echo"]),
            ("core/tests/plugins/echo", false, &[]),
            ("plugins/smtp", true, &[]),
            ("plugins/tls-openssl", false, &["sdk/testkit"]),
        ]);
        assert_eq!(good, Vec::<String>::new());
    }

    #[test]
    fn each_breach_is_named() {
        let found = breaches(&[
            ("core", true, &["plugins/tls-openssl"]),
            ("plugins/new", false, &[]),
            ("plugins/tls-openssl", true, &[]),
        ]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("core depends on plugins/tls-openssl"), "{found:?}");
        assert!(found[1].contains("add plugins/new to default-members"), "{found:?}");
        assert!(found[2].contains("out of default-members"), "{found:?}");
    }
}
