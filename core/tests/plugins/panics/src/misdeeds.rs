//! What a plugin must not do, besides panicking; `does` of the config names one of these.

use dovetail_sdk::{About, Problems};
use std::{
    fs, process,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub(crate) enum Misdeed {
    /// Makes a file while it reads its section.
    FileInPrepare,
    /// Starts a thread while it reads its section.
    ThreadInPrepare,
    /// Says something else each time it reads its section.
    Forgetful,
    /// Waits for ever while it reads its section.
    Blocks,
    /// Ends the process when it starts.
    Exits,
    /// Aborts the process when it stops, as a panic that cannot be contained does.
    Aborts,
    /// Writes to standard output.
    Prints,
    /// Leaves a thread.
    LeavesThread,
    /// Leaves a file of the data directory open.
    LeavesFile,
    /// Leaves blocking work that does not end.
    LeavesWork,
    /// Never has started.
    NeverStarts,
    /// Never stops.
    NeverStops,
    /// Does not start.
    Refuses,
    /// Keeps in a static that it runs, so that there can be one only.
    OneOnly,
}

/// Counts, so that it says something else each time.
static READ: AtomicU64 = AtomicU64::new(0);

static RUNS: AtomicBool = AtomicBool::new(false);

fn for_ever() -> ! {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

impl Misdeed {
    pub(crate) fn in_prepare(self, about: &About, problems: &mut Problems) {
        match self {
            Misdeed::FileInPrepare => {
                // If it cannot be made there is nothing to find.
                let _ = fs::create_dir_all(&about.data_dir).and_then(|()| fs::write(about.in_data_dir("early"), "x"));
            }
            Misdeed::ThreadInPrepare => {
                thread::Builder::new().name("early".into()).spawn(|| for_ever()).ok();
            }
            Misdeed::Forgetful => {
                problems.warning(format!("read {} times before", READ.fetch_add(1, Ordering::Relaxed)), "");
            }
            Misdeed::Blocks => for_ever(),
            _ => {}
        }
    }

    /// Gives a reason not to start.
    pub(crate) async fn in_start(self, about: &About) -> Result<(), &'static str> {
        match self {
            Misdeed::Exits => process::exit(3),
            Misdeed::NeverStarts => {
                tracing::info!("panics is about to hang");
                std::future::pending().await
            }
            Misdeed::Prints => println!("I am a plugin"),
            Misdeed::LeavesThread => {
                thread::Builder::new().name("left behind".into()).spawn(|| for_ever()).ok();
            }
            Misdeed::LeavesFile => {
                let file = fs::File::create(about.in_data_dir("open")).map_err(|_| "no file")?;
                // On purpose: it stays open.
                std::mem::forget(file);
            }
            Misdeed::LeavesWork => drop(dovetail_sdk::task::spawn_blocking(|| for_ever())),
            Misdeed::Refuses => return Err("it refuses (on purpose)"),
            Misdeed::OneOnly if RUNS.swap(true, Ordering::SeqCst) => return Err("there is one already"),
            _ => {}
        }
        Ok(())
    }

    pub(crate) async fn in_stop(self) {
        match self {
            Misdeed::NeverStops => std::future::pending().await,
            Misdeed::Aborts => process::abort(),
            Misdeed::OneOnly => RUNS.store(false, Ordering::SeqCst),
            _ => {}
        }
    }
}
