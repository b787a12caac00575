//! One connection: lines in, lines out, plain or encrypted.

use crate::{Common, PATIENCE};
use rustls::{ClientConnection, StreamOwned};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

/// What is sent and read goes through TLS or not.
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

/// See the module.
pub struct Wire {
    stream: BufReader<Stream>,
    /// Our end.
    pub from: SocketAddr,
}

/// A line is at most so long.
const MAX_LINE: u64 = 64 << 10;
/// A literal is at most so long.
const MAX_LITERAL: usize = 1 << 20;

impl Wire {
    /// Connects, and does TLS if it comes first.
    pub fn connect(common: &Common, address: SocketAddr, implicit: bool) -> io::Result<Wire> {
        let tcp = TcpStream::connect_timeout(&address, PATIENCE)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        tcp.set_nodelay(true)?;
        let from = tcp.local_addr()?;
        let wire = Wire { stream: BufReader::with_capacity(4096, Stream::Plain(tcp)), from };
        match implicit {
            true => wire.secure(common),
            false => Ok(wire),
        }
    }

    /// Does TLS from here on.
    pub fn secure(self, common: &Common) -> io::Result<Wire> {
        if !self.stream.buffer().is_empty() {
            return Err(io::Error::other("the server sent data before the handshake"));
        }
        let Stream::Plain(tcp) = self.stream.into_inner() else {
            return Err(io::Error::other("TLS was begun before"));
        };
        let connection = ClientConnection::new(common.config.clone(), common.name.clone()).map_err(io::Error::other)?;
        let mut tls = StreamOwned::new(connection, tcp);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        Ok(Wire { stream: BufReader::with_capacity(4096, Stream::Tls(Box::new(tls))), from: self.from })
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// A line without its end.
    pub fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.stream.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        match line.strip_suffix(b"\r\n") {
            Some(text) => Ok(String::from_utf8_lossy(text).into_owned()),
            None if line.is_empty() => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server ended the session"))
            }
            None => Err(io::Error::other("a line without an end")),
        }
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        if count > MAX_LITERAL {
            return Err(io::Error::other(format!("a literal of {count} octets")));
        }
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
