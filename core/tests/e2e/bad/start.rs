//! What only the start finds: ports, the data directory, plugins that do not start.

use super::{echo_with, refused_start, with};
use crate::harness::{run, Setup};
use std::{
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
};

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let listeners = format!(
        "\"free\": (protocol: \"echo\", bind: [\"127.0.0.1:0\"]),\n        \"l\": ( protocol: \"echo\", bind: [\"127.0.0.1:{port}\"]),"
    );
    let told = format!("listener `l` cannot bind 127.0.0.1:{port}: the port is in use");
    let cure = format!("ss -ltnp 'sport = :{port}'");
    let refusal = refused_start(Setup::new(&with("\"echo\": (),", &listeners)), &[("( protocol", &[&told, &cure])]);
    assert!(refusal.records.is_empty(), "a plugin was started: {:?}", refusal.records);
    drop(taken);
    let server = refusal.setup.start();
    assert_eq!(server.connect("l").line(), "hello");
}

#[test]
fn all_ports_that_cannot_be_bound_are_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    // TEST-NET-1 (RFC 5737) is nobody's address.
    let listeners = format!(
        "\"a\": ( protocol: \"echo\", bind: [\"127.0.0.1:{port}\"]),\n        \"b\": (protocol: \"echo\", bind: [\"192.0.2.1:{port}\"]),"
    );
    refused_start(
        Setup::new(&with("\"echo\": (),", &listeners)),
        &[("( protocol", &["in use"]), ("(protocol", &["192.0.2.1", "no such address", "correct `bind`"])],
    );
}

#[test]
fn a_second_server_disturbs_nothing() {
    let server = Setup::mail().start();
    let mut before = server.connect("pop3");
    before.line();
    let listing = |setup: &Setup| {
        let mut names: Vec<_> = std::fs::read_dir(setup.data_dir().join("run"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().modified().unwrap()))
            .collect();
        names.sort();
        names
    };
    let were = listing(&server.setup);
    let (status, stdout, stderr) = run(server.dovetail().arg("serve"));
    assert_eq!((status.code(), stdout.as_str()), (Some(1), ""), "{stderr}");
    let (pid, dir) = (server.child.id(), server.setup.data_dir());
    let told =
        format!("error: the data directory {} is in use by process {pid} (stop that server, or give", dir.display());
    assert!(stderr.starts_with(&told) && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(listing(&server.setup), were);
    assert!(before.ask("CAPA").starts_with("+OK"));
    assert!(run(server.dovetail().arg("status")).0.success());
}

#[test]
fn a_data_directory_that_cannot_be_made() {
    let setup = Setup::new(&echo_with("\"echo\": (),"));
    std::fs::write(setup.data_dir(), "a file").unwrap();
    let (status, _, stderr) = run(setup.dovetail().arg("serve"));
    assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    let told = format!("error: cannot use the data directory {}", setup.data_dir().display());
    assert!(stderr.starts_with(&told) && stderr.contains("check that it belongs to the server's user"), "{stderr}");
}

#[test]
fn a_plugin_that_does_not_start_is_told_with_its_place() {
    // A folder of certificates that is a file.
    let config = with(
        "\"echo\": (),\n        \"tls-rustls\": (),\n        \"cert-store\": ( config: (dir: \"dovetail.ron\")),",
        r#""l": (protocol: "echo", bind: ["127.0.0.1:0"], tls: Implicit)"#,
    );
    let refusal =
        refused_start(Setup::new(&config), &[("( config", &["`cert-store` did not start: ", "dovetail.ron"])]);
    assert!(TcpStream::connect(("127.0.0.1", 1)).is_err());
    assert_eq!(refusal.setup.data_dir().metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn panics_on_the_way_up_end_the_start_only_and_name_their_place() {
    let config = |place: &str| {
        echo_with(&format!("\"echo\": (),\n        \"bomb\": (plugin: \"panics\", config: (panic_in: {place:?})),"))
    };
    // In prepare the section is at fault, as far as anybody knows.
    let refusal = super::refused(
        &config("prepare"),
        &[(
            "(panic_in",
            &[
                "`bomb`: the plugin panicked while reading this section: panic in prepare (on purpose) at ",
                "panics/src/lib.rs:",
                "report this",
            ],
        )],
    );
    assert!(refusal.records.is_empty());
    let setup = Setup::new(&config("start"));
    let mut server = setup.spawn();
    assert_eq!(server.wait().code(), Some(1));
    let log = server.log();
    assert!(
        log.contains("error bomb: the plugin panicked") && log.contains("panic=\"panic in start (on purpose)\""),
        "{log}"
    );
    assert!(log.contains("place=core/tests/plugins/panics/src/lib.rs:"), "{log}");
    let last = log.lines().last().unwrap();
    assert!(last.contains("error: `bomb` did not start: ") && last.contains("see the log"), "{log}");
    assert!(last.starts_with(&server.setup.config.display().to_string()), "{log}");
    assert!(!server.setup.data_dir().join("run/control").exists());
}
