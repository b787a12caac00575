//! `INTERNALDATE`.

use crate::date::MONTHS;
use time::OffsetDateTime;

/// `" 7-Nov-2026 02:40:00 +0000"`, quotes included: always 28 octets. Years outside 0 to 9999 are written as the
/// nearest of them; seconds of the zone are left out.
pub fn date_time(out: &mut Vec<u8>, moment: OffsetDateTime) {
    let day = moment.day();
    let month = MONTHS.get(usize::from(u8::from(moment.month())) - 1).copied().unwrap_or("Jan");
    let year = moment.year().clamp(0, 9999) as u32;
    let (hours, minutes, _) = moment.offset().as_hms();
    let sign = if moment.offset().is_negative() { b'-' } else { b'+' };
    let mut text = *b"\"00-Mon-0000 00:00:00 +0000\"";
    two(&mut text, 1, day);
    if day < 10 {
        put(&mut text, 1, b' ');
    }
    month.bytes().zip(4..).for_each(|(letter, place)| put(&mut text, place, letter));
    two(&mut text, 8, (year / 100) as u8);
    two(&mut text, 10, (year % 100) as u8);
    two(&mut text, 13, moment.hour());
    two(&mut text, 16, moment.minute());
    two(&mut text, 19, moment.second());
    put(&mut text, 22, sign);
    two(&mut text, 23, hours.unsigned_abs());
    two(&mut text, 25, minutes.unsigned_abs());
    out.extend_from_slice(&text);
}

fn two(text: &mut [u8], place: usize, number: u8) {
    put(text, place, b'0' + number / 10 % 10);
    put(text, place + 1, b'0' + number % 10);
}

fn put(text: &mut [u8], place: usize, octet: u8) {
    if let Some(there) = text.get_mut(place) {
        *there = octet;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn dates_have_a_fixed_shape() {
        for (moment, text) in [
            (datetime!(2026-11-07 02:40:00 UTC), "\" 7-Nov-2026 02:40:00 +0000\""),
            (datetime!(1996-07-17 02:44:25 -7), "\"17-Jul-1996 02:44:25 -0700\""),
            (datetime!(2000-12-31 23:59:59 +5:45), "\"31-Dec-2000 23:59:59 +0545\""),
            (datetime!(2000-01-01 00:00:00 -0:30), "\" 1-Jan-2000 00:00:00 -0030\""),
            (datetime!(-0044-03-15 12:00:00 UTC), "\"15-Mar-0000 12:00:00 +0000\""),
        ] {
            let mut out = Vec::new();
            date_time(&mut out, moment);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
