//! What somebody handed us as a certificate or key file: its bytes and what to call it in messages.
//!
//! Fails with a reason for everything that isn't a regular, readable file with something in it. A FIFO or a
//! device never blocks us: the file is opened without waiting and looked at before a byte is read.
//! Bound: [`MAX_INPUT`] bytes.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// The largest certificate or key file that is read.
pub const MAX_INPUT: u64 = 4 * 1024 * 1024;

/// Bytes that should hold certificates or keys, and the name they go by in messages.
pub struct Input {
    /// A file name, or what the caller called the bytes.
    pub origin: String,
    /// The bytes; zeroized when dropped, because they may be a private key.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Input {
    /// Takes bytes that the caller has read already.
    pub fn new(origin: impl Into<String>, bytes: Vec<u8>) -> Result<Self, InputError> {
        let origin = origin.into();
        let bytes = Zeroizing::new(bytes);
        if bytes.is_empty() {
            return Err(InputError::Empty { origin });
        }
        if bytes.len() as u64 > MAX_INPUT {
            return Err(InputError::TooLarge { origin });
        }
        Ok(Self { origin, bytes })
    }

    /// Reads a regular file.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let origin = path.display().to_string();
        let unreadable = |source| InputError::Unreadable { origin: path.display().to_string(), source };
        // Without NONBLOCK, opening a FIFO that nobody writes to would wait for ever.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open(path)
            .map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if !meta.is_file() {
            return Err(InputError::NotAFile { origin, kind: kind_name(meta.file_type()) });
        }
        if meta.len() > MAX_INPUT {
            return Err(InputError::TooLarge { origin });
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(meta.len() as usize + 1));
        file.take(MAX_INPUT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        Self::new(origin, std::mem::take(&mut *bytes))
    }
}

/// Why a file can't be used, whatever is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Nothing in it.
    #[error("{origin} is empty")]
    Empty {
        /// The file.
        origin: String,
    },
    /// More than [`MAX_INPUT`].
    #[error("{origin} is larger than {} MiB: that is no certificate or key", MAX_INPUT / 1024 / 1024)]
    TooLarge {
        /// The file.
        origin: String,
    },
    /// A directory, a FIFO, a device or a socket.
    #[error("{origin} is {kind}: name a regular file")]
    NotAFile {
        /// The path.
        origin: String,
        /// What it is.
        kind: &'static str,
    },
    /// The system wouldn't let us.
    #[error("can't read {origin}: {source}")]
    Unreadable {
        /// The file.
        origin: String,
        /// What the system said.
        source: io::Error,
    },
}

fn kind_name(kind: std::fs::FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(path: &Path) -> String {
        match Input::read(path) {
            Ok(_) => panic!("{} was accepted", path.display()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn reads_a_file_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.crt");
        std::fs::write(&path, b"\0\xffhello").unwrap();
        assert_eq!(&Input::read(&path).unwrap().bytes[..], b"\0\xffhello");
    }

    #[test]
    fn refuses_what_is_no_regular_file_and_says_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        assert!(reason(dir.path()).contains("is a directory"));
        assert!(reason(Path::new("/dev/zero")).contains("is a device"));
        let fifo = dir.path().join("pipe.crt");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        assert!(reason(&fifo).contains("is a FIFO"));
        assert!(reason(&dir.path().join("none")).contains("No such file"));
    }

    #[test]
    fn refuses_empty_and_huge() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.crt");
        std::fs::write(&path, b"").unwrap();
        assert!(reason(&path).ends_with("is empty"));
        std::fs::File::create(&path).unwrap().set_len(MAX_INPUT + 1).unwrap();
        assert!(reason(&path).contains("larger than 4 MiB"));
        assert!(Input::new("x", vec![0; MAX_INPUT as usize + 1]).is_err());
    }
}
