//! Who is not let in: by TLS, or by the directory. The client is not told why, and the log says it.

use super::*;
use crate::mail::plain;
use std::io::{self, BufRead, Write};

/// Whether TLS lets somebody in. With TLS 1.3 the client learns of it with the first octets that it reads.
fn is_inside(server: &Server, listener: &str, person: &Arc<ClientConfig>) -> bool {
    let ask = || -> io::Result<usize> {
        let mut client = enter(server, listener, person)?;
        let nothing = if listener.starts_with("imap") { "n NOOP\r\n" } else { "NOOP\r\n" };
        client.stream.get_mut().write_all(nothing.as_bytes())?;
        client.stream.read_line(&mut String::new())
    };
    ask().is_ok_and(|octets| octets > 0)
}

#[test]
fn tls_refuses_strangers_and_what_is_expired_or_revoked() {
    if !have("openssl") {
        return;
    }
    for provider in providers() {
        let (setup, users) = setup(&config(provider, OPTIONAL, "", PATIENT));
        let strangers = Authority::new(&setup, "strangers");
        let names = &[USER];
        let wanted = || Wanted { names, ..Wanted::default() };
        let good = users.issue_with("good", &wanted());
        let wrong = strangers.issue_with("wrong", &wanted());
        let dates = |from, until| Wanted { dates: Some([from, until]), ..wanted() };
        let expired = users.issue_with("expired", &dates("20200101000000Z", "20200201000000Z"));
        let early = users.issue_with("early", &dates("21000101000000Z", "21000201000000Z"));
        let revoked = users.issue_with("revoked", &wanted());
        users.revoke(&revoked);
        users.list();
        // What the directory knows of them makes no difference: it is not asked.
        add_certificate(&setup, USER, &wrong);
        add_certificate(&setup, USER, &revoked);
        let server = setup.start();
        for (at, listener) in LISTENERS.into_iter().enumerate() {
            for version in [VERSIONS[at % 2], VERSIONS[(at + 1) % 2]] {
                assert!(
                    is_inside(&server, listener, &person(&server.setup, Some(&good), version)),
                    "{provider} {listener}"
                );
                for bad in [&wrong, &expired, &early, &revoked] {
                    let person = person(&server.setup, Some(bad), version);
                    assert!(!is_inside(&server, listener, &person), "{provider} {listener} {:?}", bad.crt);
                }
            }
        }
        // The providers say it in words of their own.
        for reasons in
            [["no trust anchor vouches"; 2], ["expired"; 2], ["not valid yet", "not yet valid"], ["revoked"; 2]]
        {
            server.wait_for_line(reasons[0], |line| reasons.iter().any(|reason| line.contains(reason)));
        }
        assert!(!server.log().contains("mechanism=EXTERNAL"));
    }
}

#[test]
fn the_directory_refuses_whom_it_does_not_know_for_sure() {
    if !have("openssl") {
        return;
    }
    let (ann, bob, off) = (USER, "bob@example.test", "off@example.test");
    let (setup, users) = setup(&config("tls-rustls", OPTIONAL, "", PATIENT));
    setup.add_account(bob, PASSWORD);
    setup.add_account(off, PASSWORD);
    let accounts = setup.data_dir().join("accounts.ron");
    let text = fs::read_to_string(&accounts).unwrap();
    let (before, after) = text.split_once(&format!("\"{off}\": (")).unwrap();
    fs::write(&accounts, format!("{before}\"{off}\": (enabled: false,{after}")).unwrap();
    run_ok(setup.dovetail().args(["accounts", "alias", "info@example.test", "--to", ann]));
    let named = |name: &str, names: &[&str]| users.issue_with(name, &Wanted { names, ..Wanted::default() });
    let laptop = named("laptop", &[ann]);
    let cases = [
        (users.issue("nobody"), "", "stands for no account"),
        (named("elsewhere", &["ann@elsewhere.test"]), "", "stands for no account"),
        (named("alias", &["info@example.test"]), "", "stands for no account"),
        (named("tagged", &["ann+x@example.test"]), "", "stands for no account"),
        (named("two", &[ann, bob]), "", "stand for several accounts, ann@example.test and bob@example.test"),
        (named("two-chosen", &[bob, ann]), ann, "stand for several accounts"),
        (named("off", &[off]), "", "which is disabled"),
        (named("somebody", &[bob]), ann, "who may not act as somebody else"),
        (named("guess", &["eve@elsewhere.test"]), ann, "stands for no account"),
    ];
    let server = setup.start();
    for (user, act_as, reason) in &cases {
        for listener in LISTENERS {
            let person = person(&server.setup, Some(user), VERSIONS[1]);
            let (mut client, offered) = inside(&server, listener, &person);
            assert!(has_external(&offered), "{listener}: {offered:?}");
            let said = log_in(&mut client, listener, act_as, Way::Initial);
            assert!(said.starts_with(answers(listener)[1]), "{listener} {reason}: {said}");
            // The same words as for a wrong password.
            let (tag, guess) = match listener.trim_end_matches('s') {
                "imap" => ("b", format!("b AUTHENTICATE PLAIN {}", plain(ann, "guess"))),
                _ => ("", format!("AUTH PLAIN {}", plain(ann, "guess"))),
            };
            assert_eq!(client.ask(&guess).replacen(tag, "a", usize::from(!tag.is_empty())), said, "{listener}");
            // A password is as good as ever.
            let right = guess.replace(&plain(ann, "guess"), &plain(ann, PASSWORD));
            let answer = client.ask(&right);
            assert!(["235 ", "+OK", "b OK"].iter().any(|good| answer.starts_with(good)), "{listener}: {answer}");
        }
        let print = user.fingerprint();
        let line = server.wait_for_line(reason, |line| line.contains(reason) && line.contains(&print));
        assert!(line.contains("login refused") && line.contains("mechanism=EXTERNAL"), "{line}");
    }
    // The same server lets in whom it knows.
    let (mut client, _) = inside(&server, "imaps", &person(&server.setup, Some(&laptop), VERSIONS[1]));
    assert!(log_in(&mut client, "imaps", "", Way::Initial).starts_with("a OK"));
}

#[test]
fn refusals_count_against_the_address() {
    if !have("openssl") {
        return;
    }
    let strict = "login_blocking: (failures: 3, block_seconds: 600, delay_milliseconds: 0),";
    let (setup, users) = setup(&config("tls-rustls", OPTIONAL, "", strict));
    let nobody = users.issue("nobody");
    let server = setup.start();
    let person = person(&server.setup, Some(&nobody), VERSIONS[1]);
    for listener in ["submissions", "pop3s", "imaps"] {
        let (mut client, _) = inside(&server, listener, &person);
        assert!(log_in(&mut client, listener, "", Way::Initial).starts_with(answers(listener)[1]));
    }
    server.wait_for_log("too many failed logins: the address is shut out");
    assert!(enter(&server, "imaps", &person).is_err());
    let shut_out = run_ok(server.dovetail().arg("blocked"));
    assert!(shut_out.contains("127.0.0.1"), "{shut_out}");
}

#[test]
fn a_reload_and_the_config_decide_who_may_name_accounts() {
    if !have("openssl") {
        return;
    }
    // The authority is trusted with certificates, and not with saying who is who.
    let (setup, users) = setup(&config("tls-rustls", OPTIONAL, "certificate_logins: [Key]", PATIENT));
    let listed = users.issue("listed");
    let named = users.issue_with("named", &Wanted { names: &[USER], subject: Some(USER), ..Wanted::default() });
    add_certificate(&setup, USER, &listed);
    let server = setup.start();
    let comes_in = |user: &User| {
        let (mut client, _) = inside(&server, "imaps", &person(&server.setup, Some(user), VERSIONS[1]));
        log_in(&mut client, "imaps", "", Way::Initial).starts_with("a OK")
    };
    assert!(comes_in(&listed) && !comes_in(&named));
    let text = fs::read_to_string(&server.setup.config).unwrap();
    fs::write(&server.setup.config, text.replace("certificate_logins: [Key]", "certificate_logins: [Subject]"))
        .unwrap();
    run_ok(server.dovetail().arg("reload"));
    // The subject is not believed beside an alternative name.
    assert!(!comes_in(&listed) && !comes_in(&named));
    let by_subject = users.issue_with("subject", &Wanted { subject: Some(USER), ..Wanted::default() });
    assert!(comes_in(&by_subject));
    // Who says nothing believes alternative names, and no subject.
    fs::write(&server.setup.config, text.replace("certificate_logins: [Key]", "")).unwrap();
    run_ok(server.dovetail().arg("reload"));
    assert!(comes_in(&listed) && comes_in(&named) && !comes_in(&by_subject));
}

/// An issuer that may vouch for the people of elsewhere.test alone. OpenSSL looks at the subject too and refuses the certificate; with
/// rustls it is the directory that has to see through it.
#[test]
fn an_issuer_for_others_names_no_account_by_the_subject() {
    if !have("openssl") {
        return;
    }
    for provider in providers() {
        let (setup, users) =
            setup(&config(provider, "(mode: Optional, anchors: [\"users/ca.pem\"])", SUBJECTS_TOO, PATIENT));
        let mut people = Vec::new();
        let extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
        let bound = format!("{extensions}nameConstraints=critical,permitted;email:elsewhere.test\n");
        for (name, extensions, gets_in) in [("bound", &bound[..], false), ("free", extensions, true)] {
            let below = |file: &str| format!("{name}-{file}");
            fs::write(users.0.join(below("ca.ext")), extensions).unwrap();
            let (key, csr, crt) = (below("ca.key"), below("ca.csr"), below("ca.pem"));
            users.openssl("req -nodes", &["-keyout", &key, "-out", &csr, "-subj", &format!("/CN={name}")]);
            let signed_by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", &below("ca.ext")];
            users.openssl("x509 -req -days 9", &[&["-in", &csr, "-out", &crt][..], &signed_by].concat());
            let subject = format!("/CN=ann/emailAddress={USER}");
            let (leaf, leaf_key, leaf_csr) = (below("ann.pem"), below("ann.key"), below("ann.csr"));
            users.openssl("req -nodes", &["-keyout", &leaf_key, "-out", &leaf_csr, "-subj", &subject]);
            fs::write(users.0.join("leaf.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
            let signed_by = ["-CA", &crt, "-CAkey", &key, "-CAcreateserial", "-extfile", "leaf.ext"];
            users.openssl("x509 -req -days 9", &[&["-in", &leaf_csr, "-out", &leaf][..], &signed_by].concat());
            let chain = [leaf, crt].map(|file| fs::read_to_string(users.0.join(file)).unwrap()).concat();
            fs::write(users.0.join(below("chain.pem")), chain).unwrap();
            let ann = User { key: users.0.join(leaf_key), crt: users.0.join(below("chain.pem")) };
            people.push((ann, gets_in));
        }
        let server = setup.start();
        for (ann, gets_in) in &people {
            let person = person(&server.setup, Some(ann), VERSIONS[1]);
            if !gets_in && provider == "tls-openssl" {
                assert!(!is_inside(&server, "imaps", &person));
                continue;
            }
            let (mut client, _) = inside(&server, "imaps", &person);
            let said = log_in(&mut client, "imaps", "", Way::Initial);
            assert!(said.starts_with(answers("imaps")[usize::from(!gets_in)]), "{provider} {:?}: {said}", ann.crt);
        }
    }
}
