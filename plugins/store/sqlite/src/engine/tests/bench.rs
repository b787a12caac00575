//! Deliveries a second. `cargo test --release -p dovetail-store-sqlite -- --ignored --nocapture deliveries_a_second`;
//! `DOVETAIL_BENCH_DIR` says on which disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dovetail_mailstore::{plain_threads, Options, Store};

use super::super::Sqlite;
use super::deliver;
use crate::config::Config;

#[test]
#[ignore = "a measurement"]
fn deliveries_a_second() {
    let message = vec![b'x'; 8192];
    let place = std::env::var_os("DOVETAIL_BENCH_DIR").unwrap_or_else(|| std::env::temp_dir().into());
    for (threads, accounts) in [(1, 1), (16, 1), (16, 16), (64, 1), (64, 64)] {
        let dir = tempfile::tempdir_in(&place).unwrap();
        let log = Config::default().log_size;
        let backend = Sqlite::open(dir.path(), 0, log, &plain_threads()).unwrap();
        let store = Arc::new(Store::open(Arc::new(backend), Options::default()).unwrap());
        let left = Arc::new(AtomicU64::new(4_000 * (1 + threads as u64 / 8)));
        let total = left.load(Ordering::Relaxed);
        let start = Instant::now();
        let handles: Vec<_> = (0..threads)
            .map(|n| {
                let (store, left, message) = (store.clone(), left.clone(), message.clone());
                std::thread::spawn(move || {
                    let account = format!("account{}", n % accounts);
                    let mut times = Vec::new();
                    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
                        let begun = Instant::now();
                        deliver(&store, &account, &message).unwrap();
                        times.push(begun.elapsed());
                    }
                    times
                })
            })
            .collect();
        let mut times: Vec<Duration> = handles.into_iter().flat_map(|h| h.join().unwrap()).collect();
        let took = start.elapsed();
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!(
            "{threads:3} deliverers, {accounts:2} accounts: {:6.0}/s, median {:?}, p99 {:?}, worst {:?}",
            total as f64 / took.as_secs_f64(),
            at(0.5),
            at(0.99),
            at(1.0),
        );
    }
}
