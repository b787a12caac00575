//! Counting references to bodies. Row `R` is absent for one reference, which is what nearly every body has.

use super::Plan;
use crate::body::Body;
use crate::codec;
use crate::error::BackendError;
use crate::types::BodyId;

impl Plan<'_> {
    /// Refers to a body that a sink has sealed.
    pub(super) fn adopt(&mut self, body: &Body) -> Result<(), BackendError> {
        let owners = body.owners();
        if owners.iter().any(|owner| owner == self.name) {
            self.refer(body.id())?;
            self.output.bodies.push(body.clone());
            return Ok(());
        }
        if let Some(summary) = body.summary() {
            self.write(codec::summary_key(body.id()), Some(summary.to_vec()));
        }
        if let Some(bytes) = body.to_store() {
            self.output.put.push((body.id(), bytes));
        }
        // Who else has a body must be known before it is removed. Most small bodies have one account only, and its
        // rows say so.
        if body.is_apart() || !owners.is_empty() {
            for owner in owners.iter().map(String::as_str).chain([self.name]) {
                self.output.system.insert(codec::owner_key(body.id(), owner), Some(Vec::new()));
            }
        }
        body.add_owner(self.name);
        self.output.owned.push(body.clone());
        self.output.bodies.push(body.clone());
        Ok(())
    }

    /// Counts one reference more to a body that the account refers to, or did until lately.
    pub(super) fn refer(&mut self, body: BodyId) -> Result<(), BackendError> {
        let key = codec::references_key(body);
        let count = match self.references(body)? {
            0 => None,
            n => Some((n + 1).to_be_bytes().to_vec()),
        };
        self.write(key, count);
        Ok(())
    }

    /// Counts one reference less; a body without any is collected later.
    pub(super) fn release(&mut self, body: BodyId) -> Result<(), BackendError> {
        let key = codec::references_key(body);
        match self.references(body)? {
            // Refusing would keep the message for ever; the body goes with the references already counted off.
            0 => tracing::warn!(
                account = self.name,
                body = body.0,
                "a message names a body whose references are 0: the store is damaged there; restore it from a backup if the message cannot be read"
            ),
            1 => {
                self.write(key, Some(0u32.to_be_bytes().to_vec()));
                self.write(codec::garbage_key(self.context.now, body), Some(Vec::new()));
            }
            2 => self.write(key, None),
            n => self.write(key, Some((n - 1).to_be_bytes().to_vec())),
        }
        Ok(())
    }

    pub(super) fn references(&self, body: BodyId) -> Result<u32, BackendError> {
        match self.get(&codec::references_key(body))? {
            None => Ok(1),
            Some(row) => codec::read_u32("a count of references", &row),
        }
    }
}
