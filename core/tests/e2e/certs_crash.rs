//! `kill -9` in the middle of whatever writes certificates: the folder holds the old pair or the new one, and a server that
//! watches it shows no other, and can sign for what it shows.
//!
//! Half of the kills come at any time of the command's life, half of them shortly after its first change in the folder, where it
//! is tender. `DOVETAIL_CERTS_CRASH_ROUNDS` makes it longer; a round kills each command once.

use crate::{
    certs_races::{import, leftovers, make, whole_pair, Made},
    durable::{number, random::Random},
    handshakes::{Handshakes, Leaf},
    harness::{dovetail, run_ok, Setup, MAIL_CONFIG},
    tls::{certificate, HOST},
};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const CLIENTS: usize = 2;

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// A pair is made under a new name.
    Create,
    /// A pair is made in the place of another.
    CreateAnew,
    /// A pair is brought under a new name.
    Import,
    /// A certificate is brought for the key that is there.
    ImportSameKey,
    /// A pair is brought in the place of another.
    ImportAnew,
    /// The certificate is made anew for its key.
    Renew,
    /// The request is.
    Request,
}

impl Act {
    const ALL: [Act; 7] =
        [Act::Create, Act::CreateAnew, Act::Import, Act::ImportSameKey, Act::ImportAnew, Act::Renew, Act::Request];

    /// The name that it is about. All but the new ones are in service.
    fn name(self, round: u64) -> String {
        match self {
            Act::Create => format!("made-{round}"),
            Act::Import => format!("brought-{round}"),
            Act::CreateAnew | Act::Renew | Act::Request => "own".to_owned(),
            Act::ImportSameKey | Act::ImportAnew => "foreign".to_owned(),
        }
    }

    fn command(self, name: &str, brought: &Brought, folder: &Path) -> Command {
        let certs = |words: &[&str]| {
            let mut command = dovetail();
            command.arg("certs").args(words).arg("--dir").arg(folder);
            command
        };
        match self {
            Act::Create => certs(&["create", "--name", name, "--common-name", "new.test"]),
            Act::CreateAnew => certs(&["create", "--name", name, "--common-name", "own.test", "--replace"]),
            Act::Import => import(&brought.other, name, folder),
            Act::ImportSameKey => import(&brought.renewed, name, folder),
            Act::ImportAnew => {
                let mut command = import(&brought.other, name, folder);
                command.arg("--replace");
                command
            }
            Act::Renew => certs(&["renew", name]),
            Act::Request => certs(&["csr", name]),
        }
    }

    /// Whether the key stays what it is.
    fn keeps_key(self) -> bool {
        matches!(self, Act::ImportSameKey | Act::Renew | Act::Request)
    }
}

/// What is brought in a round: a pair with another key than the one in the folder, and one with the same.
struct Brought {
    other: Made,
    renewed: Made,
}

/// The pair that the folder shows under a name: nothing, or a whole one.
fn shown(folder: &Path, name: &str) -> Option<(Leaf, Vec<u8>)> {
    folder.join(format!("{name}.crt")).exists().then(|| whole_pair(folder, name))
}

/// Kills it at a random time of its life, or shortly after its first change in the folder, where the last kill has left these
/// beginnings. Whether it was still alive.
fn kill(mut child: Child, life: Duration, folder: &Path, begun: &[String], random: &mut Random) -> bool {
    let ended = |child: &mut Child| child.try_wait().unwrap().is_some();
    let mut until = Instant::now() + life.mul_f64(random.range(0, 1100) as f64 / 1000.0);
    if random.one_in(2) {
        while leftovers(folder) == begun && !ended(&mut child) {}
        until = Instant::now() + Duration::from_micros(random.range(0, 8000));
    }
    // Not a sleep that waits for something: the time itself is what is tried.
    while Instant::now() < until && !ended(&mut child) {}
    let alive = !ended(&mut child);
    // It may end right now.
    let _ = child.kill();
    child.wait().unwrap();
    alive
}

#[test]
fn a_kill_at_any_time_leaves_the_old_pair_or_the_new_and_the_server_shows_no_other() {
    let rounds = number("DOVETAIL_CERTS_CRASH_ROUNDS", 20);
    let mut random = Random::of_test("kill -9 of certs");
    // The server's own name is never touched: what it shows to a client that asks for a name that isn't there (yet).
    let setup = Setup::mail_with(
        &MAIL_CONFIG.replace("(create_missing: true)", "(create_missing: true, default: \"mail.example.test\")"),
    );
    let from = setup.dir.path().join("from");
    let server = setup.start();
    let folder = server.setup.certs();
    make(&folder, "own", "own.test");
    run_ok(&mut import(&make(&from, "first", "foreign.test"), "foreign", &folder));
    let names = [HOST, "own.test", "foreign.test", "new.test", "last.test"];
    let mut known: BTreeSet<Leaf> =
        [HOST, "own", "foreign"].map(|name| certificate(server.setup.crt(name)).to_vec()).into();
    server.wait_for_log("certificate=own");
    server.wait_for_log("certificate=foreign");
    let handshakes = Handshakes::start(server.address("pop3s"), CLIENTS, &names);

    // How long a command lives that nobody kills.
    let before = Instant::now();
    run_ok(&mut Act::Renew.command("own", &bring(&from, &folder, 0), &folder));
    let life = before.elapsed();
    known.insert(whole_pair(&folder, "own").0);

    let (mut kills, mut amid, mut old, mut new) = (0, 0, 0, 0);
    for round in 1..=rounds {
        let brought = bring(&from, &folder, round);
        for act in Act::ALL {
            let name = act.name(round);
            let (before, begun) = (shown(&folder, &name), leftovers(&folder));
            let mut command = act.command(&name, &brought, &folder);
            let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            kills += u64::from(kill(child, life, &folder, &begun, &mut random));
            // It was in the middle of its changes, and left some of them half done.
            amid += u64::from(leftovers(&folder) != begun);
            let after = shown(&folder, &name);
            if after == before {
                old += 1;
            } else {
                new += 1;
                let (leaf, key) = after.unwrap_or_else(|| panic!("{act:?} in round {round}: the pair is gone"));
                if let Some((_, old_key)) = &before {
                    assert_eq!(key == *old_key, act.keeps_key(), "{act:?} in round {round}: the key");
                }
                known.insert(leaf);
            }
            if let Ok(request) = fs::read_to_string(folder.join(format!("{name}.csr"))) {
                let whole =
                    request.starts_with("-----BEGIN ") && request.ends_with("-----END CERTIFICATE REQUEST-----\n");
                assert!(whole, "{act:?} in round {round}: half a request");
            }
        }
    }

    // The next one that is left alone puts everything in order, and it is served.
    let last = certificate(make(&folder, "last", "last.test").crt).to_vec();
    known.insert(last.clone());
    assert_eq!(leftovers(&folder), [""; 0]);
    for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        assert!(entry.file_type().unwrap().is_file(), "{}", entry.path().display());
    }
    handshakes.wait_until_shown(&last);
    let tally = handshakes.end();
    eprintln!("kill -9 of certs: {kills} kills in {rounds} rounds, {amid} amid changes; {old} left the old pair, {new} the new one");
    eprintln!(
        "kill -9 of certs: handshakes meanwhile: {}, {} failed, {} certificates",
        tally.complete,
        tally.failures.len(),
        tally.leaves().len()
    );
    assert_eq!(tally.failures, [""; 0]);
    assert!(
        tally.leaves().iter().all(|leaf| known.contains(*leaf)),
        "a certificate was shown that never was in the folder"
    );
    assert!(tally.leaves().len() > 3, "the server hardly noticed anything");
    assert!(kills >= rounds && amid > 0 && old > 0 && new > 0, "the kills did not meet the commands");
    let log = server.log();
    assert!(!log.contains("panicked") && !log.contains("can't be used"), "{log}");
}

/// What is brought in a round. Made by openssl's own hand, so that the key in the folder gets another certificate.
fn bring(from: &Path, folder: &Path, round: u64) -> Brought {
    let other = make(from, &format!("other-{round}"), "foreign.test");
    let renewed = Made { crt: from.join(format!("renewed-{round}.crt")), key: folder.join("foreign.key") };
    run_ok(
        Command::new("openssl")
            .args(["req", "-x509", "-new", "-days", "30", "-subj", "/CN=foreign.test", "-key"])
            .arg(&renewed.key)
            .args([
                "-addext",
                "subjectAltName=DNS:foreign.test",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-out",
            ])
            .arg(&renewed.crt),
    );
    Brought { other, renewed }
}
