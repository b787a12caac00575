//! The rule over direct dependencies. Dev-dependencies are free: tests may look at everything.

use super::rooms::Room;
use crate::workspace::{Dependency, Package, Workspace};

/// The library behind the ABI. Only the ABI and core's loader may know it.
pub const LAYOUT_LIBRARY: &str = "abi_stable";

/// One line a breach.
pub fn check(workspace: &Workspace) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in &workspace.packages {
        let folder = workspace.folder(package);
        let Some(room) = Room::of(folder) else {
            breaches.push(format!(
                "{}: the folder {} is no room that the dependency rule knows; add it to xtask/src/deps/rooms.rs",
                package.name,
                folder.display()
            ));
            continue;
        };
        let checked = package.dependencies.iter();
        for dependency in checked.filter(|d| d.kind.as_deref() != Some("dev")) {
            breaches.extend(breach(workspace, package, &room, dependency));
        }
    }
    breaches
}

fn breach(workspace: &Workspace, package: &Package, room: &Room, dependency: &Dependency) -> Option<String> {
    let (name, on) = (&package.name, &dependency.name);
    if dependency.name == LAYOUT_LIBRARY && !matches!(room, Room::Abi | Room::Core) {
        return Some(format!("{name} depends on {on}: only sdk/abi and core may; use what the SDK offers"));
    }
    let other = target(workspace, dependency)?;
    let other_room = Room::of(workspace.folder(other))?;
    if !room.may_use(&other_room) {
        return Some(format!("{name} depends on {on}: {}", room.allowance()));
    }
    if *room != Room::Tool && other.library().is_some() {
        return Some(format!("{name} depends on {on}, which is a plugin: plugins meet through interfaces only"));
    }
    None
}

/// The member that a path dependency names.
fn target<'a>(workspace: &'a Workspace, dependency: &Dependency) -> Option<&'a Package> {
    let path = dependency.path.as_deref()?;
    let mut members = workspace.packages.iter();
    members.find(|p| p.manifest_path.parent() == Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package: folder, crate type, and its dependencies as (kind, folder or crate name).
    type Described<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

    /// Checks packages as cargo would describe them.
    fn breaches(packages: &[Described<'_>]) -> Vec<String> {
        let described: Vec<serde_json::Value> = packages
            .iter()
            .map(|(folder, crate_type, dependencies)| {
                let dependencies: Vec<serde_json::Value> = dependencies
                    .iter()
                    .map(|(kind, on)| {
                        let member = packages.iter().any(|(f, _, _)| f == on);
                        serde_json::json!({
                            "name": on,
                            "kind": if *kind == "normal" { None } else { Some(kind) },
                            "path": member.then(|| format!("/house/{on}")),
                        })
                    })
                    .collect();
                serde_json::json!({
                    "id": folder,
                    "name": folder,
                    "manifest_path": format!("/house/{folder}/Cargo.toml"),
                    "dependencies": dependencies,
                    "targets": [{ "name": "x", "crate_types": [crate_type] }],
                })
            })
            .collect();
        let json = serde_json::json!({
            "packages": described,
            "workspace_default_members": [],
            "workspace_root": "/house",
            "target_directory": "/house/target",
        });
        check(&Workspace::parse(&json.to_string()).expect("synthetic metadata"))
    }

    const ABI: Described<'static> = ("sdk/abi", "lib", &[("normal", "abi_stable")]);
    const SDK: Described<'static> = ("sdk", "lib", &[("normal", "sdk/abi")]);

    #[test]
    fn the_house_as_drawn_passes() {
        let found = breaches(&[
            ABI,
            SDK,
            ("sdk/mail", "lib", &[]),
            ("sdk/testkit", "lib", &[("normal", "sdk")]),
            ("core", "bin", &[("normal", "sdk/abi"), ("normal", "abi_stable"), ("dev", "plugins/smtp")]),
            (
                "plugins/smtp",
                "cdylib",
                &[("normal", "sdk"), ("normal", "sdk/mail"), ("normal", "serde"), ("dev", "sdk/testkit")],
            ),
            ("plugins/store/mailstore", "lib", &[("normal", "sdk")]),
            ("plugins/store/sqlite", "cdylib", &[("normal", "plugins/store/mailstore")]),
            ("core/tests/plugins/echo", "cdylib", &[("normal", "sdk")]),
            ("sdk/examples/greylist", "cdylib", &[("normal", "sdk"), ("dev", "sdk/testkit")]),
            ("core/tests/plugins/pair/shared", "lib", &[("normal", "sdk")]),
            ("core/tests/plugins/pair/one", "cdylib", &[("normal", "core/tests/plugins/pair/shared")]),
            ("benches/boundary", "bin", &[("normal", "plugins/smtp")]),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    fn one(found: Vec<String>, says: &str) {
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(says), "{found:?}");
    }

    #[test]
    fn a_plugin_on_core_is_a_breach() {
        let core = ("core", "lib", &[][..]);
        let smtp = ("plugins/smtp", "cdylib", &[("normal", "core")][..]);
        one(breaches(&[core, smtp]), "plugins/smtp depends on core");
    }

    #[test]
    fn a_plugin_on_another_plugin_is_a_breach_even_for_a_build_script() {
        let pop3 = ("plugins/pop3", "cdylib", &[][..]);
        let smtp = ("plugins/smtp", "cdylib", &[("build", "plugins/pop3")][..]);
        one(breaches(&[pop3, smtp]), "depends on plugins/pop3");
    }

    #[test]
    fn a_plugin_on_another_folders_library_is_a_breach() {
        let library = ("plugins/store/mailstore", "lib", &[][..]);
        let pop3 = ("plugins/pop3", "cdylib", &[("normal", "plugins/store/mailstore")][..]);
        one(breaches(&[library, pop3]), "libraries of its own folder");
    }

    #[test]
    fn two_plugins_of_one_folder_are_still_two_plugins() {
        let sqlite = ("plugins/store/sqlite", "cdylib", &[][..]);
        let other = ("plugins/store/other", "cdylib", &[("normal", "plugins/store/sqlite")][..]);
        one(breaches(&[sqlite, other]), "which is a plugin");
    }

    #[test]
    fn a_plugin_on_the_abi_or_the_testkit_is_a_breach() {
        let testkit = ("sdk/testkit", "lib", &[][..]);
        let smtp = ("plugins/smtp", "cdylib", &[("normal", "sdk/abi"), ("normal", "sdk/testkit")][..]);
        assert_eq!(breaches(&[ABI, testkit, smtp]).len(), 2);
    }

    #[test]
    fn core_on_a_plugin_or_on_the_sdk_is_a_breach() {
        let smtp = ("plugins/smtp", "cdylib", &[][..]);
        let core = ("core", "bin", &[("normal", "plugins/smtp"), ("normal", "sdk")][..]);
        assert_eq!(breaches(&[ABI, SDK, smtp, core]).len(), 2);
    }

    #[test]
    fn the_layout_library_belongs_to_the_abi_and_core() {
        let smtp = ("plugins/smtp", "cdylib", &[("normal", "abi_stable")][..]);
        one(breaches(&[smtp]), "only sdk/abi and core may");
    }

    #[test]
    fn a_package_outside_every_room_is_a_breach() {
        one(breaches(&[("shed", "lib", &[])]), "no room");
    }
}
