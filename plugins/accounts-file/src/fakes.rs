//! SCRAM keys for names that have none.
//!
//! Whoever begins a login by SCRAM is told a salt and a number of iterations before anything is proved. Were there none for names
//! that do not exist, or other ones each time, everybody could ask which names do. So such names get a salt that is made of the
//! name and a secret of this server, and keys that no password has.
//!
//! The secret is kept in the data directory (`scram-secret`), so that a restart changes nothing; it is worth nothing but this.
//! **Fails** with a [`SecretError`] that names the file.

use crate::{
    file::{self, FileError},
    password::{self, HashError},
    scram::SALT_OCTETS,
};
use blake2::{digest::Mac, Blake2sMac256};
use data_encoding::HEXLOWER;
use dovetail_mail::sasl::scram::ScramKeys;
use dovetail_sdk::Secret;
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// See the module.
pub struct Fakes(Zeroizing<[u8; SECRET_OCTETS]>);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("{0} cannot be read: {1} (check who may read it)")]
    Read(PathBuf, io::Error),
    /// Something else stands in it.
    #[error("{0} does not hold 64 hexadecimal digits; remove it, and a new one is made")]
    Content(PathBuf),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] HashError),
}

impl Fakes {
    /// With the secret of a file, which is made if it is not there. Blocks.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn open(path: &Path) -> Result<Self, SecretError> {
        let mut text = Zeroizing::new(String::new());
        let read = std::fs::File::open(path).and_then(|file| file.take(MAX_SIZE).read_to_string(&mut text));
        match read {
            Ok(_) => {
                let octets = HEXLOWER.decode(text.trim_end().as_bytes()).map(Zeroizing::new);
                let secret = octets.ok().and_then(|octets| <[u8; SECRET_OCTETS]>::try_from(octets.as_slice()).ok());
                secret.map(|secret| Fakes(Zeroizing::new(secret))).ok_or_else(|| SecretError::Content(path.to_owned()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let fakes = Fakes::passing()?;
                file::replace(path, &Zeroizing::new(format!("{}\n", HEXLOWER.encode(fakes.0.as_slice()))))?;
                Ok(fakes)
            }
            Err(error) => Err(SecretError::Read(path.to_owned(), error)),
        }
    }

    /// With a secret that is gone with the process, where no client is served.
    ///
    /// # Errors
    /// No random bytes.
    pub fn passing() -> Result<Self, HashError> {
        Ok(Fakes(Zeroizing::new(password::random()?)))
    }

    /// The keys of a name.
    pub fn keys(&self, name: &str, iterations: u32) -> ScramKeys {
        let mut salt = self.made("salt", name);
        salt.truncate(SALT_OCTETS);
        ScramKeys {
            salt,
            iterations,
            stored_key: Secret::new(self.made("stored key", name)),
            server_key: Secret::new(self.made("server key", name)),
        }
    }

    fn made(&self, what: &str, name: &str) -> Vec<u8> {
        let mut mac = Blake2sMac256::new(&(*self.0).into());
        mac.update(what.as_bytes());
        mac.update(b"\0");
        mac.update(name.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }
}

impl std::fmt::Debug for Fakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fakes(..)")
    }
}

const SECRET_OCTETS: usize = 32;
/// More than the file has.
const MAX_SIZE: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_same_each_time_and_different_for_each_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scram-secret");
        let (one, two) = (Fakes::open(&path).unwrap(), Fakes::open(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (a, again, b) = (one.keys("a@x.org", 9), two.keys("a@x.org", 9), one.keys("b@x.org", 9));
        assert_eq!((a.salt.len(), a.stored_key.expose().len(), a.server_key.expose().len()), (16, 32, 32));
        assert_eq!((&a.salt, a.stored_key.expose()), (&again.salt, again.stored_key.expose()));
        assert_ne!(a.salt, b.salt);
        assert_ne!(a.stored_key.expose(), a.server_key.expose());
        assert_ne!(a.salt, Fakes::passing().unwrap().keys("a@x.org", 9).salt, "another server");
        assert_eq!(format!("{one:?}"), "Fakes(..)");
    }

    #[test]
    fn what_is_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scram-secret");
        for text in ["", "00", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64)] {
            std::fs::write(&path, text).unwrap();
            assert!(Fakes::open(&path).unwrap_err().to_string().contains("remove it"), "{text}");
        }
        assert!(matches!(Fakes::open(folder.path()), Err(SecretError::Read(..))));
        assert!(matches!(Fakes::open(&folder.path().join("no/where")), Err(SecretError::Write(_))));
    }
}
