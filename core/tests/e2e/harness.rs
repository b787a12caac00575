//! Servers for tests: each with a data directory, ports and a log of its own.
//!
//! Nothing here sleeps and hopes: waiting means waiting for a line of the log or for the process, with a deadline.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Nothing that is waited for takes longer than this, even on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_dovetail");

/// The account of [`Setup::mail`] servers.
pub const USER: &str = "ann@example.test";
/// Its password.
pub const PASSWORD: &str = "correct horse";

/// Where cargo puts the plugins that are dev-dependencies of core.
pub fn plugin_dir() -> PathBuf {
    Path::new(BINARY).parent().unwrap().join("deps")
}

/// `dovetail` with the plugins of this build.
pub fn dovetail() -> Command {
    let mut command = Command::new(BINARY);
    command.arg("--plugin-dir").arg(plugin_dir()).stdin(Stdio::null());
    command
}

/// Copies a program that is run afterwards. By another process: what a test of this process starts at that moment would inherit
/// the file while it is open for writing, and then it could not be run ("text file busy").
#[track_caller]
pub fn copy_program(from: impl AsRef<std::path::Path>, to: &std::path::Path) {
    run_ok(Command::new("cp").arg(from.as_ref()).arg(to));
}

/// Runs a command to its end; its output is text.
pub fn run(command: &mut Command) -> (ExitStatus, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    (status, String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr).into_owned())
}

/// Runs a command that must succeed; gives its standard output.
#[track_caller]
pub fn run_ok(command: &mut Command) -> String {
    let (status, stdout, stderr) = run(command);
    assert!(status.success(), "{command:?} ended with {status}\n{stdout}{stderr}");
    stdout
}

/// Whether a program is installed. In CI a missing one is a failure, elsewhere the test says that it skips.
#[track_caller]
pub fn have(program: &str) -> bool {
    have_by(program, &format!("command -v {program}"))
}

/// The same for something that this shell command finds.
#[track_caller]
pub fn have_by(what: &str, check: &str) -> bool {
    let found = Command::new("sh").args(["-c", check]).output().unwrap().status.success();
    if !found {
        assert!(std::env::var_os("CI").is_none(), "{what} is not installed, and in CI nothing skips");
        eprintln!("SKIPPED: {what} is not installed");
    }
    found
}

/// A data directory and a config, before a server runs on them.
pub struct Setup {
    /// The directory of all.
    pub dir: TempDir,
    /// The config file.
    pub config: PathBuf,
    environment: Vec<(String, String)>,
    dev: bool,
    program: Option<Vec<String>>,
    /// What comes behind `serve`.
    serve: Vec<String>,
}

impl Setup {
    /// What `dovetail serve --dev` makes of an empty data directory. It has fixed ports, so one test at a time.
    pub fn dev() -> Setup {
        Setup { dev: true, ..Setup::new("") }
    }

    /// A setup with this config. `data_dir: "data"` is next to it.
    pub fn new(config: &str) -> Setup {
        let dir = tempfile::Builder::new().prefix("dovetail-e2e-").tempdir().unwrap();
        let path = dir.path().join("dovetail.ron");
        std::fs::write(&path, config).unwrap();
        Setup { dir, config: path, environment: Vec::new(), dev: false, program: None, serve: Vec::new() }
    }

    /// A config that is there already, and the words by which the server on it is started, up to `serve`.
    pub fn installed(dir: TempDir, config: PathBuf, program: Vec<String>) -> Setup {
        Setup { dir, config, environment: Vec::new(), dev: false, program: Some(program), serve: Vec::new() }
    }

    /// A whole mail server with one account ([`USER`], [`PASSWORD`]) and listeners `smtp`, `submission`, `submissions`,
    /// `pop3`, `pop3s`, `imap`, `imaps` on ports of the system's choice.
    pub fn mail() -> Setup {
        Setup::mail_with(MAIL_CONFIG)
    }

    /// The same with another config; it must have the `accounts-file` plugin.
    pub fn mail_with(config: &str) -> Setup {
        let setup = Setup::new(config);
        setup.add_account(USER, PASSWORD);
        setup
    }

    /// Adds an account by the command line.
    pub fn add_account(&self, address: &str, password: &str) {
        let file = self.dir.path().join("password");
        std::fs::write(&file, password).unwrap();
        run_ok(self.dovetail().args(["accounts", "add", address, "--password-file"]).arg(&file));
    }

    /// A variable for the server's environment.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Setup {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Words behind `serve`.
    pub fn serve_with(mut self, words: &[&str]) -> Setup {
        self.serve = words.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// `dovetail` for this server.
    pub fn dovetail(&self) -> Command {
        let mut command = match self.program.as_deref() {
            Some([first, words @ ..]) => {
                let mut command = Command::new(first);
                command.args(words).stdin(Stdio::null());
                command
            }
            _ => dovetail(),
        };
        match self.dev {
            true => command.arg("--data-dir").arg(self.data_dir()),
            false => command.arg("--config").arg(&self.config),
        };
        command
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts the server and waits until it is ready.
    #[track_caller]
    pub fn start(self) -> Server {
        let mut server = self.spawn();
        // As text and as JSON.
        let ready = server
            .wait_for_line("ready", |line| line.contains(" core: ready ") || line.contains(r#""message":"ready""#));
        server.ports = ready
            .split_once("listeners")
            .map(|(_, list)| list.trim_start_matches(['=', ':', '"']).split('"').next().unwrap_or_default())
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, address)| (name.to_owned(), address.parse().unwrap()))
            .collect();
        server
    }

    /// Starts the server without waiting.
    pub fn spawn(self) -> Server {
        let mut child = self
            .dovetail()
            .args(if self.dev { ["serve", "--dev"].as_slice() } else { &["serve"] })
            .args(&self.serve)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Log::default());
        let stderr = child.stderr.take().unwrap();
        let sink = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                sink.lines.lock().unwrap().push(line);
                sink.news.notify_all();
            }
            *sink.ended.lock().unwrap() = true;
            sink.news.notify_all();
        });
        Server { setup: self, child, log, ports: HashMap::new() }
    }
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    ended: Mutex<bool>,
    news: Condvar,
}

/// A running server. Dropping it kills it.
pub struct Server {
    /// What it runs on.
    pub setup: Setup,
    /// Its process.
    pub child: Child,
    log: Arc<Log>,
    ports: HashMap<String, SocketAddr>,
}

impl Server {
    /// The address of a listener.
    #[track_caller]
    pub fn address(&self, listener: &str) -> SocketAddr {
        *self.ports.get(listener).unwrap_or_else(|| panic!("no listener {listener} in {:?}", self.ports))
    }

    /// The port of a listener.
    #[track_caller]
    pub fn port(&self, listener: &str) -> u16 {
        self.address(listener).port()
    }

    /// A connection to a listener; reads give up at [`DEADLINE`].
    #[track_caller]
    pub fn connect(&self, listener: &str) -> Client {
        Client::new(TcpStream::connect(self.address(listener)).unwrap())
    }

    /// `dovetail` for this server.
    pub fn dovetail(&self) -> Command {
        self.setup.dovetail()
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.log.lines.lock().unwrap().join("\n")
    }

    /// Waits for a line with this text, and gives it.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) -> String {
        self.wait_for_line(text, |line| line.contains(text))
    }

    /// Waits for a line that is right, and gives it.
    #[track_caller]
    pub fn wait_for_line(&self, what: &str, is_right: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + DEADLINE;
        let mut lines = self.log.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| is_right(line)) {
                return line.clone();
            }
            let ended = *self.log.ended.lock().unwrap();
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!ended && !left.is_zero(), "no `{what}` in the log (ended: {ended}):\n{}", lines.join("\n"));
            lines = self.log.news.wait_timeout(lines, left.min(Duration::from_secs(1))).unwrap().0;
        }
    }

    /// Sends a signal: `TERM`, `KILL`, `HUP` ...
    pub fn signal(&self, signal: &str) {
        run_ok(Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()));
    }

    /// Waits for the process to end.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        let mut ended = self.log.lines.lock().unwrap();
        while !*self.log.ended.lock().unwrap() {
            assert!(Instant::now() < deadline, "the server does not end:\n{}", ended.join("\n"));
            ended = self.log.news.wait_timeout(ended, Duration::from_millis(200)).unwrap().0;
        }
        drop(ended);
        self.child.wait().unwrap()
    }

    /// Asks the server to stop and waits; gives its setup back for another start.
    #[track_caller]
    pub fn stop(mut self) -> Setup {
        self.signal("TERM");
        let status = self.wait();
        assert!(status.success(), "{status}\n{}", self.log());
        self.into_setup()
    }

    /// Kills the server without warning; gives its setup back for another start.
    pub fn kill(mut self) -> Setup {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.into_setup()
    }

    /// What it runs on, for another start.
    pub fn into_setup(mut self) -> Setup {
        std::mem::replace(&mut self.setup, Setup::new(""))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that speaks lines: plain, or over something else that reads and writes.
pub struct Client<S = TcpStream> {
    /// The socket.
    pub stream: BufReader<S>,
}

impl Client {
    /// Takes a connection.
    pub fn new(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream: BufReader::new(stream) }
    }
}

impl<S: Read + Write> Client<S> {
    /// Reads a line; empty at the end of the connection (a reset is an end too).
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(_) => line.trim_end_matches("\r\n").to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => String::new(),
            Err(error) => panic!("reading a line: {error}"),
        }
    }

    /// Reads a reply of several lines (SMTP), the last one included.
    pub fn reply(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            let more = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line);
            if !more {
                return lines;
            }
        }
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Sends a line and reads the first line of the answer.
    pub fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n"));
        self.line()
    }

    /// Reads to the end of the connection; a reset is an end too.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        match self.stream.read_to_end(&mut all) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("reading to the end: {error}"),
        }
        all
    }
}

/// The config of [`Setup::mail`].
pub const MAIL_CONFIG: &str = r#"(
    hostname: "mail.example.test",
    data_dir: "data",
    plugins: {
        "tls-rustls": (),
        "cert-store": (config: (create_missing: true)),
        "accounts-file": (config: (domains: ["example.test"])),
        "store-sqlite": (),
        "delivery": (),
        "mx": (plugin: "smtp", config: (role: Mx)),
        "submission": (plugin: "smtp", config: (role: Submission)),
        "pop3": (),
        "imap": (),
    },
    listeners: {
        "smtp": (protocol: "mx", bind: ["127.0.0.1:0"], tls: Explicit),
        "submission": (protocol: "submission", bind: ["127.0.0.1:0"], tls: Explicit),
        "submissions": (protocol: "submission", bind: ["127.0.0.1:0"], tls: Implicit),
        "pop3": (protocol: "pop3", bind: ["127.0.0.1:0"], tls: Explicit),
        "pop3s": (protocol: "pop3", bind: ["127.0.0.1:0"], tls: Implicit),
        "imap": (protocol: "imap", bind: ["127.0.0.1:0"], tls: Explicit),
        "imaps": (protocol: "imap", bind: ["127.0.0.1:0"], tls: Implicit),
    },
)"#;
