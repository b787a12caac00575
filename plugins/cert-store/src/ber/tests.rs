use super::*;
use proptest::prelude::*;

fn only(bytes: &[u8]) -> Result<Element<'_>, BerError> {
    Reader::new(bytes).element()
}

#[test]
fn lengths_of_every_form_are_the_same_element() {
    for bytes in [
        &b"\x30\x03\x02\x01\x05"[..],
        b"\x30\x81\x03\x02\x01\x05",
        b"\x30\x84\x00\x00\x00\x03\x02\x01\x05",
        b"\x30\x80\x02\x01\x05\x00\x00",
    ] {
        let element = only(bytes).unwrap();
        assert_eq!((element.tag, element.contents, element.whole), (SEQUENCE, &b"\x02\x01\x05"[..], bytes));
        assert_eq!(element.reader().number("a number"), Ok(5));
    }
}

#[test]
fn an_indefinite_length_ends_at_its_own_mark() {
    // Two nested ones, a string that holds zeros, and something behind it all.
    let bytes = b"\x30\x80\x30\x80\x04\x02\x00\x00\x00\x00\x02\x01\x01\x00\x00\x02\x01\x07";
    let mut reader = Reader::new(bytes);
    let mut inside = reader.sequence("it").unwrap();
    assert_eq!(inside.sequence("it").unwrap().octets("it").unwrap()[..], [0, 0]);
    assert_eq!(inside.number("it"), Ok(1));
    assert!(inside.is_empty());
    assert_eq!(reader.number("it"), Ok(7));
    assert!(reader.is_empty());
}

#[test]
fn strings_in_pieces_are_put_together() {
    let bytes = b"\x24\x80\x04\x01a\x24\x05\x04\x01b\x04\x00\x04\x01c\x00\x00";
    assert_eq!(Reader::new(bytes).octets("it").unwrap()[..], *b"abc");
    // The same in place of an encrypted content's own tag.
    assert_eq!(only(b"\xa0\x06\x04\x01a\x04\x01b").unwrap().octets().unwrap()[..], *b"ab");
    assert_eq!(only(b"\x80\x02ab").unwrap().octets().unwrap()[..], *b"ab");
    let other = only(b"\x24\x03\x02\x01\x00").unwrap().octets().unwrap_err();
    assert_eq!(other, BerError::Unexpected { expected: "a piece of a string" });
}

#[test]
fn what_is_cut_off_or_impossible_is_refused() {
    for bytes in [&b""[..], b"\x30", b"\x30\x01", b"\x30\x82\x01", b"\x30\x80", b"\x30\x80\x04\x05a\x00\x00"] {
        assert_eq!(only(bytes).unwrap_err(), BerError::Truncated, "{bytes:?}");
    }
    // A number above 30, a primitive without a length, a length of five bytes, an end mark alone.
    for bytes in [&b"\x1f\x01\x00"[..], b"\x04\x80\x00\x00", b"\x30\x85\x00\x00\x00\x00\x00", b"\x00\x00"] {
        assert_eq!(only(bytes).unwrap_err(), BerError::Impossible, "{bytes:?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| [b"\x30\x80".repeat(depth), b"\x00\x00".repeat(depth)].concat();
    assert!(only(&nested(MAX_NESTING)).is_ok());
    assert_eq!(only(&nested(MAX_NESTING + 1)).unwrap_err(), BerError::TooDeep);
    let pieces = |depth: usize| [b"\x24\x80".repeat(depth), b"\x00\x00".repeat(depth)].concat();
    assert!(only(&pieces(MAX_PIECES)).unwrap().octets().is_ok());
    assert_eq!(only(&pieces(MAX_PIECES + 1)).unwrap().octets().unwrap_err(), BerError::TooDeep);
}

#[test]
fn numbers_are_read_up_to_64_bits() {
    let number = |bytes: &[u8]| Reader::new(bytes).number("a number");
    assert_eq!(number(b"\x02\x01\x00"), Ok(0));
    assert_eq!(number(b"\x02\x02\x00\x80"), Ok(128));
    assert_eq!(number(b"\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff"), Ok(u64::MAX));
    assert!(number(b"\x02\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00").is_err());
    assert!(number(b"\x02\x00").is_err());
    assert!(number(b"\x04\x01\x00").is_err());
}

#[test]
fn something_else_is_named() {
    let error = Reader::new(b"\x02\x01\x00").sequence("a bag").unwrap_err();
    assert_eq!(error.to_string(), "it has something else where a bag should be");
    assert!(Reader::new(b"").sequence("a bag").is_err());
    assert!(matches!(Reader::new(b"\x02\x01\x00").optional(SEQUENCE), Ok(None)));
    let oid = Reader::new(b"\x06\x03\x2b\x65\x70").identifier("an identifier").unwrap();
    assert_eq!(oid.to_string(), "1.3.101.112");
    assert!(Reader::new(b"\x06\x01\x80").identifier("an identifier").is_err());
}

proptest! {
    #[test]
    fn never_panics_and_stays_within(bytes in prop::collection::vec(
        prop_oneof![any::<u8>(), prop::sample::select(vec![0u8, 0x04, 0x24, 0x30, 0x80, 0x81, 0xA0])], 0..200,
    )) {
        let mut reader = Reader::new(&bytes);
        let mut read = 0;
        while let Ok(element) = reader.element() {
            read += element.whole.len();
            prop_assert!(element.contents.len() + 2 <= element.whole.len());
            if let Ok(octets) = element.octets() {
                prop_assert!(octets.len() <= element.contents.len());
            }
        }
        prop_assert!(read <= bytes.len());
    }
}
