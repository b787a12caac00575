//! Files that an operation wants of a path: the file itself, or those in and below a folder; and the files that these name.
//!
//! All are read here, as the caller. Of a folder only files are read whose name ends as the operation says, links to files
//! are followed (that is how certbot lays its folders out), links to folders are not. What can't be read is passed over with
//! a warning; the path itself must be readable. Bounds: [`MAX_FILES`], [`MAX_DEPTH`], [`MAX_ENTRIES`], [`MAX_FILE`],
//! [`MAX_TOTAL`]; and [`MAX_FURTHER`] files that others name, [`MAX_ROUNDS`] times after one another.

use super::values::read_file;
use crate::cli::output;
use dovetail_abi::{
    files_v1::{Given, OperationFiles},
    operations_v1::{Field, FieldKind, FieldValue, Operation},
    Secret,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The most files of one folder.
const MAX_FILES: usize = 4096;
/// So many folders deep below the one that was named.
const MAX_DEPTH: usize = 6;
/// The most entries that are looked at.
const MAX_ENTRIES: usize = 100_000;
/// The largest file of a folder.
const MAX_FILE: u64 = 1 << 20;
/// The most bytes in all: they go to the server in one request.
const MAX_TOTAL: usize = 16 << 20;
/// The most files that other files may name, in all.
const MAX_FURTHER: usize = 64;
/// Files that are named may name others, so often; what is named then is passed over.
const MAX_ROUNDS: usize = 3;

/// The values of a `Path` field.
pub fn values(field: &Field, path: &Path) -> Result<Vec<FieldValue>, String> {
    let shown = path.display();
    let absolute = std::path::absolute(path).map_err(|error| format!("{shown}: {error}"))?;
    let metadata = std::fs::metadata(&absolute).map_err(|error| format!("{shown}: {error}"))?;
    if !metadata.is_dir() {
        let bytes = read_file(&absolute, super::values::MAX_FILE)?;
        return Ok(vec![value(field, &absolute, Some(bytes))]);
    }
    let mut walk = Walk { field, found: vec![value(field, &absolute, None)], entries: 0, total: 0 };
    std::fs::read_dir(&absolute).map_err(|error| format!("{shown}: {error}"))?;
    walk.folder(&absolute, 0)?;
    Ok(walk.found)
}

/// Adds the files that the values name, as the plugin's library says.
pub fn add_further(
    operation: &Operation,
    files: Option<&OperationFiles>,
    values: &mut Vec<FieldValue>,
) -> Result<(), String> {
    add_or(operation, files, values, &mut passed_over)
}

fn add_or(
    operation: &Operation,
    files: Option<&OperationFiles>,
    values: &mut Vec<FieldValue>,
    passed_over: &mut dyn FnMut(&str),
) -> Result<(), String> {
    let field = operation.fields.iter().find(|field| field.kind == FieldKind::Path);
    let Some((field, files)) = field.zip(files) else {
        return Ok(());
    };
    if !values.iter().any(|value| value.name == field.name) {
        return Ok(());
    }
    let mut tried: BTreeSet<String> = values.iter().map(|value| value.text.clone()).collect();
    let mut further = 0;
    for round in 0..=MAX_ROUNDS {
        let given = Given { operation: operation.name.clone(), values: values.clone() };
        let named = files.more(given).map_err(|failure| failure.to_string())?;
        let new: Vec<String> = named.into_iter().filter(|path| tried.insert(path.clone())).collect();
        if new.is_empty() {
            return Ok(());
        }
        further += new.len();
        if further > MAX_FURTHER {
            return Err(too_many(field, &new));
        }
        if round == MAX_ROUNDS {
            let why =
                |path| format!("{path} stands at the end of a chain of more than {MAX_ROUNDS} files that name others");
            new.iter().for_each(|path| passed_over(&why(path)));
            return Ok(());
        }
        for path in new {
            let path = PathBuf::from(path);
            match read_file(&path, MAX_FILE) {
                Ok(bytes) => values.push(value(field, &path, Some(bytes))),
                Err(error) => passed_over(&error),
            }
        }
        let total: usize = values.iter().filter_map(|value| Some(value.bytes.as_ref()?.expose().len())).sum();
        if total > MAX_TOTAL {
            return Err(too_much(field));
        }
    }
    Ok(())
}

struct Walk<'a> {
    field: &'a Field,
    found: Vec<FieldValue>,
    entries: usize,
    total: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), String> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                passed_over(&format!("{}: {error}", folder.display()));
                return Ok(());
            }
        };
        let mut paths = Vec::new();
        for entry in entries {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(format!("there are more than {MAX_ENTRIES} files: name a smaller folder"));
            }
            paths.push(entry.map_err(|error| format!("{}: {error}", folder.display()))?.path());
        }
        paths.sort();
        for path in paths {
            self.entry(&path, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, depth: usize) -> Result<(), String> {
        let Ok(own) = path.symlink_metadata() else {
            // Gone meanwhile.
            return Ok(());
        };
        if own.is_dir() {
            if depth < MAX_DEPTH {
                return self.folder(path, depth + 1);
            }
            passed_over(&format!("{} is too deep: name it by itself", path.display()));
            return Ok(());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let endings = &self.field.choices;
        if !endings.is_empty() && !endings.iter().any(|ending| name.ends_with(ending.as_str())) {
            return Ok(());
        }
        if own.is_symlink() && path.is_dir() {
            passed_over(&format!("{} is a link to a folder: name that folder", path.display()));
            return Ok(());
        }
        if self.found.len() > MAX_FILES {
            return Err(format!(
                "there are more than {MAX_FILES} files for --{}: name a smaller folder",
                self.field.name
            ));
        }
        match read_file(path, MAX_FILE) {
            Ok(bytes) => {
                self.total += bytes.len();
                if self.total > MAX_TOTAL {
                    return Err(too_much(self.field));
                }
                self.found.push(value(self.field, path, Some(bytes)));
            }
            Err(error) => passed_over(&error),
        }
        Ok(())
    }
}

fn value(field: &Field, path: &Path, bytes: Option<Vec<u8>>) -> FieldValue {
    FieldValue { name: field.name.clone(), text: path.to_string_lossy().into_owned(), bytes: bytes.map(Secret::new) }
}

fn passed_over(why: &str) {
    output::error(&format!("warning: {why}; passed over"));
}

fn too_many(field: &Field, new: &[String]) -> String {
    let some = new.first().map(String::as_str).unwrap_or_default();
    format!("more than {MAX_FURTHER} files are named: those of {} name {some} and others; name fewer", field.name)
}

fn too_much(field: &Field) -> String {
    format!("the files of {} have more than {} MiB: name a smaller folder", field.name, MAX_TOTAL >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_abi::{files_v1::OperationFilesProvider, CallFailure};
    use std::os::unix::fs::symlink;

    /// Has each of these files named by the one before it, and those of `at_once` by the first.
    struct Chain {
        files: Vec<String>,
        at_once: Vec<String>,
    }

    impl OperationFilesProvider for Chain {
        fn more(&self, given: Given) -> Result<Vec<String>, CallFailure> {
            let seen = given.values.iter().filter(|value| self.files.contains(&value.text)).count();
            let next = self.files.get(seen).cloned();
            Ok(if seen == 0 { self.at_once.iter().cloned().chain(next).collect() } else { next.into_iter().collect() })
        }
    }

    /// What is given when `main.cf` names files that name others, and then what was passed over.
    fn further(chain: usize, at_once: usize) -> Result<Vec<String>, String> {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: String| {
            std::fs::write(dir.path().join(&name), "x").unwrap();
            dir.path().join(name).to_str().unwrap().to_owned()
        };
        let main = make("main.cf".to_owned());
        let files = OperationFiles::new(Chain {
            files: (0..chain).map(|at| make(format!("chain{at}"))).collect(),
            at_once: (0..at_once).map(|at| make(format!("once{at}"))).collect(),
        });
        let operation = Operation::new("import", "").field(field());
        let mut given = values(&field(), Path::new(&main)).unwrap();
        let mut passed_over = Vec::new();
        add_or(&operation, Some(&files), &mut given, &mut |why| passed_over.push(why.to_owned()))?;
        let passed_over = passed_over.into_iter().map(|why| why.replace(dir.path().to_str().unwrap(), ""));
        Ok(names(&given, dir.path()).into_iter().map(|(name, _)| name).chain(passed_over).collect())
    }

    #[test]
    fn files_that_others_name_are_so_many_in_all_or_it_is_refused() {
        assert_eq!(further(1, MAX_FURTHER - 1).unwrap().len(), 1 + MAX_FURTHER);
        let error = further(0, MAX_FURTHER + 1).unwrap_err();
        assert!(error.starts_with("more than 64 files are named: ") && error.contains("/once0 "), "{error}");
        // In all, not each time.
        assert!(further(2, MAX_FURTHER - 1).unwrap_err().starts_with("more than 64 files are named: "));
    }

    #[test]
    fn files_name_others_a_few_times() {
        let all = ["/main.cf", "/chain0", "/chain1", "/chain2"];
        assert_eq!(further(MAX_ROUNDS, 0).unwrap(), all);
        let more = further(MAX_ROUNDS + 1, 0).unwrap();
        assert_eq!(more[..all.len()], all);
        assert_eq!(more[all.len()..], ["/chain3 stands at the end of a chain of more than 3 files that name others"]);
    }

    fn field() -> Field {
        Field::path("path", &[".pem", ".key"], "")
    }

    fn names(values: &[FieldValue], root: &Path) -> Vec<(String, bool)> {
        let short = |text: &str| text.strip_prefix(root.to_str().unwrap()).unwrap_or(text).to_owned();
        values.iter().map(|value| (short(&value.text), value.bytes.is_some())).collect()
    }

    #[test]
    fn of_a_folder_come_files_with_the_endings_and_links_to_files() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("live/mail")).unwrap();
        std::fs::create_dir_all(root.join("archive")).unwrap();
        std::fs::write(root.join("archive/privkey1.PEM"), "key").unwrap();
        std::fs::write(root.join("README"), "text").unwrap();
        symlink("../../archive/privkey1.PEM", root.join("live/mail/privkey.pem")).unwrap();
        symlink("../../archive", root.join("live/mail/loop.pem")).unwrap();
        symlink("nowhere", root.join("live/mail/dangling.pem")).unwrap();
        let found = values(&field(), root).unwrap();
        let expected = [("", false), ("/archive/privkey1.PEM", true), ("/live/mail/privkey.pem", true)]
            .map(|(n, b)| (n.to_owned(), b));
        assert_eq!(names(&found, root), expected);
        assert_eq!(found[2].bytes.as_ref().unwrap().expose(), b"key");
        assert!(values(&field(), &root.join("none")).is_err());
    }

    #[test]
    fn a_file_that_is_named_may_be_called_anything() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("main.cf"), "x").unwrap();
        let found = values(&field(), &dir.path().join("main.cf")).unwrap();
        assert_eq!(names(&found, dir.path()), [("/main.cf".to_owned(), true)]);
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let deep: PathBuf = (0..=MAX_DEPTH).fold(dir.path().to_owned(), |path, _| path.join("d"));
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("a.pem"), "x").unwrap();
        assert_eq!(values(&field(), dir.path()).unwrap().len(), 1);
        assert_eq!(values(&field(), deep.parent().unwrap()).unwrap().len(), 2);
        std::fs::File::create(dir.path().join("large.pem")).unwrap().set_len(MAX_FILE + 1).unwrap();
        assert_eq!(values(&field(), dir.path()).unwrap().len(), 1);
        for at in 0..=(MAX_TOTAL as u64 / MAX_FILE) {
            std::fs::File::create(dir.path().join(format!("{at}.key"))).unwrap().set_len(MAX_FILE).unwrap();
        }
        assert!(values(&field(), dir.path()).unwrap_err().contains("MiB"));
    }
}
