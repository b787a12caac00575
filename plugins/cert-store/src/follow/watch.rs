//! What was seen of the followed files, from one look to the next.
//!
//! A pair that is good and can't be put into the folder, because the disk is full or another program is changing the folder,
//! isn't tried again before [`AGAIN`]; at once when its files change, and if somebody asks. A busy folder has been waited for
//! already ([`LOCK_WAIT`](crate::publish::LOCK_WAIT)), so all other pairs wait with the one that found it so.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use time::OffsetDateTime;

use super::record::{self, Record};
use super::source::{stamps, Stamps};
use super::{bring_up, FollowError, InPlaceOf};
use crate::folder::PairFiles;
use crate::import::{ImportError, Imported};
use crate::name::CertName;
use crate::publish::PublishError;

/// Files that don't fit together may be half written for so long.
const PATIENCE: Duration = Duration::from_secs(15);
/// After so long a folder that couldn't be written is tried again.
pub(super) const AGAIN: time::Duration = time::Duration::MINUTE;

/// What a look came to.
#[derive(Debug)]
pub(super) enum Event {
    /// The pair was imported.
    Taken(Box<Imported>),
    /// It was not, for the first time with these files.
    Refused(CertName, String),
}

/// The followed pairs of one folder.
pub(super) struct Watch {
    patience: Duration,
    /// The folder's time when the records were listed, if it can be relied on.
    listed: Option<SystemTime>,
    followed: HashMap<CertName, Followed>,
}

#[derive(Default)]
struct Followed {
    /// How the files looked last; `None` before the first look, or while they can't be looked at.
    seen: Option<Stamps>,
    /// Since when there is something to do.
    since: Option<Instant>,
    /// Nothing is to be done before the files look different.
    settled: bool,
    told: Option<String>,
    /// When the folder couldn't be written.
    failed: Option<OffsetDateTime>,
}

/// Imports what is followed: [`bring_up`].
type BringUp<'a> =
    &'a dyn Fn(&Path, &CertName, &Record, InPlaceOf, OffsetDateTime) -> Result<Option<Imported>, FollowError>;

impl Default for Watch {
    fn default() -> Self {
        Self::new(PATIENCE)
    }
}

impl Watch {
    /// Files that don't fit together are told after so long.
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, listed: None, followed: HashMap::new() }
    }

    /// Looks at everything that is followed. With `at_once`, changed files needn't hold still first, and what was refused is
    /// tried again.
    pub(super) fn look(&mut self, folder: &Path, at_once: bool, now: OffsetDateTime) -> Vec<Event> {
        self.look_by(folder, at_once, now, &bring_up)
    }

    /// The same with another way to import.
    pub(super) fn look_by(
        &mut self,
        folder: &Path,
        at_once: bool,
        now: OffsetDateTime,
        bring_up: BringUp<'_>,
    ) -> Vec<Event> {
        self.list(folder);
        let mut events = Vec::new();
        let busy = Cell::new(false);
        let bring_up = |folder: &Path, name: &CertName, record: &Record, there, now| {
            let tried = bring_up(folder, name, record, there, now);
            busy.set(matches!(tried, Err(FollowError::Import(ImportError::Publish(PublishError::Busy { .. })))));
            tried
        };
        for (name, followed) in &mut self.followed {
            match busy.get() {
                false => events.extend(followed.look(folder, name, at_once, self.patience, now, &bring_up)),
                true => followed.put_off(at_once, now),
            }
        }
        events
    }

    fn list(&mut self, folder: &Path) {
        let modified = std::fs::metadata(folder).and_then(|meta| meta.modified()).ok();
        if modified.is_some() && modified == self.listed {
            return;
        }
        match record::names(folder) {
            Ok(names) => {
                self.followed.retain(|name, _| names.contains(name));
                for name in names {
                    self.followed.entry(name).or_default();
                }
                // A change in the same tick of the file system's clock would leave the same time.
                let settled = |time: &SystemTime| time.elapsed().is_ok_and(|age| age > Duration::from_secs(2));
                self.listed = modified.filter(settled);
            }
            // The store's own look at the folder complains.
            Err(_) => self.listed = None,
        }
    }
}

impl Followed {
    fn look(
        &mut self,
        folder: &Path,
        name: &CertName,
        at_once: bool,
        patience: Duration,
        now: OffsetDateTime,
        bring_up: BringUp<'_>,
    ) -> Option<Event> {
        // Before the record: whoever ends the following and then brings a pair changes one of the two.
        let there = InPlaceOf::Seen(PairFiles::of(folder, name).stamp());
        let record = Record::read(folder, name);
        let looked = record.as_ref().ok().and_then(|record| stamps(record).ok());
        let changed = looked != self.seen;
        if changed || at_once {
            self.settled = false;
            self.failed = None;
        }
        if changed {
            self.seen = looked;
            self.since = Some(Instant::now());
            if !at_once {
                return None;
            }
        }
        // A clock that is set back is no reason to wait for it.
        let waits = self.failed.is_some_and(|failed| failed <= now && now - failed < AGAIN);
        if self.settled || waits {
            return None;
        }
        let tried = record.map_err(FollowError::from).and_then(|record| bring_up(folder, name, &record, there, now));
        let waited = self.since.get_or_insert_with(Instant::now).elapsed();
        match tried {
            Ok(imported) => {
                self.settled = true;
                self.since = None;
                self.told = None;
                self.failed = None;
                imported.map(|imported| Event::Taken(Box::new(imported)))
            }
            Err(error) if at_once || waited >= patience || is_the_folders(&error) => {
                // The files are good if it is the folder that couldn't be written, or was changed meanwhile.
                self.settled = !matches!(error, FollowError::Import(ImportError::Publish(_)));
                self.failed = is_the_folders(&error).then_some(now);
                let reason = error.to_string();
                if self.told.as_ref() == Some(&reason) && !at_once {
                    return None;
                }
                self.told = Some(reason.clone());
                Some(Event::Refused(name.clone(), reason))
            }
            Err(_) => None,
        }
    }

    /// Another pair has found the folder busy: this one isn't tried now, and not told of.
    fn put_off(&mut self, at_once: bool, now: OffsetDateTime) {
        if at_once {
            self.settled = false;
        }
        if !self.settled {
            self.failed = Some(now);
        }
    }
}

/// Whether it is the folder that can't be written now.
fn is_the_folders(error: &FollowError) -> bool {
    use PublishError::{Busy, Io};
    matches!(error, FollowError::Import(ImportError::Publish(Busy { .. } | Io { .. })))
}
