//! The test: every row is made, then every case of it is run.

use super::{case::Case, check::check, rows::ROWS, workshop::Workshop};
use std::{
    collections::BTreeSet,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Mutex,
    },
    thread,
};

/// As many imports at a time.
const WORKERS: usize = 4;

#[test]
fn every_row_of_what_people_bring() {
    let Some(shop) = &Workshop::open() else { return };
    let cases: Vec<Case> = thread::scope(|scope| {
        let rows: Vec<_> = ROWS.iter().map(|row| scope.spawn(move || row(shop))).collect();
        rows.into_iter().flat_map(|row| row.join().unwrap()).collect()
    });
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(what) = check(case, shop) {
                        wrong.lock().unwrap().push(format!("{}: {what}", case.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    let count = |prefix: &str| names.iter().filter(|name| name.starts_with(prefix)).count();
    eprintln!(
        "certs import: {} cases: {} good, {} warn, {} bad",
        names.len(),
        count("good-"),
        count("warn-"),
        count("bad-")
    );
    assert!(wrong.is_empty(), "{} of {} cases:\n\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
    assert!(cases.len() >= 150, "only {} cases", cases.len());
}
