//! Operations without a running server: they take the plugin that the config names, and nothing else in it stops them.

use crate::{
    harness::{plugin_dir, run, run_ok, Setup, BINARY},
    inspect::loaded,
};
use std::{fs, path::Path, process::Command};

/// A config with an accounts-file and these further plugins and options.
fn config(accounts: &str, plugins: &str, options: &str) -> String {
    format!(
        "(hostname: \"example.test\", data_dir: \"data\", {options}\n plugins: {{\n  \"accounts-file\": ({accounts}),\n  \
         {plugins}\n }})"
    )
}

/// `dovetail` with these words alone.
fn bare(program: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words);
    command
}

#[test]
fn mistakes_that_do_not_concern_an_operation_do_not_stop_it() {
    let bad = config(
        "",
        "\"nope\": (plugin: \"no-such-plugin\"), \"p\": (confg: ()), \"pop3\": (config: (nope: 1)),",
        "log: (levl: Info), listeners: {\"l\": (protocol: \"x\", bind: [])},",
    );
    let setup = Setup::new(&bad);
    setup.add_account("ann@example.test", "correct horse");
    assert!(run_ok(setup.dovetail().args(["accounts", "list"])).contains("ann@example.test"));
    assert_eq!(run(setup.dovetail().arg("check")).0.code(), Some(1));
    // Only that plugin's library is opened.
    let good = Setup::new(&config("", "\"pop3\": (), \"store-sqlite\": (),", ""));
    assert_eq!(loaded(good.dovetail().args(["accounts", "list"])), 1);
}

#[test]
fn mistakes_that_do_concern_it_are_told() {
    for (text, said) in [
        (config("", "", "services: 3,"), "dovetail.ron:1:56: error: "),
        (config("", "\"accounts-file\": (),", ""), "`accounts-file` is given twice"),
        (config("nope: 1", "", ""), "nope"),
        (config("config: (nope: 1)", "", ""), "`accounts-file`: "),
        ("(hostname: \"example.test\", data_dir: 3)".to_owned(), "error: "),
        (
            "(hostname: \"example.test\", data_dir: \"data\")".to_owned(),
            "no plugin instance of this server offers `accounts`",
        ),
    ] {
        let setup = Setup::new(&text);
        let (status, stdout, stderr) = run(setup.dovetail().args(["accounts", "list"]));
        assert_eq!((status.code(), stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{text}: {stderr}");
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
}

#[test]
fn the_pin_of_the_config_holds_for_the_description_too_wherever_config_is_named() {
    let setup = Setup::new(&config(&format!("sha256: \"{}\"", "0".repeat(64)), "", ""));
    let file = setup.config.to_str().unwrap();
    for words in [["--config", file, "accounts", "--help"], ["accounts", "--config", file, "--help"]] {
        let (status, stdout, stderr) = run(&mut bare(Path::new(BINARY), &words));
        assert_eq!((status.code(), stdout.as_str()), (Some(1), ""), "{words:?}");
        assert!(stderr.contains(", the config pins 0000"), "{stderr}");
    }
}

#[test]
fn a_plugin_directory_behind_the_word_counts() {
    let dir = tempfile::tempdir().unwrap();
    // Elsewhere, so that no plugins are beside it.
    let program = dir.path().join("dovetail");
    crate::harness::copy_program(BINARY, &program);
    let plugins = plugin_dir();
    let words = ["accounts", "--plugin-dir", plugins.to_str().unwrap(), "--help"];
    assert!(run_ok(&mut bare(&program, &words)).contains("password"));
    // Two files for one command are told as such.
    let both = dir.path().join("both");
    fs::create_dir(&both).unwrap();
    for name in ["a.so", "b.so"] {
        fs::copy(plugins.join("libdovetail_accounts_file.so"), both.join(name)).unwrap();
    }
    let (_, _, stderr) = run(&mut bare(&program, &["accounts", "--plugin-dir", both.to_str().unwrap(), "--help"]));
    assert!(stderr.contains("there are two files for plugin that offers `accounts`: "), "{stderr}");
}
