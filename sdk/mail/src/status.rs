//! Enhanced mail system status codes (RFC 3463), as SMTP replies carry them (RFC 2034).
//!
//! Three numbers: class 2, 4 or 5; subject and detail of one to three digits each.

use std::fmt;
use std::str::FromStr;

/// First number of an enhanced status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// `2`: done.
    Success,
    /// `4`: not now; the same request may work later.
    Temporary,
    /// `5`: not like this; the same request will fail again.
    Permanent,
}

/// A status code such as `5.7.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedStatus {
    class: Class,
    subject: u16,
    detail: u16,
}

/// A text that is no enhanced status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an enhanced status code: want CLASS.SUBJECT.DETAIL with class 2, 4 or 5 and numbers up to 999, as in 5.7.1"
)]
pub struct StatusError;

impl EnhancedStatus {
    /// `2.subject.detail`.
    pub const fn success(subject: u16, detail: u16) -> Self {
        Self::new(Class::Success, subject, detail)
    }

    /// `4.subject.detail`.
    pub const fn temporary(subject: u16, detail: u16) -> Self {
        Self::new(Class::Temporary, subject, detail)
    }

    /// `5.subject.detail`.
    pub const fn permanent(subject: u16, detail: u16) -> Self {
        Self::new(Class::Permanent, subject, detail)
    }

    /// Numbers above 999, which the grammar has no room for, become 999.
    const fn new(class: Class, subject: u16, detail: u16) -> Self {
        let subject = if subject > MAX_NUMBER { MAX_NUMBER } else { subject };
        let detail = if detail > MAX_NUMBER { MAX_NUMBER } else { detail };
        EnhancedStatus { class, subject, detail }
    }

    /// Success, temporary or permanent failure.
    pub const fn class(self) -> Class {
        self.class
    }

    /// The second number: what it is about.
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// The third number: what exactly.
    pub const fn detail(self) -> u16 {
        self.detail
    }
}

impl Class {
    /// The digit on the wire, which is also the first digit of the SMTP reply code (RFC 2034 section 4).
    pub const fn digit(self) -> u16 {
        match self {
            Class::Success => 2,
            Class::Temporary => 4,
            Class::Permanent => 5,
        }
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class.digit(), self.subject, self.detail)
    }
}

impl FromStr for EnhancedStatus {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, StatusError> {
        let mut parts = text.split('.');
        let (Some(class), Some(subject), Some(detail), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(StatusError);
        };
        let class = match class {
            "2" => Class::Success,
            "4" => Class::Temporary,
            "5" => Class::Permanent,
            _ => return Err(StatusError),
        };
        Ok(EnhancedStatus { class, subject: number(subject)?, detail: number(detail)? })
    }
}

/// One to three digits, without leading zeros (RFC 3463 section 2).
fn number(text: &str) -> Result<u16, StatusError> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return Err(StatusError);
    }
    text.parse().map_err(|_| StatusError)
}

const MAX_NUMBER: u16 = 999;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prints_and_reads_back() {
        let status = EnhancedStatus::permanent(7, 1);
        assert_eq!((status.to_string().as_str(), status.subject(), status.detail()), ("5.7.1", 7, 1));
        assert_eq!("4.4.2".parse(), Ok(EnhancedStatus::temporary(4, 2)));
        for bad in ["", "5", "5.7", "5.7.1.1", "3.0.0", "5.07.1", "5.7.1000", "5.+7.1", "5.7.", " 5.7.1"] {
            assert_eq!(bad.parse::<EnhancedStatus>(), Err(StatusError), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_code_survives_its_text(class in 0..3u8, subject in 0..2000u16, detail in 0..2000u16) {
            let class = [Class::Success, Class::Temporary, Class::Permanent][usize::from(class)];
            let code = EnhancedStatus::new(class, subject, detail);
            prop_assert_eq!(code.to_string().parse(), Ok(code));
        }
    }
}
