// Node's tls; see scripts.rs.
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";

const [host, other, ca, ...targets] = process.argv.slice(2);

// Lines of a socket; whoever asks waits for the next.
function lines(socket) {
  let text = "";
  let wake = () => {};
  let failure = null;
  const onData = (data) => {
    text += data;
    wake();
  };
  const fail = (error) => {
    failure = error;
    wake();
  };
  socket.on("data", onData);
  socket.on("error", fail);
  socket.on("end", () => fail(new Error("the connection ends")));
  const line = async () => {
    for (;;) {
      const end = text.indexOf("\r\n");
      if (end >= 0) {
        const found = text.slice(0, end);
        text = text.slice(end + 2);
        return found;
      }
      if (failure) throw failure;
      await new Promise((resolve) => (wake = resolve));
    }
  };
  const ask = async (command) => {
    socket.write(command + "\r\n");
    let found = await line();
    while (found[3] === "-") found = await line();
    return found;
  };
  const leave = () => {
    socket.off("data", onData);
    socket.pause();
  };
  return { line, ask, leave };
}

async function shake(protocol, way, port, version, name) {
  let socket = net.connect(Number(port), "127.0.0.1");
  socket.setTimeout(60000, () => socket.destroy(new Error("nothing comes")));
  if (way === "explicit") {
    const plain = lines(socket);
    await plain.line();
    if (protocol === "smtp") await plain.ask("EHLO client.test");
    const answer = await plain.ask({ smtp: "STARTTLS", pop3: "STLS", imap: "a STARTTLS" }[protocol]);
    if (!/^(220 |\+OK|a OK)/.test(answer)) throw new Error(answer);
    plain.leave();
  }
  const secure = tls.connect({
    socket,
    servername: name,
    ca: fs.readFileSync(ca),
    minVersion: version,
    maxVersion: version,
  });
  const inside = lines(secure);
  await new Promise((resolve, reject) => {
    secure.once("secureConnect", resolve);
    secure.once("error", reject);
  });
  if (!secure.authorized) throw secure.authorizationError;
  if (way === "implicit") await inside.line();
  const spoken = secure.getProtocol();
  const answer = await inside.ask(protocol === "imap" ? "b LOGOUT" : "QUIT");
  secure.destroy();
  return `${spoken} ${answer}`;
}

for (const target of targets) {
  const [listener, protocol, way, port] = target.split(":");
  for (const version of ["TLSv1.2", "TLSv1.3"]) {
    console.log(listener, await shake(protocol, way, port, version, host));
  }
}

const [, protocol, way, port] = targets[0].split(":");
try {
  await shake(protocol, way, port, "TLSv1.3", other);
} catch (error) {
  if (error.code === "ERR_TLS_CERT_ALTNAME_INVALID") console.log("refused");
  else throw error;
}
process.exit(0);
