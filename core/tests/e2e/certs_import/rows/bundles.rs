//! PKCS#12 and PKCS#7 as openssl, GnuTLS and python-cryptography write them, modern and legacy.

use crate::certs_import::{
    case::{bad, good, warn, Case},
    workshop::Workshop,
};

const MAKE: &str = "
p12() { out=$1 && shift && openssl pkcs12 -export -in leaf.crt -inkey leaf.key -certfile mid.crt -passout pass:sesame -name mail -out $out \"$@\"; }
p12 modern.p12
p12 sha512.p12 -macalg sha512 -keypbe aes-128-cbc -certpbe aes-192-cbc -iter 10000
p12 legacy.pfx -legacy
p12 3des.pfx -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
p12 rc2-128.pfx -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-RC2-128 -macalg sha1 -provider default -provider legacy
p12 no-mac.p12 -nomac
p12 one-mac-round.p12 -nomaciter -noiter
p12 plain-bags.p12 -keypbe NONE -certpbe NONE
p12 empty-password.p12 -passout pass:
p12 empty-password-legacy.p12 -passout pass: -legacy
p12 plain.p12 -keypbe NONE -certpbe NONE -nomac -passout pass:
p12 with-root.p12 -certfile root.crt
cat mid.crt root.crt >mid-root.crt
openssl pkcs12 -export -in leaf.crt -inkey leaf.key -certfile mid-root.crt -passout pass:sesame -out with-root.p12
openssl pkcs12 -export -in leaf.crt -nokeys -certfile mid.crt -passout pass:sesame -out only-certificates.p12
openssl pkcs12 -export -nocerts -inkey leaf.key -passout pass:sesame -out only-key.p12
openssl pkcs12 -in modern.p12 -passin pass:sesame -nodes -out bag-attributes.pem 2>/dev/null
for cipher in 3des-pkcs12 aes-256 rc2-40; do
  certtool --to-p12 --load-privkey leaf.key --load-certificate leaf.crt --load-ca-certificate mid.crt --p12-name mail \\
    --password sesame --pkcs-cipher $cipher --outder --outfile tool-$cipher.p12 2>/dev/null
done
openssl crl2pkcs7 -nocrl -certfile leaf.crt -certfile mid.crt -out chain.p7b
openssl crl2pkcs7 -nocrl -certfile mid.crt -certfile leaf.crt -outform DER -out chain.p7c
openssl crl2pkcs7 -nocrl -certfile leaf.crt -certfile mid.crt -certfile root.crt -out with-root.p7b
sed 's/ PKCS7-/ PKCS #7 SIGNED DATA-/' chain.p7b >long-label.p7b
sed 's/ PKCS7-/ CMS-/' chain.p7b >cms-label.p7b
printf 'text' | openssl cms -encrypt -outform PEM -out letter.pem ec.crt
head -c 300 chain.p7c >cut.p7c
head -c 900 modern.p12 >cut.p12
";

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    shop.join("p7b-and-key.pem", &["chain.p7b", "leaf.key"]);
    let trusted = |case: Case| case.chain(2, "root.crt");
    let mut cases: Vec<Case> = [
        ("pkcs12-modern", "modern.p12"),
        ("pkcs12-sha512-aes-128", "sha512.p12"),
        ("pkcs12-legacy-rc2-40", "legacy.pfx"),
        ("pkcs12-legacy-3des", "3des.pfx"),
        ("pkcs12-legacy-rc2-128", "rc2-128.pfx"),
        ("pkcs12-without-mac", "no-mac.p12"),
        ("pkcs12-one-mac-round", "one-mac-round.p12"),
        ("pkcs12-bags-in-the-clear", "plain-bags.p12"),
        ("pkcs12-certtool-3des", "tool-3des-pkcs12.p12"),
        ("pkcs12-certtool-aes", "tool-aes-256.p12"),
        ("pkcs12-certtool-rc2-40", "tool-rc2-40.p12"),
        ("pkcs12-python-3des", "python-3des.p12"),
        ("pkcs12-python-aes", "python-aes.p12"),
    ]
    .map(|(what, file)| trusted(good(what, file)).password("sesame\n"))
    .into();
    cases.extend([
        trusted(good("pkcs12-empty-password-given", "empty-password.p12")).password("\n"),
        trusted(good("pkcs12-empty-password-not-given", "empty-password.p12")),
        trusted(good("pkcs12-empty-password-legacy", "empty-password-legacy.p12")),
        trusted(good("pkcs12-without-any-protection", "plain.p12")),
        good("pkcs12-python-plain", "python-plain.p12"),
        good("pkcs12-password-beyond-ascii", "python-utf8.p12").password("Schlüssel€"),
        trusted(warn("pkcs12-root", "with-root.p12", "\"CN=Test Root\" was left out")).password("sesame"),
        trusted(good("pkcs12-certificates-beside-the-key", "only-certificates.p12")).key("leaf.key").password("sesame"),
        trusted(good("pkcs12-as-key-file", "chain.p7b")).key("modern.p12").password("sesame"),
        trusted(good("bag-attributes", "bag-attributes.pem")),
        bad("pkcs12-no-password", "modern.p12", "--password-file"),
        bad("pkcs12-no-password-legacy", "legacy.pfx", "--password-file"),
        bad("pkcs12-wrong-password", "modern.p12", "the password doesn't open").password("guess"),
        bad("pkcs12-wrong-password-legacy", "legacy.pfx", "the password doesn't open").password("guess"),
        bad("pkcs12-wrong-password-without-mac", "no-mac.p12", "the password doesn't open").password("guess"),
        bad("pkcs12-without-key", "only-certificates.p12", "no private key in what you brought").password("sesame"),
        bad("pkcs12-without-certificate", "only-key.p12", "no certificate in what you brought").password("sesame"),
        bad("pkcs12-cut-off", "cut.p12", "PKCS#12").password("sesame"),
        trusted(good("pkcs7", "chain.p7b")).key("leaf.key"),
        trusted(good("pkcs7-der", "chain.p7c")).key("leaf.key"),
        trusted(good("pkcs7-long-label", "long-label.p7b")).key("leaf.key"),
        trusted(good("pkcs7-cms-label", "cms-label.p7b")).key("leaf.key"),
        trusted(good("pkcs7-python", "python.p7b")).key("leaf.key"),
        trusted(good("pkcs7-python-der", "python.p7c")).key("leaf.key"),
        trusted(good("pkcs7-with-key-behind", "p7b-and-key.pem")),
        trusted(warn("pkcs7-root", "with-root.p7b", "\"CN=Test Root\" was left out")).key("leaf.key"),
        bad("pkcs7-without-key", "chain.p7b", "no private key in what you brought"),
        bad("pkcs7-cut-off", "cut.p7c", "PKCS#7").key("leaf.key"),
        bad("cms-letter", "letter.pem", "PKCS#7").key("ec.key"),
    ]);
    cases
}
