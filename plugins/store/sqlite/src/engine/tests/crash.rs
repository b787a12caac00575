//! A process that delivers is killed; every message that it acknowledged must be there, once and whole.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::{bodies, deliver, open};

const DIR: &str = "DOVETAIL_CRASH_TEST_DIR";
const THREADS: usize = 8;

/// A message that says which one it is, in a size of its own; some are large.
fn message(round: usize, thread: usize, n: usize) -> Vec<u8> {
    let size = if n % 25 == 24 { 300_000 } else { 200 + (n * 1237) % 20_000 };
    let mut bytes = format!("{round} {thread} {n}\r\n").into_bytes();
    bytes.extend((0..size).map(|i| (i * 31 + n + thread) as u8));
    bytes
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "engine::tests::crash::deliver_until_killed"])
            .env(DIR, dir.path())
            .env("DOVETAIL_CRASH_TEST_ROUND", round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut count = 0;
        // The kill comes at another moment each time; what the pipe still holds was acknowledged too.
        while let Some(Ok(line)) = lines.next() {
            if let Some(name) = line.strip_prefix("ack ") {
                acknowledged.push(name.to_owned());
                count += 1;
                if count == 150 + 37 * round {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        assert!(count >= 150 + 37 * round, "the child ended by itself after {count} messages");
        check(dir.path().to_owned(), &acknowledged);
    }
}

fn check(dir: PathBuf, acknowledged: &[String]) {
    let store = open(&dir);
    let mut seen: HashMap<String, usize> = HashMap::new();
    for thread in 0..THREADS {
        for bytes in bodies(&store, &format!("account{}", thread % 3)) {
            let first = bytes.split(|b| *b == b'\r').next().unwrap();
            let name = String::from_utf8(first.to_vec()).unwrap();
            let numbers: Vec<usize> = name.split(' ').map(|n| n.parse().unwrap()).collect();
            assert_eq!(bytes, message(numbers[0], numbers[1], numbers[2]), "message {name} is not whole");
            // Three accounts are looked at by eight threads' numbers.
            if numbers[1] == thread {
                *seen.entry(name).or_default() += 1;
            }
        }
    }
    for name in acknowledged {
        assert_eq!(seen.get(name), Some(&1), "message {name} was acknowledged");
    }
}

#[test]
#[ignore = "it is the child of what_was_acknowledged_survives_a_kill"]
fn deliver_until_killed() {
    let dir = PathBuf::from(std::env::var_os(DIR).expect("only its parent starts this"));
    let round: usize = std::env::var("DOVETAIL_CRASH_TEST_ROUND").unwrap().parse().unwrap();
    let store = Arc::new(open(&dir));
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let store = store.clone();
            std::thread::spawn(move || {
                for n in 0..100_000 {
                    deliver(&store, &format!("account{}", thread % 3), &message(round, thread, n)).unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "\nack {round} {thread} {n}").unwrap();
                    out.flush().unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
