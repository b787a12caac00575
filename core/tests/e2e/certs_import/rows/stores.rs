//! What Java's keytool and NSS's pk12util export (their PKCS#12 comes in BER), and stores of theirs that nobody else reads.

use crate::certs_import::{
    case::{bad, good, Case},
    workshop::Workshop,
};

const MAKE: &str = "
# The virtual machine's start is most of the work.
java() { keytool -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC \"$@\" -storepass sesame 2>/dev/null; }
pair() { # STORE ALIAS TYPE OPTIONS...
  store=$1 alias=$2 type=$3 && shift 3
  java -genkeypair -keystore $store -storetype $type -alias $alias -keypass sesame -keyalg EC -groupname secp256r1 \
    -dname CN=mail.example.test -ext san=dns:mail.example.test -validity 30 \"$@\"
}
pair java.p12 mail PKCS12
(cp java.p12 java-two.p12 && pair java-two.p12 second PKCS12) &
java -exportcert -rfc -keystore java.p12 -alias mail -file java.crt &
java -certreq -keystore java.p12 -alias mail -file java.csr
pair java-legacy.p12 mail PKCS12 -J-Dkeystore.pkcs12.legacy
pair java.jks mail JKS
pair java.jceks mail JCEKS
wait
openssl pkcs12 -in java.p12 -passin pass:sesame -nocerts -nodes -out java.key 2>/dev/null

mkdir nss
certutil -N -d sql:nss --empty-password
openssl pkcs12 -export -in leaf.crt -inkey leaf.key -certfile mid.crt -passout pass:sesame -name mail -out for-nss.p12
pk12util -i for-nss.p12 -d sql:nss -W sesame -K '' >/dev/null
nss() { out=$1 && shift && pk12util -o $out -n mail -d sql:nss -W sesame -K '' \"$@\" >/dev/null; }
nss nss.p12
nss nss-rc2.p12 -c 'PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC' -C 'PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC'
nss nss-3des.p12 -c 'PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC' -C 'PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC'
nss nss-aes.p12 -c AES-128-CBC -C AES-256-CBC
";

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    let java = |what: &str, store: &str| good(what, store).password("sesame");
    // NSS exports the chain that it knows.
    let nss = |what: &str, store: &str| good(what, store).password("sesame").chain(2, "root.crt");
    vec![
        java("java", "java.p12"),
        java("java-legacy", "java-legacy.p12"),
        good("java-certificate", "java.crt").key("java.key"),
        nss("nss", "nss.p12"),
        nss("nss-rc2-40", "nss-rc2.p12"),
        nss("nss-3des", "nss-3des.p12"),
        nss("nss-aes", "nss-aes.p12"),
        bad("java-wrong-password", "java.p12", "the password doesn't open").password("guess"),
        bad("java-no-password", "java.p12", "--password-file"),
        bad("java-two-pairs", "java-two.p12", "2 different private keys").password("sesame"),
        bad("java-request", "java.csr", "a certificate signing request").key("java.key"),
        bad("nss-wrong-password", "nss.p12", "the password doesn't open").password("guess"),
        bad("nss-no-password", "nss.p12", "--password-file"),
        bad("jks", "java.jks", "a Java key store").says("keytool -importkeystore"),
        bad("jks-as-key", "ec.crt", "a Java key store").key("java.jks").says("keytool -importkeystore"),
        bad("jceks", "java.jceks", "a Java key store").says("keytool -importkeystore"),
    ]
}
