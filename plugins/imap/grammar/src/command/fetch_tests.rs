use super::*;
use crate::command::testing::{fails, parse};
use crate::command::Command;
use crate::encode;
use crate::limits::Limits;
use crate::section::SectionText;
use proptest::prelude::*;

fn items(text: &str) -> Vec<FetchItem> {
    match parse(text) {
        Command::Fetch(fetch) => fetch.items,
        other => panic!("{text}: {other:?}"),
    }
}

fn body(part: &[u32], text: Option<SectionText>, partial: Option<(u64, u64)>) -> FetchItem {
    let partial = partial.map(|(first, length)| Partial { first, length });
    FetchItem::Body { peek: false, section: Section { part: part.to_vec(), text }, partial }
}

#[test]
fn example_of_the_rfc() {
    let Command::Fetch(fetch) = parse("FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])") else { panic!() };
    assert_eq!((fetch.uid, fetch.set.uids(0).as_slice()), (false, &[(2, 4)][..]));
    let names = vec![b"DATE".to_vec(), b"FROM".to_vec()];
    let fields = SectionText::HeaderFields { not: false, names };
    assert_eq!(fetch.items, [FetchItem::Flags, body(&[], Some(fields), None)]);
}

#[test]
fn macros_are_spelled_out() {
    use FetchItem::*;
    assert_eq!(items("FETCH 1 FAST"), [Flags, InternalDate, Rfc822Size]);
    assert_eq!(items("FETCH 1 all"), [Flags, InternalDate, Rfc822Size, Envelope]);
    assert_eq!(items("FETCH 1 FULL"), [Flags, InternalDate, Rfc822Size, Envelope, BodyStructureShort]);
    fails("FETCH 1 (ALL)");
    fails("FETCH 1 (FAST FLAGS)");
}

#[test]
fn plain_items() {
    use FetchItem::*;
    let all = "(ENVELOPE FLAGS INTERNALDATE RFC822 RFC822.HEADER RFC822.SIZE RFC822.TEXT BODY BODYSTRUCTURE UID)";
    let want = [
        Envelope,
        Flags,
        InternalDate,
        Rfc822,
        Rfc822Header,
        Rfc822Size,
        Rfc822Text,
        BodyStructureShort,
        BodyStructure,
        Uid,
    ];
    assert_eq!(items(&format!("FETCH * {all}")), want);
    assert_eq!(items(&format!("uid fetch 1 {}", all.to_lowercase())), want);
    assert_eq!(items("FETCH 1 BODY"), [BodyStructureShort]);
    assert_eq!(items("FETCH 1 UID"), [Uid]);
}

#[test]
fn sections() {
    assert_eq!(items("FETCH 1 BODY[]"), [body(&[], None, None)]);
    assert_eq!(items("FETCH 1 body[]<0.2048>"), [body(&[], None, Some((0, 2048)))]);
    assert_eq!(items("FETCH 1 BODY[4.2.2.1]"), [body(&[4, 2, 2, 1], None, None)]);
    assert_eq!(items("FETCH 1 BODY[4.1.MIME]"), [body(&[4, 1], Some(SectionText::Mime), None)]);
    assert_eq!(items("FETCH 1 BODY[3.TEXT]<7.1>"), [body(&[3], Some(SectionText::Text), Some((7, 1)))]);
    assert_eq!(items("FETCH 1 BODY[header]"), [body(&[], Some(SectionText::Header), None)]);
    let fields = SectionText::HeaderFields { not: true, names: vec![b"To".to_vec(), b"a b".to_vec(), b"x".to_vec()] };
    assert_eq!(items("FETCH 1 BODY[4.HEADER.FIELDS.NOT (To \"a b\" {1}\r\nx)]"), [body(&[4], Some(fields), None)]);
    let FetchItem::Body { peek: true, .. } = items("FETCH 1 BODY.PEEK[1]")[0] else { panic!() };
}

#[test]
fn binary_parts() {
    let partial = Some(Partial { first: 0, length: 10 });
    assert_eq!(items("FETCH 1 BINARY[1.2]<0.10>"), [FetchItem::Binary { peek: false, part: vec![1, 2], partial }]);
    assert_eq!(items("FETCH 1 BINARY.PEEK[]"), [FetchItem::Binary { peek: true, part: vec![], partial: None }]);
    assert_eq!(items("FETCH 1 (BINARY.SIZE[3])"), [FetchItem::BinarySize { part: vec![3] }]);
}

#[test]
fn what_is_no_fetch() {
    for bad in [
        "FETCH",
        "FETCH 1",
        "FETCH 1 ",
        "FETCH 1 ()",
        "FETCH 1 (FLAGS",
        "FETCH 1 (FLAGS  UID)",
        "FETCH 1 FLAGS UID",
        "FETCH 1 XYZZY",
        "FETCH 0 FLAGS",
        "FETCH 1 BODY[",
        "FETCH 1 BODY[1",
        "FETCH 1 BODY[0]",
        "FETCH 1 BODY[1.]",
        "FETCH 1 BODY[.1]",
        "FETCH 1 BODY[1..2]",
        "FETCH 1 BODY[1TEXT]",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[TEXT.1]",
        "FETCH 1 BODY[HEADER.FIELDS]",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1 BODY[HEADER.FIELDS (a]",
        "FETCH 1 BODY[]<0>",
        "FETCH 1 BODY[]<0.0>",
        "FETCH 1 BODY[]<0.5",
        "FETCH 1 BODY[]<-1.5>",
        "FETCH 1 BODY[]<0.9223372036854775808>",
        "FETCH 1 BODY.PEEK",
        "FETCH 1 BODYSTRUCTURE[1]",
        "FETCH 1 BINARY",
        "FETCH 1 BINARY[1.MIME]",
        "FETCH 1 BINARY[TEXT]",
        "FETCH 1 BINARY.SIZE[1]<0.5>",
        "FETCH 1 (FLAGS) (CHANGEDSINCE 5)",
    ] {
        fails(bad);
    }
}

#[test]
fn limits_hold() {
    let limits = Limits::default();
    let deep = vec!["1"; limits.part_depth + 1].join(".");
    assert!(matches!(fails(&format!("FETCH 1 BODY[{deep}]")), ErrorKind::TooDeep { .. }));
    let many = vec!["UID"; limits.fetch_items + 1].join(" ");
    assert!(matches!(fails(&format!("FETCH 1 ({many})")), ErrorKind::TooMany { what: "FETCH items", .. }));
    let fields = vec!["a"; limits.header_fields + 1].join(" ");
    let wide = format!("FETCH 1 BODY[HEADER.FIELDS ({fields})]");
    assert!(matches!(fails(&wide), ErrorKind::TooMany { what: "header fields", .. }));
}

#[test]
fn what_marks_messages_as_seen() {
    let marks = |text: &str| items(&format!("FETCH 1 {text}"))[0].marks_seen();
    assert!(["RFC822", "RFC822.TEXT", "BODY[]", "BODY[HEADER]", "BINARY[1]"].into_iter().all(marks));
    let quiet = ["RFC822.HEADER", "RFC822.SIZE", "BODY", "BODY.PEEK[]", "BINARY.PEEK[1]", "BINARY.SIZE[1]", "FLAGS"];
    assert!(!quiet.into_iter().any(marks));
}

fn any_section() -> impl Strategy<Value = Section> {
    let names = prop::collection::vec(prop::collection::vec(1u8..=255, 0..5), 1..4);
    let text = prop_oneof![
        Just(None),
        Just(Some(SectionText::Header)),
        Just(Some(SectionText::Text)),
        Just(Some(SectionText::Mime)),
        (any::<bool>(), names).prop_map(|(not, names)| Some(SectionText::HeaderFields { not, names })),
    ];
    (prop::collection::vec(1u32.., 0..4), text).prop_map(|(part, text)| match text {
        Some(SectionText::Mime) if part.is_empty() => Section::default(),
        text => Section { part, text },
    })
}

proptest! {
    #[test]
    fn a_written_section_is_read_again(section in any_section()) {
        let mut wire = b"t FETCH 1 BODY".to_vec();
        encode::section(&mut wire, &section);
        let request = crate::Request::parse(&wire, &Limits::default()).unwrap();
        let Command::Fetch(fetch) = request.command else { panic!() };
        prop_assert_eq!(&fetch.items, &[FetchItem::Body { peek: false, section, partial: None }]);
    }
}
