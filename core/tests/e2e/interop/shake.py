# Python's ssl; see scripts.rs.
import socket, ssl, sys

host, other, ca, *targets = sys.argv[1:]


def line(stream):
    got = b""
    while not got.endswith(b"\r\n"):
        piece = stream.recv(1)
        assert piece, f"the connection ends behind {got!r}"
        got += piece
    return got.decode().rstrip()


def ask(stream, command):
    stream.sendall(command.encode() + b"\r\n")
    got = line(stream)
    while got[3:4] == "-":
        got = line(stream)
    return got


def shake(protocol, way, port, version, name):
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as plain:
        if way == "explicit":
            line(plain)
            if protocol == "smtp":
                ask(plain, "EHLO client.test")
            answer = ask(plain, {"smtp": "STARTTLS", "pop3": "STLS", "imap": "a STARTTLS"}[protocol])
            assert answer.startswith(("220 ", "+OK", "a OK")), answer
        with context.wrap_socket(plain, server_hostname=name) as tls:
            if way == "implicit":
                line(tls)
            return tls.version(), ask(tls, "b LOGOUT" if protocol == "imap" else "QUIT")


for target in targets:
    listener, protocol, way, port = target.split(":")
    for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
        print(listener, *shake(protocol, way, port, version, host))

_, protocol, way, port = targets[0].split(":")
try:
    shake(protocol, way, port, ssl.TLSVersion.TLSv1_3, other)
except ssl.SSLCertVerificationError:
    print("refused")
