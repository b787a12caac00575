//! Several imports for one name at once, and disks that fail: one wins whole, or nothing has changed.

use crate::{
    certs_import::Snapshot,
    harness::{dovetail, have, run, run_ok, Setup},
    tls::certificate,
};
use rustls::{
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer},
    sign::CertifiedKey,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Barrier,
    thread,
};

/// As many at once.
const RIVALS: usize = 8;

/// A pair in a folder of its own.
pub struct Made {
    pub crt: PathBuf,
    pub key: PathBuf,
}

/// Makes a pair `NAME` for a host.
pub fn make(folder: &Path, name: &str, host: &str) -> Made {
    let mut create = dovetail();
    create.args(["certs", "create", "--name", name, "--common-name", host, "--dir"]).arg(folder);
    run_ok(&mut create);
    Made { crt: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.key")) }
}

/// What the folder shows under a name, if it is a whole pair: the certificate, and the key of it.
#[track_caller]
pub fn whole_pair(folder: &Path, name: &str) -> (Vec<u8>, Vec<u8>) {
    let (crt, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(&crt).unwrap().map(Result::unwrap).collect();
    let der = PrivateKeyDer::from_pem_file(&key).unwrap_or_else(|error| panic!("{}: {error:?}", key.display()));
    let pair = CertifiedKey::new(chain, any_supported_type(&der).unwrap());
    pair.keys_match().unwrap_or_else(|error| panic!("{name}: half of one pair and half of another: {error}"));
    (pair.cert[0].to_vec(), der.secret_der().to_vec())
}

/// `certs import` of a pair under a name.
pub fn import(made: &Made, name: &str, folder: &Path) -> Command {
    let mut command = dovetail();
    command.args(["certs", "import", "--name", name, "--cert"]).arg(&made.crt).arg("--key").arg(&made.key);
    command.arg("--dir").arg(folder);
    command
}

/// What began and was not finished.
pub fn leftovers(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with('.') && name != ".lock").collect();
    names.sort();
    names
}

#[test]
fn of_several_imports_for_one_name_one_wins_whole_and_the_others_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    let rivals: Vec<Made> =
        (0..RIVALS).map(|rival| make(&from, &format!("rival-{rival}"), &format!("r{rival}.test"))).collect();
    for round in 0..3 {
        let folder = dir.path().join(format!("certs-{round}"));
        let (start, folder) = (&Barrier::new(RIVALS), &folder);
        let outcomes: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = rivals
                .iter()
                .map(|rival| {
                    scope.spawn(move || {
                        start.wait();
                        run(&mut import(rival, "mail", folder))
                    })
                })
                .collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let won: Vec<usize> = (0..RIVALS).filter(|&rival| outcomes[rival].0.success()).collect();
        assert_eq!(won.len(), 1, "{outcomes:?}");
        for (status, stdout, stderr) in outcomes.iter().filter(|(status, ..)| !status.success()) {
            assert_eq!((status.code(), stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
            assert!(stderr.contains("the certificate \"mail\" has another key"), "{stderr}");
        }
        let (leaf, _) = whole_pair(folder, "mail");
        assert_eq!(leaf, certificate(&rivals[won[0]].crt).to_vec());
        assert_eq!(leftovers(folder), [""; 0]);

        // With --replace each of them gets its turn, and the last one's pair is whole, too.
        thread::scope(|scope| {
            for rival in &rivals {
                scope.spawn(move || run_ok(import(rival, "mail", folder).arg("--replace")));
            }
        });
        let (leaf, _) = whole_pair(folder, "mail");
        assert!(rivals.iter().any(|rival| certificate(&rival.crt).to_vec() == leaf));
        assert_eq!(leftovers(folder), [""; 0]);
    }
}

#[test]
fn imports_by_the_server_and_past_it_are_rivals_too() {
    let server = Setup::mail().start();
    let from = server.setup.dir.path().join("from");
    let rivals: Vec<Made> =
        (0..4).map(|rival| make(&from, &format!("rival-{rival}"), &format!("r{rival}.test"))).collect();
    let folder = server.setup.certs();
    let won: usize = thread::scope(|scope| {
        let running: Vec<_> = rivals
            .iter()
            .enumerate()
            .map(|(at, rival)| {
                let mut command = import(rival, "contested", &folder);
                if at % 2 == 0 {
                    command = server.dovetail();
                    command
                        .args(["certs", "import", "--name", "contested", "--cert"])
                        .arg(&rival.crt)
                        .arg("--key")
                        .arg(&rival.key);
                }
                scope.spawn(move || run(&mut command).0.success())
            })
            .collect();
        running.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(won, 1);
    let (leaf, _) = whole_pair(&folder, "contested");
    let winner = rivals.iter().position(|rival| certificate(&rival.crt).to_vec() == leaf).unwrap();
    // It is in service, whoever brought it.
    server.wait_for_log("certificate=contested");
    let client = server.connect("pop3s").start_tls(&server.setup, &format!("r{winner}.test"));
    assert_eq!(client.certificate().to_vec(), leaf);
}

/// A way in which a disk fails: the command that meets it.
type Failing<'a> = (&'a str, &'a dyn Fn(Command) -> Command);

/// Everything that writes, with a disk that fails: one line with the reason, and what was there is there as it was.
#[track_caller]
fn nothing_changes(folder: &Path, from: &Path, (what, failing): Failing<'_>) {
    let (one, two) = (make(from, "one", "one.test"), make(from, "two", "two.test"));
    run_ok(&mut import(&one, "mail", folder));
    run_ok(dovetail().args(["certs", "create", "--name", "own", "--common-name", "own.test", "--dir"]).arg(folder));
    let certs = |words: &[&str]| {
        let mut command = dovetail();
        command.arg("certs").args(words).arg("--dir").arg(folder);
        command
    };
    let replace = || {
        let mut command = import(&two, "mail", folder);
        command.arg("--replace");
        command
    };
    let before = Snapshot::undone(folder);
    for (attempt, command) in [
        ("a new pair", import(&two, "new", folder)),
        ("the same key", import(&one, "mail", folder)),
        ("another key", replace()),
        ("a pair that is made", certs(&["create", "--name", "made", "--common-name", "made.test"])),
        ("a pair that is made anew", certs(&["create", "--name", "own", "--common-name", "own.test", "--replace"])),
        ("a renewal", certs(&["renew", "own"])),
        ("a request", certs(&["csr", "own"])),
    ] {
        let (status, stdout, stderr) = run(&mut failing(command));
        assert_eq!(
            (status.code(), stdout.as_str(), stderr.lines().count()),
            (Some(1), "", 1),
            "{what}, {attempt}: {stderr}"
        );
        let told = stderr.starts_with("error: can't write to the certificate folder ")
            && stderr.contains("nothing has changed");
        assert!(told, "{what}, {attempt}: {stderr}");
        assert!(Snapshot::undone(folder) == before, "{what}, {attempt}: the folder has changed");
        assert_eq!(leftovers(folder), [""; 0], "{what}, {attempt}");
    }
    // A disk that works again is all that is needed.
    run_ok(&mut replace());
    whole_pair(folder, "mail");
}

/// The command by way of the shell, which prepares its surroundings.
fn by_shell(prepare: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{prepare}; exec \"$@\""))
        .arg("sh")
        .arg(command.get_program())
        .args(command.get_args());
    shell.stdin(Stdio::null());
    shell
}

#[test]
fn where_no_file_may_grow_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    let limited = |command: Command| by_shell("trap '' XFSZ; ulimit -f 0", &command);
    nothing_changes(&dir.path().join("certs"), &dir.path().join("from"), ("no room for a file", &limited));
}

#[test]
fn where_the_disk_is_full_or_cannot_sync_nothing_changes() {
    if !have("cc") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (library, folder) = (dir.path().join("faults.so"), dir.path().join("certs"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/durable/faults.c");
    run_ok(Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source));
    for (what, variable) in [("full", "DOVETAIL_FAULT_FULL"), ("no sync", "DOVETAIL_FAULT_SYNC")] {
        let trigger = dir.path().join(variable);
        fs::write(&trigger, "").unwrap();
        let failing = |mut command: Command| {
            command.env("LD_PRELOAD", &library).env(variable, &trigger).env("DOVETAIL_FAULT_DIR", dir.path());
            command
        };
        let folder = folder.join(what);
        nothing_changes(&folder, &dir.path().join(format!("from {what}")), (what, &failing));
        assert!(trigger.with_extension("hits").exists(), "the disk did not fail: what was tested?");
    }
}

#[test]
fn on_a_small_disk_that_fills_up_the_old_pair_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, from) = (dir.path().join("disk"), dir.path().join("from"));
    fs::create_dir(&disk).unwrap();
    let (old, new) = (make(&from, "old", "old.test"), make(&from, "new", "new.test"));
    // A mount needs rights that not every machine gives, not even to root; the tests above need none.
    let in_namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-euc", script, "sh"]).arg(&disk);
        command
    };
    let mount = "mount -t tmpfs -o size=128k tmpfs \"$1\"";
    if !run(&mut in_namespace(mount)).0.success() {
        eprintln!("SKIPPED: no file system can be mounted here");
        return;
    }
    let words = |command: &Command| {
        let all = std::iter::once(command.get_program()).chain(command.get_args());
        all.map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ")
    };
    let folder = disk.join("certs");
    let (first, second) =
        (words(&import(&old, "mail", &folder)), words(import(&new, "mail", &folder).arg("--replace")));
    // The disk is filled to so many blocks of 4 KiB before the end: each leaves the attempt at another place.
    for free in 0..6 {
        let script = format!(
            "{mount}\n{first} >/dev/null\ncd \"$1\"\nls -A certs | grep -v lock | xargs -I@ sha256sum certs/@ >../before\n\
             dd if=/dev/zero of=room bs=4096 count={free} 2>/dev/null\ndd if=/dev/zero of=filler bs=4096 2>/dev/null || true\nrm -f room\n\
             if {second} >/dev/null 2>../said; then echo replaced; exit; fi\n\
             ls -A certs | grep -v lock | xargs -I@ sha256sum certs/@ >../after\ncmp ../before ../after && echo kept\n"
        );
        let told = run_ok(&mut in_namespace(&script));
        let said = fs::read_to_string(dir.path().join("said")).unwrap();
        match told.trim() {
            "kept" => {
                assert!(said.contains("No space left on device") && said.contains("nothing has changed"), "{said}")
            }
            "replaced" => assert!(free >= 2, "two files in {free} blocks"),
            other => panic!("{free} blocks: {other}: {said}"),
        }
        assert!(free > 0 || told.trim() == "kept", "{told}");
    }
}
