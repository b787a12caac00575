"""What the other tools can't or won't make: structures by hand, and python-cryptography's own forms.

Runs in the folder of the fixtures after base.sh. Works with cryptography 38 (Debian 12) and later.
"""

import base64
import datetime
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

NONE = serialization.NoEncryption()
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8 = serialization.PrivateFormat.PKCS8


def read(name):
    with open(name, "rb") as file:
        return file.read()


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


# DER, as far as it is needed.
def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def seq(*parts):
    return tlv(0x30, *parts)


def num(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(data):
    return tlv(0x04, data)


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytearray([first * 40 + second])
    for arc in rest:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7F)
        out += bytes(reversed(digits))
    return tlv(0x06, bytes(out))


NULL = tlv(0x05)


# Encrypted keys that would keep a reader busy for ever, or eat its memory. Nothing is inside: nobody should look.
def pbes2(kdf):
    cipher = seq(oid("2.16.840.1.101.3.4.1.42"), octets(bytes(16)))
    return seq(seq(oid("1.2.840.113549.1.5.13"), seq(kdf, cipher)), octets(bytes(64)))


def pbkdf2(rounds):
    prf = seq(oid("1.2.840.113549.2.9"), NULL)
    return seq(oid("1.2.840.113549.1.5.12"), seq(octets(b"saltsalt"), num(rounds), prf))


def scrypt(n, r, p):
    return seq(oid("1.3.6.1.4.1.11591.4.11"), seq(octets(b"saltsalt"), num(n), num(r), num(p)))


write("rounds.der", pbes2(pbkdf2(10_000_001)))
write("rounds-endless.der", pbes2(pbkdf2(2**31 - 1)))
write("scrypt-memory.der", pbes2(scrypt(2**20, 8, 1)))
write("scrypt-time.der", pbes2(scrypt(2**14, 8, 2**20)))
write("pbes1-rounds.der", seq(seq(oid("1.2.840.113549.1.12.1.3"), seq(octets(b"saltsalt"), num(10_000_001))), octets(bytes(64))))
write("unknown-kdf.der", pbes2(seq(oid("1.3.6.1.4.1.99999.1"), NULL)))


# Keys with a public half that isn't theirs: comparing would be fooled.
def load(name):
    return serialization.load_pem_private_key(read(name), None)


def point(key):
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def pem(label, der):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode()


mine, theirs = load("other.key"), load("ec.key")
write("forged-ec.key", pem("PRIVATE KEY", mine.private_bytes(DER, PKCS8, NONE).replace(point(mine), point(theirs))))


def pkcs1(p, q, e=65537, n=None):
    d = pow(e, -1, (p - 1) * (q - 1))
    return seq(num(0), *map(num, (n or p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))))


own = load("rsa-other.key").private_numbers()
write("forged-rsa.key", pem("RSA PRIVATE KEY", pkcs1(own.p, own.q, n=load("rsa.key").private_numbers().public_numbers.n)))


# RSA keys too large to be looked for here: of published primes. Everybody knows them, and nobody should use them.
def euler(bits):
    one, total, k = 1 << (bits + 128), 0, 1
    part = one
    while part:
        total += part
        part //= k
        k += 1
    return total >> 128


def pi(bits):
    def arctan(x):
        one = 1 << (bits + 128)
        total, part, k = 0, one // x, 1
        while part:
            total += part // k if k % 4 == 1 else -(part // k)
            part //= x * x
            k += 2
        return total

    return (16 * arctan(5) - 4 * arctan(239)) >> 128


modp4096 = 2**4096 - 2**4032 - 1 + 2**64 * (pi(3966) + 240904)  # RFC 3526
ffdhe4096 = 2**4096 - 2**4032 + (euler(3966) + 5736041) * 2**64 - 1  # RFC 7919
mersenne = 2**4423 - 1
write("rsa-8192.key", pem("RSA PRIVATE KEY", pkcs1(modp4096, ffdhe4096)))
write("rsa-8519.key", pem("RSA PRIVATE KEY", pkcs1(modp4096, mersenne)))


# Forms of EC and Ed25519 keys.
scalar = theirs.private_numbers().private_value.to_bytes(32, "big")
write("sec1-bare.der", seq(num(1), octets(scalar)))
p256 = oid("1.2.840.10045.3.1.7")
write("sec1-no-public.der", seq(num(1), octets(scalar), tlv(0xA0, p256)))
write("sec1-no-curve.der", seq(num(1), octets(scalar), tlv(0xA1, tlv(0x03, b"\0" + point(theirs)))))
write("pkcs8-no-public.der", seq(num(0), seq(oid("1.2.840.10045.2.1"), p256), octets(seq(num(1), octets(scalar)))))
edwards = load("ed25519.key")
raw = edwards.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, NONE)
public = edwards.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
write("ed25519-v2.der", seq(num(1), seq(oid("1.3.101.112")), octets(octets(raw)), tlv(0x81, b"\0" + public)))
write("unknown-key.der", seq(num(0), seq(oid("1.3.6.1.4.1.99999.2")), octets(octets(raw))))


# python-cryptography's own forms.
def secret(password):
    return serialization.BestAvailableEncryption(password)


key, crt = load("ec.key"), x509.load_pem_x509_certificate(read("ec.crt"))
chain = [x509.load_pem_x509_certificate(read("mid.crt"))]
leaf_key, leaf = load("leaf.key"), x509.load_pem_x509_certificate(read("leaf.crt"))
write("python-pkcs8.key", key.private_bytes(PEM, PKCS8, secret(b"sesame")))
write("python-legacy.key", key.private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, secret(b"sesame")))
write("python-sec1.der", key.private_bytes(DER, serialization.PrivateFormat.TraditionalOpenSSL, NONE))
write("python-utf8.key", key.private_bytes(PEM, PKCS8, secret("Schlüssel€".encode())))
write("python-openssh.key", key.private_bytes(PEM, serialization.PrivateFormat.OpenSSH, NONE))
builder = serialization.PrivateFormat.PKCS12.encryption_builder
for name, cipher, mac in [
    ("3des", pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC, hashes.SHA1()),
    ("aes", pkcs12.PBES.PBESv2SHA256AndAES256CBC, hashes.SHA256()),
]:
    how = builder().kdf_rounds(5000).key_cert_algorithm(cipher).hmac_hash(mac).build(b"sesame")
    write(f"python-{name}.p12", pkcs12.serialize_key_and_certificates(b"mail", leaf_key, leaf, chain, how))
write("python-plain.p12", pkcs12.serialize_key_and_certificates(None, key, crt, None, NONE))
write("python-utf8.p12", pkcs12.serialize_key_and_certificates("Größe".encode(), key, crt, None, secret("Schlüssel€".encode())))
write("python.p7b", pkcs7.serialize_certificates([leaf] + chain, PEM))
write("python.p7c", pkcs7.serialize_certificates(chain + [leaf], DER))


# Certificates that begin and end when openssl's commands can't say it, each with the key in the file.
def dated(name, first, last, key, issuer, issuer_key):
    now = datetime.datetime.utcnow()
    names = x509.SubjectAlternativeName([x509.DNSName("mail.example.test")])
    made = x509.CertificateBuilder(issuer, x509.Name([]), key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now + datetime.timedelta(first)).not_valid_after(now + datetime.timedelta(last))
    write(name, made.add_extension(names, critical=True).sign(issuer_key, hashes.SHA256()).public_bytes(PEM))


mid, mid_key = chain[0].subject, load("mid.key")
dated("leaf-older.crt", -20, 300, leaf_key, mid, mid_key)
dated("leaf-newest.crt", -2, 20, leaf_key, mid, mid_key)
dated("leaf-newest-but-shorter.crt", -2, 10, leaf_key, mid, mid_key)
dated("expired.crt", -20, -10, key, x509.Name([]), key)
dated("not-yet.crt", 10, 20, key, x509.Name([]), key)
dated("for-a-century.crt", -2, 36500, key, x509.Name([]), key)


# PKCS#12 whose check value is hashed for ever; nothing is inside either.
def endless_p12(rounds):
    safe = seq(oid("1.2.840.113549.1.7.1"), tlv(0xA0, octets(seq())))
    digest = seq(seq(oid("2.16.840.1.101.3.4.2.1"), NULL), octets(hashlib.sha256(b"").digest()))
    return seq(num(3), safe, seq(digest, octets(b"saltsalt"), num(rounds)))


write("mac-rounds.p12", endless_p12(10_000_001))


# What only looks like PEM.
write("many-blocks.pem", pem("X", b"x") * 300 + read("ec.crt"))
write("long-label.pem", b"-----BEGIN " + b"X" * 5000 + b"-----\nYWJj\n")
write("begins.pem", b"-----BEGIN " * 100_000)
write("large.pem", read("ec.pem") + b"# " + b"x" * (4 << 20) + b"\n")
write("noise.bin", hashlib.shake_256(b"noise").digest(3000))
deep = b""
for _ in range(5000):
    deep = tlv(0x30, deep)
write("deep.der", deep)
