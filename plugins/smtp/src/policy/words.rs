//! The reply of a refusal: the policy's own words where they fit, else ours.
//!
//! Code and status must be of the decision's class, so that no mistake of a policy makes something else out of a refusal; a
//! text is one line of printable ASCII. At the connection there are two codes only: 554 in place of the greeting, and 421 (RFC
//! 5321 section 3.1).

use dovetail_mail::{Class, EnhancedStatus};
use dovetail_sdk::policy::{self, Stage};

use crate::reply::Reply;

/// How something is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// For good.
    Reject,
    /// For now.
    Defer,
}

impl Words {
    /// The reply at a stage.
    pub fn reply(self, stage: Stage, theirs: Option<&policy::Reply>) -> Reply {
        let (class, usual) = match self {
            Words::Reject => (Class::Permanent, 550),
            Words::Defer => (Class::Temporary, 451),
        };
        let usual = match (self, stage) {
            (Words::Reject, Stage::Connect) => 554,
            (Words::Reject, Stage::Auth) => 535,
            (Words::Defer, Stage::Connect) => 421,
            (Words::Defer, Stage::Auth) => 454,
            _ => usual,
        };
        let code = theirs.map(|theirs| theirs.code);
        let code = code.filter(|code| code / 100 == class.digit() && stage != Stage::Connect).unwrap_or(usual);
        let status = theirs.and_then(|theirs| theirs.enhanced.parse().ok());
        let status = status.filter(|status: &EnhancedStatus| status.class() == class).unwrap_or(match self {
            Words::Reject => EnhancedStatus::permanent(7, 1),
            Words::Defer => EnhancedStatus::temporary(7, 1),
        });
        let text = theirs.map(|theirs| &theirs.text).filter(|text| is_line(text));
        match text {
            Some(text) => Reply::new(code, status, text.clone()),
            None => Reply::new(code, status, self.usual_text(stage)),
        }
    }

    fn usual_text(self, stage: Stage) -> &'static str {
        match (self, stage) {
            (Words::Defer, _) => "Not now, try again later",
            (Words::Reject, Stage::Connect | Stage::Helo) => "Your mail is not taken here",
            (Words::Reject, Stage::Auth) => "The login is refused",
            (Words::Reject, Stage::Mail) => "The sender is refused",
            (Words::Reject, Stage::Recipient) => "The recipient is refused",
            (Words::Reject, _) => "The message is refused",
        }
    }
}

fn is_line(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theirs(code: u16, enhanced: &str, text: &str) -> Option<policy::Reply> {
        Some(policy::Reply { code, enhanced: enhanced.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn words_that_fit_are_used_and_others_are_not() {
        for (words, code, enhanced, text, want) in [
            (Words::Reject, 554, "5.7.26", "No", Reply::refuse(554, 7, 26, "No")),
            (Words::Reject, 450, "4.7.1", "No", Reply::refuse(550, 7, 1, "No")),
            (Words::Reject, 250, "2.0.0", "Fine", Reply::refuse(550, 7, 1, "Fine")),
            (Words::Defer, 450, "4.2.0", "Greylisted", Reply::defer(450, 2, 0, "Greylisted")),
            (Words::Defer, 421, "4.3.2", "Go", Reply::defer(421, 3, 2, "Go")),
            (Words::Defer, 550, "x", "", Reply::defer(451, 7, 1, "Not now, try again later")),
            (Words::Defer, 4500, "4.7.1", "a\r\n250 b", Reply::defer(451, 7, 1, "Not now, try again later")),
            (Words::Reject, 550, "5.7.1", "gr\u{fc}n", Reply::refuse(550, 7, 1, "The recipient is refused")),
        ] {
            assert_eq!(words.reply(Stage::Recipient, theirs(code, enhanced, text).as_ref()), want);
        }
    }

    #[test]
    fn each_stage_has_its_words() {
        for (stage, reject, defer) in [
            (Stage::Connect, 554, 421),
            (Stage::Helo, 550, 451),
            (Stage::Auth, 535, 454),
            (Stage::Mail, 550, 451),
            (Stage::Recipient, 550, 451),
            (Stage::EndOfMessage, 550, 451),
        ] {
            assert_eq!(
                (Words::Reject.reply(stage, None).code(), Words::Defer.reply(stage, None).code()),
                (reject, defer)
            );
        }
        let connect = |words: Words, code| words.reply(Stage::Connect, theirs(code, "", "x").as_ref()).code();
        assert_eq!((connect(Words::Reject, 550), connect(Words::Defer, 450)), (554, 421));
    }
}
