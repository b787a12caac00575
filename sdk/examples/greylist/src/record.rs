//! What is remembered, as text: a person who looks at it with `dovetail kv get` can read it.
//!
//! Anything else under a key of ours (somebody tried something, or a later version wrote it) counts as nothing.

/// What is known of a triplet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was tried first at this second since 1970, and has not passed yet.
    WaitingSince(u64),
    /// It has come back.
    Passed,
}

impl Known {
    /// Reads it.
    pub fn read(value: &[u8]) -> Option<Self> {
        match value {
            b"passed" => Some(Known::Passed),
            _ => number(value.strip_prefix(b"waiting since ")?).map(Known::WaitingSince),
        }
    }

    /// Writes it.
    pub fn write(self) -> Vec<u8> {
        match self {
            Known::WaitingSince(second) => format!("waiting since {second}").into_bytes(),
            Known::Passed => b"passed".to_vec(),
        }
    }
}

/// How many mails of a network have come back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Returns {
    /// So many.
    pub count: u32,
    /// The transaction of the last one: one mail to many recipients counts once.
    pub last: String,
}

impl Returns {
    /// Reads it.
    pub fn read(value: &[u8]) -> Option<Self> {
        let (count, last) = std::str::from_utf8(value).ok()?.split_once(" returned, last ")?;
        Some(Returns { count: number(count.as_bytes())?.try_into().ok()?, last: last.to_owned() })
    }

    /// Writes it.
    pub fn write(&self) -> Vec<u8> {
        format!("{} returned, last {}", self.count, self.last).into_bytes()
    }
}

/// Digits and nothing else: `parse` alone would take a sign.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_record_is_nothing() {
        for odd in [
            "",
            "passed ",
            "waiting since ",
            "waiting since -1",
            "waiting since +1",
            "waiting since 99999999999999999999",
        ] {
            assert_eq!(Known::read(odd.as_bytes()), None, "{odd:?}");
        }
        for odd in ["", "5", "x returned, last y", "4294967296 returned, last y", "5 returned"] {
            assert_eq!(Returns::read(odd.as_bytes()), None, "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn records_survive_their_text(second: u64, count: u32, last in "\\PC{0,20}") {
            for known in [Known::WaitingSince(second), Known::Passed] {
                prop_assert_eq!(Known::read(&known.write()), Some(known));
            }
            let returns = Returns { count, last };
            prop_assert_eq!(Returns::read(&returns.write()), Some(returns));
        }

        #[test]
        fn no_text_makes_it_panic(value in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (Known::read(&value), Returns::read(&value));
        }
    }
}
