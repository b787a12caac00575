//! A disk that cannot sync, and a full one: no `250` appears, the process lives, and mail goes on once the disk does.
//!
//! `faults.c` makes the disk fail; it is compiled here and loaded into the server's process only.

use super::{
    assert_sound,
    letters::{Fate, Ledger, Letter},
    load::{senders, Sender},
    mailbox::Mailbox,
    mailboxes,
    peers::Smtp,
    random::Random,
    setup, ACCOUNTS,
};
use crate::harness::{have, run_ok, Server, Setup, DEADLINE};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::sync_channel,
    },
};

/// A disk that fails while its trigger file exists.
#[derive(Clone)]
struct Disk {
    trigger: PathBuf,
}

/// Which way it fails.
#[derive(Clone, Copy)]
enum Way {
    Sync,
    Full,
}

impl Disk {
    /// Puts the server of a setup on such a disk. It works for now.
    fn below(setup: Setup, way: Way) -> (Setup, Disk) {
        let dir = setup.dir.path().canonicalize().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/durable/faults.c");
        let library = dir.join("faults.so");
        run_ok(Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source));
        let (variable, trigger) = match way {
            Way::Sync => ("DOVETAIL_FAULT_SYNC", dir.join("sync-fails")),
            Way::Full => ("DOVETAIL_FAULT_FULL", dir.join("disk-full")),
        };
        let setup = setup
            .env("LD_PRELOAD", library.to_str().unwrap())
            .env(variable, trigger.to_str().unwrap())
            .env("DOVETAIL_FAULT_DIR", dir.join("data/store").to_str().unwrap());
        (setup, Disk { trigger })
    }

    fn fail(&self) {
        std::fs::write(&self.trigger, "").unwrap();
    }

    fn heal(&self) {
        std::fs::remove_file(&self.trigger).unwrap();
    }

    /// How often it failed.
    fn hits(&self) -> u64 {
        std::fs::metadata(self.trigger.with_extension("hits")).map_or(0, |file| file.len())
    }
}

/// Sends a small and two large letters each way, to one account and to all; all must be answered with `code`.
#[track_caller]
fn send_all_ways(server: &Server, ledger: &Ledger, name: &str, code: u16) {
    let (public, submission) = (server.address("smtp"), server.address("submission"));
    let connections = [("in", Smtp::open(public).unwrap()), ("out", Smtp::log_in(submission, ACCOUNTS[0]).unwrap())];
    for (way, mut smtp) in connections {
        for (size, count) in [(1024, 1), (20_000, 3), (300_000, 1), (600_000, 3)] {
            let letter = Letter::new(format!("{name}-{way}-{size}"), size);
            let recipients = &ACCOUNTS[..count];
            ledger.begin(&letter, recipients);
            let answer = smtp.mail(ACCOUNTS[0], recipients, &letter, || {}).unwrap();
            ledger.answered(&letter, answer.code);
            assert_eq!(answer.code, code, "{}: {}\n{}", letter.id, answer.text, server.log());
        }
    }
}

/// Nothing acknowledged is missing, nothing refused is there.
fn check(server: &Server, ledger: &Ledger, mailboxes: &[Mailbox], refused: &str) {
    for mailbox in mailboxes {
        mailbox.check(server, ledger);
        mailbox.read_again(server);
        for size in [1024, 20_000, 300_000, 600_000] {
            assert!(!mailbox.has(&format!("{refused}-in-{size}")), "refused, and delivered all the same");
        }
    }
    assert_sound(server);
}

/// Mail before, while and after the disk fails, then over a kill and over a stop.
fn mail_while_the_disk_fails(way: Way, code: u16) {
    if !have("cc") {
        return;
    }
    let (setup, disk) = Disk::below(setup(), way);
    let (ledger, mailboxes) = (Ledger::default(), mailboxes());
    let server = setup.start();
    send_all_ways(&server, &ledger, "before", 250);
    assert_eq!(disk.hits(), 0);
    disk.fail();
    send_all_ways(&server, &ledger, "failing", code);
    assert!(disk.hits() > 0, "the disk did not fail: what was tested?");
    // The same process: what is there can be read, and mail goes on.
    check(&server, &ledger, &mailboxes, "failing");
    disk.heal();
    send_all_ways(&server, &ledger, "after", 250);
    check(&server, &ledger, &mailboxes, "failing");
    let server = server.kill().start();
    // What was refused is not brought back by a crash either: newer commits have taken its place in the log.
    check(&server, &ledger, &mailboxes, "failing");
    let server = server.stop().start();
    check(&server, &ledger, &mailboxes, "failing");
    assert_eq!(large_files(&server), ledger_files(&mailboxes, &ledger), "bodies that no message names are left");
}

/// Large bodies on the disk.
fn large_files(server: &Server) -> usize {
    let bodies = server.setup.data_dir().join("store/bodies");
    std::fs::read_dir(bodies).unwrap().map(|dir| std::fs::read_dir(dir.unwrap().path()).unwrap().count()).sum()
}

/// How many there should be.
fn ledger_files(mailboxes: &[Mailbox], ledger: &Ledger) -> usize {
    let all: std::collections::BTreeSet<String> =
        mailboxes.iter().flat_map(|mailbox| ledger.acknowledged(mailbox.account)).collect();
    all.iter().filter(|id| id.ends_with("00000")).count()
}

#[test]
fn without_fsync_no_250_appears() {
    mail_while_the_disk_fails(Way::Sync, 451);
}

#[test]
fn on_a_full_disk_mail_is_put_off_with_452() {
    mail_while_the_disk_fails(Way::Full, 452);
}

/// Under load: whoever ends a message while the disk fails, and is answered before it works again, gets no `250`.
fn load_on_a_disk_that_comes_and_goes(way: Way, code: u16) {
    if !have("cc") {
        return;
    }
    let mut random = Random::of_test("a disk that comes and goes");
    let (setup, disk) = Disk::below(setup(), way);
    let (ledger, mailboxes) = (Ledger::default(), mailboxes());
    let server = setup.start();
    // Odd while the disk fails.
    let phase = AtomicU32::new(0);
    let senders = senders(&server, "load", 6, &mut random);
    std::thread::scope(|scope| {
        let (report, reports) = sync_channel(100_000);
        for sender in senders {
            let (report, ledger, phase) = (report.clone(), &ledger, &phase);
            scope.spawn(move || send_through_phases(sender, ledger, phase, code, |phase| report.send(phase).is_ok()));
        }
        drop(report);
        // A phase lasts until so many letters began and ended in it.
        for round in 1..=6 {
            let failing = round % 2 == 1;
            if failing {
                disk.fail();
                phase.store(round, Ordering::SeqCst);
            } else {
                phase.store(round, Ordering::SeqCst);
                disk.heal();
            }
            let wanted = random.range(10, 30);
            let mut seen = 0;
            while seen < wanted {
                match reports.recv_timeout(DEADLINE) {
                    Ok(reported) => seen += u64::from(reported == round),
                    Err(_) => panic!("the load stands still\n{}", server.log()),
                }
            }
        }
        drop(reports);
    });
    assert!(disk.hits() > 0 && ledger.count(|fate| fate == Fate::Refused(code)) > 0);
    assert_sound(&server);
    let server = server.kill().start();
    for mailbox in &mailboxes {
        mailbox.check(&server, &ledger);
        mailbox.read_again(&server);
    }
    assert_sound(&server);
}

/// Sends until nobody listens to `report`, which gets the phase of each letter that met only one.
fn send_through_phases(
    mut sender: Sender,
    ledger: &Ledger,
    phase: &AtomicU32,
    code: u16,
    report: impl Fn(u32) -> bool,
) {
    let mut smtp = sender.connect().unwrap();
    loop {
        let mut at_end = 0;
        // The last step comes right behind the final dot, so the one before it is the last that is surely earlier.
        let mut steps = [phase.load(Ordering::SeqCst); 2];
        let answer = sender.send(&mut smtp, ledger, || {
            at_end = steps[1];
            steps = [steps[1], phase.load(Ordering::SeqCst)];
        });
        let after = phase.load(Ordering::SeqCst);
        let answer = answer.unwrap();
        let one_phase = at_end == after;
        match after % 2 {
            1 if one_phase => assert_eq!(answer, code, "the disk failed all the time"),
            // A failure in this letter's time, or one that its commit shared with others.
            _ => assert!(answer == 250 || answer == code, "{answer}"),
        }
        if !report(if one_phase { after } else { u32::MAX }) {
            return;
        }
    }
}

#[test]
fn a_load_meets_fsync_that_fails_now_and_then() {
    load_on_a_disk_that_comes_and_goes(Way::Sync, 451);
}

#[test]
fn a_load_meets_a_disk_that_is_full_now_and_then() {
    load_on_a_disk_that_comes_and_goes(Way::Full, 452);
}

#[test]
fn a_stop_on_a_failing_disk_ends_and_loses_nothing() {
    if !have("cc") {
        return;
    }
    let (setup, disk) = Disk::below(setup(), Way::Sync);
    let (ledger, mailboxes) = (Ledger::default(), mailboxes());
    let server = setup.start();
    send_all_ways(&server, &ledger, "before", 250);
    disk.fail();
    send_all_ways(&server, &ledger, "failing", 451);
    let setup = server.stop();
    disk.heal();
    let server = setup.start();
    for mailbox in &mailboxes {
        mailbox.check(&server, &ledger);
        mailbox.read_again(&server);
    }
}

/// A commit whose sync failed may still be in the log when the process is killed, and the log is read at the next start:
/// then the refused message comes back, and it must be whole, its large body included.
#[test]
fn a_refused_message_that_a_crash_brings_back_is_whole() {
    if !have("cc") {
        return;
    }
    let (setup, disk) = Disk::below(setup(), Way::Sync);
    let mut server = setup.env("DOVETAIL_FAULT_ONLY", ".sqlite-wal").start();
    let (ledger, mailboxes) = (Ledger::default(), mailboxes());
    for size in [5000, 400_000] {
        send_all_ways(&server, &ledger, &format!("before-{size}"), 250);
        disk.fail();
        let letter = Letter::new(format!("last-{size}"), size);
        ledger.begin(&letter, &ACCOUNTS);
        let answer = Smtp::open(server.address("smtp")).unwrap().mail("", &ACCOUNTS, &letter, || {}).unwrap();
        assert_eq!(answer.code, 451, "{}", answer.text);
        ledger.answered(&letter, answer.code);
        let setup = server.kill();
        disk.heal();
        server = setup.start();
        for mailbox in &mailboxes {
            mailbox.check(&server, &ledger);
            mailbox.read_again(&server);
        }
        assert!(mailboxes.iter().any(|mailbox| mailbox.has(&letter.id)), "it did not come back: what was tested?");
    }
    assert_sound(&server);
}

#[test]
fn a_first_start_on_a_failing_disk_is_refused_in_one_line_and_can_be_repeated() {
    if !have("cc") {
        return;
    }
    let (setup, disk) = Disk::below(setup(), Way::Sync);
    disk.fail();
    let mut server = setup.spawn();
    let status = server.wait();
    assert!(!status.success() && status.code().is_some(), "{status}");
    let log = server.log();
    assert!(log.contains("store") && log.contains("Input/output error"), "{log}");
    assert_sound(&server);
    disk.heal();
    let server = server.into_setup().start();
    send_all_ways(&server, &Ledger::default(), "after", 250);
}
