//! The accounts file as a running server knows it.
//!
//! The file is looked at when the directory is used, at most once a second, and read again when it is another one. A file
//! with a mistake changes nothing: the log names the mistake, and what was known stays in force. Operations read the file,
//! change it, check the outcome, write it, and put it in force, one after the other.

use crate::{
    book::{Book, Settings},
    content::Content,
    edit::EditError,
    file::{self, FileError, Loaded, Stamp},
};
use std::{
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
    },
    time::{Duration, Instant},
};

/// See the module.
#[derive(Debug)]
pub struct Live {
    path: PathBuf,
    settings: Settings,
    book: RwLock<Arc<Book>>,
    /// The version that was looked at last, good or bad. Whoever reads or writes the file holds this lock.
    seen: Mutex<Option<Stamp>>,
    origin: Instant,
    /// When to look again, in milliseconds after `origin`.
    next_look: AtomicU64,
}

impl Live {
    /// Reads the file; a missing one has no accounts.
    ///
    /// # Errors
    /// A file that cannot be read or has a mistake.
    pub fn open(path: PathBuf, settings: Settings, now: Instant) -> Result<Self, FileError> {
        let (content, stamp) = match file::read(&path) {
            Ok(loaded) => {
                warn_if_exposed(&path, &loaded);
                (loaded.content, Some(loaded.stamp))
            }
            Err(FileError::Missing(_)) => (Content::default(), None),
            Err(error) => return Err(error),
        };
        let book = make(&path, content, &settings)?;
        Ok(Live {
            path,
            settings,
            book: RwLock::new(Arc::new(book)),
            seen: Mutex::new(stamp),
            origin: now,
            next_look: AtomicU64::new(LOOK_EVERY.as_millis() as u64),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file was there when it was last looked at.
    pub fn exists(&self) -> bool {
        self.lock().is_some()
    }

    /// What is in force.
    pub fn book(&self) -> Arc<Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is time to look at the file. True for one caller a second, who must then call [`Live::look`].
    pub fn is_due(&self, now: Instant) -> bool {
        let now = now.saturating_duration_since(self.origin).as_millis() as u64;
        let due = self.next_look.load(Ordering::Relaxed);
        let next = now.saturating_add(LOOK_EVERY.as_millis() as u64);
        now >= due && self.next_look.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Looks at the file and reads it if it is another one. Blocks.
    pub fn look(&self) {
        // Who holds the lock is reading or writing it: nothing to do, and no second thread to lose to a slow disk.
        let Ok(mut seen) = self.seen.try_lock() else {
            return;
        };
        let stamp = match file::stamp(&self.path) {
            Ok(stamp) if stamp == *seen => return,
            Ok(stamp) => stamp,
            Err(error) => {
                tracing::error!("{error}; the accounts known so far stay in force");
                return;
            }
        };
        *seen = stamp;
        let read = file::read(&self.path).and_then(|loaded| {
            warn_if_exposed(&self.path, &loaded);
            *seen = Some(loaded.stamp);
            make(&self.path, loaded.content, &self.settings)
        });
        match read {
            Ok(book) => {
                tracing::info!(file = %self.path.display(), accounts = book.accounts(), "accounts read again");
                self.install(book);
            }
            Err(error) => tracing::error!("{error}; the accounts known so far stay in force"),
        }
    }

    /// Reads the file now, whether or not it seems to be another one. Blocks.
    ///
    /// # Errors
    /// A file that is gone, cannot be read or has a mistake: the accounts known so far stay in force then.
    pub fn reread(&self) -> Result<(), FileError> {
        let mut seen = self.lock();
        let loaded = match file::read(&self.path) {
            Ok(loaded) => loaded,
            Err(FileError::Missing(_)) if self.book().accounts() == 0 => return Ok(()),
            Err(error) => return Err(error),
        };
        warn_if_exposed(&self.path, &loaded);
        *seen = Some(loaded.stamp);
        let book = make(&self.path, loaded.content, &self.settings)?;
        tracing::info!(file = %self.path.display(), accounts = book.accounts(), "accounts read again");
        self.install(book);
        Ok(())
    }

    /// The file's content as it is now. Blocks.
    ///
    /// # Errors
    /// A file that cannot be read or has a mistake. A missing one has no accounts.
    pub fn content(&self) -> Result<Content, FileError> {
        let _held = self.lock();
        match file::read(&self.path) {
            Ok(loaded) => Ok(loaded.content),
            Err(FileError::Missing(_)) => Ok(Content::default()),
            Err(error) => Err(error),
        }
    }

    /// Changes the file and puts the outcome in force. A file that would say the same stays as it is. Blocks.
    ///
    /// # Errors
    /// What `edit` refuses, a file that cannot be read or written, or an outcome that does not fit together: nothing has
    /// changed then. But where only the folder could not be synced the file has, and the next look takes it over.
    pub fn change<R>(&self, edit: impl FnOnce(&mut Content) -> Result<R, EditError>) -> Result<R, EditError> {
        let mut seen = self.lock();
        let old = match file::read(&self.path) {
            Ok(loaded) => Some(loaded),
            // To begin a new file here would drop every account that a running server knows.
            Err(FileError::Missing(path)) if self.book().accounts() > 0 => return Err(EditError::Gone(path)),
            Err(FileError::Missing(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let mut content = old.as_ref().map(|old| old.content.clone()).unwrap_or_default();
        let outcome = edit(&mut content)?;
        let book = make(&self.path, content.clone(), &self.settings)?;
        *seen = match &old {
            Some(old) if old.content == content => Some(old.stamp),
            _ => Some(file::write(&self.path, &content, old.as_ref())?),
        };
        self.install(book);
        Ok(outcome)
    }

    fn install(&self, book: Book) {
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stamp>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make(path: &Path, content: Content, settings: &Settings) -> Result<Book, FileError> {
    Book::new(content, settings).map_err(|error| FileError::Book { path: path.to_owned(), error })
}

fn warn_if_exposed(path: &Path, loaded: &Loaded) {
    if loaded.exposed {
        let path = path.display();
        tracing::warn!("{path} holds password hashes and is open to every user of this machine: chmod o= {path}");
    }
}

const LOOK_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
