//! What was seen of the followed files, from one look to the next.

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

/// Files that don't fit together may be half written for so long.
const PATIENCE: Duration = Duration::from_secs(15);

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
}

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
        self.list(folder);
        let mut events = Vec::new();
        for (name, followed) in &mut self.followed {
            events.extend(followed.look(folder, name, at_once, self.patience, now));
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
    ) -> Option<Event> {
        // Before the record: whoever ends the following and then brings a pair changes one of the two.
        let there = InPlaceOf::Seen(PairFiles::of(folder, name).stamp());
        let record = Record::read(folder, name);
        let looked = record.as_ref().ok().and_then(|record| stamps(record).ok());
        let changed = looked != self.seen;
        if changed || at_once {
            self.settled = false;
        }
        if changed {
            self.seen = looked;
            self.since = Some(Instant::now());
            if !at_once {
                return None;
            }
        }
        if self.settled {
            return None;
        }
        let tried = record.map_err(FollowError::from).and_then(|record| bring_up(folder, name, &record, there, now));
        let waited = self.since.get_or_insert_with(Instant::now).elapsed();
        match tried {
            Ok(imported) => {
                self.settled = true;
                self.since = None;
                self.told = None;
                imported.map(|imported| Event::Taken(Box::new(imported)))
            }
            Err(error) if at_once || waited >= patience => {
                // A folder that is full or busy now is tried again; the files are good.
                self.settled = !matches!(error, FollowError::Import(ImportError::Publish(_)));
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
}
