//! From a request to a certificate of an authority, with the server running: `openssl ca` signs what `certs create` and
//! `certs csr` wrote, and the answer is in service from the next handshake on. Nobody's handshake fails meanwhile.
//!
//! `DOVETAIL_HANDSHAKES` says how many handshakes there are at least (`cargo xtask soak` makes it 10,000).

use crate::{
    durable::number,
    handshakes::Handshakes,
    harness::{dovetail, have, run_ok, Server, Setup, MAIL_CONFIG},
    tls::{certificate, HOST},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const CLIENTS: usize = 4;

/// An authority with an intermediate one, as `openssl ca` keeps it.
struct Authority(PathBuf);

impl Authority {
    fn new(folder: PathBuf) -> Authority {
        fs::create_dir(&folder).unwrap();
        for (file, text) in [("ca.cnf", CA_CONFIG), ("index.txt", ""), ("serial", "1000\n")] {
            fs::write(folder.join(file), text).unwrap();
        }
        let authority = Authority(folder);
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30";
        authority.openssl(&format!(
            "req -config ca.cnf -x509 {key} -extensions ca -subj /CN=Root -keyout root.key -out root.pem"
        ));
        authority.openssl(
            &format!("req -config ca.cnf {key} -subj /CN=Intermediate -keyout ca.key -out ca.csr")
                .replace(" -days 30", ""),
        );
        authority.openssl(
            "x509 -req -in ca.csr -CA root.pem -CAkey root.key -set_serial 2 -days 30 -extfile ca.cnf -extensions ca -out ca.pem",
        );
        authority
    }

    fn openssl(&self, words: &str) -> String {
        run_ok(Command::new("openssl").args(words.split(' ')).current_dir(&self.0))
    }

    /// Signs a request; the answer as authorities send it, with the intermediate certificate.
    fn sign(&self, request: &Path, answer: &str) -> PathBuf {
        fs::copy(request, self.0.join("request.csr")).unwrap();
        self.openssl("req -in request.csr -verify -noout");
        self.openssl("ca -batch -notext -config ca.cnf -name this -in request.csr -out leaf.pem");
        let chain = [fs::read(self.0.join("leaf.pem")).unwrap(), fs::read(self.0.join("ca.pem")).unwrap()].concat();
        let answer = self.0.join(answer);
        fs::write(&answer, chain).unwrap();
        answer
    }

    /// Whether openssl trusts this certificate for a host by the root.
    #[track_caller]
    fn vouches_for(&self, crt: &Path, host: &str) {
        let crt = crt.display();
        self.openssl(&format!(
            "verify -CAfile root.pem -untrusted {crt} -verify_hostname {host} -purpose sslserver {crt}"
        ));
    }
}

/// As a public authority does it: names are taken from the request, nothing else.
const CA_CONFIG: &str = "\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
subjectKeyIdentifier = hash
[this]
database = index.txt
new_certs_dir = .
serial = serial
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 20
policy = names
x509_extensions = leaf
copy_extensions = copy
unique_subject = no
[names]
commonName = supplied
organizationName = optional
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
authorityKeyIdentifier = keyid
";

/// The server, and what is shown at last.
fn import(server: &Server, answer: &Path) -> serde_json::Value {
    let told = run_ok(server.dovetail().args(["--json", "certs", "import", "--cert"]).arg(answer));
    serde_json::from_str(&told).unwrap()
}

#[test]
fn the_answer_of_an_authority_takes_the_place_of_the_self_signed_certificate_and_no_handshake_fails() {
    if !have("openssl") {
        return;
    }
    let setup = Setup::mail_with(&MAIL_CONFIG.replace("(create_missing: true)", "()"));
    let authority = Authority::new(setup.dir.path().join("authority"));
    // Before there is a server: the first certificate.
    let names = ["--san", HOST, "--san", "imap.example.test", "--organization", "Example"];
    run_ok(
        dovetail()
            .args(["certs", "create", "--name", "mail", "--common-name", HOST])
            .args(names)
            .arg("--dir")
            .arg(setup.certs()),
    );
    let key = fs::read(setup.certs().join("mail.key")).unwrap();
    let (crt, csr) = (setup.crt("mail"), setup.certs().join("mail.csr"));
    let mut known = vec![certificate(&crt).to_vec()];
    let server = setup.start();
    let total = number("DOVETAIL_HANDSHAKES", 2_000);
    // For the first certificate, the answer, the answer to a further request, and one that was brought past the server.
    let part = total / 4;
    let handshakes = Handshakes::start(server.address("pop3s"), CLIENTS, &[HOST, "imap.example.test"]);
    handshakes.wait_until_shown(&known[0]);
    handshakes.wait_for(part);

    let mut serve = |answer: &Path, past_the_server: bool| {
        if past_the_server {
            run_ok(dovetail().args(["certs", "import", "--cert"]).arg(answer).arg("--dir").arg(server.setup.certs()));
        } else {
            let told = import(&server, answer);
            // The key says which pair the answer is for.
            assert_eq!((&told["name"], &told["replaced"]), (&"mail".into(), &"certificate".into()));
        }
        let leaf = certificate(&crt).to_vec();
        assert_eq!(leaf, certificate(answer).to_vec());
        assert!(!known.contains(&leaf));
        authority.vouches_for(&crt, HOST);
        authority.vouches_for(&crt, "imap.example.test");
        handshakes.wait_until_shown(&leaf);
        known.push(leaf);
        handshakes.wait_for(part * known.len() as u64);
    };
    serve(&authority.sign(&csr, "answer-1.cer"), false);
    // A year later: the same key asks again.
    let first = fs::read(&csr).unwrap();
    run_ok(server.dovetail().args(["certs", "csr", "mail"]));
    assert_ne!(fs::read(&csr).unwrap(), first, "no new request");
    serve(&authority.sign(&csr, "answer-2.cer"), false);
    serve(&authority.sign(&csr, "answer-3.cer"), true);

    let tally = handshakes.end();
    eprintln!("CSR round trip: {} handshakes, {} failed", tally.complete, tally.failures.len());
    assert_eq!(tally.failures, [""; 0]);
    assert!(tally.complete >= total, "{} handshakes", tally.complete);
    for shown in &tally.shown {
        // First the old certificate, then the new, and never back.
        assert!(shown.iter().eq(known.iter()), "a client was shown {} certificates in another order", shown.len());
    }
    assert_eq!(fs::read(server.setup.certs().join("mail.key")).unwrap(), key, "another key");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
