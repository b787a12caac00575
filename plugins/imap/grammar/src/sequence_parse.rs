//! Reading a `sequence-set`.

use crate::cursor::{Cursor, Parsed};
use crate::error::ErrorKind;
use crate::sequence::{Bound, SequenceRange, SequenceSet};

/// Whether a search key that begins so is a set.
pub(crate) fn begins(octet: u8) -> bool {
    octet.is_ascii_digit() || matches!(octet, b'*' | b'$')
}

/// `sequence-set`, `$` included; RFC 5182's grammar lets it stand among ranges too.
pub(crate) fn sequence_set(cursor: &mut Cursor<'_>) -> Parsed<SequenceSet> {
    let mut set = SequenceSet::default();
    loop {
        if cursor.eat(b'$') {
            set.saved = true;
        } else {
            cursor.ranges += 1;
            if cursor.ranges > cursor.limits.ranges {
                return Err(ErrorKind::TooMany { what: "ranges in sequence sets", limit: cursor.limits.ranges });
            }
            let first = bound(cursor)?;
            let last = if cursor.eat(b':') { bound(cursor)? } else { first };
            set.ranges.push(SequenceRange { first, last });
        }
        if !cursor.eat(b',') {
            return Ok(set);
        }
    }
}

fn bound(cursor: &mut Cursor<'_>) -> Parsed<Bound> {
    if cursor.eat(b'*') {
        return Ok(Bound::Largest);
    }
    cursor.nz_number("a sequence set").map(Bound::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use crate::limits::Limits;
    use crate::ranges::RangeSet;
    use proptest::prelude::*;

    fn parse(input: &str) -> Parsed<SequenceSet> {
        let limits = Limits::default();
        let mut cursor = Cursor::new(input.as_bytes(), &limits);
        let set = sequence_set(&mut cursor)?;
        cursor.end().map(|()| set)
    }

    #[test]
    fn examples() {
        let set = parse("2,4:7,9,12:*").unwrap();
        assert_eq!(set.messages(15).unwrap().as_slice(), [(2, 2), (4, 7), (9, 9), (12, 15)]);
        assert_eq!(parse("*:4,5:7").unwrap().messages(10).unwrap().as_slice(), [(4, 10)]);
        assert_eq!(parse("$").unwrap(), SequenceSet { ranges: vec![], saved: true });
        let both = parse("$,3").unwrap();
        assert!(both.saved);
        assert_eq!(both.uids(9).as_slice(), [(3, 3)]);
    }

    #[test]
    fn what_is_no_set() {
        for bad in
            ["", "0", "1:", ":1", "1,", ",1", "1::2", "1:2:3", "a", "1-3", "1 ", "-1", "4294967296", "1:0", "$:1"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_are_counted() {
        let limit = Limits::default().ranges;
        let most = vec!["1"; limit].join(",");
        assert!(parse(&most).is_ok());
        assert_eq!(parse(&(most + ",1")), Err(ErrorKind::TooMany { what: "ranges in sequence sets", limit }));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers in prop::collection::vec(1u32..200, 1..60)) {
            let set: RangeSet = numbers.into_iter().collect();
            let mut wire = Vec::new();
            encode::set(&mut wire, &set);
            prop_assert_eq!(parse(std::str::from_utf8(&wire).unwrap()).unwrap().uids(0), set);
        }
    }
}
