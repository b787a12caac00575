//! Bound sockets and the loop that accepts on them.

use socket2::{Domain, Protocol, Socket, Type};
use std::{io, net::SocketAddr, time::Duration};
use tokio::net::{TcpListener, TcpStream};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// How long to wait after running out of file descriptors.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Binds addresses for something with this name.
///
/// # Errors
/// One sentence that names the address and the cure.
pub fn bind_all(what: &str, addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, String> {
    let one = |&address: &SocketAddr| {
        bind_one(address).map_err(|error| format!("{what} cannot bind {address}: {}", explain(address, &error)))
    };
    addresses.iter().map(one).collect()
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // [::]:25 beside 0.0.0.0:25 must not collide.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn explain(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "the port is in use (find its owner with `ss -ltnp 'sport = :{}'`, or choose another port)",
            address.port()
        ),
        io::ErrorKind::PermissionDenied => {
            "not allowed (ports below 1024 need CAP_NET_BIND_SERVICE, or choose a higher port)".into()
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address (correct `bind`)".into(),
        _ => format!("{error} (correct `bind`)"),
    }
}

/// Accepts for ever; `serve` must not block. Errors of single connections are passed over, and running out of file
/// descriptors waits a moment.
pub async fn accept_loop(socket: TcpListener, name: &str, mut serve: impl FnMut(TcpStream, SocketAddr)) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => serve(stream, peer),
            Err(error) if is_exhaustion(&error) => {
                tracing::warn!(listener = name, %error, "cannot accept now; raise the limit of open files if this stays");
                tokio::time::sleep(BACK_OFF).await;
            }
            Err(error) => tracing::debug!(listener = name, %error, "a connection was gone before it was accepted"),
        }
    }
}

fn is_exhaustion(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
