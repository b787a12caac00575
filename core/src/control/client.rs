//! The command's end of the control socket.

use super::{
    address::short,
    message::{Answer, Call, Request, VERSION},
};
use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
};

/// A connection to a running server.
pub struct Client {
    stream: UnixStream,
}

impl Client {
    /// Connects to the server of a data directory; `None` if none runs there.
    ///
    /// # Errors
    /// If one may be there and cannot be reached.
    pub fn connect(data_dir: &Path) -> io::Result<Option<Client>> {
        let path = crate::datadir::control_socket(data_dir);
        // Where the directory cannot be searched there may well be a server.
        if !path.try_exists().map_err(cure)? {
            return Ok(None);
        }
        let (path, _open) = short(&path).map_err(cure)?;
        match UnixStream::connect(path) {
            Ok(stream) => Ok(Some(Client { stream })),
            // The file of a server that is gone.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(None),
            Err(error) => Err(cure(error)),
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// If the connection breaks, or the server says no.
    pub fn call(mut self, call: Call, mut step: impl FnMut(&str)) -> Result<Answer, String> {
        let broken = |error: &dyn std::fmt::Display| {
            format!("the connection to the server broke: {error} (its log says why; ask again if it still runs)")
        };
        let mut line = serde_json::to_vec(&Request { version: VERSION, call }).map_err(|e| broken(&e))?;
        line.push(b'\n');
        self.stream.write_all(&line).map_err(|e| broken(&e))?;
        for line in BufReader::new(&self.stream).lines() {
            match serde_json::from_str(&line.map_err(|e| broken(&e))?).map_err(|e| broken(&e))? {
                Answer::Step(text) => step(&text),
                Answer::Failed(message) => return Err(message),
                answer => return Ok(answer),
            }
        }
        Err(broken(&"it ended without an answer"))
    }
}

/// Says what to do where permission is missing.
fn cure(error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return error;
    }
    io::Error::new(error.kind(), format!("{error} (run the command as the server's user or as root)"))
}
