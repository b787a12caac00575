//! The configuration file.

use dovetail::config::document::Piece;
use dovetail::config::{Config, Problems};
use std::collections::BTreeSet;
use std::path::Path;

/// Every problem has its place in the file, and so has every piece that is handed on.
pub fn config(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    pieces(&Piece::file(FILE, text.to_owned()), text, MAX_DEPTH);
    match Config::parse(FILE, text.to_owned(), Path::new("/etc/dovetail")) {
        Ok(config) => {
            places(&config.problems, text);
            if config.problems.has_errors() {
                return false;
            }
            check(&config, text);
            true
        }
        Err(problems) => {
            assert!(problems.has_errors());
            places(&problems, text);
            false
        }
    }
}

fn check(config: &Config, text: &str) {
    assert!(!config.hostname.is_empty());
    let mut instances = BTreeSet::new();
    for plugin in &config.plugins {
        assert!(instances.insert(&plugin.instance), "{} is there twice", plugin.instance);
        stands_where_it_says(&plugin.place, text);
        // A section that was left out is an empty one at its instance's place.
        if plugin.section.text != "()" {
            stands_where_it_says(&plugin.section, text);
        }
    }
    let mut names = BTreeSet::new();
    for listener in &config.listeners {
        assert!(names.insert(&listener.name), "{} is there twice", listener.name);
        assert!(instances.contains(&listener.options.protocol));
        assert!(!listener.options.bind.is_empty() && listener.options.max_connections > 0);
        stands_where_it_says(&listener.place, text);
    }
}

/// Takes everything apart that can be taken apart.
fn pieces(piece: &Piece, text: &str, depth: usize) {
    let mut problems = Problems::default();
    let mut names = BTreeSet::new();
    for entry in piece.entries(&mut problems) {
        assert!(names.insert(entry.name), "two pieces of one name");
        stands_where_it_says(&entry.piece, text);
        if depth > 0 {
            pieces(&entry.piece, text, depth - 1);
        }
    }
    places(&problems, text);
}

fn stands_where_it_says(piece: &Piece, text: &str) {
    let there = text.split('\n').nth(piece.line as usize - 1).and_then(|line| {
        let (column, _) = line.char_indices().nth(piece.column as usize - 1)?;
        // From here to the end of the text.
        let offset = line.as_ptr() as usize - text.as_ptr() as usize + column;
        Some(&text[offset..])
    });
    assert!(there.is_some_and(|there| there.starts_with(&piece.text)), "{piece:?} is not at its place");
}

fn places(problems: &Problems, text: &str) {
    let lines = text.split('\n').count();
    for problem in &problems.0 {
        assert!(problem.file == FILE && !problem.message.is_empty(), "{problem:?}");
        assert!((1..=lines).contains(&(problem.line as usize)), "{problem:?} stands outside the file");
        let columns = text.split('\n').nth(problem.line as usize - 1).map_or(0, |line| line.chars().count());
        assert!((1..=columns + 1).contains(&(problem.column as usize)), "{problem:?} stands outside its line");
    }
}

const FILE: &str = "dovetail.ron";
const MAX_DEPTH: usize = 4;
