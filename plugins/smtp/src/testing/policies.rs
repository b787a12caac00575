//! Policies that say what the test wants, and a spool in memory.

use std::sync::{Arc, Mutex};

use dovetail_sdk::policy::{Policy, PolicyFailure, PolicyProvider, PolicyVerdict, Question, Stage};
use dovetail_sdk::spool::{
    Spool, SpoolErrorCode, SpoolFailure, SpoolProvider, SpoolWriter, SpoolWriterProvider, Spooled, SpooledProvider,
};
use dovetail_sdk::{Bytes, Service};

use super::{Seen, World};
use crate::config::{OnError, PolicyStep};
use crate::policy::{Chain, Step};

pub const ALL: [Stage; 6] =
    [Stage::Connect, Stage::Helo, Stage::Auth, Stage::Mail, Stage::Recipient, Stage::EndOfMessage];

/// As an operator writes it, with all that can be left out left out.
pub fn step(name: &str) -> PolicyStep {
    PolicyStep { instance: name.to_owned(), timeout_seconds: 10, on_error: OnError::Defer, stages: None }
}

impl World {
    /// With one more policy at the end of the chain.
    pub fn with(
        mut self,
        step: PolicyStep,
        stages: &[Stage],
        say: impl Fn(&Question) -> Result<PolicyVerdict, PolicyFailure> + Send + Sync + 'static,
    ) -> World {
        let fake = Fake { stages: stages.to_vec(), say: Box::new(say), seen: self.seen.clone() };
        self.policies.push((step, Policy::new(fake)));
        self
    }

    /// The chain of the policies.
    pub fn policies(&self) -> Chain {
        let steps = self.policies.iter().map(|(step, policy)| Step::new(step, Service::fixed(policy.clone())));
        Chain::new(steps.collect(), Some(self.spool()))
    }

    /// The spool.
    pub fn spool(&self) -> Service<Spool> {
        Service::fixed(Spool::new(Memory(self.seen.clone())))
    }

    /// The stages that policies were asked at.
    pub fn asked(&self) -> Vec<Stage> {
        self.seen.questions.lock().unwrap().iter().map(|question| question.stage).collect()
    }
}

type Say = dyn Fn(&Question) -> Result<PolicyVerdict, PolicyFailure> + Send + Sync;

struct Fake {
    stages: Vec<Stage>,
    say: Box<Say>,
    seen: Arc<Seen>,
}

impl PolicyProvider for Fake {
    fn stages(&self) -> Result<Vec<Stage>, PolicyFailure> {
        Ok(self.stages.clone())
    }

    async fn decide(&self, question: Question) -> Result<PolicyVerdict, PolicyFailure> {
        self.seen.questions.lock().unwrap().push(question.clone());
        let said = (self.say)(&question);
        if said.as_ref().is_err_and(|failure| failure.message == HANGS) {
            std::future::pending::<()>().await;
        }
        said
    }
}

/// A policy that fails with this text does not answer at all.
pub const HANGS: &str = "hangs";

/// A spool in memory; no room for messages of 4,000 octets or more.
struct Memory(Arc<Seen>);

impl SpoolProvider for Memory {
    async fn begin(&self, size: u64) -> Result<SpoolWriter, SpoolFailure> {
        if size >= 4000 {
            return Err(full());
        }
        *self.0.open_sinks.lock().unwrap() += 1;
        Ok(SpoolWriter::new(Writer { octets: Mutex::default(), seen: self.0.clone() }))
    }
}

struct Writer {
    octets: Mutex<Vec<u8>>,
    seen: Arc<Seen>,
}

impl SpoolWriterProvider for Writer {
    async fn write(&self, piece: Bytes) -> Result<(), SpoolFailure> {
        let mut octets = self.octets.lock().unwrap();
        octets.extend_from_slice(&piece);
        if octets.len() >= 4000 {
            return Err(full());
        }
        Ok(())
    }

    async fn seal(&self) -> Result<Spooled, SpoolFailure> {
        let octets = std::mem::take(&mut *self.octets.lock().unwrap());
        *self.seen.open_sinks.lock().unwrap() += 1;
        Ok(Spooled::new(Sealed { octets, seen: self.seen.clone() }))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        *self.seen.open_sinks.lock().unwrap() -= 1;
    }
}

struct Sealed {
    octets: Vec<u8>,
    seen: Arc<Seen>,
}

impl SpooledProvider for Sealed {
    fn length(&self) -> Result<u64, SpoolFailure> {
        Ok(self.octets.len() as u64)
    }

    fn header_length(&self) -> Result<u64, SpoolFailure> {
        let end = self.octets.windows(4).position(|window| window == b"\r\n\r\n");
        Ok(end.map_or(self.octets.len(), |end| end + 4) as u64)
    }

    async fn read(&self, offset: u64, max: u32) -> Result<Bytes, SpoolFailure> {
        let rest = self.octets.get(offset as usize..).unwrap_or_default();
        // Small pieces, as a spool may give them.
        Ok(rest[..rest.len().min(max as usize).min(7)].into())
    }

    async fn edited(&self, prefix: Bytes, skip: u64) -> Result<Spooled, SpoolFailure> {
        let octets = [&*prefix, &self.octets[skip as usize..]].concat();
        *self.seen.open_sinks.lock().unwrap() += 1;
        Ok(Spooled::new(Sealed { octets, seen: self.seen.clone() }))
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        *self.seen.open_sinks.lock().unwrap() -= 1;
    }
}

fn full() -> SpoolFailure {
    SpoolFailure { code: SpoolErrorCode::Full, message: "full".to_owned() }
}
