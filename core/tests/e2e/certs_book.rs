//! The book's chapters on certificates: what can be run is run, and no command has options that don't exist.

use crate::{
    certs_elsewhere::layouts,
    handshakes,
    harness::{have, plugin_dir, run, run_ok, Setup, BINARY, MAIL_CONFIG},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src")
}

/// The blocks of a page that a shell runs.
fn blocks(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(book().join(page)).unwrap();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(str::to_owned).collect()
}

#[test]
fn the_way_to_an_authoritys_certificate_works_as_it_stands() {
    if !have("openssl") {
        return;
    }
    let name = "mail.example.org";
    let config =
        MAIL_CONFIG.replace("mail.example.test", name).replace("create_missing: true", "create_missing: false");
    let setup = Setup::mail_with(&config);
    let folder = setup.dir.path().join("chapter");
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    let program = folder.join("bin/dovetail");
    let (config, plugins) = (setup.config.display(), plugin_dir());
    let script = format!("#!/bin/sh\nexec {BINARY} --plugin-dir {} --config {config} \"$@\"\n", plugins.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let certs = setup.certs();
    let shell = |block: &str| {
        let mut command = Command::new("sh");
        run_ok(command.args(["-euc", block]).current_dir(&folder).env("PATH", &path).env("CERTS", &certs))
    };
    let blocks = blocks("certificates/signed.md");
    assert!(blocks.len() >= 6, "{blocks:?}");
    let mut blocks = blocks.iter();
    shell(blocks.next().unwrap());
    let server = setup.start();
    let own = layouts::leaf(&server.setup.crt(name));
    assert!(handshakes::shown(server.address("imaps"), name) == own);
    for block in blocks {
        shell(block);
    }
    let answer = layouts::leaf(&folder.join("answer.crt"));
    assert!(handshakes::shown(server.address("imaps"), name) == answer && answer != own);
}

/// The commands of the fenced blocks, as words.
fn commands(text: &str) -> Vec<Vec<String>> {
    let fenced = text.split("```").skip(1).step_by(2).flat_map(str::lines);
    let commands = fenced.filter_map(|line| line.trim_start_matches("$ ").strip_prefix("dovetail "));
    commands.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn no_command_of_these_chapters_has_an_option_that_does_not_exist() {
    let mut pages: Vec<PathBuf> =
        std::fs::read_dir(book().join("certificates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.extend(["certificates.md", "client-certificates.md"].map(|page| book().join(page)));
    let mut used: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for page in &pages {
        for words in commands(&std::fs::read_to_string(page).unwrap()) {
            // The operation, and the options in front of a comment.
            let operation = words.iter().take_while(|word| !word.starts_with('-')).take(2).cloned().collect();
            let words = words.iter().take_while(|word| !["#", "|", "&&", ">"].contains(&word.as_str()));
            let options =
                words.filter(|word| word.starts_with("--")).map(|word| word.split('=').next().unwrap().to_owned());
            used.entry(operation).or_default().extend(options);
        }
    }
    let certs = used.keys().filter(|operation| operation[0] == "certs").count();
    assert!(certs >= 7, "{used:?}");
    for (operation, options) in
        used.iter().filter(|(operation, _)| ["certs", "accounts"].contains(&operation[0].as_str()))
    {
        let (status, help, stderr) = run(crate::harness::dovetail().args(operation).arg("--help"));
        assert!(status.success(), "dovetail {operation:?}: {stderr}");
        let help: BTreeSet<&str> = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).collect();
        for option in options {
            assert!(help.contains(option.as_str()), "dovetail {operation:?} has no {option}");
        }
    }
}
