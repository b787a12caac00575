//! Identities in service: RSA and ECDSA side by side, changes in the folder, pairs that the TLS provider refuses, what is told of
//! them, and `tls explain`.

use crate::{
    harness::{dovetail, have, run, run_ok, Server, Setup, MAIL_CONFIG},
    metrics,
    tls::{certificate, HOST},
};
use serde_json::Value;
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// The certificate that `openssl s_client` is shown when it is given these words, as in a file of ours, and all that it says.
fn shown_to(server: &Server, words: &[&str]) -> (String, String) {
    let mut command = Command::new("timeout");
    command.args(["60", "openssl", "s_client", "-ign_eof", "-connect", &server.address("pop3s").to_string()]);
    let mut client =
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    client.stdin.take().unwrap().write_all(b"QUIT\r\n").unwrap();
    let said = String::from_utf8_lossy(&client.wait_with_output().unwrap().stdout).into_owned();
    let pem: Vec<&str> = said
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN CERTIFICATE"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    (pem.concat(), said)
}

/// The first certificate of a file, as [`shown_to`] gives it.
fn kept(path: impl AsRef<Path>) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().skip(1).take_while(|line| !line.starts_with("-----END"));
    lines.collect()
}

/// `certs` with these words and `--json`, on the running server.
#[track_caller]
fn certs(server: &Server, words: &[&str]) -> Value {
    let text = run_ok(server.dovetail().args(["--json", "certs"]).args(words));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// `tls explain` with these words.
#[track_caller]
fn explain(server: &Server, words: &[&str]) -> Value {
    serde_json::from_str(&run_ok(server.dovetail().args(["--json", "tls", "explain"]).args(words))).unwrap()
}

/// A pair made by openssl in a folder; `more` goes to `openssl req`.
fn by_openssl(folder: &Path, name: &str, host: &str, more: &[&str]) {
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-nodes", "-days", "90", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        .args(["-subj", &format!("/CN={host}"), "-addext", &format!("subjectAltName=DNS:{host}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(more)
        .arg("-out")
        .arg(folder.join(format!("{name}.crt")))
        .arg("-keyout")
        .arg(folder.join(format!("{name}.key")));
    run_ok(&mut openssl);
}

/// No TLS library of ours serves a certificate with a critical extension that nobody knows; the store itself doesn't mind.
const UNKNOWN_EXTENSION: [&str; 2] = ["-addext", "1.3.6.1.4.1.99999.1=critical,ASN1:NULL"];

fn copy_pair(from: (&Path, &str), to: (&Path, &str)) {
    for extension in ["key", "crt"] {
        let file = |(folder, name): (&Path, &str)| folder.join(format!("{name}.{extension}"));
        std::fs::copy(file(from), file(to)).unwrap();
    }
}

/// A mail server with this TLS provider, and a further RSA pair for its name. `None` where the provider isn't built.
fn with_both(provider: &str) -> Option<Server> {
    let library = format!("libdovetail_{}.so", provider.replace('-', "_"));
    if !crate::harness::plugin_dir().join(&library).exists() {
        assert!(std::env::var_os("CI").is_none(), "{library} is not built, and in CI nothing skips");
        eprintln!("SKIPPED: {library} is not built; `cargo test --workspace` builds it");
        return None;
    }
    let config = MAIL_CONFIG.replace("\"tls-rustls\": ()", &format!("\"tls\": (plugin: \"{provider}\")"));
    let server = Setup::mail_with(&config).start();
    let rsa = format!("{HOST}+rsa");
    certs(&server, &["create", "--name", &rsa, "--san", HOST, "--type", "rsa-2048"]);
    Some(server)
}

#[test]
fn a_client_gets_the_kind_of_key_that_it_understands() {
    if !have("openssl") {
        return;
    }
    for provider in ["tls-rustls", "tls-openssl"] {
        let Some(server) = with_both(provider) else { continue };
        let (ecdsa, rsa) = (kept(server.setup.crt(HOST)), kept(server.setup.crt(&format!("{HOST}+rsa"))));
        for (words, expected) in [
            (&[][..], &ecdsa),
            (&["-tls1_2"], &ecdsa),
            (&["-sigalgs", "RSA-PSS+SHA256"], &rsa),
            (&["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], &rsa),
            (&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], &ecdsa),
        ] {
            for name in [&["-servername", HOST][..], &["-noservername"]] {
                let (shown, said) = shown_to(&server, &[words, name].concat());
                assert!(shown == **expected, "{provider} {words:?} {name:?}: {said}");
                assert!(said.contains("+OK"), "{provider} {words:?}: {said}");
            }
        }
        // Both are told of, together and apart.
        let list = certs(&server, &["list"]);
        let names: Vec<&str> = list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, [HOST.to_owned(), format!("{HOST}+rsa")]);
        let details = certs(&server, &["show", HOST]);
        assert_eq!(details["further"][0]["key"], "RSA 2048");
        assert!(run_ok(server.dovetail().args(["certs", "show", HOST]))
            .contains("\nmail.example.test+rsa (RSA 2048, valid)"));
        let explained = explain(&server, &["pop3s", HOST]);
        let keys: Vec<&Value> =
            explained["certificate"]["pairs"].as_array().unwrap().iter().map(|p| &p["key"]).collect();
        assert_eq!(keys, ["ECDSA P-256", "RSA 2048"]);
    }
}

#[test]
fn a_half_that_breaks_keeps_its_last_version_and_the_other_goes_on() {
    if !have("openssl") {
        return;
    }
    let Some(server) = with_both("tls-rustls") else { return };
    let rsa_name = format!("{HOST}+rsa");
    let rsa = kept(server.setup.crt(&rsa_name));
    std::fs::copy(
        server.setup.certs().join(format!("{HOST}.key")),
        server.setup.certs().join(format!("{rsa_name}.key")),
    )
    .unwrap();
    // The folder is heard of; nobody says reload.
    let said = server.wait_for_log("can't be used");
    for part in [format!("{rsa_name}.crt"), format!("{rsa_name}.key"), "doesn't belong to the certificate".to_owned()] {
        assert!(said.contains(&part), "{said}");
    }
    let rsa_only = ["-sigalgs", "RSA-PSS+SHA256", "-servername", HOST];
    assert!(shown_to(&server, &rsa_only).0 == rsa, "the version before it");
    run_ok(server.dovetail().args(["certs", "create", "--name", HOST, "--san", HOST, "--replace"]));
    assert!(shown_to(&server, &["-servername", HOST]).0 == kept(server.setup.crt(HOST)), "the other half changes");
    assert!(shown_to(&server, &rsa_only).0 == rsa);
    let explained = explain(&server, &["pop3s", HOST]);
    assert!(explained["certificate"]["problems"][0].as_str().unwrap().contains(&rsa_name), "{explained}");
    // A cold start with it: the half that is good is served, the other one is named.
    let server = server.stop().start();
    assert!(server.log().contains(&format!("{rsa_name}.key can't be used")), "{}", server.log());
    assert!(shown_to(&server, &["-servername", HOST]).0 == kept(server.setup.crt(HOST)));
    assert!(!shown_to(&server, &rsa_only).1.contains("+OK"));
}

#[test]
fn files_that_others_write_are_heard_of_and_a_reload_says_what_it_found() {
    if !have("openssl") {
        return;
    }
    let server = Setup::mail().start();
    let elsewhere = server.setup.dir.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    for (name, host) in [("one", "shop.test"), ("two", "shop.test")] {
        by_openssl(&elsewhere, name, host, &[]);
    }
    let certs_dir = server.setup.certs();
    copy_pair((&elsewhere, "one"), (&certs_dir, "shop"));
    server.wait_for_log("certificate loaded certificate=shop");
    let shop = ["-servername", "shop.test"];
    assert!(shown_to(&server, &shop).0 == kept(elsewhere.join("one.crt")));
    // In place, by a script that wants to know.
    copy_pair((&elsewhere, "two"), (&certs_dir, "shop"));
    let report = certs(&server, &["reload"]);
    assert_eq!((&report["served"], &report["broken"]), (&2.into(), &serde_json::json!({})));
    assert!(shown_to(&server, &shop).0 == kept(elsewhere.join("two.crt")));
    // Half of it.
    std::fs::write(certs_dir.join("shop.crt"), "-----BEGIN CERTIFICATE-----\n").unwrap();
    let (status, stdout, stderr) = run(server.dovetail().args(["certs", "reload"]));
    assert_eq!((status.code(), stdout.as_str()), (Some(1), "2 pairs are in service\n"), "{stderr}");
    assert!(
        stderr.starts_with("warning: the pair ") && stderr.contains("shop.crt") && stderr.contains("shop.key"),
        "{stderr}"
    );
    assert!(shown_to(&server, &shop).0 == kept(elsewhere.join("two.crt")), "what was served is served");
    // Gone.
    for extension in ["crt", "key"] {
        std::fs::remove_file(certs_dir.join(format!("shop.{extension}"))).unwrap();
    }
    assert_eq!(certs(&server, &["reload"])["served"], 1);
    server.wait_for_log("certificate withdrawn");
    assert!(shown_to(&server, &shop).0 == kept(server.setup.crt(HOST)), "the default");
    // By a signal, too: this one is behind a link, where nobody hears of changes.
    for extension in ["crt", "key"] {
        let (to, link) = (elsewhere.join(format!("one.{extension}")), certs_dir.join(format!("linked.{extension}")));
        std::os::unix::fs::symlink(to, link).unwrap();
    }
    server.wait_for_log("certificate loaded certificate=linked");
    copy_pair((&elsewhere, "two"), (&elsewhere, "one"));
    server.signal("HUP");
    server.wait_for_line("the linked pair anew", |line| line.contains(" reloaded "));
    assert!(shown_to(&server, &shop).0 == kept(elsewhere.join("two.crt")));
    // Without a server there is nobody to reload.
    let setup = server.stop();
    let (status, _, stderr) = run(setup.dovetail().args(["certs", "reload"]));
    assert!(!status.success() && stderr.contains("no server is running"), "{stderr}");
}

#[test]
fn a_pair_that_the_tls_provider_refuses_is_never_served() {
    if !have("openssl") {
        return;
    }
    let server = Setup::mail().start();
    let certs_dir = server.setup.certs();
    let elsewhere = server.setup.dir.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    by_openssl(&elsewhere, "good", "shop.test", &[]);
    by_openssl(&elsewhere, "bad", "shop.test", &UNKNOWN_EXTENSION);
    copy_pair((&elsewhere, "good"), (&certs_dir, "shop"));
    certs(&server, &["reload"]);
    let shop = ["-servername", "shop.test"];
    let good = kept(elsewhere.join("good.crt"));
    assert!(shown_to(&server, &shop).0 == good);

    copy_pair((&elsewhere, "bad"), (&certs_dir, "shop"));
    let (status, _, stderr) = run(server.dovetail().args(["certs", "reload"]));
    assert_eq!(status.code(), Some(1), "{stderr}");
    for part in ["shop.crt", "shop.key", "criticalextension"] {
        assert!(stderr.to_lowercase().contains(part), "{part}: {stderr}");
    }
    assert!(shown_to(&server, &shop).0 == good, "the version before it");
    server.wait_for_log("shop.key can't be used");

    // At a cold start there is no version before it: it is named, and nobody gets it.
    let setup = server.stop();
    let server = setup.start();
    server.wait_for_log("shop.key can't be used");
    let shown = shown_to(&server, &shop);
    assert!(shown.0 == kept(server.setup.crt(HOST)), "{}", shown.1);
    // Named by a listener, the server does not start.
    let setup = server.stop();
    let config = std::fs::read_to_string(&setup.config).unwrap();
    let named = config.replace("\"imaps\": (", "\"imaps\": (certificate: \"shop\", ");
    std::fs::write(&setup.config, &named).unwrap();
    let (status, _, stderr) = run(setup.dovetail().arg("serve"));
    assert!(!status.success());
    assert!(stderr.contains("listener `imaps`: the certificate `shop` cannot be served"), "{stderr}");
    // A good one, and it does.
    copy_pair((&elsewhere, "good"), (&certs_dir, "shop"));
    let server = setup.start();
    assert_eq!(explain(&server, &["imaps"])["certificate"]["name"], "shop");
}

#[test]
fn a_bad_pair_that_nobody_names_does_not_keep_the_server_from_starting() {
    let setup = Setup::mail();
    let folder = setup.certs();
    std::fs::create_dir_all(&folder).unwrap();
    for name in [HOST, "broken"] {
        run_ok(dovetail().args(["certs", "create", "--name", name, "--san", HOST, "--dir"]).arg(&folder));
    }
    std::fs::remove_file(folder.join("broken.key")).unwrap();
    let server = setup.start();
    assert!(server.log().contains("broken.key can't be used"), "{}", server.log());
    let mut client = server.connect_tls("pop3s");
    assert!(client.line().starts_with("+OK"));
}

#[test]
fn tickets_end_with_their_certificate() {
    let server = Setup::mail().start();
    let folder = server.setup.dir.path().join("other");
    run_ok(dovetail().args(["certs", "create", "--name", HOST, "--san", HOST, "--dir"]).arg(&folder));
    let mut roots = rustls::RootCertStore::empty();
    for path in [server.setup.crt(HOST), folder.join(format!("{HOST}.crt"))] {
        roots.add(certificate(path)).unwrap();
    }
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = std::sync::Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    // A whole session, so that the ticket comes through.
    let session = || {
        let name = HOST.try_into().unwrap();
        let mut tls = rustls::ClientConnection::new(config.clone(), name).unwrap();
        let mut tcp = std::net::TcpStream::connect(server.address("pop3s")).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
        stream.write_all(b"QUIT\r\n").unwrap();
        std::io::Read::read_to_end(&mut stream, &mut Vec::new()).unwrap();
        tls.handshake_kind().unwrap() == rustls::HandshakeKind::Resumed
    };
    assert_eq!([session(), session()], [false, true]);
    copy_pair((&folder, HOST), (&server.setup.certs(), HOST));
    assert_eq!(certs(&server, &["reload"])["broken"], serde_json::json!({}));
    assert_eq!([session(), session()], [false, true], "the ticket was for another certificate");
}

#[test]
fn tls_explain_says_who_gets_what_and_why() {
    let config = MAIL_CONFIG
        .replace("\"imaps\": (", "\"imaps\": (certificate: \"own\", tls_profile: Modern, session_tickets: false, ");
    let config = config.replace(
        "\"pop3\": (protocol: \"pop3\", bind: [\"127.0.0.1:0\"], tls: Explicit)",
        "\"pop3\": (protocol: \"pop3\", bind: [\"127.0.0.1:0\"], tls: Off)",
    );
    assert!(config.contains("tls: Off"));
    let setup = Setup::mail_with(&config);
    let folder = setup.certs();
    std::fs::create_dir_all(&folder).unwrap();
    for (name, host) in [(HOST, HOST), ("own", "own.test"), ("wild", "*.wild.test")] {
        run_ok(dovetail().args(["certs", "create", "--name", name, "--san", host, "--dir"]).arg(&folder));
    }
    let server = setup.start();
    for (words, name, reason) in [
        (&["submission"][..], HOST, "default"),
        (&["submission", "elsewhere.test"], HOST, "default"),
        (&["submission", "OWN.test."], "own", "exact"),
        (&["smtp", "a.wild.test"], "wild", "wildcard"),
        (&["imaps", "a.wild.test"], "wild", "wildcard"),
        (&["imaps", "elsewhere.test"], "own", "listener"),
        (&["imaps"], "own", "listener"),
    ] {
        let certificate = &explain(&server, words)["certificate"];
        assert_eq!((&certificate["name"], &certificate["reason"]), (&name.into(), &reason.into()), "{words:?}");
    }
    let explained = explain(&server, &["imaps", "own.test"]);
    assert_eq!(explained["versions"], serde_json::json!(["TLS 1.3"]));
    assert_eq!((&explained["alpn"], &explained["tls"]), (&serde_json::json!(["imap"]), &"implicit".into()));
    assert_eq!((&explained["session_tickets"], &explained["client_certificates"]), (&false.into(), &"off".into()));
    assert_eq!(explained["provider"]["plugin"], "tls-rustls");
    // It is what a client sees.
    let sha256 = explained["certificate"]["pairs"][0]["sha256"].as_str().unwrap();
    assert_eq!(certs(&server, &["show", "own"])["chain"][0]["sha256"], sha256);
    let text = run_ok(server.dovetail().args(["tls", "explain", "submission", "a.wild.test"]));
    for part in [
        "gets the certificate \"wild\": the name fits *.wild.test in it",
        "TLS 1.2 and TLS 1.3",
        "ALPN",
        "tls-rustls 1",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for (words, complaint) in [
        (&["pop3"][..], "does no TLS"),
        (&["nothing"], "there is no listener `nothing` (there are "),
        (&["imaps", "192.0.2.1"], "an address is no server name"),
    ] {
        let (status, stdout, stderr) = run(server.dovetail().args(["tls", "explain"]).args(words));
        assert!(!status.success() && stdout.is_empty() && stderr.contains(complaint), "{words:?}: {stderr}");
    }
    // No certificate for it any more.
    for extension in ["crt", "key"] {
        std::fs::remove_file(folder.join(format!("own.{extension}"))).unwrap();
    }
    certs(&server, &["reload"]);
    let (status, stdout, _) = run(server.dovetail().args(["tls", "explain", "imaps"]));
    assert!(!status.success());
    assert!(stdout.contains("gets no certificate") && stdout.contains("there is no certificate \"own\""), "{stdout}");
}

#[test]
fn the_log_and_the_figures_tell_of_what_expires_and_of_each_reload() {
    let setup = Setup::mail_with(&metrics::config("metrics: (bind: [\"127.0.0.1:0\"])"));
    let folder = setup.certs();
    for (name, days) in [(HOST, "365"), ("soon", "14")] {
        let mut create = dovetail();
        create.args(["certs", "create", "--name", name, "--san", name, "--days", days, "--san", "x.test", "--dir"]);
        run_ok(create.arg(&folder));
    }
    let server = setup.start();
    let said = server.wait_for_log("\"soon\" expires in 13 days");
    assert!(said.contains(" WARN ") || said.contains("warn"), "{said}");
    assert!(!server.log().contains(&format!("\"{HOST}\" expires")), "{}", server.log());
    let figure = |name: &str| {
        let page = metrics::page(&server);
        let series = format!("dovetail_certs_{name}plugin=\"cert-store\"}}");
        *page.get(&series).unwrap_or_else(|| panic!("no {series} in {page:#?}"))
    };
    let (soon, far) = (figure("not_after_seconds{certificate=\"soon\","), figure("soonest_not_after_seconds{"));
    assert!(soon == far && soon > 1.7e9, "{soon} {far}");
    assert!(figure(&format!("not_after_seconds{{certificate=\"{HOST}\",")) > soon);
    let before = (figure("generation{"), figure("pairs_read_total{outcome=\"good\","));
    assert_eq!((figure("served{"), figure("broken{")), (2.0, 0.0));
    run_ok(server.dovetail().args(["certs", "create", "--name", "soon", "--san", "soon.test", "--replace"]));
    let after = (figure("generation{"), figure("pairs_read_total{outcome=\"good\","));
    assert!(after.0 > before.0 && after.1 > before.1, "{before:?} {after:?}");
    assert!(figure("not_after_seconds{certificate=\"soon\",") > soon);
    std::fs::write(folder.join("soon.crt"), "nothing").unwrap();
    run(server.dovetail().args(["certs", "reload"]));
    assert!(figure("reloads_total{outcome=\"failed\",") >= 1.0 && figure("reloads_total{outcome=\"changed\",") >= 1.0);
    assert_eq!((figure("served{"), figure("broken{")), (2.0, 1.0));
}
