//! Hearing of changes in the folder as they happen, by inotify.
//!
//! A thread of its own waits for the kernel; it ends when the [`Watch`] is dropped. Hidden files don't count: publications
//! stage and lock with such.
//!
//! What it can't hear: a file that a symbolic link in the folder leads to, a change on another machine's disk, and a folder
//! that isn't there yet. So whoever uses it also looks from time to time, and [renews](Watch::renew) the watch then.
//!
//! Fails if the system has no inotify to give (`fs.inotify.max_user_instances`); then looking is all there is.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dovetail_sdk::task;
use rustix::event::{poll, PollFd, PollFlags};
use rustix::fs::inotify::{add_watch, init, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;
use rustix::pipe::{pipe_with, PipeFlags};
use tokio::sync::Notify;

/// See the module.
pub struct Watch {
    folder: PathBuf,
    inotify: Arc<OwnedFd>,
    news: Arc<Notify>,
    /// The thread sees its other end close.
    _alive: OwnedFd,
}

impl Watch {
    /// Begins to listen; there is nothing to hear before the first [`Watch::renew`].
    ///
    /// # Errors
    /// As the system gives them.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let inotify = Arc::new(init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?);
        let (ended, alive) = pipe_with(PipeFlags::CLOEXEC)?;
        let news = Arc::new(Notify::new());
        let (listening, telling) = (inotify.clone(), news.clone());
        task::thread("certs-watch", move || listen(&listening, &ended, &telling))?;
        Ok(Self { folder: folder.to_owned(), inotify, news, _alive: alive })
    }

    /// Watches the folder that is there now. Costs one system call if it is watched already.
    ///
    /// # Errors
    /// As the system gives them, say that there is no folder.
    pub fn renew(&self) -> io::Result<()> {
        let what = WatchFlags::CREATE
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        add_watch(&*self.inotify, &self.folder, what)?;
        Ok(())
    }

    /// Resolves when something has happened since the last time.
    pub async fn news(&self) {
        self.news.notified().await;
    }
}

fn listen(inotify: &OwnedFd, ended: &OwnedFd, news: &Notify) {
    loop {
        let mut both = [PollFd::new(inotify, PollFlags::IN), PollFd::new(ended, PollFlags::IN)];
        match poll(&mut both, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        if !both[1].revents().is_empty() || both[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return;
        }
        match has_news(inotify) {
            Ok(true) => news.notify_one(),
            Ok(false) => {}
            Err(_) => return,
        }
    }
}

/// Takes all events; whether one of them matters.
fn has_news(inotify: &OwnedFd) -> Result<bool, Errno> {
    let mut buffer = [MaybeUninit::uninit(); BUFFER];
    let mut reader = Reader::new(inotify, &mut buffer);
    let mut news = false;
    loop {
        match reader.next() {
            // Without a name it is the folder itself, or that events were lost.
            Ok(event) => news |= event.file_name().is_none_or(|name| !name.to_bytes().starts_with(b".")),
            Err(Errno::AGAIN) => return Ok(news),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Room for at least ten events with the longest names.
const BUFFER: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Whether there is news after something was done; hearing takes a moment, not hearing takes all the time.
    async fn hears(watch: &Watch, within: Duration) -> bool {
        tokio::time::timeout(within, watch.news()).await.is_ok()
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn hears_of_pairs_and_not_of_hidden_files() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("certs");
        let watch = Watch::new(&folder).unwrap();
        assert!(watch.renew().is_err(), "there is no folder yet");
        std::fs::create_dir(&folder).unwrap();
        watch.renew().unwrap();
        std::fs::write(folder.join(".lock"), "").unwrap();
        std::fs::write(folder.join("a.crt"), "").unwrap();
        assert!(hears(&watch, LONG).await);
        std::fs::rename(folder.join("a.crt"), folder.join("b.crt")).unwrap();
        assert!(hears(&watch, LONG).await);
        // Another folder in its place.
        std::fs::rename(&folder, dir.path().join("old")).unwrap();
        assert!(hears(&watch, LONG).await);
        std::fs::create_dir(&folder).unwrap();
        watch.renew().unwrap();
        std::fs::write(folder.join("c.crt"), "").unwrap();
        assert!(hears(&watch, LONG).await);
    }

    #[test]
    fn hidden_files_are_no_news() {
        let dir = tempfile::tempdir().unwrap();
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
        add_watch(&inotify, dir.path(), WatchFlags::CREATE).unwrap();
        assert_eq!(has_news(&inotify), Ok(false));
        std::fs::write(dir.path().join(".lock"), "").unwrap();
        assert_eq!(has_news(&inotify), Ok(false));
        std::fs::write(dir.path().join("a.key"), "").unwrap();
        assert_eq!(has_news(&inotify), Ok(true));
    }

    #[test]
    fn the_thread_ends_with_the_watch() {
        let (ended, alive) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
        let thread = std::thread::spawn(move || listen(&inotify, &ended, &Notify::new()));
        drop(alive);
        thread.join().unwrap();
    }
}
