//! `dovetail accounts add-certificate`, `remove-certificate` and `certificates`, with a running server and without.

use super::*;
use crate::harness::run;
use serde_json::Value;

#[test]
fn certificates_are_added_listed_and_removed() {
    if !have("openssl") {
        return;
    }
    let (setup, users) = setup(&config("tls-rustls", OPTIONAL, "", PATIENT));
    let laptop = users.issue("laptop");
    let key = {
        let mut command = Command::new("sh");
        let words = "openssl x509 -noout -pubkey -in laptop.pem | openssl pkey -pubin -outform DER | sha256sum";
        run_ok(command.current_dir(&users.0).args(["-c", words])).split(' ').next().unwrap().to_uppercase()
    };
    let accounts = |words: &[&str]| run(setup.dovetail().arg("accounts").args(words));
    let crt = laptop.crt.to_str().unwrap();
    let (status, said, _) = accounts(&["add-certificate", USER, "--cert", crt, "--note", "the laptop"]);
    assert!(status.success() && said.replace(':', "").contains(&key) && said.contains("the laptop"), "{said}");
    let file = fs::read_to_string(setup.data_dir().join("accounts.ron")).unwrap();
    assert!(file.replace(':', "").contains(&key), "{file}");
    let (status, said, _) = accounts(&["certificates"]);
    assert!(status.success() && said.contains(USER) && said.contains("the laptop"), "{said}");
    for (words, want) in [
        (&["add-certificate", "bob@example.test", "--cert", crt][..], "logs in to ann@example.test already"),
        (&["add-certificate", USER, "--cert", laptop.key.to_str().unwrap()], "there is no certificate in it"),
        (&["remove-certificate", USER, "--key", "AB:CD"], "64 hexadecimal digits"),
        (&["remove-certificate", USER], "--cert FILE or --key"),
        (&["certificates", "bob@example.test"], "there is no account bob@example.test"),
    ] {
        let (status, _, said) = accounts(words);
        assert!(!status.success() && said.contains(want) && said.lines().count() == 1, "{words:?}: {said}");
    }

    // With the server running each change holds at the next login, in the same TLS session even.
    let server = setup.start();
    let (mut client, _) = inside(&server, "imaps", &person(&server.setup, Some(&laptop), VERSIONS[1]));
    run_ok(server.dovetail().args(["accounts", "remove-certificate", USER, "--key", &key]));
    assert!(log_in(&mut client, "imaps", "", Way::Initial).starts_with("a NO"));
    add_certificate(&server.setup, USER, &laptop);
    assert!(log_in(&mut client, "imaps", "", Way::Initial).starts_with("a OK"));
    let told = run_ok(server.dovetail().args(["--json", "accounts", "certificates", USER]));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["certificates"][0]["note"], "CN=laptop", "{told}");
}
