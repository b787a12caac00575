//! What is between a certificate and its root: missing, weak, or no authority's.

use super::*;

/// Keys and certificates of a small authority, as files.
struct Shop(tempfile::TempDir);

impl Shop {
    fn new() -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        this.key("root", "EC", "ec_paramgen_curve:P-256");
        let (key, crt) = (this.path("root.key"), this.path("root.crt"));
        openssl(
            &["req", "-x509", "-new", "-key", &key, "-subj", "/CN=Root of a test", "-days", "900", "-out", &crt],
            b"",
        );
        this
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn key(&self, name: &str, algorithm: &str, option: &str) {
        let key = self.path(&format!("{name}.key"));
        openssl(&["genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", &key], b"");
    }

    /// A certificate for NAME.key by `issuer`; what `more` says goes to openssl.
    fn issue(&self, name: &str, issuer: &str, extensions: &str, more: &[&str]) -> String {
        let (key, crt, ext) = (self.path(&format!("{name}.key")), self.path(&format!("{name}.crt")), self.path("ext"));
        std::fs::write(&ext, extensions).unwrap();
        let csr = openssl(&["req", "-new", "-key", &key, "-subj", &format!("/CN={name}")], b"");
        let (ca, ca_key) = (self.path(&format!("{issuer}.crt")), self.path(&format!("{issuer}.key")));
        let args = ["x509", "-req", "-CA", &ca, "-CAkey", &ca_key, "-extfile", &ext, "-out", &crt];
        let days: &[&str] = if more.contains(&"-days") { &[] } else { &["-days", "800"] };
        openssl(&[&args, days, more].concat(), &csr);
        std::fs::read_to_string(&crt).unwrap()
    }

    fn subject(&self, name: &str) -> Vec<u8> {
        let der = openssl(&["x509", "-in", &self.path(&format!("{name}.crt")), "-outform", "DER"], b"");
        crate::certificate::Certificate::from_der(&der).unwrap().raw_subject
    }
}

const CA: &str = "basicConstraints=critical,CA:TRUE\n";
const LEAF: &str = "subjectAltName=DNS:mail.test\n";

/// The folder of the other tests, whose key has a certificate of the shop now.
fn folder_and_shop() -> (Folder, Shop) {
    let (mut folder, shop) = (Folder::new(), Shop::new());
    std::fs::copy(folder.path().join("mail.key"), shop.path("mail.key")).unwrap();
    folder.known = Roots::of(&[&shop.subject("root")]);
    (folder, shop)
}

#[test]
fn a_chain_is_whole_up_to_a_root_that_is_known() {
    let (mut folder, shop) = folder_and_shop();
    for name in ["upper", "lower"] {
        shop.key(name, "EC", "ec_paramgen_curve:P-256");
    }
    let upper = shop.issue("upper", "root", CA, &[]);
    let lower = shop.issue("lower", "upper", CA, &[]);
    let leaf = shop.issue("mail", "lower", LEAF, &["-days", "90"]);
    let root = std::fs::read_to_string(shop.path("root.crt")).unwrap();
    folder.write("mail.crt", &format!("{leaf}{lower}{upper}"));
    assert_eq!(folder.check(&Around::default(), &[]), []);
    for missing in [leaf.clone(), format!("{leaf}{lower}")] {
        folder.write("mail.crt", &missing);
        folder.is_only(Level::Warning, "chain", "mail");
    }
    folder.write("mail.crt", &format!("{leaf}{upper}{lower}"));
    folder.is_only(Level::Warning, "chain-order", "mail");
    folder.known = Roots::of(&[]);
    folder.write("mail.crt", &format!("{leaf}{lower}{upper}"));
    folder.is_only(Level::Warning, "chain", "mail");
    // It needn't be there, and is.
    folder.write("mail.crt", &format!("{leaf}{lower}{upper}{root}"));
    folder.is_only(Level::Warning, "chain-order", "mail");
}

#[test]
fn what_is_above_the_leaf_is_judged() {
    let (folder, shop) = folder_and_shop();
    for (name, algorithm, option) in [
        ("plain", "EC", "ec_paramgen_curve:P-256"),
        ("small", "RSA", "rsa_keygen_bits:1024"),
        ("p521", "EC", "ec_paramgen_curve:P-521"),
    ] {
        shop.key(name, algorithm, option);
    }
    let no_ca = "basicConstraints=CA:FALSE\n";
    let policies = format!("{CA}certificatePolicies=critical,1.3.6.1.4.1.99999.4\n");
    let strange = format!("{CA}1.3.6.1.4.1.99999.3=critical,ASN1:NULL\n");
    for (name, extensions, more, expected) in [
        ("plain", CA, &[][..], None),
        // Its signatures can't be verified here.
        ("p521", CA, &[], None),
        ("plain", CA, &["-sha1"], Some((Level::Warning, "signature"))),
        ("small", CA, &[], Some((Level::Warning, "signature"))),
        ("plain", no_ca, &[], Some((Level::Error, "authority"))),
        ("plain", "", &[], Some((Level::Error, "authority"))),
        ("plain", strange.as_str(), &[], Some((Level::Error, "extension"))),
        ("plain", policies.as_str(), &[], Some((Level::Warning, "extension"))),
        ("plain", CA, &["-days", "80"], Some((Level::Warning, "chain-expiry"))),
        ("plain", CA, &["-days", "25"], Some((Level::Warning, "chain-expiry"))),
        ("plain", CA, &["-days", "-1"], Some((Level::Error, "expired"))),
    ] {
        let above = shop.issue(name, "root", extensions, more);
        let leaf = shop.issue("mail", name, LEAF, &["-days", "90"]);
        folder.write("mail.crt", &format!("{leaf}{above}"));
        match expected {
            None => assert_eq!(folder.check(&Around::default(), &[]), [], "{name} {extensions} {more:?}"),
            Some((level, code)) => folder.is_only(level, code, "mail"),
        }
    }
}

#[test]
fn an_extension_that_nobody_knows_and_a_curve_that_some_dont() {
    let (folder, shop) = folder_and_shop();
    let leaf = shop.issue("mail", "root", &format!("{LEAF}1.3.6.1.4.1.99999.3=critical,ASN1:NULL\n"), &["-days", "90"]);
    folder.write("mail.crt", &leaf);
    folder.is_only(Level::Error, "extension", "mail");
    shop.key("mail", "EC", "ec_paramgen_curve:P-521");
    std::fs::copy(shop.path("mail.key"), folder.path().join("mail.key")).unwrap();
    std::fs::remove_file(folder.path().join("mail.csr")).unwrap();
    folder.write("mail.crt", &shop.issue("mail", "root", LEAF, &["-days", "90"]));
    folder.is_only(Level::Warning, "curve", "mail");
}

#[test]
fn the_end_of_what_is_above_comes_nearer() {
    let (mut folder, shop) = folder_and_shop();
    shop.key("middle", "EC", "ec_paramgen_curve:P-256");
    let above = shop.issue("middle", "root", CA, &["-days", "80"]);
    let leaf = shop.issue("mail", "middle", LEAF, &["-days", "400"]);
    folder.write("mail.crt", &format!("{leaf}{above}"));
    let start = folder.now;
    for (days, level, code) in [
        (0, Level::Warning, "chain-expiry"),
        (72, Level::Warning, "chain-expiry"),
        (73, Level::Error, "chain-expiry"),
        (79, Level::Error, "chain-expiry"),
        (81, Level::Error, "expired"),
    ] {
        folder.now = start + Duration::days(days);
        folder.is_only(level, code, "mail");
    }
}

#[test]
fn a_server_needs_no_authoritys_certificate() {
    let (folder, shop) = folder_and_shop();
    folder.write("mail.crt", &shop.issue("mail", "root", &format!("{CA}{LEAF}"), &["-days", "90"]));
    folder.is_only(Level::Warning, "authority", "mail");
}
