//! Restarts of the store under load: nobody is refused, nothing is dropped, and what was acknowledged is there once.

use super::{letter, start, subjects, told};
use crate::{
    harness::{Client, Server, USER},
    reload::load::Ends,
};
use std::{
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
};

const SENDERS: usize = 3;
const RESTARTS: u64 = 8;

#[test]
fn restarts_under_load_drop_and_refuse_nothing() {
    let server = start();
    let server = &server;
    let stop = AtomicBool::new(false);
    let stop = &stop;
    let mut pop = server.pop_clear();
    let mut sent: Vec<String> = std::thread::scope(|scope| {
        let senders = (0..SENDERS).map(|sender| scope.spawn(move || send(server, sender, stop)));
        let appenders = (0..2).map(|appender| scope.spawn(move || append(server, appender, stop)));
        let mut workers: Vec<_> = senders.collect();
        workers.extend(appenders);
        let watcher = scope.spawn(move || watch(server, stop));
        let ends = Ends(stop);
        for n in 1..=RESTARTS {
            server.restart_store(n);
            pop.expect("NOOP", "+OK");
        }
        drop(ends);
        let sent = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        server.deliver("last");
        watcher.join().unwrap();
        sent
    });
    pop.expect("QUIT", "+OK");
    assert!(sent.len() > SENDERS, "{sent:?}");
    sent.push("last".to_owned());
    let mut found = subjects(server);
    sent.sort();
    found.sort();
    assert_eq!(found, sent);
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

/// Delivers until it is told to stop; gives what was taken.
fn send(server: &Server, sender: usize, stop: &AtomicBool) -> Vec<String> {
    let mut sent = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let mut smtp = Client::new(TcpStream::connect(server.address("smtp")).unwrap());
        assert!(smtp.line().starts_with("220 "));
        smtp.ehlo();
        for _ in 0..=sender {
            let name = format!("sent-{sender}-{}", sent.len());
            let answer = smtp.mail("peer@elsewhere.test", &[USER], letter(&name).as_bytes());
            assert!(answer.starts_with("250 "), "{answer}");
            sent.push(name);
        }
        smtp.expect("QUIT", "221 ");
    }
    sent
}

/// Works in one IMAP session: every command must be done.
fn append(server: &Server, appender: usize, stop: &AtomicBool) -> Vec<String> {
    let mut imap = server.imap();
    told(&mut imap, "SELECT INBOX");
    let mut sent = Vec::new();
    told(&mut imap, &format!("CREATE Archive{appender}"));
    let mut copied = 0;
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("appended-{appender}-{round}");
        let answer = imap.append("INBOX", "", letter(&name).as_bytes());
        let uid =
            answer.status.split(['[', ']']).nth(1).and_then(|code| code.strip_prefix("APPENDUID ")?.split(' ').nth(1));
        let uid = uid.unwrap_or_else(|| panic!("{answer:?}")).to_owned();
        told(&mut imap, "NOOP");
        told(&mut imap, &format!("UID STORE {uid} +FLAGS.SILENT (\\Flagged)"));
        let found = imap.command(&format!("UID SEARCH SUBJECT {name}")).ok();
        assert!(found.texts().contains(&format!("* SEARCH {uid}").as_str()), "{name} is found: {found:?}");
        let bodies = imap.command("UID FETCH 1:* (FLAGS BODY.PEEK[TEXT])").ok();
        assert!(bodies.untagged.iter().any(|response| !response.literals.is_empty()));
        told(&mut imap, "STATUS INBOX (MESSAGES)");
        match round % 3 {
            // Removed for good,
            0 => {
                told(&mut imap, &format!("UID STORE {uid} +FLAGS (\\Deleted)"));
                let said = told(&mut imap, &format!("UID EXPUNGE {uid}"));
                assert!(said.iter().any(|line| line.ends_with(" EXPUNGE")), "{said:?}");
            }
            // put elsewhere too, once,
            1 => {
                let said = imap.command(&format!("UID COPY {uid} Archive{appender}")).ok();
                assert!(said.status.starts_with("OK [COPYUID "), "{said:?}");
                copied += 1;
                sent.push(name);
            }
            // and left alone.
            _ => sent.push(name),
        }
    }
    let archive = format!("Archive{appender}");
    let status = told(&mut imap, &format!("STATUS {archive} (MESSAGES)"));
    assert_eq!(status[0], format!("* STATUS {archive} (MESSAGES {copied})"));
    told(&mut imap, "LOGOUT");
    sent
}

/// Idles until the last message is told of.
fn watch(server: &Server, stop: &AtomicBool) {
    let mut imap = server.imap();
    told(&mut imap, "SELECT INBOX");
    let tag = imap.send("IDLE");
    assert_eq!(imap.response().text, "+ Idling");
    let mut known = 0;
    loop {
        let told = imap.response().text;
        let told: Vec<&str> = told.split(' ').collect();
        match told[..] {
            [_, number, "EXISTS"] => {
                let number: usize = number.parse().unwrap();
                assert!(number > known, "{number} after {known}");
                known = number;
            }
            [_, number, "EXPUNGE"] => {
                assert!(number.parse::<usize>().unwrap() <= known, "{number} of {known}");
                known -= 1;
            }
            _ => {}
        }
        if stop.load(Ordering::Relaxed) && known == subjects(server).len() {
            break;
        }
    }
    imap.raw(b"DONE\r\n");
    imap.answer(&tag).ok();
}
