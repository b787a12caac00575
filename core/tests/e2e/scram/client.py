"""A client of SCRAM-SHA-256(-PLUS) by Python's own hashes, over `openssl s_client`; with TLS 1.2 over `gnutls-cli`, since there the
exporter's context is empty and s_client has none.

One argument, JSON: protocol, address, starttls, tls ("1.2", "1.3" or null for none), name, ca, mechanism, user, password, and
maybe act_as, flaw, initial (send an initial response), played (a final message to say instead of one's own).
Says, as JSON: what is offered, salt, iterations, the final message, the server's answer, and whether its signature is right.
"""
import base64, hashlib, hmac, json, os, re, socket, subprocess, sys

want = json.loads(sys.argv[1])
protocol, flaw = want["protocol"], want.get("flaw", "")
b64 = lambda octets: base64.b64encode(octets).decode()
mac = lambda key, text: hmac.new(key, text.encode(), "sha256").digest()


class Tls:
    """The programs say their own lines with LF; those with CRLF come from the server."""

    def __init__(self):
        host, port = want["address"].rsplit(":", 1)
        if want["tls"] == "1.2":
            command = ["gnutls-cli", "--verbose", "--x509cafile", want["ca"], "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"]
            command += ["--verify-hostname", want["name"], "--sni-hostname", want["name"], "--port", port]
            command += ["--starttls-proto", protocol] if want["starttls"] else []
            command += [host]
        else:
            command = ["openssl", "s_client", "-ign_eof", "-nocommands", "-CAfile", want["ca"], "-verify_return_error"]
            command += ["-servername", want["name"], "-verify_hostname", want["name"], "-connect", want["address"], "-tls1_3"]
            command += ["-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"]
            command += ["-starttls", protocol] if want["starttls"] else []
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.exporter, shown = None, []
        while self.exporter is None:
            line = self.child.stdout.readline().decode()
            assert line, shown
            shown.append(line)
            found = re.search(r"(?:Keying material|'tls-exporter'): ([0-9A-Fa-f]{64})", line)
            self.exporter = found and bytes.fromhex(found[1])
        self.greeted = not want["starttls"]

    def line(self):
        while line := self.child.stdout.readline():
            if line.endswith(b"\r\n"):
                return re.sub(r"^- Received\[\d+\]: ", "", line[:-2].decode())
        return ""

    def send(self, text):
        self.child.stdin.write(text.encode() + b"\r\n")
        self.child.stdin.flush()

    def end(self):
        self.child.stdin.close()
        self.child.kill()
        self.child.wait()


class Plain:
    exporter, greeted = None, True

    def __init__(self):
        host, port = want["address"].rsplit(":", 1)
        self.stream = socket.create_connection((host, int(port)), timeout=60).makefile("rwb", buffering=0)

    def line(self):
        return self.stream.readline().decode().removesuffix("\r\n")

    def send(self, text):
        self.stream.write(text.encode() + b"\r\n")

    def end(self):
        self.stream.close()


connection = Tls() if want["tls"] else Plain()
greeting = connection.line() if connection.greeted else ""


def ask(text, last):
    """Sends a command and reads its answer up to the line that begins so."""
    connection.send(text)
    lines = []
    while not lines or not re.match(last, lines[-1]):
        lines.append(connection.line())
        assert lines[-1], lines
    return lines


if protocol == "smtp":
    lines = ask("EHLO client.test", r"\d{3} ")
    offered = [line[9:].split() for line in lines if line[4:9] == "AUTH "]
    begin, more, end = "AUTH {}", "334 ", r"\d{3} "
elif protocol == "pop3":
    lines = ask("CAPA", r"\.$")
    offered = [line[5:].split() for line in lines if line.startswith("SASL ")]
    begin, more, end = "AUTH {}", "+ ", r"\+OK|-ERR"
else:
    lines = ask("a CAPABILITY", "a ")
    offered = [[word[5:] for word in lines[0].split() if word.startswith("AUTH=")]]
    begin, more, end = "b AUTHENTICATE {}", "+ ", "b "
report = {"offered": offered[0] if offered else [], "greeting": greeting}


def finish(answer):
    report["answer"] = answer
    print(json.dumps(report))
    connection.end()
    sys.exit()


def next_line():
    """A challenge; anything else is the end."""
    line = connection.line()
    return base64.b64decode(line[len(more):], validate=True).decode() if line.startswith(more) else finish(line)


plus = want["mechanism"].endswith("-PLUS")
flag = {"unbound": "n", "downgrade": "y", "type": "p=tls-unique"}.get(flaw, "p=tls-exporter" if plus else "n")
name = lambda text: text.replace("=", "=3D").replace(",", "=2C")
header = flag + "," + ("a=" + name(want["act_as"]) if want.get("act_as") else "") + ","
bare = "n=" + name(want["user"]) + ",r=" + want.get("nonce", b64(os.urandom(18)))
command = begin.format(want["mechanism"])
if want.get("initial", True):
    connection.send(command + " " + b64((header + bare).encode()))
else:
    connection.send(command)
    assert next_line() == ""
    connection.send(b64((header + bare).encode()))

first = next_line()
parts = dict(part.split("=", 1) for part in first.split(","))
report.update(salt=parts["s"], iterations=int(parts["i"]))
salted = hashlib.pbkdf2_hmac("sha256", want["password"].encode(), base64.b64decode(parts["s"]), int(parts["i"]))
bound = connection.exporter if plus and flag.startswith("p") else b""
if flaw == "binding":
    bound = bytes(32)
nonce = parts["r"] if flaw != "nonce" else parts["r"][:-1] + ("x" if parts["r"][-1] != "x" else "y")
without = "c=" + b64(header.encode() + bound) + ",r=" + nonce
said = bare + "," + first + "," + without
key = mac(salted, "Client Key")
signature = mac(hashlib.sha256(key).digest(), said)
final = without + ",p=" + b64(bytes(a ^ b for a, b in zip(key, signature)))
report["final"] = final
connection.send(b64(want.get("played", final).encode()))

last = next_line()
report["signature"] = last == "v=" + b64(mac(mac(salted, "Server Key"), said))
if flaw == "cancel":
    connection.send("*")
else:
    connection.send("")
line = connection.line()
while not re.match(end, line):
    assert line
    line = connection.line()
finish(line)
