//! The single changes that a publication makes in the folder, each announced before it happens.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{symlink, DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The folder, and what is called before each change in it.
pub(super) struct Steps<'a> {
    pub folder: &'a Path,
    before_each: &'a mut dyn FnMut() -> io::Result<()>,
}

impl<'a> Steps<'a> {
    pub fn new(folder: &'a Path, before_each: &'a mut dyn FnMut() -> io::Result<()>) -> Self {
        Self { folder, before_each }
    }

    /// A published file's path.
    pub fn file(&self, name: &str, ext: &str) -> PathBuf {
        self.folder.join(format!("{name}.{ext}"))
    }

    /// A staged file's path. Hidden, and the kind comes first, because names may have dots in them.
    pub fn staged(&self, name: &str, kind: &str) -> PathBuf {
        self.folder.join(format!("{STAGE}{kind}-{name}"))
    }

    /// A path of the swap: `now`, `old` or `new`.
    pub fn swap(&self, name: &str, which: &str) -> PathBuf {
        self.folder.join(format!("{SWAP}{which}-{name}"))
    }

    /// Writes and syncs a staged file.
    pub fn stage(&mut self, name: &str, ext: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.staged(name, ext);
        self.write(&path, ext, bytes)
    }

    /// Writes and syncs a file that must not exist. Only keys are secret.
    pub fn write(&mut self, path: &Path, ext: &str, bytes: &[u8]) -> io::Result<()> {
        (self.before_each)()?;
        let mode = if ext == "key" { 0o600 } else { 0o644 };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Gives a staged file its published name as a second one. Fails if that is in use.
    pub fn link_staged(&mut self, name: &str, ext: &str) -> io::Result<()> {
        (self.before_each)()?;
        fs::hard_link(self.staged(name, ext), self.file(name, ext))
    }

    /// Gives a staged file its published name instead of its own, over what is there.
    pub fn rename_staged(&mut self, name: &str, ext: &str) -> io::Result<()> {
        let from = self.staged(name, ext);
        let to = self.file(name, ext);
        self.rename(&from, &to)
    }

    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        (self.before_each)()?;
        fs::rename(from, to)
    }

    pub fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        (self.before_each)()?;
        fs::hard_link(from, to)
    }

    /// Puts a symbolic link in the place of `to`, whatever is there, in one step.
    pub fn symlink_over(&mut self, name: &str, target: &str, to: &Path) -> io::Result<()> {
        let staged = self.staged(name, "link");
        (self.before_each)()?;
        symlink(target, &staged)?;
        self.rename(&staged, to)
    }

    pub fn make_dir(&mut self, path: &Path) -> io::Result<()> {
        (self.before_each)()?;
        fs::DirBuilder::new().mode(0o700).create(path)
    }

    /// Removes a staged file.
    pub fn unstage(&mut self, name: &str, ext: &str) -> io::Result<()> {
        let path = self.staged(name, ext);
        self.remove(&path)
    }

    /// Removes a file or a symbolic link, if it is there.
    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        (self.before_each)()?;
        fs::remove_file(path)
    }

    /// Removes a directory of the swap with its files, if it is there.
    pub fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        (self.before_each)()?;
        fs::remove_dir_all(path)
    }

    pub fn sync_folder(&mut self) -> io::Result<()> {
        (self.before_each)()?;
        File::open(self.folder)?.sync_all()
    }
}

/// What every staged file's name begins with.
pub const STAGE: &str = ".stage-";
/// What a record of what is followed begins with while it is written.
pub const STAGED_RECORD: &str = ".follow-";
/// What every path of a swap begins with.
pub const SWAP: &str = ".swap-";
