//! A file that is written once and never overwritten.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{fchown, DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// A file to be made.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Where.
    pub path: PathBuf,
    /// What it is, for people.
    pub what: &'static str,
    /// Its mode.
    pub mode: u32,
    /// Whether the server's group shall be able to read it.
    pub for_group: bool,
    /// Its text.
    pub text: String,
}

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is to be made.
    Missing,
    /// It is there, word for word.
    Same,
}

impl Planned {
    /// What is there now.
    ///
    /// # Errors
    /// If something else is there.
    pub fn state(&self) -> Result<State, String> {
        let shown = self.path.display();
        match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Missing),
            Err(error) => return Err(format!("{shown}: {error}")),
            Ok(_) => {}
        }
        let mut text = Vec::new();
        let limit = self.text.len() as u64 + 1;
        let is_file = fs::metadata(&self.path).is_ok_and(|metadata| metadata.is_file());
        if is_file {
            let read = File::open(&self.path).and_then(|file| file.take(limit).read_to_end(&mut text));
            read.map_err(|error| format!("{shown}: {error}"))?;
        }
        match is_file && text == self.text.as_bytes() {
            true => Ok(State::Same),
            false => Err(format!(
                "{shown} is there already and is not what this would write; nothing was changed (look at it with `dovetail \
                 init --print ...`, move the file away, or choose another place)"
            )),
        }
    }

    /// Writes it, whole or not at all; `group` is who may read it besides root.
    ///
    /// # Errors
    /// If it cannot be written, or has come in the meantime.
    pub fn write(&self, group: Option<u32>) -> Result<(), String> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        make_folders(folder, 0o755)?;
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let temporary = folder.join(name);
        let put = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            if let Some(group) = group {
                fchown(&file, None, Some(group))?;
            }
            file.write_all(self.text.as_bytes())?;
            file.set_permissions(Permissions::from_mode(self.mode))?;
            file.sync_all()?;
            // Unlike a renaming, a link replaces nothing.
            fs::hard_link(&temporary, &self.path)
        };
        let outcome = put();
        // It may not have been made.
        let _ = fs::remove_file(&temporary);
        outcome.map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }
}

/// Makes a folder and those above it, of this mode whatever the umask says. What is there is left as it is.
///
/// # Errors
/// If one cannot be made.
pub fn make_folders(path: &Path, mode: u32) -> Result<(), String> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev().filter(|folder| !folder.as_os_str().is_empty()) {
        let made = DirBuilder::new().mode(mode).create(folder);
        let made = made.and_then(|()| fs::set_permissions(folder, Permissions::from_mode(mode)));
        made.map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn it_is_written_once_with_its_mode_and_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let file = |text: &str| Planned {
            path: dir.path().join("a/b/file"),
            what: "file",
            mode: 0o640,
            for_group: false,
            text: text.into(),
        };
        assert_eq!(file("one").state(), Ok(State::Missing));
        file("one").write(None).unwrap();
        assert_eq!(file("one").state(), Ok(State::Same));
        assert_eq!(fs::metadata(&file("").path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::metadata(dir.path().join("a/b")).unwrap().mode() & 0o7777, 0o755);
        for other in ["two", "on", "one "] {
            assert!(file(other).state().unwrap_err().contains("a/b/file is there already"), "{other}");
            assert!(file(other).write(None).unwrap_err().contains("cannot be written"));
        }
        assert_eq!(fs::read_to_string(&file("").path).unwrap(), "one");
        assert_eq!(fs::read_dir(dir.path().join("a/b")).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_link_is_something_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::os::unix::fs::symlink(dir.path().join("nowhere"), &path).unwrap();
        let file = Planned { path, what: "file", mode: 0o644, for_group: false, text: "x".into() };
        assert!(file.state().is_err());
        file.write(None).unwrap_err();
        assert!(!dir.path().join("nowhere").exists());
    }
}
