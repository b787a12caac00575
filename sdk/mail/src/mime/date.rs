//! The day of a Date field, for searches by day (RFC 3501 section 6.4.4, `SENTSINCE` and its kin).
//!
//! Read as leniently as mail needs it: with or without the day of the week, two-digit years (RFC 5322 section 4.3),
//! full month names, hyphens between, comments, day and month in either order. Time and zone are disregarded, as the
//! RFC asks. What has no day, month and year is `None`.

/// A day of the calendar; days compare in time order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// Four digits.
    pub year: u16,
    /// 1 is January.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// The day that the value of a Date field names.
pub fn sent_day(value: &[u8]) -> Option<Day> {
    let text = without_comments(value.get(..MAX_DATE).unwrap_or(value));
    let mut day = None;
    let mut month = None;
    for word in text.split(|b| !b.is_ascii_alphanumeric() && *b != b':').filter(|word| !word.is_empty()) {
        if word.iter().all(u8::is_ascii_digit) {
            let number: u16 = std::str::from_utf8(word).ok()?.parse().ok()?;
            match (day, month) {
                (None, _) => day = Some(u8::try_from(number).ok().filter(|day| (1..=31).contains(day))?),
                (Some(day), Some(month)) => return Some(Day { year: year(number, word.len())?, month, day }),
                (Some(_), None) => return None,
            }
        } else if month.is_none() {
            month = month_of(word);
        }
    }
    None
}

/// RFC 5322 section 4.3: two digits below 50 are of this century, others and three digits count from 1900.
fn year(number: u16, digits: usize) -> Option<u16> {
    match digits {
        2 if number < 50 => Some(number + 2000),
        2 | 3 => Some(number + 1900),
        4 => Some(number),
        _ => None,
    }
}

fn month_of(word: &[u8]) -> Option<u8> {
    let name = word.get(..3)?;
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    u8::try_from(at + 1).ok()
}

fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut depth = 0_u32;
    let mut kept = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(byte),
            _ => continue,
        }
        if matches!(byte, b'(' | b')') {
            kept.push(b' ');
        }
    }
    kept
}

/// Longer ones are read up to here.
const MAX_DATE: usize = 256;

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Option<(u16, u8, u8)> {
        sent_day(text.as_bytes()).map(|day| (day.year, day.month, day.day))
    }

    #[test]
    fn forms_that_mail_has() {
        for text in [
            "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
            "17 Jul 96 02:23 EST",
            "Wed,17-July-1996 02:23:25",
            "(c) 17 (Jan) JUL 1996",
            "Wed Jul 17 1996 02:23:25 GMT",
            "  17 Jul 1996",
        ] {
            assert_eq!(day(text), Some((1996, 7, 17)), "{text}");
        }
        assert_eq!(day("1 Feb 2026 23:59:60 +1400"), Some((2026, 2, 1)));
        assert_eq!(day("1 Feb 26"), Some((2026, 2, 1)));
        assert_eq!(day("1 Feb 126"), Some((2026, 2, 1)));
    }

    #[test]
    fn what_is_no_date() {
        for text in
            ["", "yesterday", "32 Jul 1996", "17 Jul", "17 07 1996", "17 Jul 19960", "99999999999 Jul 1", "0 Jul 1996"]
        {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn days_compare_in_time_order() {
        assert!(sent_day(b"31 Dec 1999") < sent_day(b"1 Jan 2000"));
        assert!(sent_day(b"31 Jan 2000") < sent_day(b"1 Feb 2000"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(day) = sent_day(&bytes) {
                prop_assert!((1..=12).contains(&day.month) && (1..=31).contains(&day.day));
            }
        }
    }
}
