//! What reloads leave behind.

use crate::harness::{Server, Setup, PASSWORD, USER};
use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
};

/// Reloads before the count begins: each thread that may do one takes a stack and a heap that it keeps.
const WARM_UP: usize = 250;
const RELOADS: usize = 100;
/// So often they are counted, at most: what is left behind is so each time, what a thread first takes only once.
const ROUNDS: usize = 6;
/// So much may the best round grow the process by, in kB, which is 1 MB for 1,000 reloads.
const LIMIT: u64 = 100;

impl Server {
    /// A reload by the control socket, without a process for the command.
    #[track_caller]
    fn reload_at_once(&self) {
        let mut socket = UnixStream::connect(self.setup.data_dir().join("run/control")).unwrap();
        socket.write_all(b"{\"version\":2,\"call\":\"reload\"}\n").unwrap();
        let mut answer = String::new();
        BufReader::new(socket).read_line(&mut answer).unwrap();
        assert!(answer.starts_with("{\"report\":"), "{answer}");
    }

    /// The process's own memory, in kB. What it shares with others changes as they come and go.
    #[track_caller]
    fn memory(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }
}

#[test]
fn reloads_that_change_nothing_leave_no_memory_behind() {
    let server = Setup::mail().start();
    let mut session = server.pop(USER, PASSWORD);
    for _ in 0..WARM_UP {
        server.reload_at_once();
    }
    let mut rounds = Vec::new();
    while rounds.len() < ROUNDS && rounds.iter().all(|grown| *grown > LIMIT) {
        let before = server.memory();
        for _ in 0..RELOADS {
            server.reload_at_once();
        }
        rounds.push(server.memory().saturating_sub(before));
    }
    assert!(rounds.iter().any(|grown| *grown <= LIMIT), "{RELOADS} reloads that change nothing: {rounds:?} kB each");
    assert_eq!(server.generation("pop3"), 1);
    session.expect("STAT", "+OK");
}
