//! What is said, and when.

use dovetail_sdk::policy::{Decision, PolicyFailure, PolicyVerdict, Question, Stage};

/// A rule.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// At this stage ...
    pub stage: At,
    /// ... about what has this text in it.
    #[serde(default)]
    pub text: String,
    /// What it does.
    pub says: Says,
    /// The words of a refusal: code, status, text.
    #[serde(default)]
    pub reply: Option<(u16, String, String)>,
    /// Fields to add: names and values.
    #[serde(default)]
    pub add: Vec<(String, String)>,
    /// Fields to remove.
    #[serde(default)]
    pub remove: Vec<String>,
    /// It thinks for so long.
    #[serde(default)]
    pub delay_milliseconds: u64,
}

/// A stage.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub enum At {
    Connect,
    Helo,
    Auth,
    Mail,
    Recipient,
    EndOfMessage,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub enum Says {
    Accept,
    Reject,
    Defer,
    Discard,
    Junk,
    /// Fails.
    Fail,
    /// Panics.
    Panic,
}

impl From<At> for Stage {
    fn from(at: At) -> Stage {
        match at {
            At::Connect => Stage::Connect,
            At::Helo => Stage::Helo,
            At::Auth => Stage::Auth,
            At::Mail => Stage::Mail,
            At::Recipient => Stage::Recipient,
            At::EndOfMessage => Stage::EndOfMessage,
        }
    }
}

impl Rule {
    /// Whether it is about this.
    pub fn fits(&self, stage: Stage, text: &str) -> bool {
        Stage::from(self.stage) == stage && text.contains(&self.text)
    }

    /// What it says.
    pub fn verdict(&self) -> Result<PolicyVerdict, PolicyFailure> {
        let decision = match self.says {
            Says::Accept => Decision::Accept,
            Says::Reject => Decision::Reject,
            Says::Defer => Decision::Defer,
            Says::Discard => Decision::Discard,
            Says::Junk => Decision::Junk,
            Says::Fail => return Err(PolicyFailure { message: "failure (on purpose)".to_owned() }),
            Says::Panic => panic!("panic in a policy (on purpose)"),
        };
        let mut verdict = PolicyVerdict::new(decision, "a rule says so");
        for (name, value) in &self.add {
            verdict = verdict.adding(name, value);
        }
        for name in &self.remove {
            verdict = verdict.removing(name);
        }
        Ok(match &self.reply {
            Some((code, enhanced, text)) => verdict.saying(*code, enhanced, text),
            None => verdict,
        })
    }
}

/// What rules look at: at the end of a message all of it, else what the question is about.
pub async fn text_of(question: &Question) -> Result<String, PolicyFailure> {
    let Some(message) = &question.message else {
        let about = [&question.helo, &question.account, &question.sender, &question.recipient];
        return Ok(about.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" "));
    };
    let mut all = Vec::new();
    loop {
        let piece = message.read(all.len() as u64, 1 << 16).await;
        let piece = piece.map_err(|failure| PolicyFailure { message: failure.to_string() })?;
        if piece.is_empty() {
            return Ok(String::from_utf8_lossy(&all).into_owned());
        }
        all.extend_from_slice(&piece);
    }
}
