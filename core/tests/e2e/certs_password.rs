//! How `certs import` gets the password of what turns out to be encrypted: from a file, from the environment, or by asking for
//! it, once; with a server and without. Never as a word of the command line.

use crate::{
    harness::{dovetail, have, run, run_ok, Setup},
    terminal::{possible, Terminal},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A PKCS#12 bundle under "sesame", and the same pair in clear.
struct Brought {
    bundle: PathBuf,
    clear: PathBuf,
}

fn brought(folder: &Path) -> Brought {
    let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out c -days 9 \
                  -subj /CN=mail.example.test -addext subjectAltName=DNS:mail.example.test 2>/dev/null && cat k c >clear.pem && \
                  openssl pkcs12 -export -inkey k -in c -passout pass:sesame -out bundle.p12";
    run_ok(Command::new("sh").args(["-c", script]).current_dir(folder));
    Brought { bundle: folder.join("bundle.p12"), clear: folder.join("clear.pem") }
}

fn import(command: &mut Command, file: &Path) -> Command {
    let mut import = Command::new(command.get_program());
    import.args(command.get_args()).args(["certs", "import"]).arg(file);
    import
}

#[test]
fn it_is_asked_for_once_if_it_is_needed() {
    if !possible() || !have("openssl") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let brought = brought(dir.path());
    let certs = dir.path().join("certs");
    let standalone = |file: &Path| {
        let mut command = import(&mut dovetail(), file);
        command.arg("--dir").arg(&certs);
        command
    };
    // Plain files ask for nothing.
    let (status, screen) = Terminal::run(&standalone(&brought.clear), None).end();
    assert!(status.success() && !screen.contains("password"), "{screen}");

    let mut terminal = Terminal::run(&standalone(&brought.bundle), None);
    terminal.answer("password: ", "guess");
    let (status, screen) = terminal.end();
    assert!(!status.success() && screen.contains("the password doesn't open the PKCS#12 bundle"), "{screen}");
    assert_eq!(screen.matches("password: ").count(), 1, "{screen}");
    assert!(!certs.join("bundle.key").exists());

    let mut terminal = Terminal::run(&standalone(&brought.bundle), None);
    terminal.answer("password: ", "sesame");
    let (status, screen) = terminal.end();
    assert!(status.success() && !screen.contains("sesame") && !screen.contains("again"), "{screen}");
    assert_eq!(screen.matches("password: ").count(), 1, "{screen}");
    assert!(certs.join("bundle.key").exists() && certs.join("bundle.crt").exists());
}

#[test]
fn a_server_has_it_asked_for_too() {
    if !possible() || !have("openssl") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let brought = brought(dir.path());
    let server = Setup::mail().start();
    let mut terminal = Terminal::run(&import(&mut server.dovetail(), &brought.bundle), None);
    terminal.answer("password: ", "sesame");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    assert!(run_ok(server.dovetail().args(["certs", "list"])).contains("bundle"));
    assert!(!server.log().contains("sesame"));
}

#[test]
fn a_script_gives_it_by_file_or_environment() {
    if !have("openssl") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let brought = brought(dir.path());
    let standalone = |certs: &str| {
        let mut command = import(&mut dovetail(), &brought.bundle);
        command.arg("--dir").arg(dir.path().join(certs));
        command
    };
    let (status, _, said) = run(&mut standalone("none"));
    assert!(!status.success() && said.contains("give its password with --password-file"), "{said}");
    assert!(!dir.path().join("none").exists());

    let (status, _, said) = run(standalone("env").env("DOVETAIL_CERTS_PASSWORD", "sesame"));
    assert!(status.success(), "{said}");
    let (status, _, said) = run(standalone("wrong").env("DOVETAIL_CERTS_PASSWORD", "guess"));
    assert!(!status.success() && said.contains("doesn't open"), "{said}");

    // What is named goes before what is around.
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "sesame\n").unwrap();
    let mut named = standalone("file");
    named.arg("--password-file").arg(&secret).env("DOVETAIL_CERTS_PASSWORD", "guess");
    let (status, _, said) = run(&mut named);
    assert!(status.success(), "{said}");

    // There is no way to give it as a word that every user of the machine can read.
    let (status, _, said) = run(standalone("word").args(["--password", "sesame"]));
    assert!(!status.success() && said.contains("--password"), "{said}");
}
