//! Tests of the typed configuration.

use super::*;

fn parse(text: &str) -> Result<Config, Problems> {
    let config = Config::parse("d.ron", text.to_owned(), Path::new("/etc/dovetail"))?;
    if config.problems.has_errors() {
        Err(config.problems)
    } else {
        Ok(config)
    }
}

#[test]
fn a_small_config_gets_its_defaults() {
    let config = parse(
        r#"(
            hostname: "h", data_dir: "data",
            plugins: { "pop3": (), "mx": (plugin: "smtp", config: (role: Mx)) },
            listeners: { "pop": (protocol: "pop3", bind: ["127.0.0.1:110"]) },
        )"#,
    )
    .unwrap();
    assert_eq!(config.data_dir, Path::new("/etc/dovetail/data"));
    assert_eq!(config.plugins[0].plugin, "pop3");
    assert_eq!(config.plugins[0].section.text, "()");
    assert_eq!(config.plugins[1].section.text, "(role: Mx)");
    assert_eq!((config.plugins[1].section.line, config.plugins[1].section.column), (3, 67));
    assert_eq!(config.listeners[0].options.tls, TlsMode::Off);
}

#[test]
fn all_errors_are_said_at_once_with_their_places() {
    let problems = parse(
        "(\n hostnam: \"h\",\n data_dir: 3,\n plugins: {\n \"a b\": (),\n \"p\": (plugn: \"x\"),\n },\n listeners: {\n \"l\": (protocol: \"p\", bind: [], insecure_auth: true),\n \"m\": (protocol: \"p\", bind: [\"0.0.0.0:1\"], insecure_auth: true),\n },\n)",
    )
    .unwrap_err();
    let text = problems.to_string();
    for (line, expected) in
        [(2, "hostnam"), (3, "data_dir"), (5, "a b"), (6, "plugn"), (9, "`bind` is empty"), (10, "insecure_auth")]
    {
        assert!(
            text.lines()
                .any(|l| l.starts_with(&format!("d.ron:{line}:")) && (l.contains(expected) || expected == "data_dir")),
            "{expected} on line {line} in\n{text}"
        );
    }
}

#[test]
fn names_without_an_instance_are_found_wherever_they_stand() {
    let text = parse(
        "(hostname: \"h\", data_dir: \"d\",\n log: (levels: {\"pop\": Debug, \"core\": Debug}),\n \
         services: {\"dovetail.store/1\": \"sqlit\"})",
    )
    .unwrap_err()
    .to_string();
    let expected =
        "d.ron:3:12: error: `services` names `sqlit`, which is no plugin instance (correct the name, or add \
                    the instance to `plugins`)\nd.ron:2:7: error: `log` names `pop`, which is no plugin instance \
                    (correct the name, or add the instance to `plugins`)";
    assert_eq!(text, expected);
}

#[test]
fn an_equal_key_in_an_inner_map_is_named() {
    let text = parse(
        "(hostname: \"h\", data_dir: \"d\",\n log: (levels: {\"p\": Debug, \"p\": Warn}),\n \
         services: {\"a/1\": \"p\", \"a/1\": \"p\"},\n \
         plugins: {\"p\": (services: {\"b/1\": \"p\", \"b/1\": \"p\"})})",
    )
    .unwrap_err()
    .to_string();
    for (line, name) in [(2, "p"), (3, "a/1"), (4, "b/1")] {
        let has = |l: &str| l.starts_with(&format!("d.ron:{line}:")) && l.contains(&format!("`{name}` is given twice"));
        assert!(text.lines().any(has), "{name} in\n{text}");
    }
}

#[test]
fn values_out_of_range_are_named_with_the_limit() {
    let listener = |option: &str| {
        let binds = "\"127.0.0.1:0\", ".repeat(if option.is_empty() { 101 } else { 1 });
        format!(
            "(hostname: \"h\", data_dir: \"d\", plugins: {{\"p\": ()}}, \
             listeners: {{\"l\": (protocol: \"p\", bind: [{binds}], {option})}})"
        )
    };
    let core = |option: &str| format!("(hostname: \"h\", data_dir: \"d\", {option})");
    for (config, expected) in [
        (listener(""), "`bind` has 101 entries; 100 is the limit"),
        (listener("idle_seconds: 31536001"), "`idle_seconds` is 31536001; 31536000 (365 days) is the limit"),
        (listener("handshake_seconds: 18446744073709551615"), "`handshake_seconds` is 18446744073709551615"),
        (listener("proxy: (timeout_seconds: 31536001)"), "`proxy.timeout_seconds` is 31536001"),
        (listener("proxy: (timeout_seconds: 0)"), "a time of 0 seconds"),
        (
            listener(&format!("proxy: (trusted: [{}])", "\"::1\", ".repeat(101))),
            "`proxy.trusted` has 101 entries; 100 is the limit",
        ),
        (core(&format!("plugin_dirs: [{}]", "\"d\", ".repeat(101))), "`plugin_dirs` has 101 entries; 100 is the limit"),
        (core(&format!("plugins: {{\"{}\": ()}}", "p".repeat(65))), "use 1 to 64 letters"),
        (listener("max_connections: 0"), "a limit of 0 connections"),
        (listener("max_connections_per_address: 0"), "a limit of 0 connections"),
        (core("drain_seconds: 31536001"), "`drain_seconds` is 31536001"),
        (core("retire_seconds: 31536001"), "`retire_seconds` is 31536001"),
        (core("login_blocking: (window_seconds: 31536001)"), "`window_seconds` is 31536001"),
        (core("login_blocking: (block_seconds: 31536001)"), "`block_seconds` is 31536001"),
        (core("faults: (count: 1001)"), "`count` is 1001; 1000 is the limit"),
        (core("faults: (window_seconds: 0)"), "`window_seconds` is 0"),
        (core("faults: (max_backoff_seconds: 31536001)"), "`max_backoff_seconds` is 31536001"),
        (core("faults: (backoff_seconds: 301)"), "`max_backoff_seconds` is less than `backoff_seconds`"),
        (core("login_blocking: (delay_milliseconds: 3600001)"), "is 3600001; 3600000 (1 hour) is the limit"),
    ] {
        let text = parse(&config).unwrap_err().to_string();
        assert!(text.contains(expected) && text.lines().count() == 1, "{expected}: {text}");
    }
    parse(&core("drain_seconds: 31536000, login_blocking: (delay_milliseconds: 3600000)")).unwrap();
}

#[test]
fn only_what_all_instances_stand_on_breaks_a_config() {
    let broken = |text: &str| Config::parse("d.ron", text.to_owned(), Path::new("/")).unwrap().broken;
    let core = "hostname: \"h\", data_dir: \"d\"";
    for good in ["", "log: 3", "drain_seconds: x", "listeners: {\"l\": 3}", "plugins: {\"p\": (nope: 1)}"] {
        assert!(!broken(&format!("({core}, {good})")), "{good}");
    }
    for bad in ["services: 3", "plugins: 3", "plugins: {\"p\": (), \"p\": ()}", "hostname: \"i\"", "plugin_dir: []"] {
        assert!(broken(&format!("({core}, {bad})")), "{bad}");
    }
    assert!(broken("(hostname: \"h\")") && broken("(hostname: \"h h\", data_dir: \"d\")"));
}

#[test]
fn a_config_is_a_regular_file_of_bounded_length() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("d.ron");
    std::fs::write(&path, vec![b' '; MAX_FILE as usize + 1]).unwrap();
    assert!(Config::load(&path).unwrap_err().to_string().contains("too long"));
    assert!(Config::load(Path::new("/dev/zero")).unwrap_err().to_string().contains("not a regular file"));
}

#[test]
fn listeners_need_their_plugins_and_their_ports() {
    let text = parse(
        r#"(hostname: "h", data_dir: "d", plugins: {"p": ()}, listeners: {
            "a": (protocol: "p", bind: ["127.0.0.1:25"]),
            "b": (protocol: "q", bind: ["127.0.0.1:25"]),
        })"#,
    )
    .unwrap_err()
    .to_string();
    assert!(text.contains("both bind 127.0.0.1:25"), "{text}");
    assert!(text.contains("wants protocol `q`"), "{text}");
}
