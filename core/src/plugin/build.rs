//! Which build of a plugin a file is, in 16 hexadecimal digits, for people: two builds of one version have different ones.
//!
//! It is the beginning of the build id that the linker put into the file (a hash of its content), else of the file's SHA-256.
//! It is no pin: whoever writes a file can choose its build id.

use object::{Object, ReadCache};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Seek},
    path::Path,
};

/// A build has so many hexadecimal digits.
const OCTETS: usize = 8;

/// The build that a file is.
///
/// # Errors
/// As the file system gives them.
pub fn of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let noted = {
        let cache = ReadCache::new(&mut file);
        let id = object::File::parse(&cache).ok().and_then(|library| library.build_id().ok().flatten().map(hex));
        id
    };
    if let Some(id) = noted.filter(|id| id.len() == 2 * OCTETS) {
        return Ok(id);
    }
    file.rewind()?;
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().take(OCTETS).map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_a_note_are_told_apart_by_their_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, "one").unwrap();
        let one = of(&path).unwrap();
        std::fs::write(&path, "two").unwrap();
        assert_eq!(one, "7692c3ad3540bb80");
        assert_ne!(of(&path).unwrap(), one);
    }

    #[test]
    fn this_program_has_one() {
        let id = of(&std::env::current_exe().unwrap()).unwrap();
        assert!(id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    }
}
