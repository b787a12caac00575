//! Certificates that some clients won't accept, or won't for long: taken with a warning. And odd ones that are fine.

use crate::certs_import::{
    case::{good, warn, Case},
    workshop::Workshop,
};

const MAKE: &str = r#"
made() { # NAME EXTENSIONS OPTIONS...: a certificate for ec.key with these lines of extensions
  name=$1 lines=$2 && shift 2
  printf '[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = mail.example.test\n[v3]\n%b\n' "$lines" >$name.cnf
  openssl req -config $name.cnf -extensions v3 -x509 -new -key ec.key -days 30 -out $name.crt "$@"
}
san='subjectAltName=DNS:mail.example.test'
leaf='\nbasicConstraints=critical,CA:FALSE'
made no-san "${leaf#??}"
made mail-san "subjectAltName=email:ann@example.test$leaf"
made uri-san "subjectAltName=URI:https://mail.example.test/$leaf"
made ca "$san"'\nbasicConstraints=critical,CA:TRUE'
made client "$san$leaf"'\nextendedKeyUsage=clientAuth'
made code-and-mail "$san$leaf"'\nextendedKeyUsage=codeSigning,emailProtection'
made sha1 "$san$leaf" -sha1
made sha1-no-san "${leaf#??}" -sha1
made any-use "$san$leaf"'\nextendedKeyUsage=anyExtendedKeyUsage'
made both-uses "$san$leaf"'\nextendedKeyUsage=clientAuth,serverAuth'
made wildcard "subjectAltName=DNS:*.example.test$leaf"
made address "subjectAltName=IP:192.0.2.1,IP:2001:db8::1$leaf"
made umlauts "subjectAltName=DNS:xn--mller-kva.example.test$leaf" -utf8 -subj '/CN=müller.example.test/O=Müller & Söhne'
made no-subject "subjectAltName=critical,DNS:mail.example.test$leaf" -subj /
made sha512 "$san$leaf" -sha512
made unknown-extension "$san$leaf"'\n1.3.6.1.4.1.99999.3=critical,ASN1:NULL'
made policies "$san$leaf"'\ncertificatePolicies=critical,1.3.6.1.4.1.99999.4'
names=$san
for i in $(seq 200); do names=$names,DNS:host-$i.example.test; done
made many-names "$names$leaf"
openssl req -config req.cnf -extensions v3 -x509 -new -key rsa.key -days 30 -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -out rsa-pss-signature.crt
openssl req -config req.cnf -extensions v3 -x509 -new -key rsa.key -days 30 -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -out rsa-pss-other-salt.crt
openssl req -config req.cnf -extensions v3 -x509 -new -key rsa.key -days 30 -sha1 -out rsa-sha1.crt
openssl req -config req.cnf -extensions v3 -x509 -new -key rsa.key -days 30 -sha1 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -out rsa-pss-sha1.crt
"#;

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    let good = |what: &str, crt: &str| good(what, crt).key("ec.key");
    let warn = |what: &str, crt: &str, said: &str| warn(what, crt, said).key("ec.key");
    let no_names = "has no alternative names";
    vec![
        warn("expired", "expired.crt", "the certificate expired on"),
        warn("not-yet-valid", "not-yet.crt", "the certificate isn't valid before"),
        warn("common-name-alone", "no-san.crt", no_names),
        warn("mail-address-alone", "mail-san.crt", no_names),
        warn("uri-alone", "uri-san.crt", no_names),
        warn("authority", "ca.crt", "CA:TRUE"),
        warn("for-clients-only", "client.crt", "no serverAuth"),
        warn("for-code-and-mail", "code-and-mail.crt", "no serverAuth"),
        warn("sha1", "sha1.crt", "SHA-1"),
        warn("sha1-and-no-names", "sha1-no-san.crt", no_names).says("SHA-1"),
        warn("sha1-rsa", "rsa-sha1.crt", "SHA-1").key("rsa.key"),
        warn("sha1-rsa-pss", "rsa-pss-sha1.crt", "SHA-1").key("rsa.key"),
        warn("critical-policies", "policies.crt", "the extension 2.5.29.32 of policies, marked as critical"),
        good("any-extended-use", "any-use.crt"),
        good("for-clients-and-servers", "both-uses.crt"),
        good("wildcard", "wildcard.crt"),
        good("addresses", "address.crt"),
        good("names-beyond-ascii", "umlauts.crt"),
        good("no-subject", "no-subject.crt"),
        good("sha512", "sha512.crt"),
        good("two-hundred-names", "many-names.crt"),
        good("for-a-century", "for-a-century.crt"),
        good("pss-signature", "rsa-pss-signature.crt").key("rsa.key"),
        good("pss-signature-with-another-salt", "rsa-pss-other-salt.crt").key("rsa.key"),
    ]
}
