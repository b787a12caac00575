//! Telling a service manager how the server is: systemd's `sd_notify` protocol, for units of `Type=notify` and `Type=notify-reload`.
//!
//! Without `NOTIFY_SOCKET` in the environment nobody is told. A manager that cannot be told does not stop a server: it has
//! deadlines of its own, and the log has the cause.

use rustix::time::{clock_gettime, ClockId};
use std::{
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
};

/// The server serves, with one line about that.
pub fn ready(status: &str) {
    tell(&format!("READY=1\nSTATUS={}", status.replace(char::is_control, " ")));
}

/// A reload begins; [`ready`] ends it. The time is that of the manager's clock.
pub fn reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    let microseconds = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
    tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
}

/// A stop begins.
pub fn stopping() {
    tell("STOPPING=1");
}

fn tell(what: &str) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
        return;
    };
    if let Err(error) = send(&name, what) {
        tracing::warn!(socket = %name.to_string_lossy(), %error, "the service manager cannot be told how the server is");
    }
}

fn send(name: &OsStr, what: &str) -> io::Result<()> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    UnixDatagram::unbound()?.send_to_addr(what.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_by_path_and_by_abstract_name_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let name = format!("dovetail-notify-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        for (socket, name) in [
            (UnixDatagram::bind(&path).unwrap(), path.as_os_str().to_owned()),
            (UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}").into()),
        ] {
            send(&name, "READY=1").unwrap();
            let mut room = [0; 100];
            let length = socket.recv(&mut room).unwrap();
            assert_eq!(&room[..length], b"READY=1");
        }
    }
}
