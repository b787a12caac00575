//! Files that are no files, too large, unreadable, empty, cut off or damaged: refused with the reason.

use crate::certs_import::{
    case::{bad, good, Case},
    workshop::Workshop,
};

const MAKE: &str = "
mkfifo pipe.crt
mkdir folder.crt empty-folder.crt
touch empty.crt
ln -s nowhere dangling.crt
ln -s dangling-loop.crt dangling-loop.crt
ln -s ec.crt link.crt
openssl x509 -in ec.crt -outform DER -out whole.der
head -c 250 whole.der >cut.der
head -c -1 whole.der >cut-by-one.der
cat whole.der whole.der >twice.der
head -c 300 ec.crt >cut.crt
head -c 100 ec.key >cut.key
openssl pkcs8 -topk8 -nocrypt -in rsa.key -outform DER | head -c 600 >cut-key.der
grep -v -e BEGIN ec.crt >no-begin.crt
grep -v -e END ec.crt >no-end.crt
sed 's/-END CERTIFICATE-/-END PRIVATE KEY-/' ec.crt >wrong-end.crt
sed '3s/^..../!!!!/' ec.crt >no-base64.crt
sed '3s/^.//' ec.crt >one-character-less.crt
sed '2s/^MI/AA/' ec.crt >damaged.crt
sed 's/-BEGIN CERTIFICATE-----/-BEGIN CERTIFICATE/' ec.crt >no-hyphens.crt
printf -- '-----BEGIN CERTIFICATE-----\\n-----END CERTIFICATE-----\\n' >hollow.crt
sed 's/ CERTIFICATE-/ PRIVATE KEY-/' ec.crt >relabelled.key
sed 's/ PRIVATE KEY-/ CERTIFICATE-/' ec.key >relabelled.crt
sed 's/ PRIVATE KEY-/ RSA PRIVATE KEY-/' ec.key >wrong-kind.key
printf ' \\n\\t\\r\\n' >blank.crt
head -c 100000 /dev/zero >zeros.crt
";

pub fn row(shop: &Workshop) -> Vec<Case> {
    shop.sh(MAKE);
    let crt = |what: &str, file: &str, said: &str| bad(what, file, said).key("ec.key");
    let key = |what: &str, file: &str, said: &str| bad(what, "ec.crt", said).key(file);
    vec![
        crt("fifo", "pipe.crt", "pipe.crt is a FIFO").in_place(),
        crt("device", "/dev/zero", "/dev/zero is a device").in_place(),
        crt("missing", "none.crt", "none.crt").says("No such file").in_place(),
        crt("dangling-link", "dangling.crt", "No such file").in_place(),
        crt("link-to-itself", "dangling-loop.crt", "dangling-loop.crt").in_place(),
        crt("unreadable", "/proc/self/mem", "/proc/self/mem").in_place(),
        crt("folder-without-pairs", "empty-folder.crt", "empty-folder.crt").in_place(),
        bad("key-is-a-fifo", "ec.crt", "pipe.crt is a FIFO").key("pipe.crt").in_place(),
        bad("key-is-a-folder", "ec.crt", "folder.crt is a directory").key("folder.crt").in_place(),
        good("link", "link.crt").key("ec.key").in_place().becomes("link"),
        crt("empty", "empty.crt", "is empty"),
        key("empty-key", "empty.crt", "is empty"),
        crt("blank", "blank.crt", "neither PEM nor DER"),
        crt("zeros", "zeros.crt", "neither PEM nor DER"),
        crt("larger-than-4-mib", "large.pem", "4 MiB"),
        crt("cut-off", "cut.crt", "has no END: the file is cut off").says("line 1"),
        crt("cut-off-der", "cut.der", "the certificate is damaged"),
        crt("cut-off-der-by-one", "cut-by-one.der", "the certificate is damaged"),
        crt("der-twice", "twice.der", "the certificate is damaged"),
        key("cut-off-key", "cut.key", "has no END: the file is cut off"),
        key("cut-off-key-der", "cut-key.der", "damaged"),
        crt("no-begin", "no-begin.crt", "neither PEM nor DER"),
        crt("no-end", "no-end.crt", "has no END"),
        crt("wrong-end", "wrong-end.crt", "ends as \"PRIVATE KEY\""),
        crt("no-base64", "no-base64.crt", "not valid base64"),
        crt("one-character-less", "one-character-less.crt", "not valid base64"),
        crt("damaged", "damaged.crt", "the certificate is damaged"),
        crt("begin-without-hyphens", "no-hyphens.crt", "line 1 begins a PEM block but isn't finished"),
        crt("nothing-inside", "hollow.crt", "not valid base64"),
        crt("key-with-a-certificates-label", "relabelled.crt", "the certificate is damaged"),
        key("certificate-with-a-keys-label", "relabelled.key", "the private key is damaged"),
        good("ec-key-with-rsas-label", "ec.crt").key("wrong-kind.key"),
        crt("more-than-256-blocks", "many-blocks.pem", "more than 256 PEM blocks"),
        crt("label-without-end", "long-label.pem", "isn't finished"),
        crt("only-beginnings", "begins.pem", "isn't finished"),
        crt("nested-der", "deep.der", "the certificate is damaged"),
        key("nested-der-as-key", "deep.der", "damaged"),
    ]
}
