//! Reading a header off a connection.

use super::{next, BadHeader, Next, Origin};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Something else came.
    #[error(transparent)]
    Bad(#[from] BadHeader),
    /// The connection ended before.
    #[error("the connection ended within the PROXY header")]
    Ended,
    /// The connection ended before anything came, as those of simple health checks do.
    #[error("the connection ended before the PROXY header")]
    Nothing,
    /// The connection broke.
    #[error("the connection broke before the end of the PROXY header: {0}")]
    Broke(#[from] io::Error),
}

/// Reads the header and nothing behind it.
///
/// # Errors
/// If there is none.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Origin>, ReadError> {
    let mut header = Vec::new();
    loop {
        let more = match next(&header)? {
            Next::Whole(origin) => return Ok(origin),
            Next::Read(more) => more,
        };
        // `usize` has at most 64 bits.
        if (&mut *stream).take(more as u64).read_buf(&mut header).await? == 0 {
            return Err(if header.is_empty() { ReadError::Nothing } else { ReadError::Ended });
        }
    }
}
