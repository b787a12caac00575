//! Putting a pair into the folder so that at any instant, power cut or kill included, the folder holds the old
//! pair or the new one and never a mixture.
//!
//! A signing request alone (`request`) takes one rename, too.
//!
//! A new name: both files are staged and synced, the key is linked into place (which fails if there is one), and
//! renaming the certificate is the commit. The same key: one rename. Another key under the same name needs two
//! files to change at once, see `swap`. After a failure, and at the next publication after a kill, `tidy`
//! undoes what was begun or finishes what was committed. Publications in one folder wait for each other on a
//! lock file, for at most [`LOCK_WAIT`]. The lock goes with the program that holds it, however that ends; the file stays.

mod open_key;
mod request;
mod steps;
mod swap;
mod tidy;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

pub use open_key::OpenKey;
pub use request::publish_request;
pub use steps::{STAGE, STAGED_RECORD, SWAP};

use crate::fingerprint::Fingerprint;
use crate::folder::{key_in, InputOrKeyError, PairFiles, Stamp};
use crate::input::InputError;
use crate::name::CertName;
use steps::Steps;

/// How long a publication waits for another one in the same folder.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

/// What is to be published: proved, and in the form of the files.
pub struct Pair {
    /// Stem of the files.
    pub name: CertName,
    /// `NAME.key`.
    pub key: Zeroizing<String>,
    /// What the key is called in messages, and how it is told from another one.
    pub key_fingerprint: Fingerprint,
    /// `NAME.crt`: the certificate and what leads to the authority, leaf first.
    pub certificate: String,
    /// `NAME.csr`, if there is one.
    pub csr: Option<String>,
}

/// What to do if the name is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse: nothing is replaced.
    Refuse,
    /// Replace the certificate if the key is the same, else refuse: an authority has answered a request.
    RenewSameKey,
    /// Replace the certificate if the key is the same and neither file has changed since it looked like this, else refuse:
    /// what is in its place was made from these very files.
    Unchanged(Stamp),
    /// Replace whatever is there, if it still looks like this: nobody has put something else there meanwhile.
    Seen(Stamp),
    /// Replace whatever is there.
    Replace,
}

/// What a publication did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// A new name.
    New,
    /// The key was there already; the certificate is new.
    CertificateReplaced,
    /// Key and certificate were replaced.
    PairReplaced,
}

/// Publishes `pair` in `folder`, which is made if it doesn't exist. On an error nothing has changed, except for
/// [`PublishError::NotDurable`].
pub fn publish(folder: &Path, pair: &Pair, existing: Existing) -> Result<Published, PublishError> {
    publish_stepwise(folder, pair, existing, &mut || Ok(()))
}

/// [`publish`] with something called before every change in the folder: how the tests die or fail in between.
fn publish_stepwise(
    folder: &Path,
    pair: &Pair,
    existing: Existing,
    before_each: &mut dyn FnMut() -> io::Result<()>,
) -> Result<Published, PublishError> {
    let failed = |source| PublishError::Io { folder: folder.to_owned(), source };
    // A refusal leaves no trace, not even a lock file; it is looked again under the lock.
    if !tidy::begun(folder, pair.name.as_str()) {
        preview(folder, pair, existing)?;
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let _lock = lock(folder)?;
    let mut steps = Steps::new(folder, before_each);
    tidy::tidy_all(&mut steps).map_err(failed)?;

    let did = preview(folder, pair, existing)?;
    let result = match did {
        Published::CertificateReplaced => replace_certificate(&mut steps, pair),
        Published::PairReplaced => swap::swap(&mut steps, pair),
        Published::New => add(&mut steps, pair),
    };
    if let Err(source) = result {
        // Back to the start; what can't be undone now, because the disk fails, is undone by the next publication.
        let mut quiet = || Ok(());
        let _ = tidy::tidy_name(&mut Steps::new(folder, &mut quiet), pair.name.as_str());
        return Err(failed(source));
    }
    steps.sync_folder().map_err(|source| PublishError::NotDurable { name: pair.name.to_string(), source })?;
    Ok(did)
}

/// What [`publish`] would do with the folder as it is.
pub fn preview(folder: &Path, pair: &Pair, existing: Existing) -> Result<Published, PublishError> {
    let files = PairFiles::of(folder, &pair.name);
    let (has_key, has_crt, has_csr) = (there(&files.key), there(&files.crt), there(&files.csr));
    // Whose key it is decides; one that can't be read is somebody else's.
    let same_key = has_key && key_in(&files.key).is_ok_and(|key| key.fingerprint() == pair.key_fingerprint);
    let taken = match existing {
        Existing::Refuse => has_key || has_crt || has_csr,
        Existing::RenewSameKey => !same_key && (has_key || has_crt),
        Existing::Unchanged(stamp) => !same_key || files.stamp() != stamp,
        Existing::Seen(stamp) => files.stamp() != stamp,
        Existing::Replace => false,
    };
    if taken {
        return Err(taken_error(&files, pair, existing));
    }
    Ok(if same_key {
        Published::CertificateReplaced
    } else if has_key || has_crt || (has_csr && pair.csr.is_some()) {
        Published::PairReplaced
    } else {
        Published::New
    })
}

/// A name that isn't in use.
fn add(steps: &mut Steps<'_>, pair: &Pair) -> io::Result<()> {
    let name = pair.name.as_str();
    steps.stage(name, "key", pair.key.as_bytes())?;
    steps.stage(name, "crt", pair.certificate.as_bytes())?;
    if let Some(csr) = &pair.csr {
        steps.stage(name, "csr", csr.as_bytes())?;
        steps.link_staged(name, "csr")?;
    }
    // The staged key keeps its name until the end: two names for one file tell `tidy` that this was begun.
    steps.link_staged(name, "key")?;
    steps.sync_folder()?;
    steps.rename_staged(name, "crt")?;
    // Committed. What fails from here on is litter, and no reason to call it a failure.
    let _ = steps.unstage(name, "key");
    let _ = steps.unstage(name, "csr");
    Ok(())
}

/// The same key under the same name: one rename. The key is closed if it stood open.
fn replace_certificate(steps: &mut Steps<'_>, pair: &Pair) -> io::Result<()> {
    let name = pair.name.as_str();
    steps.stage(name, "crt", pair.certificate.as_bytes())?;
    steps.rename_staged(name, "crt")?;
    // Committed; whoever publishes tells what became of it.
    let _ = open_key::close(&steps.file(name, "key"));
    Ok(())
}

/// Whether a directory entry exists, whatever it is.
fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Waits for whoever changes the folder. It is the caller's as long as the file is open.
pub fn lock(folder: &Path) -> Result<File, PublishError> {
    lock_within(folder, LOCK_WAIT)
}

fn lock_within(folder: &Path, wait: Duration) -> Result<File, PublishError> {
    let path = folder.join(".lock");
    let failed = |source| PublishError::Io { folder: folder.to_owned(), source };
    let file = OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
    let deadline = Instant::now() + wait;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Err(PublishError::Busy { path });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn taken_error(files: &PairFiles, pair: &Pair, existing: Existing) -> PublishError {
    let name = pair.name.to_string();
    match existing {
        Existing::Refuse => return PublishError::Taken { name },
        Existing::Unchanged(_) | Existing::Seen(_) => return PublishError::Changed { name },
        Existing::RenewSameKey | Existing::Replace => {}
    }
    match key_in(&files.key) {
        Ok(key) => PublishError::OtherKey { name, there: key.fingerprint(), brought: pair.key_fingerprint },
        Err(InputOrKeyError::Input(InputError::Unreadable { source, .. }))
            if source.kind() == io::ErrorKind::NotFound =>
        {
            PublishError::LoneCertificate { name }
        }
        Err(reason) => PublishError::UnreadableKey { name, reason: reason.to_string() },
    }
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The name is in use.
    #[error("there is a certificate named \"{name}\" already: choose another name, or replace it with --replace")]
    Taken {
        /// The name.
        name: String,
    },
    /// The name is in use with another key.
    #[error(
        "the certificate \"{name}\" has another key: the key there has fingerprint {there}, this one {brought}; \
         choose another name, or replace the pair with --replace"
    )]
    OtherKey {
        /// The name.
        name: String,
        /// The key in the folder.
        there: Fingerprint,
        /// The key that was brought.
        brought: Fingerprint,
    },
    /// Somebody else has replaced it meanwhile.
    #[error("the certificate \"{name}\" was replaced meanwhile: look at it with `dovetail certs show {name}`, and try again")]
    Changed {
        /// The name.
        name: String,
    },
    /// A certificate without a key stands there.
    #[error("there is a certificate \"{name}\" without a key in the folder: remove it, or replace it with --replace")]
    LoneCertificate {
        /// The name.
        name: String,
    },
    /// The key there can't be compared.
    #[error(
        "the name \"{name}\" is in use, and its key can't be read: {reason}; \
             choose another name, or replace the pair with --replace"
    )]
    UnreadableKey {
        /// The name.
        name: String,
        /// What is wrong with the key there.
        reason: String,
    },
    /// Another publication holds the lock, which goes when its program ends: there is nothing to remove.
    #[error(
        "another program has been changing the folder for {} seconds: try again when it has ended; \
             `fuser -v {}` names it",
        LOCK_WAIT.as_secs(),
        path.display()
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// The file system said no.
    #[error("can't write to the certificate folder {}: {source}; nothing has changed", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Published, but the disk didn't confirm it.
    #[error(
        "the certificate \"{name}\" is in place, but the disk didn't confirm it: {source}; \
             check the disk before you rely on it"
    )]
    NotDurable {
        /// The name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests;
