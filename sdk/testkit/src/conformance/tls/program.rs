//! Programs as peers, over loopback sockets.
//!
//! One that is not installed is skipped with a line on standard error; with `CI` in the environment that is a failure. Nothing
//! runs longer than [`PATIENCE`]; what does is killed.

use super::{
    case::{check, same, Doing, Failed},
    ends,
    flow::numbered,
    lab::Lab,
};
use dovetail_sdk::{
    certs::Identity,
    tls::{TlsAcceptor, TlsConnection, TlsConnector, TlsError, TlsFacts},
    Stream,
};
use std::{
    env, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    task::JoinHandle,
};

/// A program gets so long.
const PATIENCE: Duration = Duration::from_secs(40);

/// What the server says first, what it waits for, and what it answers; then it ends the connection.
pub(super) const HELLO: &str = "hello from the provider\n";
pub(super) const PING: &str = "ping\n";
pub(super) const PONG: &str = "pong from the provider\n";

/// Whether a program is installed; `Err` in CI if it is not.
pub(super) fn have(program: &str) -> Result<bool, Failed> {
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|directory| directory.join(program).is_file()) {
        return Ok(true);
    }
    check!(env::var_os("CI").is_none(), "{program} is not installed, and in CI nothing skips");
    eprintln!("SKIPPED: {program} is not installed");
    Ok(false)
}

/// Files that programs read. They go with the value.
pub(super) struct Files(TempDir);

impl Files {
    /// The lab's authority as `ca.pem`.
    pub(super) fn new(lab: &Lab) -> Result<Self, Failed> {
        let files = Files(tempfile::Builder::new().prefix("dovetail-tls-").tempdir()?);
        files.put("ca.pem", &pem("CERTIFICATE", &lab.authority().der))?;
        Ok(files)
    }

    pub(super) fn put(&self, name: &str, text: &str) -> io::Result<()> {
        std::fs::write(self.path(name), text)
    }

    /// An identity as `NAME.pem` and `NAME.key`.
    pub(super) fn put_identity(&self, name: &str, identity: &Identity) -> io::Result<()> {
        let chain: String = identity.chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect();
        self.put(&format!("{name}.pem"), &chain)?;
        self.put(&format!("{name}.key"), &pem("PRIVATE KEY", identity.key.expose()))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    pub(super) fn directory(&self) -> &Path {
        self.0.path()
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// What a program said, standard output and error, and whether it was content.
pub(super) struct Said {
    pub(super) out: Vec<u8>,
    pub(super) text: String,
    pub(super) content: bool,
}

/// Runs a program. Its input stays open until it ends, so that the peer is who ends the conversation.
pub(super) async fn run(command: &mut Command, input: &[u8]) -> Result<Said, Failed> {
    let shown = format!("{command:?}");
    let talk = async {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) = (stdin, stdout, stderr) else {
            return Err(io::Error::other("no pipes"));
        };
        let (mut out, mut text) = (Vec::new(), Vec::new());
        let (wrote, read, complaints) =
            tokio::join!(stdin.write_all(input), stdout.read_to_end(&mut out), stderr.read_to_end(&mut text));
        // A program that ends before it has read its input says why by itself.
        let _ = wrote;
        read?;
        complaints?;
        let status = child.wait().await?;
        drop(stdin);
        let text = format!("{}{}", String::from_utf8_lossy(&out), String::from_utf8_lossy(&text));
        Ok(Said { out, text, content: status.success() })
    };
    match tokio::time::timeout(PATIENCE, talk).await {
        Ok(said) => said.doing(shown),
        Err(_) => Err(Failed(format!("{shown} does not end within {} s", PATIENCE.as_secs()))),
    }
}

/// What the server does with each connection.
#[derive(Clone, Copy)]
pub(super) enum Talk {
    /// [`HELLO`], [`PING`], [`PONG`].
    Ping,
    /// So many bytes in both directions at once.
    Large(usize),
}

/// A loopback port where the provider serves.
pub(super) struct Served {
    pub(super) port: u16,
    task: JoinHandle<Vec<Result<TlsFacts, TlsError>>>,
}

impl Served {
    /// Serves so many connections, one after the other.
    pub(super) async fn start(acceptor: TlsAcceptor, connections: usize, talk: Talk) -> Result<Self, Failed> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            let mut outcomes = Vec::new();
            while outcomes.len() < connections {
                let Ok((socket, _)) = listener.accept().await else { break };
                outcomes.push(match acceptor.accept(Stream::new(socket)).await {
                    // What goes wrong in the conversation is what the program complains of.
                    Ok(connection) => Ok(converse(connection, talk).await),
                    Err(error) => Err(error),
                });
            }
            outcomes
        });
        Ok(Served { port, task })
    }

    /// What became of the connections.
    pub(super) async fn outcomes(self) -> Result<Vec<Result<TlsFacts, TlsError>>, Failed> {
        match tokio::time::timeout(PATIENCE, self.task).await {
            Ok(outcomes) => Ok(outcomes?),
            Err(_) => Err(Failed("fewer connections came than the program should have made".into())),
        }
    }

    /// The facts of the connections, which must all have come about.
    pub(super) async fn facts(self) -> Result<Vec<TlsFacts>, Failed> {
        let outcomes = self.outcomes().await?;
        outcomes
            .into_iter()
            .map(|outcome| outcome.map_err(|error| Failed(format!("{:?}: {error}", error.code))))
            .collect()
    }

    /// `127.0.0.1:PORT`
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

async fn converse(connection: TlsConnection, talk: Talk) -> TlsFacts {
    let mut stream = connection.stream;
    let conversation = async {
        match talk {
            Talk::Ping => {
                ends::write(&mut stream, HELLO.as_bytes()).await?;
                while stream.read_u8().await? != b'\n' {}
                ends::write(&mut stream, PONG.as_bytes()).await?;
            }
            Talk::Large(length) => {
                let data = numbered(length);
                let (mut reader, mut writer) = tokio::io::split(&mut stream);
                let (got, wrote) = tokio::join!(ends::read(&mut reader, length), ends::write(&mut writer, &data));
                wrote?;
                if got? != data {
                    return Err(io::Error::other("other bytes came than were sent"));
                }
            }
        }
        stream.shutdown().await?;
        // Until the peer has ended its half, so that its last words meet no closed socket.
        stream.read_to_end(&mut Vec::new()).await
    };
    if let Err(error) = conversation.await {
        eprintln!("the conversation ended early: {error}");
    }
    connection.facts
}

/// The program said both of the server's lines, and nothing bad.
pub(super) fn content(said: &Said) -> Result<(), Failed> {
    let whole = said.text.contains(HELLO.trim()) && said.text.contains(PONG.trim());
    check!(whole && said.content, "the program is not content:\n{}", said.text);
    Ok(())
}

/// A program that serves: its port is the last number of the first line that holds `mark`.
pub(super) struct Serving {
    pub(super) port: u16,
    _child: Child,
}

impl Serving {
    pub(super) async fn start(command: &mut Command, mark: &str) -> Result<Self, Failed> {
        let shown = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .doing(&shown)?;
        let mut stdout = child.stdout.take().ok_or("no pipe")?;
        let port = async {
            let mut text = String::new();
            loop {
                let octet = stdout.read_u8().await.doing(format!("{shown} said {text:?}"))?;
                text.push(char::from(octet));
                let line = text.strip_suffix('\n').and_then(|text| text.lines().last());
                if let Some(line) = line.filter(|line| line.contains(mark)) {
                    let number = line.rsplit(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty());
                    return Ok::<u16, Failed>(number.ok_or("no port")?.parse()?);
                }
            }
        };
        let port = tokio::time::timeout(PATIENCE, port).await.map_err(|_| format!("{shown} does not serve"))??;
        // What else it says is of no interest, but somebody has to read it.
        tokio::spawn(async move { tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await });
        Ok(Serving { port, _child: child })
    }

    /// Connects, says a line, and gives the facts and the answer's first line.
    pub(super) async fn visit(&self, connector: &TlsConnector, name: &str) -> Result<(TlsFacts, String), Failed> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        let mut connection = connector
            .connect(Stream::new(socket), name.to_owned())
            .await
            .map_err(|error| Failed(format!("{:?}: {error}", error.code)))?;
        ends::write(&mut connection.stream, PING.as_bytes()).await?;
        let mut line = String::new();
        loop {
            match connection.stream.read_u8().await.doing(format!("reading the answer, {line:?} so far"))? {
                b'\n' => break,
                octet => line.push(char::from(octet)),
            }
        }
        connection.stream.shutdown().await?;
        Ok((connection.facts, line))
    }
}

/// The facts of connections that resumed all but the first.
pub(super) fn resumed_after_the_first(facts: &[TlsFacts]) -> Result<(), Failed> {
    let resumed: Vec<bool> = facts.iter().map(|facts| facts.resumed).collect();
    let wanted: Vec<bool> = (0..facts.len()).map(|turn| turn > 0).collect();
    same!(resumed, wanted, "which visits were resumed");
    Ok(())
}
