//! What the pair is called, and what becomes of one that has the name already.

use crate::certs_import::{
    case::{bad, good, warn, Case},
    workshop::Workshop,
};

const MAKE: &str = "
openssl req -config req.cnf -extensions v3 -x509 -new -key ec.key -days 60 -out ec-renewed.crt
cp ec.crt 'my mail (1).crt'
cp ec.crt ...crt
printf rubbish >rubbish.key
openssl pkcs8 -topk8 -in ec.key -passout pass:x -out locked.key
";

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    let ec = |case: Case| case.key("ec.key");
    let named = |name: &str| {
        ec(bad(&format!("name-{}", name.len()), "ec.crt", "can't name a certificate")).words(&["--name", name])
    };
    // The answer of an authority to a request that was made here: the key is found in the folder.
    let answer = |case: Case| case.chain(2, "root.crt");
    shop.join("answer.cer", &["leaf.crt", "mid.crt"]);
    vec![
        ec(good("same-key-replaces-the-certificate", "ec-renewed.crt"))
            .after("ec.crt", "ec.key")
            .publishes("ec-renewed.crt"),
        ec(good("same-pair-again", "ec.crt")).after("ec.crt", "ec.key"),
        ec(good("same-key-with-replace", "ec-renewed.crt")).after("ec.crt", "ec.key").words(&["--replace"]),
        ec(good("another-key-with-replace", "ec.crt"))
            .after("other.crt", "other.key")
            .words(&["--replace"])
            .publishes("ec.crt"),
        good("another-kind-with-replace", "rsa.crt").key("rsa.key").after("ec.crt", "ec.key").words(&["--replace"]),
        answer(good("answer-to-a-request", "answer.cer"))
            .among(&[("leaf.key", "mail.key"), ("leaf.crt", "mail.crt")])
            .becomes("mail"),
        answer(good("answer-for-a-lone-key", "answer.cer")).among(&[("leaf.key", "mail.key")]).becomes("mail"),
        answer(good("answer-under-another-name", "answer.cer"))
            .among(&[("leaf.key", "mail.key"), ("leaf.crt", "mail.crt")])
            .words(&["--name", "copy"])
            .becomes("copy"),
        ec(good("name-given", "ec.crt")).words(&["--name", "mail.example.test"]).becomes("mail.example.test"),
        ec(good("name-of-the-file", "my mail (1).crt")).in_place().becomes("my-mail--1-"),
        ec(good("lone-certificate-with-replace", "ec.crt"))
            .among(&[("other.crt", "lone.crt")])
            .words(&["--name", "lone", "--replace"])
            .becomes("lone"),
        warn("answer-without-chain", "leaf.crt", "isn't in the file")
            .among(&[("leaf.key", "mail.key")])
            .becomes("mail"),
        ec(bad("name-in-use-with-another-key", "ec.crt", "has another key"))
            .after("other.crt", "other.key")
            .says("--replace"),
        ec(bad("name-in-use-by-hand", "ec.crt", "has another key"))
            .among(&[("other.crt", "mail.crt"), ("other.key", "mail.key")])
            .words(&["--name", "mail"]),
        ec(bad("name-in-use-by-a-lone-key", "ec.crt", "has another key"))
            .among(&[("other.key", "mail.key")])
            .words(&["--name", "mail"]),
        ec(bad("name-in-use-by-a-lone-certificate", "ec.crt", "without a key"))
            .among(&[("other.crt", "mail.crt")])
            .words(&["--name", "mail"])
            .says("--replace"),
        ec(bad("name-in-use-by-rubbish", "ec.crt", "its key can't be read"))
            .among(&[("other.crt", "mail.crt"), ("rubbish.key", "mail.key")])
            .words(&["--name", "mail"])
            .says("--replace"),
        ec(bad("name-in-use-by-a-locked-key", "ec.crt", "its key can't be read"))
            .among(&[("ec.crt", "mail.crt"), ("locked.key", "mail.key")])
            .words(&["--name", "mail"]),
        bad("no-key-anywhere", "rsa.crt", "no private key in what you brought").says("--key"),
        bad("no-key-among-others", "ec.crt", "no private key in what you brought").among(&[("other.key", "mail.key")]),
        ec(bad("no-name-in-the-files-name", "...crt", "give one with --name")).in_place(),
        named("../out"),
        named("a/b"),
        named(".hidden"),
        named("with blank"),
        named(&"x".repeat(129)),
    ]
}
