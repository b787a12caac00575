//! What ends the process or uses its rights: nothing contains it, so these tests show that it is as the book says.

use super::{mail_with_bomb, session};
use crate::harness::{Client, PASSWORD, USER};
use std::{net::TcpStream, os::unix::process::ExitStatusExt};

/// Each way to end the process; a start anew, as a supervisor does it, has all that was acknowledged.
#[test]
fn what_ends_the_process_loses_nothing_that_was_acknowledged() {
    const ABORT: i32 = 6;
    const SEGMENTATION_FAULT: i32 = 11;
    let mut setup = mail_with_bomb();
    for (round, line) in ["ABORT", "DOUBLE", "OVERFLOW", "MEMORY", "EXIT"].into_iter().enumerate() {
        let mut server = setup.start();
        let message = format!("From: {USER}\r\nSubject: before {line}\r\n\r\nkept\r\n");
        server.leave(message.as_bytes());
        session(&server, "bomb").send(format!("{line}\r\n"));
        let status = server.wait();
        match line {
            "EXIT" => assert_eq!(status.code(), Some(7)),
            "OVERFLOW" => assert!([Some(ABORT), Some(SEGMENTATION_FAULT)].contains(&status.signal()), "{status}"),
            _ => assert_eq!(status.signal(), Some(ABORT), "{line}: {status}"),
        }
        assert!(!server.log().contains("stopping: no new connections"), "{}", server.log());
        let server = server.into_setup().start();
        let mailbox = server.mailbox(USER, PASSWORD);
        assert_eq!(mailbox.len(), round + 1, "{line}");
        let kept = |body: &Vec<u8>| String::from_utf8_lossy(body).contains(&format!("Subject: before {line}\r\n"));
        assert!(mailbox.iter().any(kept), "{line}");
        setup = server.stop();
    }
}

/// All plugins have the rights of the process, whatever their sections say.
#[test]
fn it_reads_what_the_process_may_read() {
    let server = mail_with_bomb().start();
    let accounts = server.setup.data_dir().join("accounts.ron");
    let first = std::fs::read_to_string(&accounts).unwrap().lines().next().unwrap().to_owned();
    let mut client = session(&server, "bomb");
    assert_eq!(client.ask(&format!("READ {}", accounts.display())), first);
    assert_eq!(client.ask("READ /proc/self/comm"), "dovetail");
}

/// Limits are those of listeners, and a plugin's own socket is none.
#[test]
fn it_listens_without_the_servers_knowing() {
    let server = mail_with_bomb().start();
    let port: u16 = session(&server, "bomb").ask("LISTEN").parse().unwrap();
    let mut unseen = Client::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
    assert_eq!(unseen.line(), "unseen");
    let status = crate::harness::run_ok(server.dovetail().args(["status", "--json"]));
    assert!(!status.contains(&format!(":{port}\"")), "{status}");
}

#[test]
fn it_runs_programs_and_sends_signals() {
    let mut server = mail_with_bomb().start();
    session(&server, "bomb").send("SIGNAL\r\n");
    server.wait_for_log("stopping: no new connections");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
}
