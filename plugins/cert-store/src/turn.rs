//! When time alone changes what is valid.
//!
//! A certificate is valid from its first moment to its last, both included (RFC 5280 section 4.1.2.5). Bound: the calendar
//! ends with the year 9999; what lasts longer never turns.

use time::{Duration, OffsetDateTime};

use crate::certificate::Certificate;

/// The first moment after `now` at which one of these begins to be valid, or is valid no more.
pub fn next(spans: impl IntoIterator<Item = Span>, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let turns = spans.into_iter().flat_map(|(begin, end)| std::iter::once(begin).chain(end.checked_add(TICK)));
    turns.filter(|turn| *turn > now).min()
}

/// A certificate's first and last moment.
pub type Span = (OffsetDateTime, OffsetDateTime);

/// Those of this one.
pub fn span(certificate: &Certificate) -> Span {
    (certificate.not_before, certificate.not_after)
}

/// What clocks and timers count in.
const TICK: Duration = Duration::MILLISECOND;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{create, CreateRequest};

    #[test]
    fn a_certificate_turns_when_it_begins_and_after_its_last_moment() {
        let made = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let one = create(&CreateRequest::for_host("a.example"), made).unwrap().1;
        let later = create(&CreateRequest::for_host("a.example"), made + Duration::days(1)).unwrap().1;
        let both = [span(&later), span(&one)];
        assert_eq!(next(both, one.not_before - TICK), Some(one.not_before));
        assert_eq!(next(both, one.not_before), Some(later.not_before));
        assert_eq!(next(both, later.not_before), Some(one.not_after + TICK));
        assert_eq!(next(both, one.not_after), Some(one.not_after + TICK));
        assert_eq!(next(both, later.not_after + TICK), None);
    }
}
