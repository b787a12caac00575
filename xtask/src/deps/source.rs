//! Reads the plugins' manifests and sources for names that they may not know.

use super::rooms::Room;
use super::rule::LAYOUT_LIBRARY;
use crate::error::Error;
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};

/// One line a place where a plugin names the layout library.
pub fn check(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let mut breaches = Vec::new();
    for package in &workspace.packages {
        let folder = workspace.folder(package);
        if !matches!(Room::of(folder), Some(Room::Plugin(_))) {
            continue;
        }
        let mut files = Vec::new();
        collect(&workspace.workspace_root.join(folder), &mut files)?;
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).map_err(Error::file(&file))?;
            let shown = file.strip_prefix(&workspace.workspace_root);
            let shown = shown.unwrap_or(&file).display();
            breaches.extend(
                lines_naming(&text, LAYOUT_LIBRARY)
                    .map(|line| format!("{shown}:{line}: names {LAYOUT_LIBRARY}; a plugin uses what the SDK offers")),
            );
        }
    }
    Ok(breaches)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).map_err(Error::file(folder))? {
        let entry = entry.map_err(Error::file(folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(Error::file(&path))?;
        let is_source = path.extension().is_some_and(|e| e == "rs" || e == "toml");
        // A link is not followed, and a nested target folder isn't source.
        if kind.is_dir() && entry.file_name() != "target" {
            collect(&path, files)?;
        } else if kind.is_file() && is_source {
            files.push(path);
        }
    }
    Ok(())
}

fn lines_naming<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let lines = text.lines().enumerate();
    lines.filter(move |(_, line)| line.contains(name)).map(|(i, _)| i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_library_is_found_with_its_line() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let plugin = folder.path().join("plugins/smtp/src");
        std::fs::create_dir_all(&plugin).expect("folder");
        std::fs::write(plugin.join("lib.rs"), "//! fine\nuse abi_stable::std_types::RStr;\n").expect("file");
        let json = serde_json::json!({
            "packages": [{
                "id": "smtp",
                "name": "dovetail-smtp",
                "manifest_path": folder.path().join("plugins/smtp/Cargo.toml"),
                "dependencies": [],
                "targets": [],
            }],
            "workspace_default_members": [],
            "workspace_root": folder.path(),
            "target_directory": folder.path().join("target"),
        });
        let workspace = Workspace::parse(&json.to_string()).expect("metadata");
        let found = check(&workspace).expect("readable");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("plugins/smtp/src/lib.rs:2:"), "{found:?}");
        std::fs::write(plugin.join("lib.rs"), "//! fine\n").expect("file");
        assert_eq!(check(&workspace).expect("readable"), Vec::<String>::new());
    }
}
