//! The chain: asks one policy after the other.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use dovetail_sdk::policy::{Decision, Policy, PolicyFailure, PolicyVerdict, Question, Stage};
use dovetail_sdk::spool::{Spool, Spooled};
use dovetail_sdk::{time, Service};

use super::figures::Figures;
use super::header;
use super::{Fate, Words};
use crate::config::{OnError, PolicyStep, Stages};
use crate::reply::Reply;

/// All policies of an instance, in their order.
#[derive(Debug, Default)]
pub struct Chain {
    steps: Vec<Step>,
    /// Where messages are kept for policies that read them; none if none ever does.
    spool: Option<Service<Spool>>,
}

/// A policy with what the operator says about it.
#[derive(Debug)]
pub struct Step {
    name: String,
    policy: Service<Policy>,
    time: Duration,
    on_error: OnError,
    /// The stages that the operator leaves to it.
    allowed: Stages,
    /// The stages that it wanted when it was last asked; all until then.
    wanted: AtomicU8,
    figures: Figures,
}

/// What all policies together say.
#[derive(Debug)]
pub enum Outcome {
    /// It goes on.
    Passed {
        /// Junk, or thrown away.
        fate: Fate,
        /// At the end of a message: the message with its header changed.
        message: Option<Spooled>,
    },
    /// It does not.
    Refused(Reply),
}

/// What one says.
enum Said {
    /// Nothing: it does not want to be asked at this stage.
    Nothing,
    Verdict(PolicyVerdict),
    Failed(String),
}

impl Outcome {
    /// Nobody said anything against it.
    pub fn passed() -> Self {
        Outcome::Passed { fate: Fate::default(), message: None }
    }

    /// What becomes of it, or the reply of its refusal.
    ///
    /// # Errors
    /// The refusal.
    pub fn fate(self) -> Result<Fate, Reply> {
        match self {
            Outcome::Passed { fate, .. } => Ok(fate),
            Outcome::Refused(reply) => Err(reply),
        }
    }
}

impl Chain {
    /// A chain; `spool` is there if a step may be asked at the end of a message.
    pub fn new(steps: Vec<Step>, spool: Option<Service<Spool>>) -> Self {
        Chain { steps, spool }
    }

    /// Whether somebody may be asked at a stage.
    pub fn may_ask(&self, stage: Stage) -> bool {
        self.steps.iter().any(|step| step.allowed.has(stage))
    }

    /// The spool, if somebody wants to read the message that comes now.
    pub async fn spool(&self) -> Option<&Service<Spool>> {
        let spool = self.spool.as_ref()?;
        for step in self.steps.iter().filter(|step| step.allowed.has(Stage::EndOfMessage)) {
            if step.wants_messages().await {
                return Some(spool);
            }
        }
        None
    }

    /// Asks all that want to be asked, until one refuses or throws away.
    pub async fn ask(&self, mut question: Question) -> Outcome {
        let stage = question.stage;
        let mut fate = Fate::default();
        for step in self.steps.iter().filter(|step| step.allowed.has(stage)) {
            let said = match step.ask(&question).await {
                Said::Verdict(verdict) => match edit(&mut question, &verdict).await {
                    Ok(()) => Said::Verdict(verdict),
                    Err(message) => Said::Failed(message),
                },
                said => said,
            };
            let (decision, words) = match said {
                Said::Nothing => continue,
                Said::Verdict(verdict) => {
                    step.decided(&question, &verdict);
                    (verdict.decision, verdict.reply)
                }
                Said::Failed(message) => (step.failed(&question, &message), None),
            };
            match decision {
                Decision::Accept => {}
                Decision::Junk => fate.junk = true,
                Decision::Discard => {
                    fate.discard = true;
                    break;
                }
                Decision::Reject => return Outcome::Refused(Words::Reject.reply(stage, words.as_ref())),
                _ => return Outcome::Refused(Words::Defer.reply(stage, words.as_ref())),
            }
        }
        Outcome::Passed { fate, message: question.message }
    }
}

impl Step {
    /// A step of the chain.
    pub fn new(step: &PolicyStep, policy: Service<Policy>) -> Self {
        Step {
            name: step.instance.clone(),
            policy,
            time: Duration::from_secs(step.timeout_seconds),
            on_error: step.on_error,
            allowed: step.allowed(),
            wanted: AtomicU8::new(Stages::ALL.bits()),
            figures: Figures::new(&step.instance),
        }
    }

    async fn ask(&self, question: &Question) -> Said {
        let begun = Instant::now();
        let asking = async {
            let (policy, wanted) = self.present().await?;
            if !wanted.has(question.stage) {
                return Ok(None);
            }
            policy.decide(question.clone()).await.map(Some)
        };
        let said = match time::timeout(self.time, asking).await {
            Ok(Ok(Some(verdict))) => Said::Verdict(verdict),
            Ok(Ok(None)) => return Said::Nothing,
            Ok(Err(PolicyFailure { message })) => Said::Failed(message),
            Err(_) => Said::Failed(format!("no answer within {} seconds", self.time.as_secs())),
        };
        // One that cannot even say when it wants to be asked wants what it wanted before.
        if matches!(said, Said::Failed(_)) && !self.wanted().has(question.stage) {
            return Said::Nothing;
        }
        self.figures.seconds.observe_time(begun.elapsed());
        said
    }

    /// Whether it wants to read messages. One that cannot say is counted on to be back by the end of the message, unless its
    /// absence is no matter.
    async fn wants_messages(&self) -> bool {
        match time::timeout(self.time, self.present()).await {
            Ok(Ok((_, wanted))) => wanted.has(Stage::EndOfMessage),
            _ => self.on_error != OnError::Accept && self.wanted().has(Stage::EndOfMessage),
        }
    }

    /// The policy as it is now, and when it wants to be asked.
    async fn present(&self) -> Result<(Policy, Stages), PolicyFailure> {
        let policy = self.policy.ready().await?;
        let wanted = Stages::of(&policy.stages()?);
        self.wanted.store(wanted.bits(), Ordering::Relaxed);
        Ok((policy, wanted))
    }

    fn wanted(&self) -> Stages {
        Stages::from_bits(self.wanted.load(Ordering::Relaxed))
    }

    /// The line about what it said, and its figure.
    fn decided(&self, question: &Question, verdict: &PolicyVerdict) {
        self.figures.decided(verdict.decision);
        let decision = match verdict.decision {
            Decision::Accept => return,
            Decision::Reject => "reject",
            Decision::Discard => "discard",
            Decision::Junk => "junk",
            _ => "defer",
        };
        tracing::info!(
            policy = self.name,
            stage = stage_name(question.stage),
            decision,
            reason = verdict.reason,
            delivery = question.transaction.as_deref().unwrap_or_default(),
            sender = question.sender.as_deref().unwrap_or_default(),
            recipient = question.recipient.as_deref().unwrap_or_default(),
            "policy"
        );
    }

    /// The line about its failure, and what happens instead.
    fn failed(&self, question: &Question, message: &str) -> Decision {
        self.figures.failed();
        let (decision, name) = match self.on_error {
            OnError::Accept => (Decision::Accept, "Accept"),
            OnError::Defer => (Decision::Defer, "Defer"),
            OnError::Reject => (Decision::Reject, "Reject"),
        };
        tracing::warn!(
            policy = self.name,
            stage = stage_name(question.stage),
            on_error = name,
            failure = message,
            delivery = question.transaction.as_deref().unwrap_or_default(),
            "policy failed: its on_error is followed; look for the cause in the policy's own lines"
        );
        decision
    }
}

/// Changes the message's header as the verdict says, if it goes on.
async fn edit(question: &mut Question, verdict: &PolicyVerdict) -> Result<(), String> {
    let goes_on = matches!(verdict.decision, Decision::Accept | Decision::Junk);
    let Some(message) = question.message.as_ref().filter(|_| goes_on && !verdict.headers.is_empty()) else {
        return Ok(());
    };
    let length = message.header_length().map_err(|failure| failure.to_string())?;
    if length > header::MAX_HEADER {
        return Err(format!(
            "its changes are not made: the header has {length} octets, and {} are allowed",
            header::MAX_HEADER
        ));
    }
    let before = read(message, length).await?;
    let after = header::apply(&before, &verdict.headers).map_err(|error| error.to_string())?;
    let edited = message.edited(after.into(), length).await.map_err(|failure| failure.to_string())?;
    question.message = Some(edited);
    Ok(())
}

/// The first octets of a message.
async fn read(message: &Spooled, length: u64) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    while (all.len() as u64) < length {
        let left = u32::try_from(length - all.len() as u64).unwrap_or(u32::MAX);
        let piece = message.read(all.len() as u64, left).await.map_err(|failure| failure.to_string())?;
        if piece.is_empty() {
            return Err("the message ended before its header".to_owned());
        }
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

/// As in the configuration.
fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "Connect",
        Stage::Helo => "Helo",
        Stage::Auth => "Auth",
        Stage::Mail => "Mail",
        Stage::Recipient => "Recipient",
        _ => "EndOfMessage",
    }
}
