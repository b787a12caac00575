//! Chains in every disorder: put in order by signatures, duplicates dropped, the root and strangers dropped with a warning.

use crate::certs_import::{
    case::{bad, good, warn, Case},
    workshop::Workshop,
};

/// An intermediate that expired, beside one that is valid; one of the same name with another key; a root that another root
/// vouches for, too; intermediates that are weak, or none.
const MAKE: &str = "
openssl req -config req.cnf -new -key mid.key -subj /CN=mid -out mid-again.req
openssl x509 -req -in mid-again.req -CA root.crt -CAkey root.key -days -1 -extfile req.cnf -extensions ca -set_serial 77 -out mid-old.crt 2>/dev/null
openssl req -config req.cnf -extensions ca -x509 -new -key other.key -subj /CN=mid -days 30 -out mid-false.crt
openssl req -config req.cnf -extensions ca -x509 -new -key other.key -subj '/CN=Older Root' -days 30 -out older-root.crt
openssl req -config req.cnf -new -key root.key -subj '/CN=Test Root' -out root.req
openssl x509 -req -in root.req -CA older-root.crt -CAkey other.key -days 30 -extfile req.cnf -extensions ca -set_serial 78 -out root-crossed.crt 2>/dev/null
openssl req -config req.cnf -new -key ec.key -subj /CN=direct -out direct.req
openssl x509 -req -in direct.req -CA root.crt -CAkey root.key -days 20 -extfile req.cnf -extensions v3 -set_serial 79 -out direct.crt 2>/dev/null
cat root.crt older-root.crt >roots.pem
above() { # NAME EXTENSIONS OPTIONS...: a certificate for mid.key by the root
  name=$1 extensions=$2 && shift 2
  openssl x509 -req -in mid-again.req -CA root.crt -CAkey root.key -days 30 -extfile req.cnf -extensions $extensions -set_serial 80 -out $name.crt \"$@\" 2>/dev/null
}
above mid-sha1 ca -sha1
above mid-no-ca v3
below() { # NAME OPTIONS... of genpkey: an authority with this key, and a certificate for ec.key by it
  name=$1 && shift
  openssl genpkey -out $name.key -algorithm \"$@\" 2>/dev/null
  openssl req -config req.cnf -new -key $name.key -subj /CN=$name -out $name.req
  openssl x509 -req -in $name.req -CA root.crt -CAkey root.key -days 30 -extfile req.cnf -extensions ca -set_serial 81 -out $name.crt 2>/dev/null
  openssl x509 -req -in direct.req -CA $name.crt -CAkey $name.key -days 20 -extfile req.cnf -extensions v3 -set_serial 82 -out by-$name.crt 2>/dev/null
}
below authority-1024 RSA -pkeyopt rsa_keygen_bits:1024
below authority-p521 EC -pkeyopt ec_paramgen_curve:P-521 -pkeyopt ec_param_enc:named_curve
below authority-ed448 ED448
: >many.pem
for i in $(seq 65); do cat leaf.crt >>many.pem; done
";

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    let mut cases = Vec::new();
    let mut add =
        |case: fn(&str, &str) -> Case, what: &str, files: &[&str], length: usize, root: &str, said: &[&str]| {
            let file = format!("chain-{what}.pem");
            shop.join(&file, files);
            let made = case(&format!("chain-{what}"), &file).chain(length, root);
            cases.push(said.iter().fold(made, |made, said| made.says(*said)));
        };
    let silent: fn(&str, &str) -> Case = good;
    let loud: fn(&str, &str) -> Case = |what, file| Case { said: Vec::new(), ..warn(what, file, "") };
    let (root, left_out) = ("root.crt", "\"CN=Test Root\" was left out");
    add(silent, "in-order", &["leaf.crt", "mid.crt", "leaf.key"], 2, root, &[]);
    add(silent, "reversed", &["mid.crt", "leaf.crt", "leaf.key"], 2, root, &[]);
    add(silent, "key-between", &["mid.crt", "leaf.key", "leaf.crt"], 2, root, &[]);
    add(silent, "long", &["deep.crt", "three.crt", "two.crt", "one.crt", "deep.key"], 4, root, &[]);
    add(silent, "long-shuffled", &["two.crt", "deep.crt", "one.crt", "three.crt", "deep.key"], 4, root, &[]);
    add(silent, "long-reversed", &["one.crt", "two.crt", "three.crt", "deep.crt", "deep.key"], 4, root, &[]);
    add(silent, "duplicated", &["leaf.crt", "mid.crt", "mid.crt", "leaf.crt", "leaf.key"], 2, root, &[]);
    add(silent, "crossed-root", &["leaf.crt", "mid.crt", "root-crossed.crt", "leaf.key"], 3, "older-root.crt", &[]);
    add(loud, "root", &["leaf.crt", "mid.crt", "root.crt", "leaf.key"], 2, root, &[left_out]);
    add(loud, "root-first", &["root.crt", "mid.crt", "leaf.crt", "leaf.key"], 2, root, &[left_out]);
    add(
        loud,
        "long-root-shuffled",
        &["root.crt", "two.crt", "deep.crt", "one.crt", "three.crt", "deep.key"],
        4,
        root,
        &[left_out],
    );
    add(loud, "direct-with-root", &["direct.crt", "root.crt", "ec.key"], 1, root, &[left_out]);
    add(loud, "stranger", &["leaf.crt", "mid.crt", "other.crt", "leaf.key"], 2, root, &["it isn't part of the chain"]);
    add(
        loud,
        "strangers-and-root",
        &["other.crt", "root.crt", "mid.crt", "p384.crt", "leaf.crt", "leaf.key"],
        2,
        root,
        &[left_out, "it isn't part of the chain", "it isn't part of the chain"],
    );
    add(
        loud,
        "expired-intermediate-beside-a-valid-one",
        &["leaf.crt", "mid-old.crt", "mid.crt", "leaf.key"],
        2,
        root,
        &["it isn't part of the chain"],
    );
    add(
        loud,
        "same-name-another-key",
        &["leaf.crt", "mid-false.crt", "mid.crt", "leaf.key"],
        2,
        root,
        &["it isn't part of the chain"],
    );
    add(
        loud,
        "sha1-intermediate-beside-a-better-one",
        &["leaf.crt", "mid-sha1.crt", "mid.crt", "leaf.key"],
        2,
        root,
        &["it isn't part of the chain"],
    );
    add(silent, "of-p521", &["by-authority-p521.crt", "authority-p521.crt", "ec.key"], 2, root, &[]);
    add(silent, "of-ed448", &["by-authority-ed448.crt", "authority-ed448.crt", "ec.key"], 2, root, &[]);
    add(silent, "direct-from-a-known-root", &["direct.crt", "ec.key"], 1, root, &[]);
    let mut weak = |what: &str, files: &[&str], length: usize, said: &str| {
        let file = format!("chain-{what}.pem");
        shop.join(&file, files);
        cases.push(Case { chain: length, ..warn(&format!("chain-{what}"), &file, said) });
    };
    let of_two = ["deep.crt", "three.crt", "two.crt", "deep.key"];
    weak("missing-further-up", &of_two, 3, "the issuer of \"CN=two\", \"CN=one\" isn't in the file");
    weak("expired-intermediate", &["leaf.crt", "mid-old.crt", "leaf.key"], 2, "\"CN=mid\" of the chain expired on");
    weak(
        "sha1-intermediate",
        &["leaf.crt", "mid-sha1.crt", "leaf.key"],
        2,
        "\"CN=mid\" of the chain is signed with SHA-1",
    );
    weak(
        "issuer-without-ca",
        &["leaf.crt", "mid-no-ca.crt", "leaf.key"],
        2,
        "\"CN=mid\" of the chain isn't an authority's",
    );
    weak(
        "intermediate-of-1024-bits",
        &["by-authority-1024.crt", "authority-1024.crt", "ec.key"],
        2,
        "\"CN=authority-1024\" of the chain has a key of RSA 1024",
    );
    cases.extend([
        warn("chain-missing", "leaf.crt", "its issuer \"CN=mid\" isn't in the file").key("leaf.key"),
        good("chain-in-the-key-file", "leaf.crt").key("chain-in-order.pem").chain(2, root),
        bad("chain-without-leaf", "mid.crt", "doesn't belong to the certificate").key("leaf.key"),
        bad("chain-of-too-many", "many.pem", "more than 64").key("leaf.key"),
    ]);
    cases
}
