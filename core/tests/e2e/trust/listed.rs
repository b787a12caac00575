//! The book's page on trust: each row of its tables names a test that is there, or says why there can be none.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/src/plugins/trust.md")).unwrap()
}

/// The files in which a test of these modules may stand.
fn sources(modules: &[&str]) -> Vec<PathBuf> {
    let below = modules.join("/");
    let roots = ["core/tests/e2e", "core/src", "sdk/abi/src"];
    roots
        .iter()
        .flat_map(|folder| [".rs", "/mod.rs"].map(|end| root().join(folder).join(below.clone() + end)))
        .collect()
}

/// Whether a source has this test.
fn has_test(source: &Path, name: &str) -> bool {
    let Ok(text) = fs::read_to_string(source) else { return false };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = format!("fn {name}()");
    let at = |line: &&str| line.trim_start_matches("async ").starts_with(&head);
    lines.iter().position(at).is_some_and(|at| {
        let before = lines[..at].iter().rev().take_while(|line| !line.is_empty() && **line != "}");
        before.into_iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}

/// The names between ticks in a cell.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The rows of the tables whose last column is headed so.
fn rows<'a>(page: &'a str, last: &str) -> Vec<Vec<&'a str>> {
    let mut rows = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if !line.starts_with('|') {
            inside = false;
        } else if cells.last() == Some(&last) {
            inside = true;
        } else if inside && !line.starts_with("|-") {
            rows.push(cells);
        }
    }
    rows
}

#[test]
fn every_item_names_tests_that_are_there() {
    let page = page();
    let rows = rows(&page, "tried by");
    assert!(rows.len() > 30, "{rows:#?}");
    for row in rows {
        let [what, _, tests] = row.as_slice() else { panic!("{row:?} has not three columns") };
        let tests = names(tests);
        assert!(!tests.is_empty() || row[2].starts_with("cannot be tried: "), "nothing tries {what:?}");
        for test in tests {
            let (modules, name) = test.rsplit_once("::").unwrap_or_else(|| panic!("{test} names no module"));
            let modules: Vec<&str> = modules.split("::").collect();
            assert!(sources(&modules).iter().any(|source| has_test(source, name)), "there is no test {test}");
        }
    }
}

#[test]
fn every_limit_of_the_process_is_in_the_unit() {
    let unit = fs::read_to_string(root().join("core/src/cli/init/unit.rs")).unwrap();
    let page = page();
    let rows = rows(&page, "what it does");
    assert!(rows.len() > 8, "{rows:#?}");
    for row in rows {
        let lines = names(row[0]);
        assert!(!lines.is_empty(), "{row:?}");
        for line in lines {
            assert!(unit.lines().any(|there| there == line), "the unit has no {line}");
        }
    }
}
