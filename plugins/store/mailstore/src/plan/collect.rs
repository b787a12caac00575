//! Finishing deletions of mailboxes, and removing bodies that no message names any more, after a grace period for those who still read them.

use super::{scan_through, Plan};
use crate::codec;
use crate::error::BackendError;
use crate::limits::MAX_ROWS_PER_OP;

/// Bodies looked at in one commit.
const COLLECT_AT_ONCE: usize = 500;

impl Plan<'_> {
    /// One step of an account's collection; says whether another is to follow, and counts the bodies looked at.
    pub(crate) fn collect_step(&mut self, before: u64) -> Result<(usize, bool), BackendError> {
        if self.go_on_deleting()? {
            return Ok((0, true));
        }
        let seen = self.collect(before)?;
        Ok((seen, seen == COLLECT_AT_ONCE))
    }

    /// Gives up bodies that lost their last reference before `before`. Returns how many were looked at.
    fn collect(&mut self, before: u64) -> Result<usize, BackendError> {
        let due = self.scan(&codec::garbage_from(0), &codec::garbage_from(before), COLLECT_AT_ONCE)?;
        let mut seen = 0;
        for (key, _) in due {
            let (_, body) = codec::read_garbage_key(&key)?;
            if self.context.bodies.is_live(body) {
                continue;
            }
            seen += 1;
            self.write(key, None);
            // Referred to again since.
            if self.references(body)? != 0 {
                continue;
            }
            self.write(codec::references_key(body), None);
            self.write(codec::summary_key(body), None);
            let (from, to) = codec::owners(body);
            let owners = scan_through(self.context.backend, "", self.context.system, &from, &to, MAX_ROWS_PER_OP)?;
            let own = codec::owner_key(body, self.name);
            let others = owners.iter().any(|(key, _)| *key != own);
            if owners.iter().any(|(key, _)| *key == own) {
                self.output.system.insert(own, None);
            }
            if !others {
                self.output.drop.push(body);
            }
        }
        Ok(seen)
    }
}
