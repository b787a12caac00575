# PORT NAME VERSION VISITS (ping | LENGTH): connects, each time with the session of the time before.
import os, select, socket, ssl, sys

port, name, version, visits, task = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
versions = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
context = ssl.create_default_context(cafile="ca.pem")
context.minimum_version = context.maximum_version = versions[version]
context.set_alpn_protocols(["imap"])
if os.path.exists("client.pem"):
    context.load_cert_chain("client.pem", "client.key")

session = None
for visit in range(visits):
    tcp = socket.create_connection(("127.0.0.1", port), timeout=30)
    tls = context.wrap_socket(tcp, server_hostname=name, session=session, suppress_ragged_eofs=False)
    assert tls.version() == version, tls.version()
    if task == "ping":
        lines = tls.makefile("rb")
        assert lines.readline().startswith(b"hello"), "no hello"
        tls.sendall(b"ping\n")
        assert lines.readline().startswith(b"pong"), "no pong"
    else:
        length = int(task)
        data = bytes(number % 251 for number in range(length))
        # Both directions at once, by turns: two threads must not use one connection of OpenSSL's.
        tls.setblocking(False)
        view, sent, got = memoryview(data), 0, bytearray()
        while sent < length or len(got) < length:
            moved = False
            try:
                piece = tls.recv(65536) if len(got) < length else None
                assert piece != b"", "it ended after %d bytes" % len(got)
                got += piece or b""
                moved = bool(piece)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            try:
                count = tls.send(view[sent:sent + 65536]) if sent < length else 0
                sent += count
                moved = moved or count > 0
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            if not moved:
                ready = select.select([tls], [tls] if sent < length else [], [], 30)
                assert ready[0] or ready[1], "nothing moves any more"
        tls.settimeout(30)
        assert bytes(got) == data, "other bytes came"
    # A missing close_notify is an exception here.
    assert tls.recv(1) == b"", "more came"
    print("cipher=%s reused=%s" % (tls.cipher()[0], tls.session_reused))
    session = tls.session
    tls.unwrap().close()
