//! Large bodies, each in a file `bodies/<two digits>/<number>`: written, synced, and its directory synced, before a
//! row names it. A file that a crash left half-written has no row and is collected like any orphan.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use dovetail_mailstore::{BackendError, BlobWriter, BodyId};

pub(super) struct Files {
    dir: PathBuf,
}

impl Files {
    /// Makes the directories that are missing, durably.
    pub(super) fn open(dir: &Path) -> Result<Self, BackendError> {
        make_dir(dir)?;
        let dir = dir.join("bodies");
        make_dir(&dir)?;
        Ok(Files { dir })
    }

    pub(super) fn create(&self, id: BodyId) -> Result<FileWriter, BackendError> {
        let path = self.path(id);
        if let Some(parent) = path.parent() {
            make_dir(parent)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| failed("making", &path, &error))?;
        Ok(FileWriter { file, path, sealed: false })
    }

    pub(super) fn read(&self, id: BodyId, offset: u64, len: usize) -> Result<Option<Vec<u8>>, BackendError> {
        let path = self.path(id);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("opening", &path, &error)),
        };
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(offset)).and_then(|_| {
            bytes.reserve(len.min(usize::try_from(file.metadata()?.len().saturating_sub(offset)).unwrap_or(len)));
            file.take(len as u64).read_to_end(&mut bytes)
        });
        read.map_err(|error| failed("reading", &path, &error))?;
        Ok(Some(bytes))
    }

    pub(super) fn delete(&self, id: BodyId) -> Result<(), BackendError> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("removing", &path, &error)),
            _ => Ok(()),
        }
    }

    /// Numbers after `after`, ascending. Other files are left alone.
    pub(super) fn list(&self, after: BodyId, limit: usize) -> Result<Vec<BodyId>, BackendError> {
        let mut found = Vec::new();
        for dir in names(&self.dir)? {
            for name in names(&self.dir.join(dir))? {
                if let Ok(id) = u64::from_str_radix(&name, 16) {
                    if id > after.0 && name.len() == 16 {
                        found.push(BodyId(id));
                    }
                }
            }
        }
        found.sort_unstable();
        found.truncate(limit);
        Ok(found)
    }

    pub(super) fn newest(&self) -> Result<BodyId, BackendError> {
        Ok(self.list(BodyId(0), usize::MAX)?.pop().unwrap_or(BodyId(0)))
    }

    fn path(&self, id: BodyId) -> PathBuf {
        // By time, so that the directories fill evenly.
        self.dir.join(format!("{:02x}", (id.0 >> 22) % 256)).join(format!("{:016x}", id.0))
    }
}

pub(super) struct FileWriter {
    file: File,
    path: PathBuf,
    sealed: bool,
}

impl BlobWriter for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BackendError> {
        self.file.write_all(bytes).map_err(|error| failed("writing", &self.path, &error))
    }

    fn seal(mut self: Box<Self>) -> Result<(), BackendError> {
        self.file.sync_all().map_err(|error| failed("syncing", &self.path, &error))?;
        if let Some(parent) = self.path.parent() {
            sync_dir(parent)?;
        }
        self.sealed = true;
        Ok(())
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if self.sealed {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(error = %failed("removing", &self.path, &error), "half a body stays until it is collected");
        }
    }
}

/// Names in a directory that are text.
fn names(dir: &Path) -> Result<Vec<String>, BackendError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        // A file beside the directories.
        Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(Vec::new()),
        Err(error) => return Err(failed("listing", dir, &error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed("listing", dir, &error))?;
        names.extend(entry.file_name().into_string().ok());
    }
    Ok(names)
}

fn make_dir(dir: &Path) -> Result<(), BackendError> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder.create(dir).map_err(|error| failed("making", dir, &error))?;
    dir.parent().map_or(Ok(()), sync_dir)
}

fn sync_dir(dir: &Path) -> Result<(), BackendError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| failed("syncing", dir, &error))
}

fn failed(doing: &str, path: &Path, error: &std::io::Error) -> BackendError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            BackendError::Full { place: path.display().to_string(), free: 0, reserve: 0 }
        }
        _ => BackendError::io(format!("{doing} {}", path.display()), error),
    }
}
