//! Files that are something else: refused, saying what they are and what to bring.

use crate::certs_import::{
    case::{bad, warn, Case},
    workshop::Workshop,
};

const MAKE: &str = "
ssh-keygen -q -t ed25519 -N '' -C ann@example.test -f ssh
ssh-keygen -q -t rsa -b 2048 -N sesame -f ssh-rsa
ssh-keygen -e -m RFC4716 -f ssh.pub >ssh2.pub
openssl req -config req.cnf -new -key ec.key -out ec.csr
openssl req -in ec.csr -outform DER -out ec-csr.der
sed 's/ CERTIFICATE REQUEST/ NEW CERTIFICATE REQUEST/' ec.csr >ec-new.csr
openssl pkey -in ec.key -pubout -out ec-public.pem
openssl pkey -in ec.key -pubout -outform DER -out ec-public.der
openssl rsa -in rsa.key -RSAPublicKey_out -out rsa-public.pem 2>/dev/null
: >ca-index.txt
echo 01 >ca-number
printf '[ca]\\ndefault_ca = d\\n[d]\\ndatabase = ca-index.txt\\ncrlnumber = ca-number\\ndefault_md = sha256\\ndefault_crl_days = 9\\n' >ca.cnf
openssl ca -config ca.cnf -gencrl -cert root.crt -keyfile root.key -out root.crl 2>/dev/null
openssl crl -in root.crl -outform DER -out root-crl.der
openssl crl2pkcs7 -in root.crl -out only-crl.p7b
mkdir nss-db && certutil -N -d sql:nss-db --empty-password
openssl rsa -in rsa.key -outform PVK -pvk-none -out rsa.pvk 2>/dev/null
python3 -c 'import zipfile; zipfile.ZipFile(\"answer.zip\", \"w\", zipfile.ZIP_DEFLATED).write(\"ec.crt\")'
";

const PUTTY: &str =
    "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 1\nAAAA\n\
                     Private-MAC: 00\n";
const PGP: &str = "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nYWJj\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----\n";
const PAGE: &str = "<!DOCTYPE html>\n<html><body>Your session has expired.</body></html>\n";

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    shop.write("putty.ppk", PUTTY);
    shop.write("putty-2.ppk", PUTTY.replace("File-3", "File-2"));
    shop.write("pgp.asc", PGP);
    shop.write("page.crt", PAGE);
    shop.write("hello.txt", "hello\n");
    shop.write("unknown-label.pem", "-----BEGIN STRANGE THING-----\nYWJj\n-----END STRANGE THING-----\n");
    shop.join("with-request.pem", &["ec.pem", "ec.csr"]);
    shop.join("with-public-key.pem", &["ec-public.pem", "ec.pem"]);
    let (request, list, public) = ("a certificate signing request", "a certificate revocation list", "a public key");
    let authority = "send it to a certificate authority";
    let crt = |what: &str, file: &str, said: &str| bad(what, file, said).key("ec.key");
    let key = |what: &str, file: &str, said: &str| bad(what, "ec.crt", said).key(file);
    vec![
        crt("request", "ec.csr", request).says(authority),
        crt("request-der", "ec-csr.der", request).says(authority),
        crt("request-new", "ec-new.csr", request).says(authority),
        key("request-as-key", "ec.csr", request),
        crt("revocation-list", "root.crl", list).says("bring the server's certificate"),
        crt("revocation-list-der", "root-crl.der", list),
        crt("revocation-list-in-pkcs7", "only-crl.p7b", "no certificate"),
        key("public-key", "ec-public.pem", public).says("the private key"),
        key("public-key-der", "ec-public.der", public),
        key("public-key-pkcs1", "rsa-public.pem", public),
        crt("public-key-as-certificate", "ec-public.pem", public),
        key("openssh", "ssh", "an SSH key").says("requested with"),
        key("openssh-encrypted", "ssh-rsa", "an SSH key").password("sesame"),
        key("openssh-of-python", "python-openssh.key", "an SSH key"),
        key("openssh-public", "ssh.pub", "an SSH key"),
        key("ssh2-public", "ssh2.pub", "an SSH key"),
        key("putty", "putty.ppk", "a PuTTY key").says("requested with"),
        key("putty-version-2", "putty-2.ppk", "a PuTTY key"),
        key("openpgp", "pgp.asc", "an OpenPGP key").says("X.509"),
        key("certificate-as-key", "ec.crt", "has no private key in it").says("it holds a certificate"),
        bad("key-as-certificate", "ec.key", "no certificate in what you brought").says("it holds a private key"),
        bad("key-as-both", "ec.key", "no certificate in what you brought").key("ec.key"),
        crt("web-page", "page.crt", "neither PEM nor DER"),
        crt("text", "hello.txt", "neither PEM nor DER"),
        crt("zip", "answer.zip", "a compressed archive").says("unpack it"),
        crt("nss-database", "nss-db/cert9.db", "NSS").says("pk12util"),
        key("microsoft-pvk", "rsa.pvk", "(.pvk)").says("openssl rsa -inform PVK"),
        crt("noise", "noise.bin", "neither PEM nor DER"),
        crt("unknown-label", "unknown-label.pem", "\"STRANGE THING\""),
        warn("request-along", "with-request.pem", "a certificate signing request in the file was passed over"),
        warn("public-key-along", "with-public-key.pem", "a public key in the file was passed over"),
    ]
}
