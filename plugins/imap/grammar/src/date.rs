//! Dates and times in commands (RFC 9051 section 9, `date` and `date-time`).

use crate::cursor::{Cursor, Parsed};
use crate::error::ErrorKind;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// The months as IMAP names them.
pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `date`: `1-Feb-1994`, with or without quotes.
pub(crate) fn date(cursor: &mut Cursor<'_>) -> Parsed<Date> {
    let quoted = cursor.eat(b'"');
    let day = digits(cursor, 1, 2)?;
    let date = month_and_year(cursor, day)?;
    if quoted {
        cursor.expect(b'"', "the closing quote of a date")?;
    }
    Ok(date)
}

/// `date-time`: `"17-Jul-1996 02:44:25 -0700"`, the day padded with a space.
pub(crate) fn date_time(cursor: &mut Cursor<'_>) -> Parsed<OffsetDateTime> {
    cursor.expect(b'"', "a date and time in quotes")?;
    let day = if cursor.eat(b' ') { digits(cursor, 1, 1)? } else { digits(cursor, 2, 2)? };
    let date = month_and_year(cursor, day)?;
    cursor.space()?;
    let at = cursor.at();
    let hour = digits(cursor, 2, 2)?;
    cursor.expect(b':', "a time like 02:44:25")?;
    let minute = digits(cursor, 2, 2)?;
    cursor.expect(b':', "a time like 02:44:25")?;
    // A leap second has no place in our times; it ends the minute.
    let second = digits(cursor, 2, 2)?;
    let second = if second == 60 { 59 } else { second };
    let time = Time::from_hms(small(hour), small(minute), small(second));
    let time = time.map_err(|_| ErrorKind::NoSuch { what: "time", at })?;
    cursor.space()?;
    let at = cursor.at();
    let west = match cursor.peek() {
        Some(b'+') => false,
        Some(b'-') => true,
        _ => return Err(cursor.expected("a zone like +0200")),
    };
    cursor.eat(if west { b'-' } else { b'+' });
    let zone = digits(cursor, 4, 4)?;
    let (hours, minutes) = (zone / 100, zone % 100);
    if hours > 23 || minutes > 59 {
        return Err(ErrorKind::NoSuch { what: "zone", at });
    }
    let east = (hours * 60 + minutes) as i32 * 60;
    let zone = UtcOffset::from_whole_seconds(if west { -east } else { east });
    let zone = zone.map_err(|_| ErrorKind::NoSuch { what: "zone", at })?;
    cursor.expect(b'"', "the closing quote of a date")?;
    Ok(OffsetDateTime::new_in_offset(date, time, zone))
}

/// `-Feb-1994`
fn month_and_year(cursor: &mut Cursor<'_>, day: u32) -> Parsed<Date> {
    cursor.expect(b'-', "a date like 1-Feb-1994")?;
    let at = cursor.at();
    let name = cursor.run(|octet| octet.is_ascii_alphabetic(), 3, "a month").unwrap_or_default();
    let month = MONTHS.iter().zip(1u8..).find(|(month, _)| month.as_bytes().eq_ignore_ascii_case(name));
    let month = month.and_then(|(_, number)| Month::try_from(number).ok());
    let month = month.ok_or(ErrorKind::Expected { what: "a month", at })?;
    cursor.expect(b'-', "a date like 1-Feb-1994")?;
    let year = digits(cursor, 4, 4)?;
    let date = Date::from_calendar_date(year as i32, month, small(day));
    date.map_err(|_| ErrorKind::NoSuch { what: "date", at })
}

/// So many digits.
fn digits(cursor: &mut Cursor<'_>, least: usize, most: usize) -> Parsed<u32> {
    const WHAT: &str = "digits of a date or time";
    let at = cursor.at();
    let digits = cursor.run(|octet| octet.is_ascii_digit(), most, WHAT);
    let digits = digits.ok().filter(|digits| digits.len() >= least);
    let digits = digits.ok_or(ErrorKind::Expected { what: WHAT, at })?;
    Ok(digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit.wrapping_sub(b'0'))))
}

/// Two digits fit.
fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use crate::limits::Limits;
    use proptest::prelude::*;
    use time::macros::{date as day, datetime};

    fn read<T>(input: &str, rule: fn(&mut Cursor<'_>) -> Parsed<T>) -> Parsed<T> {
        let limits = Limits::default();
        let mut cursor = Cursor::new(input.as_bytes(), &limits);
        let value = rule(&mut cursor)?;
        cursor.end().map(|()| value)
    }

    #[test]
    fn dates() {
        for good in ["1-Feb-1994", "01-feb-1994", "\"1-FEB-1994\""] {
            assert_eq!(read(good, date), Ok(day!(1994 - 02 - 01)), "{good}");
        }
        for bad in
            ["", "1-Feb-94", "1-Feb-19940", "001-Feb-1994", "1-Fe-1994", "1-Foo-1994", " 1-Feb-1994", "\"1-Feb-1994"]
        {
            assert!(read(bad, date).is_err(), "{bad}");
        }
        for none in ["0-Feb-1994", "30-Feb-1994", "29-Feb-2023", "99-Jan-2000"] {
            assert!(matches!(read(none, date), Err(ErrorKind::NoSuch { what: "date", .. })), "{none}");
        }
    }

    #[test]
    fn dates_with_time() {
        assert_eq!(read("\"17-Jul-1996 02:44:25 -0700\"", date_time), Ok(datetime!(1996-07-17 02:44:25 -7)));
        assert_eq!(read("\" 7-Nov-2026 02:40:00 +0000\"", date_time), Ok(datetime!(2026-11-07 02:40:00 UTC)));
        assert_eq!(read("\"31-Dec-2016 23:59:60 +0000\"", date_time), Ok(datetime!(2016-12-31 23:59:59 UTC)));
        assert_eq!(read("\"01-Jan-2000 00:00:00 -0030\"", date_time), Ok(datetime!(2000-01-01 00:00:00 -0:30)));
        for bad in [
            "17-Jul-1996 02:44:25 -0700",
            "\"7-Jul-1996 02:44:25 -0700\"",
            "\"17-Jul-1996 2:44:25 -0700\"",
            "\"17-Jul-1996 02:44 -0700\"",
            "\"17-Jul-1996 02:44:25\"",
            "\"17-Jul-1996 02:44:25 0700\"",
            "\"17-Jul-1996 02:44:25 +700\"",
            "\"17-Jul-1996 02:44:25 +2400\"",
            "\"17-Jul-1996 02:44:25 +0060\"",
            "\"17-Jul-1996 24:00:00 +0000\"",
            "\"17-Jul-1996 02:44:61 +0000\"",
            "\"17-Jul-1996 02:44:25 +0000",
        ] {
            assert!(read(bad, date_time).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0i64..4_000_000_000, zone in -1439i32..=1439) {
            let zone = UtcOffset::from_whole_seconds(zone * 60).unwrap();
            let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap().to_offset(zone);
            let mut wire = Vec::new();
            encode::date_time(&mut wire, moment);
            prop_assert_eq!(wire.len(), 28);
            prop_assert_eq!(read(std::str::from_utf8(&wire).unwrap(), date_time), Ok(moment));
        }
    }
}
