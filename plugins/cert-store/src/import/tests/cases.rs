//! The table: each case is named for what it proves, and made when the tests run.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use time::OffsetDateTime;

use crate::testing::openssl;

/// A key with its certificate, as PEM.
pub(super) struct Made {
    pub key: String,
    pub crt: String,
}

/// The subject of every root here, CN=Test Root.
pub(super) const TEST_ROOT: &[u8] = b"\x30\x14\x31\x12\x30\x10\x06\x03\x55\x04\x03\x0C\x09Test Root";

/// A root, an intermediate under it, and a server's certificate under that.
pub(super) struct Authority {
    pub root: String,
    pub intermediate: String,
    pub leaf: Made,
}

pub(super) fn authority() -> Authority {
    let ca = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let (root_key, middle_key, leaf_key) = (new_key(), new_key(), new_key());
    let root = ca("Test Root").self_signed(&root_key).unwrap().pem();
    let root_issuer = Issuer::new(ca("Test Root"), root_key);
    let middle = ca("Test Intermediate").signed_by(&middle_key, &root_issuer).unwrap().pem();
    let middle_issuer = Issuer::new(ca("Test Intermediate"), middle_key);
    let mut params = CertificateParams::new(vec!["mail.example.org".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "mail.example.org");
    let leaf = params.signed_by(&leaf_key, &middle_issuer).unwrap().pem();
    Authority { root, intermediate: middle, leaf: Made { key: leaf_key.serialize_pem(), crt: leaf } }
}

fn new_key() -> KeyPair {
    KeyPair::generate().unwrap()
}

pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn key(options: &[&str]) -> String {
    let mut args = vec!["genpkey", "-algorithm"];
    args.extend(options);
    text(openssl(&args, b""))
}

pub(super) fn ec_key() -> String {
    key(&["EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
}

pub(super) fn rsa_key() -> String {
    key(&["RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
}

/// A self-signed certificate for a key, made by openssl with further options.
fn signed(key: &str, options: &[&str]) -> String {
    let mut args = vec!["req", "-x509", "-new", "-key", "/dev/stdin", "-subj", "/CN=mail.example.org"];
    args.extend(options);
    text(openssl(&args, key.as_bytes()))
}

pub(super) fn self_signed(key: &str) -> String {
    signed(key, SAN)
}

const SAN: &[&str] =
    &["-addext", "subjectAltName=DNS:mail.example.org", "-addext", "basicConstraints=critical,CA:FALSE"];

pub(super) fn convert(args: &[&str], pem: &str) -> Vec<u8> {
    openssl(args, pem.as_bytes())
}

pub(super) enum Expected {
    Good,
    Warn(&'static str),
    Bad(&'static str),
}
pub(super) use Expected::{Bad, Good, Warn};

pub(super) struct Case {
    pub what: &'static str,
    pub cert: Vec<u8>,
    pub key: Option<Vec<u8>>,
    pub password: Option<&'static str>,
    pub expected: Expected,
}

pub(super) fn pair(what: &'static str, cert: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>, expected: Expected) -> Case {
    Case { what, cert: cert.into(), key: Some(key.into()), password: None, expected }
}

pub(super) fn combined(what: &'static str, both: impl Into<Vec<u8>>, expected: Expected) -> Case {
    Case { what, cert: both.into(), key: None, password: None, expected }
}

pub(super) fn forms_of_a_good_pair() -> Vec<Case> {
    let pkcs8 = ec_key();
    let crt = self_signed(&pkcs8);
    let sec1 = text(convert(&["ec"], &pkcs8));
    let parameters = text(openssl(&["ecparam", "-name", "prime256v1"], b""));
    let rsa = rsa_key();
    let rsa_crt = self_signed(&rsa);
    let pkcs1 = text(convert(&["rsa", "-traditional"], &rsa));
    let p384 = key(&["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]);
    let both = format!("{crt}{pkcs8}");
    let utf16: Vec<u8> = std::iter::once(0xFEFF).chain(both.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let der = |args: &[&str], pem: &str| convert(args, pem);
    let trusted = text(convert(&["x509", "-trustout", "-addtrust", "serverAuth"], &crt));
    vec![
        pair("good-pkcs8", crt.clone(), pkcs8.clone(), Good),
        pair("good-sec1", crt.clone(), sec1.clone(), Good),
        pair("good-sec1-with-parameters", crt.clone(), format!("{parameters}{sec1}"), Good),
        pair("good-pkcs1", rsa_crt.clone(), pkcs1.clone(), Good),
        pair("good-rsa-pkcs8", rsa_crt.clone(), rsa.clone(), Good),
        pair("good-p384", self_signed(&p384), p384, Good),
        pair("good-certificate-der", der(&["x509", "-outform", "DER"], &crt), pkcs8.clone(), Good),
        pair(
            "good-certificate-der-and-a-line-break",
            [der(&["x509", "-outform", "DER"], &crt), b"\r\n".to_vec()].concat(),
            pkcs8.clone(),
            Good,
        ),
        pair("good-key-pkcs8-der", crt.clone(), der(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &pkcs8), Good),
        pair("good-key-sec1-der", crt.clone(), der(&["ec", "-outform", "DER"], &pkcs8), Good),
        pair("good-key-pkcs1-der", rsa_crt, der(&["rsa", "-traditional", "-outform", "DER"], &rsa), Good),
        combined("good-combined-certificate-first", both.clone(), Good),
        combined("good-combined-key-first", format!("{pkcs8}{crt}"), Good),
        combined("good-combined-crlf", both.replace('\n', "\r\n"), Good),
        combined("good-combined-utf16", utf16, Good),
        combined("good-combined-bom-and-text", format!("\u{FEFF}subject=x\n{both}trailer"), Good),
        combined("good-trusted-certificate", format!("{trusted}{pkcs8}"), Good),
        combined("good-old-label", both.replace(" CERTIFICATE-", " X509 CERTIFICATE-"), Good),
        combined("good-same-key-and-certificate-twice", format!("{both}{both}"), Good),
        pair("good-key-file-is-the-combined-file", crt.clone(), both, Good),
        pair("good-sec1-labelled-pkcs8", crt.clone(), sec1.replace(" EC PRIVATE", " PRIVATE"), Good),
        pair("good-pkcs8-labelled-sec1", crt, pkcs8.replace(" PRIVATE", " EC PRIVATE"), Good),
    ]
}

pub(super) fn chains() -> Vec<Case> {
    let a = authority();
    let stranger = self_signed(&ec_key());
    let (leaf, key, middle, root) = (&a.leaf.crt, &a.leaf.key, &a.intermediate, &a.root);
    vec![
        combined("good-chain", format!("{leaf}{middle}{key}"), Good),
        combined("good-chain-reversed", format!("{middle}{leaf}{key}"), Good),
        combined("good-chain-duplicated", format!("{leaf}{middle}{middle}{leaf}{key}"), Good),
        combined("warn-chain-root", format!("{root}{middle}{leaf}{key}"), Warn("\"CN=Test Root\" was left out")),
        combined("warn-chain-stranger", format!("{leaf}{middle}{stranger}{key}"), Warn("isn't part of the chain")),
        combined("warn-chain-missing", format!("{leaf}{key}"), Warn("issuer \"CN=Test Intermediate\" isn't")),
        combined("bad-chain-without-leaf", format!("{middle}{root}{key}"), Bad("doesn't belong to the certificate")),
        combined("bad-too-many-certificates", format!("{}{key}", leaf.repeat(65)), Bad("more than 64")),
    ]
}

pub(super) fn doubtful_certificates() -> Vec<Case> {
    let k = ec_key();
    let ed25519 = key(&["ED25519"]);
    let with = |options: &[&str]| {
        let all: Vec<&str> = SAN.iter().chain(options).copied().collect();
        format!("{}{k}", signed(&k, &all))
    };
    let dated = |from: i64, to: i64| {
        let mut params = CertificateParams::new(vec!["mail.example.org".to_owned()]).unwrap();
        let now = OffsetDateTime::now_utc();
        params.not_before = now + time::Duration::days(from);
        params.not_after = now + time::Duration::days(to);
        let key = new_key();
        format!("{}{}", params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    };
    let two = format!("{}{}{k}", self_signed(&k), self_signed(&k));
    let rsa = rsa_key();
    let pss_sha1: Vec<&str> = SAN.iter().copied().chain(["-sha1", "-sigopt", "rsa_padding_mode:pss"]).collect();
    vec![
        combined("warn-expired", dated(-20, -10), Warn("expired on")),
        combined("warn-not-yet-valid", dated(10, 20), Warn("isn't valid before")),
        combined(
            "warn-no-alternative-names",
            format!("{}{k}", signed(&k, &["-addext", "basicConstraints=CA:FALSE"])),
            Warn("no alternative names"),
        ),
        combined(
            "warn-ca",
            format!("{}{k}", signed(&k, &["-addext", "subjectAltName=DNS:mail.example.org"])),
            Warn("CA:TRUE"),
        ),
        combined("warn-client-only", with(&["-addext", "extendedKeyUsage=clientAuth"]), Warn("no serverAuth")),
        combined("warn-sha1", with(&["-sha1"]), Warn("SHA-1")),
        combined("warn-sha1-in-rsa-pss", format!("{}{rsa}", signed(&rsa, &pss_sha1)), Warn("SHA-1")),
        combined("warn-ed25519", format!("{}{ed25519}", self_signed(&ed25519)), Warn("Ed25519")),
        combined("warn-two-certificates-for-the-key", two, Warn("the newest was taken")),
        combined(
            "warn-request-along",
            format!("{}{}", with(&[]), signing_request(&k)),
            Warn("a certificate signing request in the file was passed over"),
        ),
    ]
}

fn signing_request(key: &str) -> String {
    text(convert(&["req", "-new", "-key", "/dev/stdin", "-subj", "/CN=x"], key))
}

pub(super) fn refused_keys_and_certificates() -> Vec<Case> {
    let crt = self_signed(&ec_key());
    let mut cases = Vec::new();
    for (what, options, said) in [
        ("bad-rsa-1024", &["RSA", "-pkeyopt", "rsa_keygen_bits:1024"][..], "has 1024 bits"),
        ("bad-ed448", &["ED448"], "an Ed448 key"),
        ("bad-x25519", &["X25519"], "an X25519 key"),
        ("bad-rsa-pss", &["RSA-PSS"], "an RSA-PSS key"),
        ("bad-secp256k1", &["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "secp256k1"),
        ("bad-brainpool", &["EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"], "brainpoolP256r1"),
    ] {
        cases.push(pair(what, crt.clone(), key(options), Bad(said)));
    }
    let parameters = text(openssl(&["dsaparam", "1024"], b""));
    let dsa = text(openssl(&["gendsa", "/dev/stdin"], parameters.as_bytes()));
    cases.push(pair("bad-dsa", crt, dsa, Bad("a DSA key")));
    let rsa = rsa_key();
    let md5: Vec<&str> = SAN.iter().copied().chain(["-md5"]).collect();
    cases.push(combined("bad-md5", format!("{}{rsa}", signed(&rsa, &md5)), Bad("signed with MD5")));
    // A request signed without extensions makes version 1.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &rsa).unwrap();
    let v1 = text(openssl(
        &["x509", "-req", "-signkey", file.path().to_str().unwrap(), "-days", "9"],
        signing_request(&rsa).as_bytes(),
    ));
    cases.push(combined("bad-x509-version-1", format!("{v1}{rsa}"), Bad("version 1")));
    cases
}

pub(super) fn mixed_up_files() -> Vec<Case> {
    let k = ec_key();
    let crt = self_signed(&k);
    let request = signing_request(&k);
    let public = text(convert(&["pkey", "-pubout"], &k));
    let (other, third) = (ec_key(), ec_key());
    let cut = crt[..crt.len() / 2].to_owned();
    let crt_der = convert(&["x509", "-outform", "DER"], &crt);
    let damaged = crt.replacen("MII", "!!!", 1);
    let junk = crt.replacen("MII", "MIA", 1);
    let openssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n";
    vec![
        pair("bad-other-key", crt.clone(), other.clone(), Bad("doesn't belong to the certificate")),
        pair("bad-other-kind-of-key", crt.clone(), key(&["ED25519"]), Bad("doesn't belong to the certificate")),
        combined(
            "bad-two-keys",
            format!("{crt}{other}{third}"),
            Bad("2 different private keys in what you brought, and none of them belongs"),
        ),
        combined(
            "bad-two-pairs",
            format!("{crt}{k}{}{other}", self_signed(&other)),
            Bad("2 different private keys in what you brought, each with its certificate (CN=mail.example.org; CN="),
        ),
        combined("good-the-key-that-fits-of-two", format!("{crt}{k}{other}"), Good),
        pair("bad-request", request.clone(), k.clone(), Bad("a certificate signing request (send it to")),
        pair(
            "bad-request-der",
            convert(&["req", "-outform", "DER"], &request),
            k.clone(),
            Bad("a certificate signing request"),
        ),
        pair("bad-public-key", crt.clone(), public.clone(), Bad("a public key")),
        pair(
            "bad-public-key-der",
            crt.clone(),
            convert(&["pkey", "-pubin", "-outform", "DER"], &public),
            Bad("a public key"),
        ),
        pair("bad-key-as-certificate", k.clone(), k.clone(), Bad("it holds a private key")),
        pair("bad-certificate-as-key", crt.clone(), crt.clone(), Bad("it holds a certificate")),
        pair("bad-openssh", crt.clone(), openssh, Bad("an SSH key")),
        pair("bad-openssh-public", crt.clone(), "ssh-ed25519 AAAA x@y\n", Bad("an SSH key")),
        pair("bad-putty", crt.clone(), "PuTTY-User-Key-File-3: x\n", Bad("a PuTTY key")),
        combined("bad-jks", b"\xFE\xED\xFE\xED\0\0\0\x02".to_vec(), Bad("a Java key store")),
        combined("bad-jceks", b"\xCE\xCE\xCE\xCE\0\0\0\x02".to_vec(), Bad("a Java key store (JCEKS)")),
        combined("bad-archive", b"PK\x03\x04\0\0\0\x02".to_vec(), Bad("a compressed archive (unpack it")),
        combined("bad-nss-database", b"SQLite format 3\0\0\x02".to_vec(), Bad("perhaps that of NSS")),
        combined("bad-truncated", format!("{k}{cut}"), Bad("is cut off")),
        combined("bad-truncated-der", crt_der[..crt_der.len() - 9].to_vec(), Bad("the certificate is damaged")),
        combined("bad-base64", format!("{damaged}{k}"), Bad("not valid base64")),
        combined("bad-der-in-pem", format!("{junk}{k}"), Bad("the certificate is damaged")),
        combined("bad-text", "hello\n", Bad("neither PEM nor DER")),
        combined("bad-unknown-label", "-----BEGIN X-----\nYWJj\n-----END X-----\n", Bad("an unknown block \"X\"")),
        combined("bad-no-key", crt, Bad("no private key in what you brought")),
    ]
}
