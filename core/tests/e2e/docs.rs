//! The book in `docs/`: its pages are listed, its links lead somewhere, and its example plugin is the one that is compiled.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Markdown files below a folder.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(pages(&path)),
            false => found.extend(path.extension().is_some_and(|ending| ending == "md").then_some(path)),
        }
    }
    found
}

/// The targets of `[text](target)` that are files.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .map(|target| target.split('#').next().unwrap_or(target))
        .filter(|t| !t.is_empty() && !t.contains("://"))
        .collect()
}

#[test]
fn every_page_is_listed_and_every_link_leads_somewhere() {
    let book = root().join("docs/src");
    let summary = read(&book.join("SUMMARY.md"));
    let listed: Vec<PathBuf> = links(&summary).iter().map(|link| book.join(link)).collect();
    let mut all = pages(&book);
    assert!(all.len() > 10, "{all:?}");
    for page in all.iter().filter(|page| !page.ends_with("SUMMARY.md")) {
        assert!(listed.contains(page), "{} is not in SUMMARY.md", page.display());
    }
    all.push(root().join("README.md"));
    for page in &all {
        let folder = page.parent().unwrap();
        for link in links(&read(page)) {
            assert!(folder.join(link).exists(), "{} links to {link}, which is not there", page.display());
        }
    }
}

/// The example in the SDK's own documentation is compiled by `cargo test`; the guide shows the same.
#[test]
fn the_example_plugin_is_the_one_that_is_compiled() {
    let sdk = read(&root().join("sdk/src/lib.rs"));
    let lines =
        sdk.lines().filter_map(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line));
    let example = lines.skip_while(|line| *line != "```").skip(1).take_while(|line| *line != "```");
    let example: String = example.filter(|line| !line.starts_with("# ")).map(|line| format!("{line}\n")).collect();
    assert!(example.contains("export_plugin!"), "{example}");
    let guide = read(&root().join("docs/src/plugins/writing.md"));
    assert!(guide.contains(&format!("```rust\n{example}```")), "the guide's example is not the SDK's:\n{example}");
}

/// The same for the page about compatibility.
#[test]
fn the_example_interface_is_the_one_that_is_compiled() {
    let sdk = read(&root().join("sdk/src/lib.rs"));
    let lines =
        sdk.lines().filter_map(|line| line.strip_prefix("///")).map(|line| line.strip_prefix(' ').unwrap_or(line));
    let lines: String = lines.filter(|line| !line.starts_with("# ")).map(|line| format!("{line}\n")).collect();
    let example = lines.split("```\n").find(|block| block.starts_with("dovetail_sdk::declares_interfaces!")).unwrap();
    let page = read(&root().join("docs/src/plugins/compatibility.md"));
    assert!(page.contains(&format!("```rust\n{example}```")), "the page's example is not the SDK's:\n{example}");
}

/// The text of all sources in a folder, lines that end in a backslash joined.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let mut joined = String::new();
            for line in read(&path).lines() {
                match line.strip_suffix('\\') {
                    Some(line) => joined.push_str(if joined.ends_with('\n') { line } else { line.trim_start() }),
                    None => {
                        joined.push_str(&format!("{}\n", if joined.ends_with('\n') { line } else { line.trim_start() }))
                    }
                }
            }
            all.push_str(&joined);
        }
    }
    all
}

#[test]
fn every_message_of_the_troubleshooting_page_is_one_of_the_servers() {
    let sources =
        ["core/src", "plugins", "sdk/src", "sdk/abi/src"].map(|folder| sources(&root().join(folder))).concat();
    let page = read(&root().join("docs/src/troubleshooting.md"));
    let mut checked = 0;
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.split('|').nth(1).unwrap();
        // Between the ticks; `...` stands for what differs.
        for part in cell.split('`').skip(1).step_by(2).flat_map(|text| text.split("...")) {
            let part = part.trim_matches([' ', ':']);
            assert!(part.len() < 4 || sources.contains(part), "no source says {part:?}");
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}
