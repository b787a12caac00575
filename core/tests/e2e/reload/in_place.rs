//! An instance that owns files is restarted in its place: sessions with open mailboxes go on, nothing is lost, nobody refused.

mod load;

use crate::{
    harness::{plugin_dir, run, Client, Server, Setup, PASSWORD, USER},
    imap::client::Imap,
    mail::{after_trace, assert_same, stuffed},
};

const CONFIG: &str = r#"(
    hostname: "mail.example.test",
    data_dir: "data",
    plugins: {
        "accounts-file": (config: (domains: ["example.test"])),
        "store-sqlite": (),
        "delivery": (),
        "mx": (plugin: "smtp", config: (role: Mx)),
        "imap": (),
        "pop3": (),
    },
    listeners: {
        "smtp": (protocol: "mx", bind: ["127.0.0.1:0"]),
        "imap": (protocol: "imap", bind: ["127.0.0.1:0"], insecure_auth: true, max_connections_per_address: 1000),
        "pop3": (protocol: "pop3", bind: ["127.0.0.1:0"], insecure_auth: true),
    },
)"#;

fn start() -> Server {
    Setup::mail_with(CONFIG).start()
}

impl Server {
    /// Writes another section of the store into the config.
    fn store_section(&self, section: &str) {
        self.rewrite(&CONFIG.replace("\"store-sqlite\": ()", &format!("\"store-sqlite\": ({section})")));
    }

    /// Restarts the store in its place, for the nth time.
    #[track_caller]
    fn restart_store(&self, n: u64) {
        self.store_section(&format!("config: (log_size: {})", (32 << 20) + n));
        assert_eq!(self.reload()["store-sqlite"], "restarted: section");
        assert_eq!(self.generation("store-sqlite"), 1 + n);
    }

    fn imap(&self) -> Imap {
        Imap::login(self.address("imap"), USER, PASSWORD)
    }

    #[track_caller]
    fn pop_clear(&self) -> Client {
        let mut pop = self.connect("pop3");
        pop.line();
        pop.pop_login(USER, PASSWORD);
        pop
    }

    #[track_caller]
    fn deliver(&self, name: &str) {
        let mut smtp = self.connect("smtp");
        smtp.line();
        smtp.ehlo();
        let answer = smtp.mail("peer@elsewhere.test", &[USER], letter(name).as_bytes());
        assert!(answer.starts_with("250 "), "{answer}");
    }
}

fn letter(name: &str) -> String {
    format!("Subject: {name}\r\n\r\n{name}\r\n")
}

/// The subjects of all messages in INBOX.
fn subjects(server: &Server) -> Vec<String> {
    let mut imap = server.imap();
    imap.command("SELECT INBOX").ok();
    subjects_in(&mut imap)
}

fn subjects_in(imap: &mut Imap) -> Vec<String> {
    told(imap, "NOOP");
    let answer = imap.command("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])").ok();
    let subject = |octets: &Vec<u8>| String::from_utf8_lossy(octets).trim().trim_start_matches("Subject: ").to_owned();
    answer.untagged.iter().flat_map(|response| &response.literals).map(subject).collect()
}

/// Tells what an untagged answer said.
#[track_caller]
fn told(imap: &mut Imap, command: &str) -> Vec<String> {
    imap.command(command).ok().texts().iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn sessions_with_an_open_mailbox_go_on() {
    let server = start();
    for name in ["one", "two", "three"] {
        server.deliver(name);
    }
    let (mut idle, mut reader, mut examiner, mut other) = (server.imap(), server.imap(), server.imap(), server.imap());
    for imap in [&mut idle, &mut reader, &mut other] {
        assert!(told(imap, "SELECT INBOX").contains(&"* 3 EXISTS".to_owned()));
    }
    told(&mut examiner, "EXAMINE INBOX");
    assert_eq!(told(&mut reader, "SEARCH RETURN (SAVE) SUBJECT three"), [""; 0]);
    let tag = idle.send("IDLE");
    assert_eq!(idle.response().text, "+ Idling");
    let mut pop = server.pop_clear();
    let ids = pop.pop_lines("UIDL");
    pop.expect("DELE 3", "+OK");
    // Not told to `reader` yet.
    told(&mut other, "STORE 1 +FLAGS ($Work \\Answered)");
    told(&mut other, "STORE 2 +FLAGS (\\Deleted)");
    told(&mut other, "EXPUNGE");

    server.restart_store(1);
    server.deliver("four");

    // Told of what was before, and of what came after.
    let mut heard = Vec::new();
    while heard.last().is_none_or(|line| line != "* 3 EXISTS") {
        heard.push(idle.response().text);
    }
    assert!(heard.contains(&"* 2 EXPUNGE".to_owned()), "{heard:?}");
    idle.raw(b"DONE\r\n");
    idle.answer(&tag).ok();
    let fetched = reader.command("FETCH $ (UID BODY.PEEK[TEXT])").ok();
    let three = fetched.untagged.iter().find(|response| !response.literals.is_empty()).unwrap();
    assert_eq!(three.literals, [b"three\r\n".to_vec()]);
    assert!(three.text.starts_with("* 3 FETCH (UID 3 "), "the number is what it was, and so is `$`: {fetched:?}");
    let news = told(&mut reader, "NOOP");
    assert!(news.contains(&"* 2 EXPUNGE".to_owned()), "what went before the restart is told: {news:?}");
    assert_eq!(told(&mut reader, "NOOP"), [""; 0], "once");
    assert_eq!(told(&mut reader, "FETCH 1:* UID"), ["* 1 FETCH (UID 1)", "* 2 FETCH (UID 3)", "* 3 FETCH (UID 4)"]);
    let refused = examiner.command("STORE 1 +FLAGS (\\Seen)");
    assert!(refused.status.starts_with("NO [READ-ONLY]"), "{refused:?}");
    assert!(told(&mut other, "NOOP").contains(&"* 3 EXISTS".to_owned()));
    told(&mut other, "UID STORE 4 +FLAGS (\\Flagged)");
    assert_eq!(told(&mut reader, "NOOP"), ["* 3 FETCH (UID 4 FLAGS (\\Flagged))"]);
    reader.append("INBOX", "", b"Subject: five\r\n\r\nfive\r\n").ok();
    assert!(told(&mut other, "NOOP").contains(&"* 4 EXISTS".to_owned()));

    // The snapshot holds: what was expunged is gone, what was marked is removed.
    assert_eq!(pop.pop_lines("UIDL"), ids[..2]);
    assert!(after_trace(&pop.pop_body("RETR 1")).ends_with(b"one\r\n"));
    pop.expect("RETR 2", "-ERR The message has been removed");
    pop.expect("QUIT", "+OK");
    assert_eq!(subjects(&server), ["one", "four", "five"]);
    let log = server.log();
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn a_mailbox_is_found_again_by_its_number_and_no_other_is_shown_in_its_stead() {
    let server = start();
    let (mut renamed, mut deleted, mut other) = (server.imap(), server.imap(), server.imap());
    for name in ["Work", "Old"] {
        told(&mut other, &format!("CREATE {name}"));
        other.append(name, "", letter(name).as_bytes()).ok();
    }
    told(&mut renamed, "SELECT Work");
    told(&mut deleted, "SELECT Old");
    told(&mut other, "RENAME Work Done");
    // Under the old name there is another one.
    told(&mut other, "CREATE Work");
    told(&mut other, "DELETE Old");
    told(&mut other, "CREATE Old");
    other.append("Work", "", letter("new").as_bytes()).ok();
    let mut elsewhere = server.imap();
    told(&mut elsewhere, "SELECT Work");
    server.restart_store(1);
    assert_eq!(subjects_in(&mut renamed), ["Work"]);
    told(&mut renamed, "STORE 1 +FLAGS (\\Seen)");
    assert_eq!(told(&mut other, "STATUS Done (UNSEEN)"), ["* STATUS Done (UNSEEN 0)"]);
    let said = deleted.command("NOOP");
    assert!(said.status.starts_with("OK"), "{said:?}");
    assert!(deleted.response().text.starts_with("* BYE [UNAVAILABLE] "));

    // Another folder is another store.
    server.store_section("config: (dir: \"elsewhere\")");
    server.reload();
    let said = elsewhere.command("FETCH 1:* UID");
    assert!(said.texts().iter().any(|line| line.starts_with("* BYE [UNAVAILABLE] ")), "{said:?}");
    assert!(!said.texts().iter().any(|line| line.contains("FETCH")), "{said:?}");
    // And the first is there again.
    server.store_section("");
    server.reload();
    assert_eq!(told(&mut server.imap(), "STATUS Done (MESSAGES)"), ["* STATUS Done (MESSAGES 1)"]);
}

#[test]
fn of_an_older_state_nothing_is_shown() {
    let server = start();
    server.deliver("one");
    let (store, before) = (server.setup.data_dir().join("store"), server.setup.data_dir().join("before"));
    server.restart_store(1);
    // A backup from when nobody had the files open, as it were: the log was just folded.
    copy(&store, &before);
    let mut imap = server.imap();
    told(&mut imap, "SELECT INBOX");
    server.deliver("two");
    assert!(told(&mut imap, "NOOP").contains(&"* 2 EXISTS".to_owned()));
    let mut pop = server.pop_clear();
    server.store_section("config: (dir: \"before\")");
    server.reload();
    let answer = imap.command("FETCH 1:* UID");
    assert!(answer.texts().iter().any(|line| line.starts_with("* BYE [UNAVAILABLE] ")), "{answer:?}");
    pop.expect("RETR 1", "-ERR [SYS/TEMP]");
    pop.expect("DELE 1", "+OK");
    pop.expect("QUIT", "-ERR [SYS/TEMP]");
    assert_eq!(subjects(&server), ["one"]);
}

/// A folder with all that is in it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => {
                std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }
}

#[test]
fn messages_on_their_way_to_a_client_arrive_whole() {
    let server = start();
    // More than sockets hold.
    let body: String = (0..400_000).map(|n| format!("line {n:070}\r\n")).collect();
    let message = format!("Subject: large\r\nContent-Type: text/plain\r\n\r\n{body}");
    let (mut imap, mut binary) = (server.imap(), server.imap());
    imap.append("INBOX", "", message.as_bytes()).ok();
    told(&mut imap, "SELECT INBOX");
    told(&mut binary, "SELECT INBOX");
    let mut pop = server.pop_clear();
    let tag = imap.send("FETCH 1 BODY.PEEK[]");
    let binary_tag = binary.send("FETCH 1 BINARY.PEEK[1]");
    pop.expect("RETR 1", "+OK");
    server.restart_store(1);
    let fetched = imap.answer(&tag).ok();
    assert_same(&fetched.untagged[0].literals[0], message.as_bytes(), "FETCH");
    let fetched = binary.answer(&binary_tag).ok();
    assert_same(&fetched.untagged[0].literals[0], body.as_bytes(), "FETCH BINARY");
    let mut got = Vec::new();
    loop {
        match pop.line() {
            line if line == "." => break,
            line => got.extend_from_slice(format!("{line}\r\n").as_bytes()),
        }
    }
    assert_same(&got, message.as_bytes(), "RETR");
    pop.expect("QUIT", "+OK");
}

#[test]
fn what_was_begun_is_finished_first_and_new_work_waits() {
    let server = start();
    let mut smtp = server.connect("smtp");
    smtp.line();
    smtp.ehlo();
    for command in ["MAIL FROM:<>", &format!("RCPT TO:<{USER}>"), "DATA"] {
        let answer = smtp.ask(command);
        assert!(answer.starts_with("250 ") || answer.starts_with("354 "), "{answer}");
    }
    smtp.send("Subject: begun\r\n\r\n");
    let mut appending = server.imap();
    appending.raw(b"x APPEND INBOX {19}\r\n");
    assert!(appending.response().text.starts_with("+ "));
    appending.raw(b"Subject: app");
    server.store_section("config: (log_size: 33554432)");
    std::thread::scope(|scope| {
        let reload = scope.spawn(|| server.reload());
        server.wait_for_log("restarted in its place: new work waits");
        // It waits for the new store.
        let mut waiting = server.imap();
        let tag = waiting.send("SELECT INBOX");
        smtp.send(".\r\n");
        let answer = smtp.line();
        assert!(answer.starts_with("250 "), "{answer}");
        appending.raw(b"end\r\n\r\n\r\n");
        appending.answer("x").ok();
        let selected = waiting.answer(&tag).ok();
        assert!(selected.texts().contains(&"* 2 EXISTS"), "{selected:?}");
        assert_eq!(reload.join().unwrap()["store-sqlite"], "restarted: section");
    });
    assert!(!server.log().contains("has not finished"), "{}", server.log());
    assert_eq!(subjects(&server), ["begun", "append"]);
}

#[test]
fn what_does_not_end_in_time_is_put_off_and_not_lost() {
    let server = start();
    let mut smtp = server.connect("smtp");
    smtp.line();
    smtp.ehlo();
    for command in ["MAIL FROM:<>", &format!("RCPT TO:<{USER}>"), "DATA"] {
        let answer = smtp.ask(command);
        assert!(answer.starts_with("250 ") || answer.starts_with("354 "), "{answer}");
    }
    smtp.send("Subject: slow\r\n\r\n");
    let mut appending = server.imap();
    appending.raw(b"x APPEND INBOX {19}\r\n");
    assert!(appending.response().text.starts_with("+ "));
    server.restart_store(1);
    server.wait_for_log("what was begun with the instance has not finished");
    smtp.send(stuffed(b"slow\r\n"));
    let answer = smtp.line();
    assert!(answer.starts_with("451 4.3.0 "), "{answer}");
    appending.raw(b"Subject: append\r\n\r\n\r\n");
    let answer = appending.answer("x");
    assert!(answer.status.starts_with("NO [UNAVAILABLE]"), "{answer:?}");
    // The same sessions try again.
    let answer = smtp.mail("", &[USER], letter("slow").as_bytes());
    assert!(answer.starts_with("250 "), "{answer}");
    appending.append("INBOX", "", letter("append").as_bytes()).ok();
    assert_eq!(subjects(&server), ["slow", "append"]);
}

#[test]
fn a_server_that_is_told_to_stop_meanwhile_stops() {
    let mut server = start();
    server.deliver("one");
    let mut smtp = server.connect("smtp");
    smtp.line();
    smtp.ehlo();
    smtp.expect("MAIL FROM:<>", "250 ");
    smtp.expect(&format!("RCPT TO:<{USER}>"), "250 ");
    smtp.expect("DATA", "354 ");
    server.store_section("config: (log_size: 33554432)");
    server.signal("HUP");
    server.wait_for_log("restarted in its place: new work waits");
    let mut waiting = server.imap();
    let tag = waiting.send("SELECT INBOX");
    server.signal("TERM");
    smtp.send("Subject: two\r\n\r\n.\r\n");
    let answer = smtp.line();
    assert!(answer.starts_with("250 "), "{answer}");
    waiting.answer(&tag).ok();
    let status = server.wait();
    assert!(status.success(), "{status}\n{}", server.log());
    let server = server.into_setup().start();
    assert_eq!(subjects(&server), ["one", "two"]);
}

#[test]
fn a_store_that_does_not_start_leaves_the_old_one_serving() {
    let server = start();
    server.deliver("one");
    let mut imap = server.imap();
    told(&mut imap, "SELECT INBOX");
    std::fs::write(server.setup.data_dir().join("file"), "").unwrap();
    server.store_section("config: (dir: \"file/store\")");
    server.replace("\"delivery\": ()", "\"delivery\": (config: (max_accounts: 7))");
    let said = server.refuse();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("`store-sqlite` did not start: ") && said[0].contains("file/store"), "{said:?}");
    server.wait_for_log("the reload failed and changed nothing");
    assert_eq!((server.generation("store-sqlite"), server.generation("delivery")), (1, 1));
    server.deliver("two");
    assert_eq!(subjects_in(&mut imap), ["one", "two"]);
    server.restart_store(1);
    assert_eq!(subjects_in(&mut imap), ["one", "two"]);
}

#[test]
fn if_the_second_does_not_start_the_first_is_put_back() {
    let both = |first: &str, second: &str| {
        let stores = format!("\"store-sqlite\": ({first}), \"second\": (plugin: \"store-sqlite\", config: ({second}))");
        CONFIG
            .replace("\"store-sqlite\": ()", &stores)
            .replace("    plugins: {", "    services: {\"dovetail.store/1\": \"store-sqlite\"},\n    plugins: {")
    };
    let server = Setup::mail_with(&both("", "dir: \"second\"")).start();
    std::fs::write(server.setup.data_dir().join("file"), "").unwrap();
    let mut imap = server.imap();
    told(&mut imap, "SELECT INBOX");
    server.rewrite(&both("config: (max_message_size: 10)", "dir: \"file/store\""));
    let said = server.refuse();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("`second` did not start: ") && said[0].contains("file/store"), "{said:?}");
    assert_eq!((server.generation("store-sqlite"), server.generation("second")), (1, 1));
    // Not by the section that was refused.
    server.deliver("longer than ten octets");
    assert_eq!(subjects_in(&mut imap), ["longer than ten octets"]);
    server.rewrite(&both("config: (max_message_size: 100000)", "dir: \"third\""));
    let changes = server.reload();
    assert_eq!(
        (changes["store-sqlite"].as_str(), changes["second"].as_str()),
        ("restarted: section", "restarted: section")
    );
    assert_eq!(subjects_in(&mut imap), ["longer than ten octets"]);
}

#[test]
fn a_store_that_cannot_come_back_is_tried_again_by_the_next_reload() {
    let server = start();
    server.deliver("one");
    let (store, aside) = (server.setup.data_dir().join("store"), server.setup.data_dir().join("aside"));
    std::fs::rename(&store, &aside).unwrap();
    std::fs::write(&store, "").unwrap();
    let (mut imap, mut selected, mut idle) = (server.imap(), server.imap(), server.imap());
    told(&mut selected, "SELECT INBOX");
    told(&mut idle, "SELECT INBOX");
    let tag = idle.send("IDLE");
    assert_eq!(idle.response().text, "+ Idling");
    let mut pop = server.pop_clear();
    server.store_section("config: (log_size: 33554432)");
    let said = server.refuse();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("`store-sqlite` did not start: "), "{said:?}");
    assert!(said[1].contains("`store-sqlite` is stopped: it did not start again"), "{said:?}");
    let answer = imap.command("SELECT INBOX");
    assert!(answer.status.starts_with("NO [UNAVAILABLE]"), "{answer:?}");
    let mut smtp = server.connect("smtp");
    smtp.line();
    smtp.ehlo();
    smtp.expect("MAIL FROM:<>", "250 ");
    smtp.expect(&format!("RCPT TO:<{USER}>"), "250 ");
    smtp.expect("DATA", "451 4.3.0 ");
    let answer = selected.command("FETCH 1 FLAGS");
    assert!(answer.status.starts_with("NO [UNAVAILABLE]") && answer.untagged.is_empty(), "{answer:?}");
    assert_eq!(told(&mut selected, "NOOP"), [""; 0]);
    pop.expect("RETR 1", "-ERR [SYS/TEMP]");
    // Even the config of before is a change now.
    std::fs::remove_file(&store).unwrap();
    std::fs::rename(&aside, &store).unwrap();
    server.rewrite(CONFIG);
    assert_eq!(server.reload()["store-sqlite"], "restarted: section");
    told(&mut imap, "SELECT INBOX");
    assert_eq!(subjects_in(&mut imap), ["one"]);
    // Whoever held out is served again.
    server.deliver("two");
    assert_eq!(idle.response().text, "* 2 EXISTS");
    idle.response();
    idle.raw(b"DONE\r\n");
    idle.answer(&tag).ok();
    assert_eq!(subjects_in(&mut selected), ["one", "two"]);
    assert!(pop.pop_body("RETR 1").ends_with(b"one\r\n"));
    pop.expect("QUIT", "+OK");
}

#[test]
fn another_library_needs_a_restart_and_the_plan_says_what_happens() {
    let server = start();
    server.store_section("config: (log_size: 33554432)");
    let (status, stdout, stderr) = run(server.dovetail().args(["check", "--against-running"]));
    assert!(status.success(), "{stderr}");
    let row = stdout.lines().find(|line| line.contains("store-sqlite")).unwrap();
    assert!(row.contains("restarts in place") && row.contains("section"), "{stdout}");
    assert!(stdout.contains(", 1 restarted in place;"), "{stdout}");
    assert_eq!(server.generation("store-sqlite"), 1, "it only looked");

    let library = server.setup.dir.path().join("libdovetail_store_sqlite.so");
    std::fs::copy(plugin_dir().join("libdovetail_store_sqlite.so"), &library).unwrap();
    server.store_section(&format!("path: \"{}\"", library.display()));
    let said = server.refuse();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("`store-sqlite` owns files, so this change needs a restart (library)"), "{said:?}");
    assert_eq!(server.generation("store-sqlite"), 1);
    server.deliver("one");
    let server = server.stop().start();
    assert_eq!(subjects(&server), ["one"]);
}
