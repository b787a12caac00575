//! What the program says of itself: completions, manual pages, the reference of its options.

use crate::harness::{dovetail, have, run, run_ok};
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// The completions for a shell, in a file.
fn completions(dir: &Path, shell: &str) -> (String, std::path::PathBuf) {
    let script = run_ok(dovetail().args(["completions", shell]));
    let path = dir.join(shell);
    fs::write(&path, &script).unwrap();
    (script, path)
}

#[test]
fn completions_have_our_commands_and_those_of_plugins_in_every_shell() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (script, path) = completions(dir.path(), shell);
        for word in
            ["serve", "--data-dir", "against-running", "unblock", "certs", "accounts", "alias-domain", "common-name"]
        {
            // Fish writes long options without their dashes.
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.contains(word), "{shell} has no `{word}`");
        }
        let check: &[&str] = match shell {
            "bash" => &["bash", "-n"],
            "zsh" => &["zsh", "-n"],
            "fish" => &["fish", "--no-execute"],
            _ => continue,
        };
        if have(check[0]) {
            let said = run_ok(Command::new(check[0]).args(&check[1..]).arg(&path));
            assert_eq!(said, "", "{shell}");
        }
    }
    let (status, _, stderr) = run(dovetail().args(["completions", "tcsh"]));
    assert!(status.code() == Some(2) && stderr.contains("bash") && stderr.contains("powershell"), "{stderr}");
}

/// What bash would offer for the last of these words.
fn offered(script: &Path, words: &[&str]) -> BTreeSet<String> {
    let last = words.len() - 1;
    let asked = format!(
        "source {} && COMP_WORDS=({}) COMP_CWORD={last} && _dovetail dovetail '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words.join(" "),
        words[last],
        words[last - 1],
    );
    run_ok(Command::new("bash").args(["-c", &asked])).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_operations_of_plugins() {
    let dir = tempfile::tempdir().unwrap();
    let (_, script) = completions(dir.path(), "bash");
    assert_eq!(offered(&script, &["dovetail", "acc"]), BTreeSet::from(["accounts".to_owned()]));
    assert_eq!(offered(&script, &["dovetail", "certs", "cr"]), BTreeSet::from(["create".to_owned()]));
    assert!(offered(&script, &["dovetail", "certs", "create", "--type", "rsa"]).contains("rsa-4096"));
    assert!(offered(&script, &["dovetail", "accounts", "add", "--pass"]).contains("--password-file"));
}

#[test]
fn completions_without_plugins_have_our_own_commands() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("dovetail");
    crate::harness::copy_program(crate::harness::BINARY, &program);
    let script = run_ok(Command::new(&program).args(["completions", "bash"]).arg("--data-dir").arg(dir.path()));
    assert!(script.contains("against-running") && !script.contains("alias-domain"));
}

#[test]
fn every_command_has_a_manual_page_that_can_be_shown() {
    let dir = tempfile::tempdir().unwrap();
    let said = run_ok(dovetail().args(["man", "--json", "--dir"]).arg(dir.path().join("man/man1")));
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let pages: BTreeSet<&str> = said["pages"].as_array().unwrap().iter().filter_map(|page| page.as_str()).collect();
    let words = [
        "serve",
        "init",
        "check",
        "reload",
        "status",
        "trace",
        "plugin-inspect",
        "config-reference",
        "certs",
        "accounts-add",
    ];
    for name in words {
        assert!(pages.contains(format!("dovetail-{name}.1").as_str()), "{name}: {pages:?}");
    }
    assert!(pages.contains("dovetail.1") && pages.len() > 20, "{pages:?}");
    for page in pages {
        let path = dir.path().join("man/man1").join(page);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\n.SH NAME\n") && text.contains("\n.SH SYNOPSIS\n"), "{page}: {text}");
        if have("groff") {
            let (status, shown, warnings) =
                run(Command::new("groff").args(["-man", "-Tutf8", "-ww", "-P-cbou"]).arg(&path));
            assert!(status.success() && warnings.is_empty(), "{page}: {warnings}");
            let title = page.trim_end_matches(".1");
            assert!(shown.contains(title) && shown.contains("--config"), "{page}: {shown}");
        }
    }
    let root = fs::read_to_string(dir.path().join("man/man1/dovetail.1")).unwrap();
    for text in ["/etc/dovetail/dovetail.ron", "SIGHUP", "EXIT STATUS", "accounts"] {
        assert!(root.contains(text), "{text}: {root}");
    }
}

#[test]
fn the_reference_is_printed_as_a_whole_and_in_parts() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/reference.md");
    assert_eq!(run_ok(dovetail().args(["config", "reference"])), fs::read_to_string(book).unwrap());
    let part = run_ok(dovetail().args(["config", "reference", "pop3", "listeners"]));
    assert!(
        part.starts_with("## Listeners\n") && part.contains("\n## pop3\n") && !part.contains("`hostname`**"),
        "{part}"
    );
    assert!(part.contains("- **`max_messages`** (number; default `1000000`)\n"), "{part}");
    let json = run_ok(dovetail().args(["--json", "config", "reference", "pop3"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["part"], "pop3");
    let (status, _, stderr) = run(dovetail().args(["config", "reference", "pop4"]));
    assert!(status.code() == Some(1) && stderr.contains("no part `pop4`") && stderr.contains("pop3"), "{stderr}");
}

#[test]
fn the_example_config_is_good_as_it_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dovetail.ron");
    fs::write(&path, run_ok(dovetail().args(["config", "example"]))).unwrap();
    run_ok(dovetail().args(["check", "--config"]).arg(&path));
}

#[test]
fn the_built_in_config_can_be_had_as_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dev.ron");
    fs::write(&path, run_ok(dovetail().args(["config", "example", "--dev"]))).unwrap();
    run_ok(dovetail().args(["check", "--config"]).arg(&path));
}

#[test]
fn a_word_that_is_no_command_leads_to_the_one_that_was_meant() {
    for (word, meant) in [("cert", "`certs`"), ("account", "`accounts`"), ("relod", "`reload`")] {
        let (status, _, stderr) = run(dovetail().args([word, "list"]));
        assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
        assert!(stderr.contains(&format!("did you mean {meant}?")), "{stderr}");
    }
    let (_, _, stderr) = run(dovetail().arg("xyzzy"));
    assert!(stderr.contains("there is no command `xyzzy`") && !stderr.contains("did you mean"), "{stderr}");
}

#[test]
fn what_serve_would_not_do_is_not_taken() {
    let (status, _, stderr) = run(dovetail().args(["serve", "--dev", "--json"]));
    assert!(status.code() == Some(1) && stderr.contains("log: (format: Json)"), "{stderr}");
}

#[test]
fn a_mistyped_data_directory_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let typo = dir.path().join("typo");
    for words in [["certs", "list"], ["accounts", "list"]] {
        let (status, stdout, stderr) = run(dovetail().args(words).arg("--data-dir").arg(&typo));
        assert_eq!((status.code(), stdout.as_str()), (Some(1), ""), "{stderr}");
        assert!(stderr.contains("there is no data directory") && !typo.exists(), "{stderr}");
    }
}

/// The whole configuration that the book's chapter begins with.
#[test]
fn the_books_config_is_good() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/configuration.md");
    let page = fs::read_to_string(book).unwrap();
    let config =
        page.split("```ron\n").skip(1).filter_map(|rest| rest.split("```").next()).find(|text| text.starts_with("(\n"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dovetail.ron");
    fs::write(&path, config.unwrap()).unwrap();
    run_ok(dovetail().args(["check", "--config"]).arg(&path));
}
