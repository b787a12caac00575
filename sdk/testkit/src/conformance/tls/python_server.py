# Serves for ever; says of each connection what it knows, and repeats its first line.
import socket, ssl

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion.TLSv1_2
context.load_cert_chain("server.pem", "server.key")
context.load_verify_locations("ca.pem")
context.verify_mode = ssl.CERT_REQUIRED
context.set_alpn_protocols(["imap"])
names = {}
context.sni_callback = lambda tls, name, _: names.update({id(tls): name})

listener = socket.create_server(("127.0.0.1", 0))
print("port %d" % listener.getsockname()[1], flush=True)
while True:
    tcp, _ = listener.accept()
    tcp.settimeout(30)
    try:
        tls = context.wrap_socket(tcp, server_side=True)
        line = tls.makefile("rb").readline().decode().strip()
        subject = dict(field[0] for field in tls.getpeercert()["subject"])
        words = [tls.version(), str(tls.selected_alpn_protocol()), subject["commonName"], str(names.get(id(tls))), line]
        tls.sendall((" ".join(words) + "\n").encode())
        tls.unwrap().close()
    except (OSError, ValueError) as error:
        print(error, flush=True)
        tcp.close()
