//! Unix sockets at paths of any length.
//!
//! A socket address holds 108 bytes. Longer paths are reached through the open directory: `/proc/self/fd/N/name`.

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

const MAX: usize = 100;

/// A path that fits, and what must stay open while it is used.
pub fn short(path: &Path) -> io::Result<(PathBuf, Option<File>)> {
    if path.as_os_str().len() <= MAX {
        return Ok((path.to_owned(), None));
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let directory = File::open(directory)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(name);
    Ok((short, Some(directory)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn a_long_path_can_be_bound_and_reached() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("d".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let path = deep.join("control");
        let (bind, _open) = short(&path).unwrap();
        let _listener = UnixListener::bind(bind).unwrap();
        assert!(path.exists());
        let (connect, _open) = short(&path).unwrap();
        UnixStream::connect(connect).unwrap();
    }
}
