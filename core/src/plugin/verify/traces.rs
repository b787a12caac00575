//! What a plugin may leave behind: threads, open files, and files in the trial's folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// The process as it is at one moment.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    /// Threads by id, with their names.
    threads: BTreeMap<String, String>,
    /// What is open, and how often.
    open: BTreeMap<String, usize>,
}

impl Traces {
    /// Looks. What ends while one looks is not there.
    pub fn now() -> Traces {
        let mut traces = Traces::default();
        for (id, path) in entries("/proc/self/task") {
            if let Ok(name) = fs::read_to_string(path.join("comm")) {
                traces.threads.insert(id, name.trim().to_owned());
            }
        }
        for (_, path) in entries("/proc/self/fd") {
            if let Ok(target) = fs::read_link(path) {
                *traces.open.entry(target.display().to_string()).or_default() += 1;
            }
        }
        traces
    }

    /// The threads that were not there before.
    pub fn new_threads(&self, before: &Traces) -> Vec<String> {
        let new = self.threads.iter().filter(|(id, _)| !before.threads.contains_key(*id));
        new.map(|(_, name)| format!("`{name}`")).collect()
    }

    /// What is open that was not before, or more often than before.
    pub fn new_open(&self, before: &Traces) -> Vec<String> {
        let was = |target: &str| before.open.get(target).copied().unwrap_or_default();
        self.open.iter().filter(|(target, count)| **count > was(target)).map(|(target, _)| target.clone()).collect()
    }

    /// Looks until nothing is left that was not there before, at most for so long: a thread that was told to end takes a moment.
    pub async fn settled(before: &Traces, within: Duration) -> Traces {
        let deadline = Instant::now() + within;
        loop {
            let now = Traces::now();
            let clean = now.new_threads(before).is_empty() && now.new_open(before).is_empty();
            if clean || Instant::now() >= deadline {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn entries(directory: &str) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    // All of them before one is looked at: reading the directory has a file open itself.
    let listed: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    let named = |path: PathBuf| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path);
    listed.into_iter().map(named).collect()
}

/// Everything below a folder, with its length.
pub fn files(folder: &Path) -> BTreeSet<(PathBuf, u64)> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if metadata.is_dir() {
                open.push(path.clone());
            }
            found.insert((path, if metadata.is_file() { metadata.len() } else { 0 }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn a_thread_and_an_open_file_are_seen_until_they_are_gone() {
        let dir = tempfile::tempdir().unwrap();
        let before = Traces::now();
        let path = dir.path().join("kept");
        let file = fs::File::create(&path).unwrap();
        let (go, wait) = mpsc::channel::<()>();
        let (there, is_there) = mpsc::channel();
        let thread = std::thread::Builder::new().name("left".into()).spawn(move || {
            there.send(()).unwrap();
            let _ = wait.recv();
        });
        is_there.recv().unwrap();
        let now = Traces::now();
        // Other tests run beside this one.
        assert!(now.new_threads(&before).contains(&"`left`".to_owned()), "{now:?}");
        assert!(now.new_open(&before).contains(&path.display().to_string()), "{now:?}");
        drop((file, go));
        thread.unwrap().join().unwrap();
        let now = Traces::now();
        assert!(!now.new_threads(&before).contains(&"`left`".to_owned()), "{now:?}");
        assert!(!now.new_open(&before).contains(&path.display().to_string()), "{now:?}");
    }

    #[test]
    fn a_file_that_grows_is_another() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        fs::write(dir.path().join("in/f"), "a").unwrap();
        let before = files(dir.path());
        assert_eq!(before.len(), 2);
        fs::write(dir.path().join("in/f"), "ab").unwrap();
        assert_ne!(files(dir.path()), before);
    }
}
