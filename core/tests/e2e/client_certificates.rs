//! Certificates of clients and the rest of what a listener says about TLS, with `openssl` as the authority and the client.

use crate::{
    harness::{have, run, run_ok, Server, Setup},
    tls::HOST,
    users::{Authority, User},
};
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// What openssl tells of a POP3 session on a listener that speaks TLS from the first byte.
fn session(server: &Server, listener: &str, user: Option<&User>, more: &[&str]) -> String {
    let mut command = Command::new("timeout");
    command.args(["60", "openssl", "s_client", "-ign_eof", "-verify_return_error", "-servername", HOST, "-CAfile"]);
    command.arg(server.setup.crt(HOST)).args(["-connect", &server.address(listener).to_string()]).args(more);
    if let Some(user) = user {
        command.arg("-cert").arg(&user.crt).arg("-key").arg(&user.key);
    }
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // It may be refused before it can say that.
    let _ = client.stdin.take().unwrap().write_all(b"QUIT\r\n");
    String::from_utf8_lossy(&client.wait_with_output().unwrap().stdout).into_owned()
}

/// Whether a client is served.
fn is_served(server: &Server, listener: &str, user: Option<&User>, more: &[&str]) -> bool {
    session(server, listener, user, more).contains("+OK")
}

fn config(options: &str, listeners: &[(&str, &str)]) -> String {
    let listener = |(name, options): &(&str, &str)| {
        format!("        \"{name}\": (protocol: \"pop3\", bind: [\"127.0.0.1:0\"], tls: Implicit, {options}),\n")
    };
    let listeners: String = listeners.iter().map(listener).collect();
    format!(
        "(\n    hostname: \"{HOST}\",\n    data_dir: \"data\",\n    plugins: {{\n        \"tls-rustls\": (),\n        \
         \"cert-store\": (config: (create_missing: true)),\n        \"accounts-file\": (config: (domains: [\"example.test\"])),\n        \
         \"store-sqlite\": (),\n        \"pop3\": (),\n    }},\n    {options}\n    listeners: {{\n{listeners}    }},\n)"
    )
}

fn reload(server: &Server) -> String {
    run_ok(server.dovetail().arg("reload"))
}

#[test]
fn a_listener_asks_for_certificates_as_it_says() {
    if !have("openssl") {
        return;
    }
    let setup = Setup::new(&config(
        "",
        &[
            ("off", "client_certificates: (mode: Off)"),
            ("optional", "client_certificates: (mode: Optional, anchors: [\"users/ca.pem\"])"),
            ("required", "client_certificates: (mode: Required, anchors: [\"others/ca.pem\", \"users/ca.pem\"])"),
        ],
    ));
    let (users, others, strangers) =
        (Authority::new(&setup, "users"), Authority::new(&setup, "others"), Authority::new(&setup, "strangers"));
    let (ann, other, stranger) = (users.issue("ann"), others.issue("other"), strangers.issue("stranger"));
    let server = setup.start();
    for (listener, none, of_users, of_others) in
        [("off", true, true, true), ("optional", true, true, false), ("required", false, true, true)]
    {
        for version in ["-tls1_2", "-tls1_3"] {
            assert_eq!(is_served(&server, listener, None, &[version]), none, "{listener} {version}");
            assert_eq!(is_served(&server, listener, Some(&ann), &[version]), of_users, "{listener} {version}");
            assert_eq!(is_served(&server, listener, Some(&other), &[version]), of_others, "{listener} {version}");
            assert_eq!(is_served(&server, listener, Some(&stranger), &[version]), listener == "off", "{listener}");
        }
    }
    server.wait_for_line("why", |line| line.contains("listener=required") && line.contains("showed no certificate"));
    server.wait_for_line("why", |line| line.contains("listener=optional") && line.contains("no trust anchor vouches"));
    let fingerprint = &ann.fingerprint();
    for listener in ["optional", "required"] {
        let named = |line: &str| {
            line.contains("certificate is verified") && line.contains(listener) && line.contains(fingerprint)
        };
        server.wait_for_line(fingerprint, named);
    }
    assert!(!server.log().lines().any(|line| line.contains("listener=off") && line.contains("is verified")));
}

#[test]
fn a_reload_reads_the_files_anew_and_ends_the_tickets_of_before() {
    if !have("openssl") {
        return;
    }
    let options = "client_certificates: (mode: Required, anchors: [\"users/ca.pem\"], crls: [\"users/crl.pem\"])";
    let setup = Setup::new(&config("", &[("one", options), ("two", options)]));
    let users = Authority::new(&setup, "users");
    let (ann, bob) = (users.issue("ann"), users.issue("bob"));
    users.list();
    let server = setup.start();
    let ticket = server.setup.dir.path().join("ticket");
    let ticket = ticket.to_str().unwrap();
    assert!(is_served(&server, "one", Some(&ann), &["-sess_out", ticket]));
    // The other listener has an equal policy; and a reload that changes nothing here changes nothing for tickets.
    for listener in ["one", "two"] {
        let report = reload(&server);
        assert!(report.contains("listeners: 2 kept, 0 changed"), "{report}");
        let told = session(&server, listener, Some(&ann), &["-sess_in", ticket]);
        assert!(told.contains("Reused, TLSv1.3") && told.contains("+OK"), "{listener}: {told}");
    }

    users.revoke(&ann);
    users.list();
    assert!(is_served(&server, "one", Some(&ann), &[]), "nobody has read the list yet");
    let report = reload(&server);
    assert!(report.contains("client_certificates"), "{report}");
    for listener in ["one", "two"] {
        assert!(!is_served(&server, listener, Some(&ann), &[]));
        assert!(!is_served(&server, listener, Some(&ann), &["-sess_in", ticket]));
        assert!(is_served(&server, listener, Some(&bob), &[]));
    }
    server.wait_for_log("has revoked it");

    // What cannot be read changes nothing.
    fs::write(users.0.join("crl.pem"), "nothing").unwrap();
    let (status, _, said) = run(server.dovetail().arg("reload"));
    assert!(!status.success() && said.contains("users/crl.pem: there is no PEM block"), "{said}");
    assert!(is_served(&server, "two", Some(&bob), &[]));
}

#[test]
fn tickets_and_the_profile_are_the_listeners() {
    if !have("openssl") {
        return;
    }
    let server = Setup::new(&config(
        "",
        &[("usual", ""), ("without", "session_tickets: false"), ("modern", "tls_profile: Modern")],
    ))
    .start();
    for version in ["-tls1_2", "-tls1_3"] {
        for (listener, resumed) in [("usual", true), ("without", false)] {
            let ticket = server.setup.dir.path().join(format!("{listener}{version}"));
            let ticket = ticket.to_str().unwrap();
            assert!(is_served(&server, listener, None, &[version, "-sess_out", ticket]));
            if Path::new(ticket).exists() {
                let told = session(&server, listener, None, &[version, "-sess_in", ticket]);
                assert_eq!(told.contains("Reused, "), resumed, "{listener} {version}: {told}");
            } else {
                assert!(!resumed, "{listener} {version}: no session");
            }
        }
    }
    assert!(is_served(&server, "modern", None, &[]));
    assert!(!is_served(&server, "modern", None, &["-tls1_2"]));
    server.wait_for_line("why", |line| line.contains("listener=modern") && line.contains("no TLS version in common"));
}

#[test]
fn what_is_wrong_with_the_files_is_said_with_its_place() {
    let refused = |options: &str| {
        let setup = Setup::new(&config("", &[("pop3s", options)]));
        fs::write(setup.dir.path().join("key.pem"), "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n")
            .unwrap();
        // Whole from outside, and no certificate.
        fs::write(
            setup.dir.path().join("hollow.pem"),
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        let (status, _, said) = run(setup.dovetail().arg("check"));
        (status.success(), said, setup)
    };
    for (options, expected) in [
        ("client_certificates: (mode: Required)", "`client_certificates` without `anchors`"),
        ("client_certificates: (mode: Optional, anchors: [\"missing.pem\"])", "missing.pem: No such file"),
        (
            "client_certificates: (mode: Optional, anchors: [\"key.pem\"])",
            "line 1 begins a block of the kind \"PRIVATE KEY\"",
        ),
        (
            "client_certificates: (mode: Optional, anchors: [\"hollow.pem\"], crls: [\"hollow.pem\"])",
            "revocation lists were expected",
        ),
        ("client_certificates: (anchors: [])", "mode"),
    ] {
        let (good, said, _) = refused(options);
        assert!(!good && said.contains(expected) && said.contains("dovetail.ron:13:"), "{options}: {said}");
    }
    let plain = config("", &[("pop3s", "client_certificates: (mode: Required, anchors: [\"x\"])")]);
    let setup = Setup::new(&plain.replace("tls: Implicit, ", ""));
    let (status, _, said) = run(setup.dovetail().arg("check"));
    assert!(!status.success() && said.contains("`client_certificates` without TLS"), "{said}");

    // What is inside is the provider's to judge, at the start.
    let (good, said, setup) = refused("client_certificates: (mode: Optional, anchors: [\"hollow.pem\"])");
    assert!(good, "{said}");
    let (status, _, said) = run(setup.dovetail().arg("serve"));
    assert!(!status.success() && said.contains("trust anchor 1 cannot be used"), "{said}");
    assert!(said.contains("trust anchor 1 is from hollow.pem"), "{said}");
}

#[test]
fn another_provider_can_be_tried() {
    let two = config("services: {\"dovetail.tls/1\": \"gone\"},", &[("pop3s", "")]).replace(
        "\"tls-rustls\": (),",
        "\"gone\": (plugin: \"tls-gone\", path: \"gone.so\", config: (odd: 1)), \"spare\": (plugin: \"tls-rustls\"),",
    );
    let one = two.replace("\"spare\": (plugin: \"tls-rustls\"),", "");
    assert!(!run(Setup::new(&one).dovetail().arg("check")).0.success());
    let pair = two.replace("plugin: \"tls-gone\", path: \"gone.so\", config: (odd: 1)", "plugin: \"tls-rustls\"");
    for (text, id, instance) in [(&one, "tls-rustls", "gone"), (&pair, "spare", "spare"), (&pair, "gone", "gone")] {
        let server = Setup::new(text).serve_with(&["--tls-provider", id]).start();
        for _ in 0..2 {
            let mut client = server.connect_tls("pop3s");
            assert!(client.line().starts_with("+OK"));
            let told = run_ok(server.dovetail().args(["--json", "status", "--sessions"]));
            let told: serde_json::Value = serde_json::from_str(&told).unwrap();
            let by = &told["sessions"][0]["tls_by"];
            assert_eq!((&by["instance"], &by["plugin"]), (&instance.into(), &"tls-rustls".into()), "{told}");
            reload(&server);
        }
    }
    for (id, expected) in [
        ("pop3", "the instance `pop3` does not provide dovetail.tls/1"),
        ("imap", "the plugin `imap` does not provide dovetail.tls/1"),
        ("tls-nowhere", "tls-nowhere"),
    ] {
        let setup = Setup::new(&config("", &[("pop3s", "")]));
        let (status, _, said) = run(setup.dovetail().args(["serve", "--tls-provider", id]));
        assert!(!status.success() && said.contains("--tls-provider") && said.contains(expected), "{said}");
    }
    let without = config("", &[]).replace("\"tls-rustls\": (),", "");
    let (status, _, said) = run(Setup::new(&without).dovetail().args(["serve", "--tls-provider", "tls-rustls"]));
    assert!(!status.success() && said.contains("no instance of the config does TLS"), "{said}");
}
