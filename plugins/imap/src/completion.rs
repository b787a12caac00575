//! How a command ended, as the client is told (RFC 9051 section 7.1, response codes of RFC 5530).

use std::borrow::Cow;

use dovetail_sdk::store::{StoreErrorCode, StoreFailure};

/// The three ends that a command may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Ok,
    /// Not done.
    No,
    /// Not understood, or not now.
    Bad,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Which of the three.
    pub status: Status,
    /// A response code without its brackets; empty for none.
    pub code: Cow<'static, str>,
    /// What people read.
    pub text: Cow<'static, str>,
    /// The store was stopped before anything was done: the same can be tried in the one that is there now.
    pub again: bool,
}

impl Completion {
    /// Done.
    pub fn ok(text: impl Into<Cow<'static, str>>) -> Self {
        Completion { status: Status::Ok, code: Cow::Borrowed(""), text: text.into(), again: false }
    }

    /// Not done.
    pub fn no(code: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Completion { status: Status::No, code: code.into(), text: text.into(), again: false }
    }

    /// Not understood, or not now.
    pub fn bad(text: impl Into<Cow<'static, str>>) -> Self {
        Completion { status: Status::Bad, code: Cow::Borrowed(""), text: text.into(), again: false }
    }

    /// With a response code.
    pub fn code(self, code: impl Into<Cow<'static, str>>) -> Self {
        Completion { code: code.into(), ..self }
    }

    /// What a client hears of a failure of the store; the log gets the whole of it.
    pub fn store_failed(failure: &StoreFailure) -> Self {
        match failure.code {
            StoreErrorCode::NotFound => Completion::no("NONEXISTENT", "There is no such mailbox"),
            StoreErrorCode::Exists => Completion::no("ALREADYEXISTS", "There is such a mailbox already"),
            StoreErrorCode::Invalid => Completion::no("CANNOT", "The name cannot be used"),
            StoreErrorCode::HasChildren => Completion::no("HASCHILDREN", "There are mailboxes below it"),
            StoreErrorCode::Limit => Completion::no("LIMIT", "There are too many of them already"),
            StoreErrorCode::OverQuota => Completion::no("OVERQUOTA", "The quota is used up"),
            StoreErrorCode::TooLarge => Completion::no("TOOBIG", "The message is too large"),
            StoreErrorCode::Stopped => {
                let later = Completion::no("UNAVAILABLE", "The store is being restarted, try again later");
                Completion { again: true, ..later }
            }
            StoreErrorCode::Full => {
                tracing::error!(%failure, "store refused");
                Completion::no("UNAVAILABLE", "There is no room now, try again later")
            }
            _ => {
                tracing::error!(%failure, "store failed");
                Completion::no("UNAVAILABLE", "The store cannot do that now, try again later")
            }
        }
    }

    /// Writes the tagged line.
    pub fn encode(&self, tag: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(tag);
        out.extend_from_slice(match self.status {
            Status::Ok => b" OK ",
            Status::No => b" NO ",
            Status::Bad => b" BAD ",
        });
        if !self.code.is_empty() {
            out.push(b'[');
            out.extend_from_slice(self.code.as_bytes());
            out.extend_from_slice(b"] ");
        }
        out.extend_from_slice(self.text.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(completion: Completion) -> String {
        let mut out = Vec::new();
        completion.encode(b"a1", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_code_stands_in_brackets() {
        assert_eq!(line(Completion::ok("Done")), "a1 OK Done\r\n");
        assert_eq!(line(Completion::ok("Opened").code("READ-WRITE")), "a1 OK [READ-WRITE] Opened\r\n");
        assert_eq!(line(Completion::no("TRYCREATE", "No")), "a1 NO [TRYCREATE] No\r\n");
        assert_eq!(line(Completion::bad("What?")), "a1 BAD What?\r\n");
    }

    #[test]
    fn the_log_gets_the_cause_and_the_client_the_code() {
        for (code, told) in [
            (StoreErrorCode::NotFound, "NONEXISTENT"),
            (StoreErrorCode::Exists, "ALREADYEXISTS"),
            (StoreErrorCode::Invalid, "CANNOT"),
            (StoreErrorCode::HasChildren, "HASCHILDREN"),
            (StoreErrorCode::Limit, "LIMIT"),
            (StoreErrorCode::OverQuota, "OVERQUOTA"),
            (StoreErrorCode::TooLarge, "TOOBIG"),
            (StoreErrorCode::Full, "UNAVAILABLE"),
            (StoreErrorCode::Temporary, "UNAVAILABLE"),
            (StoreErrorCode::Stopped, "UNAVAILABLE"),
        ] {
            let completion = Completion::store_failed(&StoreFailure { code, message: "disk /dev/x is broken".into() });
            assert_eq!((completion.status, completion.code.as_ref()), (Status::No, told));
            assert!(!completion.text.contains("/dev/x"), "{completion:?}");
        }
    }
}
