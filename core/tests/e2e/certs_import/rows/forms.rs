//! A good pair in every plain form that programs write.

use crate::certs_import::{
    case::{bad, good, warn, Case},
    workshop::Workshop,
};

const MAKE: &str = "
openssl pkcs8 -topk8 -nocrypt -in ec.key -outform DER -out ec-pkcs8.der
openssl ec -in ec.key -out ec-sec1.key 2>/dev/null
openssl ec -in ec.key -outform DER -out ec-sec1.der 2>/dev/null
openssl ecparam -name prime256v1 -out ec-params.pem
cat ec-params.pem ec-sec1.key >ec-with-params.key
openssl ec -in p384.key -out p384-sec1.key 2>/dev/null
openssl rsa -in rsa.key -traditional -out rsa-pkcs1.key 2>/dev/null
openssl rsa -in rsa.key -traditional -outform DER -out rsa-pkcs1.der 2>/dev/null
openssl pkcs8 -topk8 -nocrypt -in rsa.key -outform DER -out rsa-pkcs8.der
openssl x509 -in ec.crt -outform DER -out ec-x509.cer
openssl x509 -in ec.crt -trustout -addtrust serverAuth -setalias mail -out ec-trusted.pem
openssl x509 -in ec.crt -trustout -addreject emailProtection -outform DER -out ec-trusted.der
sed 's/ CERTIFICATE-/ X509 CERTIFICATE-/' ec.crt >ec-old-label.crt
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out rsa-3072.key 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out rsa-4096.key 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -pkeyopt ec_param_enc:named_curve -out p521.key
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2050 -out rsa-2050.key 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4094 -out rsa-4094.key 2>/dev/null
(cat ec-x509.cer && echo) >ec-x509-and-line-break.cer
for name in rsa-3072 rsa-4096 rsa-8192 rsa-2050 rsa-4094 p521; do
  openssl req -config req.cnf -extensions v3 -x509 -new -key $name.key -days 30 -out $name.crt
done
printf 'cn = mail.example.test\\ndns_name = mail.example.test\\ntls_www_server\\nexpiration_days = 30\\n' >certtool.cnf
certtool --generate-privkey --key-type ecdsa --curve secp256r1 --no-text --outfile tool-ec.key 2>/dev/null
certtool --generate-privkey --key-type rsa --bits 2048 --outfile tool-rsa.key 2>/dev/null
certtool --to-p8 --load-privkey tool-rsa.key --password '' --outfile tool-rsa-p8.key 2>/dev/null
for name in tool-ec tool-rsa; do
  certtool --generate-self-signed --load-privkey $name.key --template certtool.cnf --outfile $name.crt 2>/dev/null
done
certtool --certificate-info --infile tool-ec.crt --outfile tool-ec-info.crt
";

const ED25519: &str = "the key is Ed25519";

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    shop.join("combined-key-first.pem", &["ec.key", "ec.crt"]);
    shop.join("combined-rsa.pem", &["rsa.crt", "rsa-pkcs1.key"]);
    vec![
        good("pkcs8-ec", "ec.crt").key("ec.key"),
        good("pkcs8-ec-der", "ec.crt").key("ec-pkcs8.der"),
        good("pkcs8-without-public-half", "ec.crt").key("pkcs8-no-public.der"),
        good("pkcs8-p384", "p384.crt").key("p384.key"),
        warn("pkcs8-p521", "p521.crt", "the curve P-521").key("p521.key"),
        good("pkcs8-rsa", "rsa.crt").key("rsa.key"),
        good("pkcs8-rsa-der", "rsa.crt").key("rsa-pkcs8.der"),
        good("sec1", "ec.crt").key("ec-sec1.key"),
        good("sec1-der", "ec.crt").key("ec-sec1.der"),
        good("sec1-p384", "p384.crt").key("p384-sec1.key"),
        good("sec1-behind-ec-parameters", "ec.crt").key("ec-with-params.key"),
        good("sec1-without-public-half", "ec.crt").key("sec1-no-public.der"),
        good("sec1-without-curve", "ec.crt").key("sec1-no-curve.der"),
        good("sec1-without-either", "ec.crt").key("sec1-bare.der"),
        good("sec1-of-python", "ec.crt").key("python-sec1.der"),
        good("pkcs1", "rsa.crt").key("rsa-pkcs1.key"),
        good("pkcs1-der", "rsa.crt").key("rsa-pkcs1.der"),
        good("rsa-3072", "rsa-3072.crt").key("rsa-3072.key"),
        good("rsa-4096", "rsa-4096.crt").key("rsa-4096.key"),
        good("rsa-8192", "rsa-8192.crt").key("rsa-8192.key"),
        good("rsa-2050", "rsa-2050.crt").key("rsa-2050.key"),
        good("rsa-4094", "rsa-4094.crt").key("rsa-4094.key"),
        warn("ed25519", "ed25519.crt", ED25519).key("ed25519.key"),
        warn("ed25519-pkcs8-version-2", "ed25519.crt", ED25519).key("ed25519-v2.der"),
        good("certificate-der", "ec-x509.cer").key("ec.key"),
        good("certificate-der-and-a-line-break", "ec-x509-and-line-break.cer").key("ec.key"),
        good("both-der", "ec-x509.cer").key("ec-sec1.der"),
        good("certificate-with-trust", "ec-trusted.pem").key("ec.key"),
        good("certificate-with-trust-der", "ec-trusted.der").key("ec.key"),
        good("certificate-with-old-label", "ec-old-label.crt").key("ec.key"),
        good("combined-certificate-first", "ec.pem"),
        good("combined-key-first", "combined-key-first.pem"),
        good("combined-pkcs1", "combined-rsa.pem"),
        good("combined-as-key-file", "ec.crt").key("ec.pem"),
        good("combined-as-both-files", "ec.pem").key("ec.pem"),
        good("certtool-ec", "tool-ec.crt").key("tool-ec.key"),
        good("certtool-text-before-the-certificate", "tool-ec-info.crt").key("tool-ec.key"),
        good("certtool-text-around-rsa", "tool-rsa.crt").key("tool-rsa.key"),
        good("certtool-pkcs8", "tool-rsa.crt").key("tool-rsa-p8.key"),
        bad("key-of-unknown-kind", "ec.crt", "1.3.6.1.4.1.99999.2").key("unknown-key.der"),
    ]
}
