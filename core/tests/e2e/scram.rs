//! SCRAM-SHA-256 and -PLUS in SMTP, POP3 and IMAP: with a client that shares nothing with the server (Python's hashes over
//! `openssl s_client` and `gnutls-cli`), and with GNU SASL.

use crate::{
    harness::{have, plugin_dir, run, run_ok, Server, Setup, MAIL_CONFIG, PASSWORD, USER},
    mail::plain,
    tls::HOST,
};
use serde_json::{json, Value};
use std::process::Command;

const PLAIN_TEXT: [&str; 3] = ["submission", "pop3", "imap"];
const IMPLICIT: [&str; 3] = ["submissions", "pop3s", "imaps"];
const SCRAM: &str = "SCRAM-SHA-256";
const PLUS: &str = "SCRAM-SHA-256-PLUS";

/// A server with quick keys, and no delay behind failed logins.
fn config() -> String {
    let config = MAIL_CONFIG
        .replace("domains: [\"example.test\"]", "domains: [\"example.test\"], scram_iterations: 10000")
        .replace("data_dir:", "login_blocking: (failures: 1000, delay_milliseconds: 0),\n    data_dir:");
    assert!(config.contains("scram_iterations") && config.contains("delay_milliseconds"));
    config
}

fn server() -> Server {
    Setup::mail_with(&config()).start()
}

fn tools() -> bool {
    have("openssl") && have("python3")
}

/// What a client wants of a listener: SCRAM-SHA-256 by [`USER`], under TLS 1.3.
fn wish(server: &Server, listener: &str) -> Value {
    json!({
        "protocol": if listener.starts_with("sub") { "smtp" } else { &listener[..4] },
        "address": server.address(listener).to_string(),
        "starttls": !listener.ends_with('s'),
        "tls": "1.3",
        "name": HOST,
        "ca": server.setup.crt(HOST),
        "mechanism": SCRAM,
        "user": USER,
        "password": PASSWORD,
    })
}

/// Has it tried; `changes` are made to the wish.
#[track_caller]
fn attempt(server: &Server, listener: &str, changes: &Value) -> Value {
    let mut wish = wish(server, listener);
    for (key, value) in changes.as_object().unwrap() {
        wish[key] = value.clone();
    }
    let said = run_ok(
        Command::new("timeout")
            .args(["120", "python3", "-I", "-c", include_str!("scram/client.py")])
            .arg(wish.to_string()),
    );
    serde_json::from_str(&said).unwrap()
}

#[track_caller]
fn assert_in(said: &Value) {
    let answer = said["answer"].as_str().unwrap();
    assert!(["235 2.7.0", "+OK", "b OK"].iter().any(|good| answer.starts_with(good)), "{said}");
    assert_eq!(said["signature"], true, "{said}");
}

/// Refused in the words for a wrong password.
#[track_caller]
fn assert_refused(said: &Value) {
    let words = [
        "535 5.7.8 Authentication credentials invalid",
        "-ERR [AUTH] Wrong name or password",
        "b NO [AUTHENTICATIONFAILED] Wrong name or password",
    ];
    assert!(words.contains(&said["answer"].as_str().unwrap()), "{said}");
    assert_eq!(said.get("signature"), None, "the server has proved itself to somebody: {said}");
}

#[test]
fn the_password_is_proved_in_every_protocol() {
    if !tools() {
        return;
    }
    let server = server();
    for listener in PLAIN_TEXT.iter().chain(&IMPLICIT) {
        let said = attempt(&server, listener, &json!({}));
        assert_in(&said);
        let mut offered = vec![PLUS, SCRAM, "PLAIN"];
        offered.extend(listener.starts_with("sub").then_some("LOGIN"));
        assert_eq!(said["offered"], json!(offered), "{listener}");
        assert_eq!(said["iterations"], 10000);
        assert_in(&attempt(&server, listener, &json!({"initial": false})));
    }
    // A login is a login: the line in the log and the account are those of PLAIN.
    server.wait_for_log(&format!("login account={USER} mechanism={SCRAM} "));
    assert!(!server.log().contains("login refused"), "{}", server.log());
}

#[test]
fn whoever_is_refused_hears_the_same() {
    if !tools() {
        return;
    }
    let server = server();
    for listener in IMPLICIT {
        assert_refused(&attempt(&server, listener, &json!({"password": "wrong"})));
        assert_refused(&attempt(&server, listener, &json!({"user": "nobody@example.test"})));
    }
    // What is wrong is found by code that the protocols share.
    let flaws = [
        json!({"user": "nobody"}),
        json!({"flaw": "nonce"}),
        json!({"flaw": "binding"}),
        json!({"act_as": "nobody@example.test"}),
        json!({"mechanism": PLUS, "flaw": "binding"}),
        json!({"mechanism": PLUS, "flaw": "unbound"}),
        json!({"mechanism": PLUS, "flaw": "type"}),
        json!({"flaw": "downgrade"}),
    ];
    let mut proofs = Vec::new();
    for (flaw, listener) in flaws.iter().zip(IMPLICIT.iter().cycle()) {
        let said = attempt(&server, listener, flaw);
        assert_refused(&said);
        proofs.extend(said.get("final").map(|last| last.as_str().unwrap().rsplit(",p=").next().unwrap().to_owned()));
    }
    assert!(!proofs.is_empty());
    for listener in IMPLICIT {
        let cancelled = attempt(&server, listener, &json!({"flaw": "cancel", "act_as": USER}));
        assert!(cancelled["answer"].as_str().unwrap().contains("cancelled"), "{cancelled}");
        assert_eq!(cancelled["signature"], true, "{cancelled}");
        // Who has learnt that its password is right was logged and reported before.
        // The log names the instance, which serves both listeners of a protocol.
        let instance = format!(" {} ", listener.trim_end_matches('s'));
        let is_login = |line: &str| line.contains(&format!("login account={USER} ")) && line.contains(&instance);
        server.wait_for_line("login", is_login);
        assert_eq!(server.log().lines().filter(|line| is_login(line)).count(), 1, "{}", server.log());
    }
    // The operator learns why; nobody learns a password, and no key is in the log.
    for reason in [
        "user=ann@example.test mechanism=SCRAM-SHA-256 status=\"the proof is wrong\"",
        "user=nobody@example.test mechanism=SCRAM-SHA-256 status=\"the proof is wrong\"",
        "status=\"the nonce is not that of this exchange\"",
        "mechanism=SCRAM-SHA-256 status=\"it is not bound to this TLS connection\"",
        "mechanism=SCRAM-SHA-256-PLUS status=\"it is not bound to this TLS connection\"",
        "status=\"it is bound by something else than tls-exporter\"",
        "status=\"the client was not shown that -PLUS is offered\"",
        "user=ann@example.test mechanism=SCRAM-SHA-256 status=Rejected",
    ] {
        server.wait_for_log(reason);
    }
    let accounts = accounts(&server.setup);
    let keys = accounts.split("SCRAM-SHA-256$").nth(1).unwrap();
    let stored = keys.split('$').nth(1).unwrap().split(':').next().unwrap();
    let log = server.log();
    assert!(!log.contains(PASSWORD) && !log.contains(stored), "{log}");
    assert!(proofs.iter().all(|proof| !log.contains(proof)), "{log}");
}

#[test]
fn a_proof_heard_once_is_worth_nothing_again() {
    if !tools() {
        return;
    }
    let server = server();
    for listener in IMPLICIT {
        // The same nonce of the client, so that all but the server's part is as it was.
        let heard = attempt(&server, listener, &json!({"nonce": "rOprNGfwEbeRWgbNEkqO"}));
        assert_in(&heard);
        let again = json!({"nonce": "rOprNGfwEbeRWgbNEkqO", "played": heard["final"]});
        assert_refused(&attempt(&server, listener, &again));
    }
}

#[test]
fn nobody_is_told_which_names_exist() {
    if !tools() {
        return;
    }
    let ask = |server: &Server, user: &str| {
        let said = attempt(server, "pop3s", &json!({"user": user, "password": "wrong"}));
        assert_refused(&said);
        (said["salt"].as_str().unwrap().to_owned(), said["iterations"].clone())
    };
    let server = server();
    let (real, nobody, other) =
        (ask(&server, USER), ask(&server, "nobody@example.test"), ask(&server, "nobody2@example.test"));
    assert_eq!((real.0.len(), &real.1), (nobody.0.len(), &nobody.1), "they look alike");
    assert!(real.0 != nobody.0 && nobody.0 != other.0);
    assert_eq!(ask(&server, "Nobody@Example.test"), nobody, "in either case of letters, as of names that exist");
    assert_eq!(ask(&server, USER), real);
    // Not by starting anew either.
    let server = server.stop().start();
    assert_eq!(ask(&server, "nobody@example.test"), nobody);
}

/// The configuration for each TLS provider.
fn providers(config: &str) -> Vec<String> {
    let mut configs = vec![config.to_owned()];
    match plugin_dir().join("libdovetail_tls_openssl.so").exists() {
        true => configs.push(config.replace("\"tls-rustls\": ()", "\"tls\": (plugin: \"tls-openssl\")")),
        false => {
            assert!(std::env::var_os("CI").is_none(), "tls-openssl is not built, and in CI nothing skips");
            eprintln!("SKIPPED: tls-openssl is not built; `cargo test --workspace` builds it");
        }
    }
    configs
}

/// Both versions; TLS 1.2 with the extended master secret.
#[test]
fn the_channel_is_bound_by_both_providers_and_versions() {
    if !tools() || !have("gnutls-cli") {
        return;
    }
    for config in providers(&config()) {
        let server = Setup::mail_with(&config).start();
        for (version, listeners) in [("1.3", PLAIN_TEXT), ("1.2", IMPLICIT)] {
            let plus = json!({"mechanism": PLUS, "tls": version});
            for listener in listeners {
                let said = attempt(&server, listener, &plus);
                assert_in(&said);
                assert_eq!(said["offered"][0], PLUS, "{listener}");
            }
            server.wait_for_log(&format!("login account={USER} mechanism={PLUS} tls=\"TLSv{version} "));
        }
        let other = json!({"mechanism": PLUS, "tls": "1.2", "flaw": "binding"});
        assert_refused(&attempt(&server, "imaps", &other));
    }
}

/// GNU SASL over GnuTLS: a client that people have.
#[test]
fn gnu_sasl_logs_in() {
    if !have("gsasl") {
        return;
    }
    let local = config().replace("hostname: \"mail.example.test\"", "hostname: \"localhost\"");
    for config in providers(&local) {
        let server = Setup::mail_with(&config).start();
        let gsasl = |listener: &str, protocol: &str, mechanism: &str, password: &str| {
            let mut command = Command::new("timeout");
            command.args(["60", "gsasl", protocol, "--starttls", "-m", mechanism, "-a", USER, "-p", password]);
            // It never says `y`: where it can bind it does, unless it is told not to.
            command.args((mechanism == SCRAM).then_some("--no-cb"));
            command.arg("--x509-ca-file").arg(server.setup.crt("localhost")).arg("localhost");
            command.arg(server.port(listener).to_string());
            run(&mut command)
        };
        for (listener, protocol) in [("submission", "--smtp"), ("imap", "--imap")] {
            for mechanism in [SCRAM, PLUS] {
                let (status, stdout, stderr) = gsasl(listener, protocol, mechanism, PASSWORD);
                assert!(status.success(), "{protocol} {mechanism}: {stdout}{stderr}\n{}", server.log());
                let line = format!("login account={USER} mechanism={mechanism} ");
                server.wait_for_line(&line, |it| it.contains(&line) && it.contains(&format!(" {listener} ")));
            }
        }
        let (status, stdout, _) = gsasl("imap", "--imap", PLUS, "wrong");
        assert!(!status.success(), "{stdout}");
        server.wait_for_log(&format!("login refused user={USER} mechanism={PLUS} "));
    }
}

#[test]
fn without_tls_there_is_nothing_to_bind_to() {
    if !tools() {
        return;
    }
    let insecure = config().replace("tls: Explicit)", "tls: Off, insecure_auth: true)");
    let server = Setup::mail_with(&insecure).start();
    for listener in PLAIN_TEXT {
        let clear = |flaw: &str| json!({"tls": null, "starttls": false, "flaw": flaw});
        let said = attempt(&server, listener, &clear(""));
        assert_in(&said);
        assert_eq!(said["offered"][0], SCRAM, "{listener}");
        // Who could bind was shown the truth here.
        assert_in(&attempt(&server, listener, &clear("downgrade")));
        let mut plus = clear("");
        plus["mechanism"] = json!(PLUS);
        let answer = attempt(&server, listener, &plus)["answer"].as_str().unwrap().to_owned();
        assert!(answer.contains("Mechanism not known here"), "{answer}");
    }
}

/// The accounts file, without its SCRAM keys or with another hash.
fn rewrite(setup: &Setup, change: impl Fn(&str) -> Option<String>) {
    let path = setup.data_dir().join("accounts.ron");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text.lines().filter_map(|line| match line.starts_with("//") {
        true => Some(line.to_owned()),
        false => change(line),
    });
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
}

fn without_keys(line: &str) -> Option<String> {
    (!line.trim_start().starts_with("scram:")).then(|| line.to_owned())
}

/// The accounts file without its comments.
fn accounts(setup: &Setup) -> String {
    let text = std::fs::read_to_string(setup.data_dir().join("accounts.ron")).unwrap();
    text.lines().filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn offered(server: &Server) -> Vec<String> {
    let mut client = server.connect_tls("submissions");
    client.line();
    let extensions = client.ehlo();
    let auth = extensions.iter().find_map(|line| line.strip_prefix("AUTH ")).unwrap();
    auth.split(' ').map(str::to_owned).collect()
}

/// Logs in by PLAIN, and waits until what that brought is written.
#[track_caller]
fn upgrade(server: &Server) {
    let mut client = server.connect_tls("submissions");
    client.line();
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {}", plain(USER, PASSWORD)), "235 ");
    server.wait_for_log("SCRAM keys or new hashes of passwords written");
}

#[test]
fn an_older_file_gets_keys_at_the_first_login_with_the_password() {
    if !tools() {
        return;
    }
    let setup = Setup::mail_with(&config());
    rewrite(&setup, without_keys);
    let old = accounts(&setup);
    assert!(!old.contains(": \"SCRAM-SHA-256$"), "{old}");
    let server = setup.start();
    assert_eq!(offered(&server), ["PLAIN", "LOGIN"], "an account could not use it");
    let said = attempt(&server, "pop3s", &json!({}));
    assert_eq!(said["answer"], "-ERR Mechanism not known here");

    upgrade(&server);
    let new = accounts(&server.setup);
    assert!(new.contains("scram: \"SCRAM-SHA-256$10000:"), "{new}");
    let hash = |text: &str| text.split("password: \"").last().unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(hash(&new), hash(&old), "the hash was good");
    assert_eq!(offered(&server), [PLUS, SCRAM, "PLAIN", "LOGIN"]);
    assert_in(&attempt(&server, "pop3s", &json!({})));
    // And so it stays.
    let server = server.kill().start();
    assert_in(&attempt(&server, "imaps", &json!({"mechanism": PLUS})));
}

#[test]
fn a_file_that_cannot_be_written_keeps_nobody_out() {
    let config = config().replace("scram_iterations:", "password_cache: (seconds: 0), scram_iterations:");
    let setup = Setup::mail_with(&config);
    rewrite(&setup, without_keys);
    let server = setup.start();
    let path = server.setup.data_dir().join("accounts.ron");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let log_in = || {
        let mut client = server.connect_tls("submissions");
        client.line();
        client.ehlo();
        client.expect(&format!("AUTH PLAIN {}", plain(USER, PASSWORD)), "235 ");
    };
    log_in();
    let line = server.wait_for_log("what is kept of passwords is not brought up to date");
    assert!(line.contains("accounts.ron is gone") && line.contains("at a later login"), "{line}");
    log_in();
    assert!(!path.exists(), "a file with one account would have dropped the others");

    // A mistake of whoever edits the file is none for ever: no reload is needed.
    std::fs::write(&path, "(accounts: {").unwrap();
    log_in();
    server.wait_for_line("the mistake", |line| line.contains("brought up to date") && line.contains("accounts.ron:1:"));
    log_in();
    log_in();
    std::fs::write(&path, text).unwrap();
    log_in();
    server.wait_for_log("SCRAM keys or new hashes of passwords written");
    let log = server.log();
    assert_eq!(log.matches("is not brought up to date").count(), 2, "each reason once: {log}");
    assert!(accounts(&server.setup).contains("scram: \"SCRAM-SHA-256$10000:"));
}

#[test]
fn a_password_changed_by_hand_ends_the_old_keys() {
    if !tools() {
        return;
    }
    let setup = Setup::mail_with(&config());
    setup.add_account("other@example.test", "a new password");
    let text = accounts(&setup);
    let hashes: Vec<&str> = text.split("password: \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let (ann, other) = (hashes[0], hashes[1]);
    rewrite(&setup, |line| Some(line.replace(ann, other)));
    let server = setup.start();
    assert_eq!(offered(&server), ["PLAIN", "LOGIN"]);
    let mut client = server.connect_tls("submissions");
    client.line();
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {}", plain(USER, "a new password")), "235 ");
    server.wait_for_log("SCRAM keys or new hashes of passwords written");
    assert_refused(&attempt(&server, "imaps", &json!({})));
    assert_in(&attempt(&server, "imaps", &json!({"password": "a new password"})));
}

#[test]
fn hashes_of_other_servers_become_ours() {
    if !tools() {
        return;
    }
    // `openssl passwd -6` of PASSWORD.
    let foreign = run_ok(Command::new("openssl").args(["passwd", "-6", PASSWORD]));
    let setup = Setup::mail_with(&config());
    rewrite(&setup, |line| match line.trim_start().starts_with("password:") {
        true => Some(format!("password: \"{{SHA512-CRYPT}}{}\",", foreign.trim())),
        false => without_keys(line),
    });
    let server = setup.start();
    let mut client = server.connect_tls("submissions");
    client.line();
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {}", plain(USER, "wrong")), "535 ");
    upgrade(&server);
    let new = accounts(&server.setup);
    assert!(
        !new.contains("$6$") && new.contains("\"$argon2id$v=19$") && new.contains("\"SCRAM-SHA-256$10000:"),
        "{new}"
    );
    assert_in(&attempt(&server, "pop3s", &json!({})));
    upgrade(&server);
}

#[test]
fn the_operator_decides() {
    if !tools() {
        return;
    }
    let with =
        |scram: &str| config().replace("scram_iterations: 10000", &format!("scram_iterations: 10000, scram: {scram}"));
    // Off: not offered, and no keys are made.
    let server = Setup::mail_with(&with("Off")).start();
    assert_eq!(offered(&server), ["PLAIN", "LOGIN"]);
    assert!(!accounts(&server.setup).contains(": \"SCRAM-SHA-256$"));
    assert_eq!(attempt(&server, "pop3s", &json!({}))["answer"], "-ERR Mechanism not known here");
    // On: offered, though an account without keys cannot use it yet.
    let setup = Setup::mail_with(&with("On"));
    rewrite(&setup, without_keys);
    let server = setup.start();
    assert_eq!(offered(&server), [PLUS, SCRAM, "PLAIN", "LOGIN"]);
    assert_refused(&attempt(&server, "pop3s", &json!({})));
    upgrade(&server);
    assert_in(&attempt(&server, "pop3s", &json!({})));
}

#[test]
fn guessers_are_shut_out() {
    if !tools() {
        return;
    }
    let strict = config().replace("failures: 1000", "failures: 3, block_seconds: 600");
    let server = Setup::mail_with(&strict).start();
    for (listener, changes) in [
        ("submissions", json!({"password": "wrong"})),
        ("pop3s", json!({"user": "nobody@example.test"})),
        ("imaps", json!({"mechanism": PLUS, "flaw": "binding"})),
    ] {
        assert_refused(&attempt(&server, listener, &changes));
    }
    let said = String::from_utf8(server.connect("pop3").rest()).unwrap();
    assert!(said.starts_with("-ERR [SYS/TEMP]"), "{said}");
}

#[test]
fn a_disabled_account_is_refused_in_the_same_words() {
    if !tools() {
        return;
    }
    let setup = Setup::mail_with(&config());
    setup.add_account("other@example.test", PASSWORD);
    rewrite(&setup, |line| match line.contains("other@example.test") {
        true => Some(format!("{line} enabled: false,")),
        false => Some(line.to_owned()),
    });
    let server = setup.start();
    assert_refused(&attempt(&server, "imaps", &json!({"user": "other@example.test"})));
    server.wait_for_log("user=other@example.test mechanism=SCRAM-SHA-256 status=Disabled");
}
