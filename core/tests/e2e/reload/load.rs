//! Reload under load: nobody is refused, nothing is dropped, and every message that got its `250` is there once.

use crate::harness::{Client, Setup, MAIL_CONFIG, PASSWORD, USER};
use std::{
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
};

/// Ends the senders when it is dropped.
pub struct Ends<'a>(pub &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

const SENDERS: usize = 4;
const RELOADS: usize = 10;

#[test]
fn ten_reloads_under_load_drop_and_refuse_nothing() {
    let server = Setup::mail_with(MAIL_CONFIG).start();
    let address = server.address("smtp");
    let stop = AtomicBool::new(false);
    let stop = &stop;
    let sent: Vec<String> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                scope.spawn(move || {
                    let mut sent = Vec::new();
                    // Some begin a connection for each message, some send several in one.
                    while !stop.load(Ordering::Relaxed) {
                        let mut smtp = Client::new(TcpStream::connect(address).unwrap());
                        assert!(smtp.line().starts_with("220 "));
                        smtp.ehlo();
                        for _ in 0..=sender % 3 {
                            let name = format!("load-{sender}-{}", sent.len());
                            let message = format!("Subject: {name}\r\n\r\n{name}\r\n");
                            let answer = smtp.mail("peer@elsewhere.test", &[USER], message.as_bytes());
                            assert!(answer.starts_with("250 "), "{answer}");
                            sent.push(name);
                        }
                        smtp.expect("QUIT", "221 ");
                    }
                    sent
                })
            })
            .collect();
        // Whatever happens here, they end.
        let ends = Ends(stop);
        for round in 0..RELOADS {
            // Each time another part: the protocol, the way of mail, the directory, the listener.
            let text = MAIL_CONFIG
                .replace("role: Mx", &format!("role: Mx, max_recipients: {}", 500 + round))
                .replace("\"delivery\": ()", &format!("\"delivery\": (config: (max_accounts: {}))", 10 + round / 2))
                .replace("\"example.test\"]", &format!("\"example.test\", \"d{}.test\"]", round / 3))
                .replace("\"mx\", bind", &format!("\"mx\", idle_seconds: {}, bind", 300 + round % 2));
            server.rewrite(&text);
            let changes = server.reload();
            assert_eq!(changes["mx"], "changed: section");
            assert_eq!(changes["store-sqlite"], "kept");
        }
        drop(ends);
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    assert!(sent.len() >= SENDERS, "{sent:?}");
    assert_eq!(server.generation("mx"), 1 + RELOADS as u64);
    let mut found: Vec<String> = server
        .mailbox(USER, PASSWORD)
        .iter()
        .map(|message| {
            let text = String::from_utf8_lossy(message);
            text.lines().find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned)).unwrap()
        })
        .collect();
    let mut sent = sent;
    sent.sort();
    found.sort();
    assert_eq!(found, sent);
    // Nobody uses the generations before any more.
    for generation in 1..=RELOADS {
        server.wait_for_log(&format!("the replaced instance has ended plugin=mx generation={generation}"));
    }
}
