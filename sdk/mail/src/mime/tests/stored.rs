//! The stored form.

use super::*;

const MESSAGE: &[u8] = b"Subject: x\r\nFrom: a@b\r\nContent-Type: multipart/x-odd; boundary=b\r\n\r\n--b\r\nContent-Language: en\r\nContent-Transfer-Encoding: x-odd\r\nContent-Disposition: inline; a=b\r\n\r\n1\r\n--b\r\nContent-Type: message/rfc822\r\nContent-ID: <1>\r\n\r\nSubject: y\r\n\r\n2\r\n--b--\r\n";

#[test]
fn the_form_does_not_change() {
    let stored = scan(b"Subject: x\r\n\r\nhello").encode();
    let charset = b"\x01\x07charset\x08us-ascii";
    let expected = [&b"\x01\x13\x01\0\0\0\x0e\x05\x01\x01\x01\x81\x01"[..], charset, b"\x02\x01x"].concat();
    assert_eq!(stored, expected, "a change needs a new version");
}

#[test]
fn octets_that_are_no_summary() {
    let stored = scan(MESSAGE).encode();
    assert!(Summary::decode(&stored).is_ok());
    for end in 0..stored.len() {
        assert_eq!(Summary::decode(&stored[..end]), Err(SummaryError::Damaged));
    }
    let longer = [&stored[..], b"\0"].concat();
    assert_eq!(Summary::decode(&longer), Err(SummaryError::Damaged));
    let mut newer = stored;
    newer[0] = 9;
    assert_eq!(Summary::decode(&newer), Err(SummaryError::Version(9)));
    // No part; counts and lengths beyond the octets.
    for octets in [
        &b"\x01\0\0"[..],
        b"\x01\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x01\0\x01\0\0\0\0\0\0\0\xff\xff\xff\x7fx",
    ] {
        assert_eq!(Summary::decode(octets), Err(SummaryError::Damaged));
    }
}

proptest! {
    #[test]
    fn a_damaged_summary_is_refused_or_harmless(
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..5)) {
        let mut stored = scan(MESSAGE).encode();
        for (index, octet) in flips {
            let at = index.index(stored.len());
            stored[at] = octet;
        }
        harmless(&stored);
    }

    #[test]
    fn any_octets_are_refused_or_harmless(octets in proptest::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..60)) {
        harmless(&[&[1][..], &octets].concat());
    }
}

/// What a decoded summary promises, whatever it was decoded from.
fn harmless(stored: &[u8]) {
    let Ok(summary) = Summary::decode(stored) else { return };
    assert_eq!(Summary::decode(&summary.encode()), Ok(summary.clone()));
    for path in [&[][..], &[1], &[2], &[2, 1], &[1, 1, 1]] {
        for section in [Section::Whole, Section::Header, Section::Text, Section::Mime] {
            let range = locate(&summary, path, section).unwrap_or(0..0);
            assert!(range.start <= range.end && range.end <= summary.size());
        }
    }
    for index in 0..summary.parts().len() {
        let children = summary.children(index).count();
        assert_eq!(children == 0, summary.parts()[index].kind == Kind::Leaf);
    }
}
