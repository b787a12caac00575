//! What swaps and reloads leave in memory, at rest: the process's share (PSS).
//!
//! A first few of each are not counted: caches fill, and the allocator takes what it keeps.

use super::server::Server;
use crate::error::Error;
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// So many swaps are not counted.
const WARM_UP_SWAPS: u32 = 2;
/// So many reloads are not counted.
const WARM_UP_RELOADS: u32 = 100;
/// Generations that nobody uses have ended after this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Memory when no generation is left but those in service.
pub fn at_rest(server: &Server) -> Result<u64, Error> {
    let since = Instant::now();
    while server.retiring()? > 0 {
        if since.elapsed() > PATIENCE {
            return Err(Error::Server("generations that nobody uses do not end".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    server.memory()
}

/// Octets that each retired library of an instance leaves. Every swap brings a file that the process has not loaded before.
pub fn per_library(server: &Server, dir: &Path, instance: &str, library: &Path, count: u32) -> Result<u64, Error> {
    let mut before = 0;
    let stem = library.file_stem().unwrap_or_default().to_string_lossy();
    for number in 0..WARM_UP_SWAPS + count {
        if number == WARM_UP_SWAPS {
            before = at_rest(server)?;
        }
        let file = dir.join(format!("{stem}-{number}.so"));
        fs::copy(library, &file).map_err(Error::file(&file))?;
        server.swap(instance, &file)?;
        at_rest(server)?;
    }
    Ok(at_rest(server)?.saturating_sub(before) / u64::from(count))
}

/// Octets that so many reloads leave that change nothing.
pub fn reloads(server: &Server, count: u32) -> Result<u64, Error> {
    for _ in 0..WARM_UP_RELOADS {
        server.reload()?;
    }
    let before = at_rest(server)?;
    for _ in 0..count {
        server.reload()?;
    }
    Ok(at_rest(server)?.saturating_sub(before))
}
