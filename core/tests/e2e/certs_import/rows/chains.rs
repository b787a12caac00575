//! Chains in every disorder: put in order by signatures, duplicates dropped, the root and strangers dropped with a warning.

use crate::certs_import::{
    case::{bad, good, warn, Case},
    workshop::Workshop,
};

/// An intermediate that expired, beside one that is valid; one of the same name with another key; a root that another root
/// vouches for, too.
const MAKE: &str = "
openssl req -config req.cnf -new -key mid.key -subj /CN=mid -out mid-again.req
openssl x509 -req -in mid-again.req -CA root.crt -CAkey root.key -days -1 -extfile req.cnf -extensions ca -set_serial 77 -out mid-old.crt 2>/dev/null
openssl req -config req.cnf -extensions ca -x509 -new -key other.key -subj /CN=mid -days 30 -out mid-false.crt
openssl req -config req.cnf -extensions ca -x509 -new -key other.key -subj '/CN=Older Root' -days 30 -out older-root.crt
openssl req -config req.cnf -new -key root.key -subj '/CN=Test Root' -out root.req
openssl x509 -req -in root.req -CA older-root.crt -CAkey other.key -days 30 -extfile req.cnf -extensions ca -set_serial 78 -out root-crossed.crt 2>/dev/null
openssl req -config req.cnf -new -key ec.key -subj /CN=direct -out direct.req
openssl x509 -req -in direct.req -CA root.crt -CAkey root.key -days 20 -extfile req.cnf -extensions v3 -set_serial 79 -out direct.crt 2>/dev/null
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
    cases.extend([
        warn("chain-missing", "leaf.crt", "its issuer \"CN=mid\" isn't in the file").key("leaf.key"),
        good("chain-in-the-key-file", "leaf.crt").key("chain-in-order.pem").chain(2, root),
        bad("chain-without-leaf", "mid.crt", "doesn't belong to the certificate").key("leaf.key"),
        bad("chain-of-too-many", "many.pem", "more than 64").key("leaf.key"),
    ]);
    cases
}
