//! Reading a file that the operator names: a regular one, and not longer than it may be.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// The file's octets, at most `limit`.
///
/// # Errors
/// As reading does; if it is no regular file, or longer.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Opening a FIFO would wait for a writer.
    let no_wait = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(no_wait).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut octets = Vec::new();
    file.take(limit + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > limit {
        return Err(io::Error::other(format!("it is too long; {limit} bytes is the limit")));
    }
    Ok(octets)
}
