//! Peers that speak nonsense, cut off, hold on or push: a protocol error, an alert or a close, and the server goes on.

mod cuts;
mod flood;
mod limits;
mod lines;
mod own;
mod time;

use crate::harness::{run_ok, Client, Server, Setup, DEADLINE, MAIL_CONFIG, PASSWORD, USER};
use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    time::Instant,
};

/// A mail server whose explicit listeners take passwords without TLS; more options for all listeners (`", x: 1"`).
/// Nobody is shut out for failed logins unless a test says so.
pub fn server(options: &str) -> Server {
    server_with(options, "login_blocking: (failures: 0),")
}

/// The same with other options of the server.
pub fn server_with(options: &str, top: &str) -> Server {
    let config = MAIL_CONFIG
        .replace("tls: Explicit", &format!("tls: Explicit, insecure_auth: true{options}"))
        .replace("tls: Implicit", &format!("tls: Implicit{options}"))
        .replace("data_dir: \"data\",", &format!("data_dir: \"data\",\n    {top}"));
    Setup::mail_with(&config).start()
}

/// The server is as it should be: it serves both protocols, and nothing in it has panicked or failed.
#[track_caller]
pub fn assert_sound(server: &Server) {
    let before = server.mailbox(USER, PASSWORD).len();
    server.leave(b"Subject: still here\r\n\r\n");
    assert_eq!(server.mailbox(USER, PASSWORD).len(), before + 1);
    let log = server.log();
    let bad = |line: &&str| line.contains("panic") || line.split_whitespace().nth(1) == Some("error");
    assert_eq!(log.lines().find(bad), None, "{log}");
}

/// What greetings begin with.
pub const GREETINGS: [&str; 3] = ["220 ", "+OK", "* OK"];

/// A client behind the greeting.
#[track_caller]
pub fn greeted(server: &Server, listener: &str) -> Client {
    let mut client = server.connect(listener);
    let greeting = client.line();
    assert!(GREETINGS.iter().any(|words| greeting.starts_with(words)), "{greeting:?}\n{}", server.log());
    client
}

/// Sends bytes to a server that may have closed already; whether all were taken.
pub fn push(client: &mut Client, bytes: &[u8]) -> bool {
    client.stream.get_mut().write_all(bytes).is_ok()
}

/// Says that nothing more will be sent, and reads what is still said.
pub fn hear_out(mut client: Client) -> Vec<u8> {
    // The server may have ended it before.
    let _ = client.stream.get_ref().shutdown(Shutdown::Write);
    client.rest()
}

/// A connection from another loopback address.
pub fn connect_from(last: u8, to: SocketAddr) -> Client {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    Client::new(TcpStream::from(socket))
}

/// Bytes that look like nothing, the same for the same seed.
pub fn garbage(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Reads what comes until the connection ends; `false` if it did not end in time.
pub fn ends(client: &mut Client) -> bool {
    let mut room = [0; 4096];
    loop {
        match client.stream.read(&mut room) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => match error.kind() {
                ErrorKind::ConnectionReset => return true,
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return false,
                // A read with a timeout is not begun anew after the process was stopped for a moment (signal(7)).
                ErrorKind::Interrupted => {}
                kind => panic!("{kind:?}: {error}"),
            },
        }
    }
}

/// Waits until no session is left: sessions whose client is gone must end by themselves.
#[track_caller]
pub fn settled(server: &Server) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let status = run_ok(server.dovetail().args(["status", "--json"]));
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        if status["listeners"].as_array().unwrap().iter().all(|listener| listener["sessions"] == 0) {
            return;
        }
        assert!(Instant::now() < deadline, "sessions are left: {status}");
    }
}
