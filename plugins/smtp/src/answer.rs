//! What directory and delivery answer, in SMTP's words.

use dovetail_mail::{Class, EnhancedStatus};
use dovetail_sdk::delivery::{Answer, Verdict};
use dovetail_sdk::spool::{SpoolErrorCode, SpoolFailure};
use dovetail_sdk::store::{StoreErrorCode, StoreFailure};

use crate::reply::Reply;

/// An answer as a reply. Its verdict counts: a code or status of another class is replaced, so that no mistake of another
/// plugin makes an acceptance out of a refusal.
pub fn reply(answer: &Answer) -> Reply {
    let (class, code) = match answer.verdict {
        Verdict::Accept => (Class::Success, 250),
        Verdict::Reject => (Class::Permanent, 550),
        _ => (Class::Temporary, 451),
    };
    let code = if answer.code / 100 == class.digit() { answer.code } else { code };
    let status = answer.enhanced.parse().ok().filter(|status: &EnhancedStatus| status.class() == class);
    let status = status.unwrap_or(match class {
        Class::Success => EnhancedStatus::success(0, 0),
        Class::Permanent => EnhancedStatus::permanent(0, 0),
        Class::Temporary => EnhancedStatus::temporary(0, 0),
    });
    Reply::new(code, status, answer.text.clone())
}

/// The one reply for a whole message (RFC 5321 section 6.1): `None` if every recipient has it, durable. If any has to wait,
/// the client keeps the message and tries again; else if any refuses, the client's user hears of it.
pub fn of_all(answers: &[Answer], recipients: usize) -> Option<Reply> {
    let first = |verdict| answers.iter().find(|answer| answer.verdict == verdict).map(reply);
    if let Some(defer) = first(Verdict::Defer) {
        return Some(defer);
    }
    if answers.len() != recipients {
        return Some(try_later());
    }
    first(Verdict::Reject)
}

/// Why the store did not take a message's octets.
pub fn of_store(failure: &StoreFailure) -> Reply {
    match failure.code {
        StoreErrorCode::Full => Reply::defer(452, 3, 1, "No room for messages at the moment, try again later"),
        StoreErrorCode::TooLarge => Reply::refuse(552, 3, 4, "The message is too large"),
        _ => try_later(),
    }
}

/// Why the spool did not take a message's octets.
pub fn of_spool(failure: &SpoolFailure) -> Reply {
    match failure.code {
        SpoolErrorCode::Full => Reply::defer(452, 3, 1, "No room for messages at the moment, try again later"),
        SpoolErrorCode::TooLarge => Reply::refuse(552, 3, 4, "The message is too large"),
        _ => try_later(),
    }
}

/// Something here does not work now.
pub fn try_later() -> Reply {
    Reply::defer(451, 3, 0, "Temporary failure, try again later")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(verdict: Verdict, code: u16, enhanced: &str) -> Answer {
        Answer { verdict, code, enhanced: enhanced.to_owned(), text: "x".to_owned() }
    }

    #[test]
    fn the_verdict_decides() {
        assert_eq!(reply(&answer(Verdict::Reject, 551, "5.1.6")), Reply::refuse(551, 1, 6, "x"));
        assert_eq!(reply(&answer(Verdict::Reject, 250, "2.1.5")), Reply::refuse(550, 0, 0, "x"));
        assert_eq!(reply(&answer(Verdict::Defer, 0, "")), Reply::defer(451, 0, 0, "x"));
        assert_eq!(reply(&answer(Verdict::Accept, 550, "5.0.0")), Reply::ok(0, 0, "x"));
    }

    #[test]
    fn a_full_store_and_one_that_fails_are_told_apart() {
        let code = |code| of_store(&StoreFailure { code, message: String::new() }).code();
        assert_eq!(code(StoreErrorCode::Full), 452);
        assert_eq!(code(StoreErrorCode::Temporary), 451);
        assert_eq!(code(StoreErrorCode::Invalid), 451);
        assert_eq!(code(StoreErrorCode::TooLarge), 552);
    }

    #[test]
    fn one_that_waits_makes_all_wait() {
        let yes = answer(Verdict::Accept, 250, "2.0.0");
        let no = answer(Verdict::Reject, 552, "5.2.2");
        let later = answer(Verdict::Defer, 452, "4.2.2");
        assert_eq!(of_all(&[yes.clone(), yes.clone()], 2), None);
        assert_eq!(of_all(&[yes.clone(), no.clone(), later], 3).map(|r| r.code()), Some(452));
        assert_eq!(of_all(&[yes.clone(), no], 2).map(|r| r.code()), Some(552));
        assert_eq!(of_all(&[yes], 2).map(|r| r.code()), Some(451));
    }
}
