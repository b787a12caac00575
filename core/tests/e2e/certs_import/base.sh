# What most cases are made of: keys of each kind with a certificate each, and a small authority.
#
# NAME.key is PKCS#8, NAME.crt is self-signed, NAME.pem holds both. leaf.key's chain is leaf.crt, mid.crt, root.crt;
# deep.key's is deep.crt, three.crt, two.crt, one.crt, root.crt.

cat >req.cnf <<'CNF'
[req]
distinguished_name = dn
prompt = no
[dn]
CN = mail.example.test
[v3]
subjectAltName = DNS:mail.example.test
basicConstraints = critical,CA:FALSE
[ca]
basicConstraints = critical,CA:TRUE
subjectKeyIdentifier = hash
CNF

key() { # NAME OPTIONS... of genpkey
  name=$1 && shift
  openssl genpkey -quiet -out "$name.key" -algorithm "$@" 2>/dev/null || openssl genpkey -out "$name.key" -algorithm "$@" 2>/dev/null
}
sign() { # NAME KEY OPTIONS... of req
  name=$1 && key=$2 && shift 2
  openssl req -config req.cnf -extensions v3 -x509 -new -key "$key" -days 30 -out "$name.crt" "$@"
}
pair() { # NAME OPTIONS... of genpkey
  key "$@"
  sign "$1" "$1.key"
  cat "$1.crt" "$1.key" >"$1.pem"
}
issue() { # NAME EXTENSIONS ISSUER DAYS: a certificate for NAME.key by ISSUER
  openssl req -config req.cnf -new -key "$1.key" -subj "/CN=$1" -out "$1.req"
  openssl x509 -req -in "$1.req" -CA "$3.crt" -CAkey "$3.key" -set_serial "0x$(openssl rand -hex 8)" -days "$4" \
    -extfile req.cnf -extensions "$2" -out "$1.crt" 2>/dev/null
}
p256() { key "$1" EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve; }

p256 ec && sign ec ec.key && cat ec.crt ec.key >ec.pem
p256 other && sign other other.key && cat other.crt other.key >other.pem
pair p384 EC -pkeyopt ec_paramgen_curve:P-384
pair ed25519 ED25519
pair rsa RSA -pkeyopt rsa_keygen_bits:2048 &
pair rsa-other RSA -pkeyopt rsa_keygen_bits:2048 &

p256 root && sign root root.key -extensions ca -subj "/CN=Test Root"
p256 mid && issue mid ca root 30
p256 leaf && issue leaf v3 mid 20
above=root
for name in one two three; do
  p256 $name && issue $name ca $above 30
  above=$name
done
p256 deep && issue deep v3 three 20
wait
