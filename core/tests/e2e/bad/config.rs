//! Mistakes in the config file: all of them at once, each at `file:line:column`.

use super::{echo_with, refused, with};
use crate::harness::{run, run_ok, Setup};

#[test]
fn a_syntax_error() {
    refused("(\n  hostname: \"h\"\n  data_dir: \"data\",\n)\n", &[("data_dir", &["Expected comma"])]);
    refused("(\n  hostname: \"h,\n)\n", &[("\"h,", &["string"])]);
}

#[test]
fn an_unknown_option_of_the_server() {
    let config = echo_with("\"echo\": (),").replace("data_dir: \"data\"", "data_dir: \"data\", drain_second: 3");
    refused(&config, &[("3,\n", &["there is no option `drain_second`", "drain_seconds"])]);
}

#[test]
fn an_unknown_option_of_a_listener() {
    let config = with("\"echo\": (),", r#""l": (protocol: "echo", bind: ["127.0.0.1:0"], idle_secs: 3)"#);
    refused(&config, &[("idle_secs", &["there is no option `idle_secs` (options are: protocol, ", "idle_seconds"])]);
}

#[test]
fn an_unknown_option_of_an_instance() {
    refused(
        &echo_with("\"echo\": (confg: ()),"),
        &[("confg", &["there is no option `confg` (options are: ", " config"])],
    );
}

#[test]
fn an_unknown_option_in_the_section_of_a_plugin_stands_where_the_operator_wrote_it() {
    let config =
        echo_with("\"echo\": (\n            config: (\n                greting: \"x\",\n            ),\n        ),");
    refused(&config, &[("greting", &["`echo`: there is no option `greting` (options are: ", "greeting"])]);
}

#[test]
fn a_name_given_twice() {
    let twice = echo_with("\"echo\": (),\n        \"echo\": ( ),");
    refused(&twice, &[("( )", &["`echo` is given twice", "line 5", "remove one"])]);
    let field = echo_with("\"echo\": (plugin: \"echo\", path: \"x\", path: \"y\"),");
    refused(&field, &[("path: \"y\"", &["duplicate field", "`path`"])]);
    let section = echo_with("\"echo\": (config: (greeting: \"a\", greeting: \"b\")),");
    refused(&section, &[("greeting: \"b\"", &["`echo`", "duplicate field", "`greeting`"])]);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let config = "(\n hostnam: \"h\",\n data_dir: 3,\n plugins: {\n  \"a b\": (),\n  \"p\": (plugn: \"x\"),\n },\n listeners: {\n  \
                  \"l\": (protocol: \"p\", bind: [\"0.0.0.0:1\"], insecure_auth: true),\n },\n)\n";
    refused(
        config,
        &[
            ("\"h\"", &["`hostnam`"]),
            ("(\n hostnam", &["`hostname` is missing", "give"]),
            ("3", &["string"]),
            ("(),", &["`a b` cannot be an instance's name", "letters"]),
            ("plugn", &["there is no option `plugn`", "plugin"]),
            ("(protocol", &["`insecure_auth` on an address that others can reach", "127.0.0.1"]),
        ],
    );
}

#[test]
fn mistakes_in_several_sections_and_a_missing_plugin_are_told_at_once() {
    let config = echo_with(
        "\"echo\": (config: (gretin: 1)),\n        \"other\": (plugin: \"echo\", config: (greeting: 3)),\n        \
         \"nope\": (plugin: \"no-such-plugin\"),\n        \"panics\": (config: (panic_in: \"nowhere\")),",
    );
    refused(
        &config,
        &[
            ("gretin", &["`echo`"]),
            ("3)", &["`other`", "string"]),
            ("(plugin: \"no-such-plugin\")", &["there is no plugin `no-such-plugin` in ", "--plugin-dir"]),
            ("(panic_in", &["`panics`", "nowhere", "write one of prepare, start"]),
        ],
    );
}

#[test]
fn passwords_in_the_clear_only_on_loopback() {
    let listener = r#""l": (protocol: "echo", bind: ["127.0.0.1:0", "0.0.0.0:0"], insecure_auth: true)"#;
    refused(&with("\"echo\": (),", listener), &[("(protocol", &["insecure_auth", "use TLS"])]);
    let server = Setup::new(&with("\"echo\": (),", &listener.replace(", \"0.0.0.0:0\"", ""))).start();
    assert_eq!(server.connect("l").line(), "hello");
}

#[test]
fn a_listener_of_nothing_and_two_on_one_address() {
    let listeners = "\"a\": (protocol: \"echo\", bind: [\"127.0.0.1:1\"]),\n        \"b\": (bind: [\"127.0.0.1:1\"], protocol: \"ecko\"),";
    refused(
        &with("\"echo\": (),", listeners),
        &[
            ("(bind", &["listener `b` wants protocol `ecko`, which is no plugin instance", "correct the name"]),
            ("(bind", &["listeners `a` and `b` both bind 127.0.0.1:1", "another address or port"]),
        ],
    );
}

#[test]
fn no_config_at_all() {
    let setup = Setup::new("()");
    std::fs::remove_file(&setup.config).unwrap();
    for command in ["serve", "check", "status"] {
        let (status, _, stderr) = run(setup.dovetail().arg(command));
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with("error: cannot read the config ") && stderr.contains("--config FILE"), "{stderr}");
    }
    std::fs::create_dir(&setup.config).unwrap();
    let (status, _, stderr) = run(setup.dovetail().arg("serve"));
    assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
}

#[test]
fn a_good_config_passes_the_check_and_nothing_is_written() {
    let setup = Setup::new(&echo_with("\"echo\": (),"));
    let said = run_ok(setup.dovetail().arg("check"));
    assert!(said.starts_with("ok: 1 plugin instances, 1 listeners, 0 warnings; "), "{said}");
    // What it does not look at, and what does.
    assert!(said.contains("`dovetail certs check`") && said.contains("`dovetail accounts list`"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&run_ok(setup.dovetail().args(["check", "--json"]))).unwrap();
    assert_eq!(json, serde_json::json!({ "ok": true, "warnings": 0 }));
    assert!(!setup.data_dir().exists());
}

#[test]
fn bytes_that_are_no_text_and_an_endless_nesting() {
    let setup = Setup::new("");
    std::fs::write(&setup.config, b"(\xff\xfe)").unwrap();
    let (status, _, stderr) = run(setup.dovetail().arg("serve"));
    assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    let deep = format!("(hostname: {})", "[".repeat(100_000));
    std::fs::write(&setup.config, deep).unwrap();
    let (status, _, stderr) = run(setup.dovetail().arg("serve"));
    assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.contains("dovetail.ron:1:") && stderr.contains("too many brackets in one another"), "{stderr}");
}
