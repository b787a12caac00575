//! Keeping a pair in step with files that another program renews, such as certbot.
//!
//! What is followed is remembered beside the pair, in `NAME.follow` ([`record`]). The running server looks at the followed
//! files every [`LOOK_EVERY`], at its start and at a reload ([`watch`]); when they have changed and hold still, the pair in
//! them is imported by the rules of every import ([`bring_up`]), whatever key it has. Files that don't fit together are
//! probably half written: they are looked at again for a while. After that the refusal is told once, and the pair that is
//! there stays. So it does if what came has expired and what is there has not. A folder that can't be written is tried again
//! after a minute, at once when the files change again or somebody reloads.
//!
//! The server reads the files itself, as the user that it runs as. A followed folder is not searched deeper.

pub mod record;
mod source;
mod task;
mod watch;

use std::path::Path;

use time::OffsetDateTime;

use crate::elsewhere::{survey, Survey};
use crate::folder::Stamp;
use crate::identity::Identity;
use crate::import::{prepare, ImportError, Imported};
use crate::name::CertName;
use record::{Record, RecordError};
use source::SourceError;

pub use task::{Following, LOOK_EVERY};

/// What a followed pair may take the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InPlaceOf {
    /// A pair with the same key.
    ItsKey,
    /// Any pair.
    Any,
    /// Any pair, as long as its files look like this: somebody may have ended the following, and brought a pair.
    Seen(Stamp),
}

/// Imports what the record points to, if it isn't what `folder` has.
pub fn bring_up(
    folder: &Path,
    name: &CertName,
    record: &Record,
    place: InPlaceOf,
    now: OffsetDateTime,
) -> Result<Option<Imported>, FollowError> {
    let pair = the_pair(record)?.1;
    let ready = prepare(folder, &pair.request(name.clone(), place != InPlaceOf::ItsKey)?, now)?;
    let ready = match place {
        InPlaceOf::Seen(stamp) => ready.in_place_of(stamp),
        InPlaceOf::ItsKey | InPlaceOf::Any => ready,
    };
    if ready.preview(folder)?.is_none() {
        return Ok(None);
    }
    let expired = ready.chain.first().is_some_and(|leaf| leaf.not_after < now);
    if expired {
        if let Ok((there, _)) = Identity::load(folder, name, now) {
            if there.leaf().not_after >= now {
                return Err(FollowError::Expired { path: record.path.display().to_string() });
            }
        }
    }
    Ok(Some(ready.publish(folder)?))
}

/// Whether `folder` has what the record points to.
pub fn in_step(folder: &Path, name: &CertName, record: &Record, now: OffsetDateTime) -> Result<bool, FollowError> {
    let pair = the_pair(record)?.1;
    let ready = prepare(folder, &pair.request(name.clone(), true)?, now)?;
    Ok(ready.preview(folder)?.is_none())
}

/// The pair that a record points to, and what it would be called.
pub fn the_pair(record: &Record) -> Result<(CertName, crate::elsewhere::Pair), FollowError> {
    let Survey { mut found, left, .. } = survey(source::read(record)?, None);
    let path = record.path.display().to_string();
    let count = found.len();
    match found.pop() {
        Some(only) if count == 1 => Ok((only.name, only.pair)),
        Some(_) => Err(FollowError::Several { path, count }),
        None => {
            let reasons: Vec<String> = left
                .iter()
                .filter(|left| left.problem)
                .map(|left| format!(": {}: {}", left.file, left.reason))
                .collect();
            Err(FollowError::NoPair { path, reason: reasons.into_iter().next().unwrap_or_default() })
        }
    }
}

/// What to tell whoever puts another pair into the place of one that is followed.
pub fn reminder(folder: &Path, name: &CertName) -> Option<String> {
    let record = Record::read(folder, name).ok()?;
    Some(format!(
        "\"{name}\" follows {}, and will have that pair again: end it with `dovetail certs follow --stop {name}`, if that \
         isn't wanted",
        record.path.display()
    ))
}

/// Why a pair isn't in step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The files.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// No pair in them.
    #[error("there is no complete pair of a certificate and its private key in {path}{reason}")]
    NoPair {
        /// What is followed.
        path: String,
        /// The first thing that is wrong with it.
        reason: String,
    },
    /// More than one.
    #[error(
        "there are {count} pairs in {path}: follow the files of one, with --key if its key is in a file of its own"
    )]
    Several {
        /// What is followed.
        path: String,
        /// How many.
        count: usize,
    },
    /// Nothing that anybody wants instead of what is there.
    #[error("the certificate in {path} has expired, and the one that is in service hasn't")]
    Expired {
        /// What is followed.
        path: String,
    },
    /// The import.
    #[error(transparent)]
    Import(#[from] ImportError),
}

#[cfg(test)]
mod tests;
