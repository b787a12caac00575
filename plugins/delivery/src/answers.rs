//! What peers are told (RFC 5321 section 4.2, RFC 3463). The texts name no account, path or cause.

use dovetail_sdk::{
    delivery::{Answer, DeliveryFailure, Verdict},
    directory::DirectoryFailure,
    store::{StoreErrorCode, StoreFailure},
};

fn answer(verdict: Verdict, code: u16, enhanced: &str, text: &str) -> Answer {
    Answer { verdict, code, enhanced: enhanced.to_owned(), text: text.to_owned() }
}

/// The recipient is one of ours.
pub fn recipient_accepted() -> Answer {
    answer(Verdict::Accept, 250, "2.1.5", "Recipient accepted")
}

/// Everybody behind the recipient has the message.
pub fn delivered() -> Answer {
    answer(Verdict::Accept, 250, "2.0.0", "Message delivered")
}

/// Nobody of that name in our domain.
pub fn unknown() -> Answer {
    answer(Verdict::Reject, 550, "5.1.1", "No such mailbox here")
}

/// An address elsewhere.
pub fn not_here(logged_in: bool) -> Answer {
    match logged_in {
        true => answer(Verdict::Reject, 550, "5.7.1", "This server does not send mail to other servers yet"),
        false => answer(Verdict::Reject, 550, "5.7.1", "Relaying denied"),
    }
}

/// One recipient that stands for more accounts than a message may reach.
pub fn too_wide() -> Answer {
    answer(Verdict::Reject, 550, "5.3.5", "This address stands for too many mailboxes")
}

/// A recipient for which there is no room left in this transaction (RFC 5321 section 4.5.3.1.10).
pub fn too_many() -> Answer {
    answer(Verdict::Defer, 452, "4.5.3", "Too many recipients, send it to this one again")
}

/// Something is away.
pub fn later() -> Answer {
    answer(Verdict::Defer, 451, "4.3.0", "Temporary failure, try again later")
}

/// Why the store did not take a message.
pub fn refused_by_store(code: StoreErrorCode) -> Answer {
    match code {
        StoreErrorCode::Full => {
            answer(Verdict::Defer, 452, "4.3.1", "No room for messages at the moment, try again later")
        }
        StoreErrorCode::OverQuota => answer(Verdict::Defer, 452, "4.2.2", "The mailbox is full, try again later"),
        StoreErrorCode::TooLarge => answer(Verdict::Reject, 552, "5.3.4", "The message is too large"),
        _ => later(),
    }
}

/// The store failed before there was a recipient to answer for.
pub fn store_failed(failure: StoreFailure) -> DeliveryFailure {
    DeliveryFailure { answer: refused_by_store(failure.code), message: failure.message }
}

/// The directory cannot answer.
pub fn directory_failed(failure: DirectoryFailure) -> DeliveryFailure {
    DeliveryFailure { answer: later(), message: failure.message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdict_code_and_status_say_the_same() {
        let all = [
            recipient_accepted(),
            delivered(),
            unknown(),
            not_here(true),
            not_here(false),
            too_wide(),
            too_many(),
            later(),
            refused_by_store(StoreErrorCode::Full),
            refused_by_store(StoreErrorCode::OverQuota),
            refused_by_store(StoreErrorCode::TooLarge),
            refused_by_store(StoreErrorCode::NotFound),
        ];
        for answer in all {
            let class = match answer.verdict {
                Verdict::Accept => 2,
                Verdict::Defer => 4,
                _ => 5,
            };
            assert_eq!(answer.code / 100, class, "{answer:?}");
            assert!(answer.enhanced.starts_with(&format!("{class}.")), "{answer:?}");
            assert!(answer.text.is_ascii() && !answer.text.contains(['\r', '\n']), "{answer:?}");
        }
    }
}
