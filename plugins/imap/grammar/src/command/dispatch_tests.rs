use super::*;
use crate::command::testing::{fails, parse};
use proptest::prelude::*;

#[test]
fn commands_without_arguments() {
    for (name, command) in [
        ("CAPABILITY", Command::Capability),
        ("noop", Command::Noop),
        ("Logout", Command::Logout),
        ("STARTTLS", Command::StartTls),
        ("NAMESPACE", Command::Namespace),
        ("IDLE", Command::Idle),
        ("CHECK", Command::Check),
        ("CLOSE", Command::Close),
        ("UNSELECT", Command::Unselect),
        ("EXPUNGE", Command::Expunge),
    ] {
        assert_eq!(parse(name), command);
        assert!(matches!(fails(&format!("{name} x")), ErrorKind::TrailingText { .. }), "{name}");
        assert!(matches!(fails(&format!("{name} ")), ErrorKind::TrailingText { .. }), "{name}");
        assert!(
            matches!(fails(&format!("UID {name}")), ErrorKind::Unknown { .. } | ErrorKind::Expected { .. }),
            "{name}"
        );
    }
}

#[test]
fn every_known_command_has_a_parser() {
    for name in KNOWN {
        let name = std::str::from_utf8(name).unwrap();
        assert!(matches!(fails(name), ErrorKind::Expected { what: "a space", .. }), "{name}");
        assert_ne!(fails(&format!("{name} ")), ErrorKind::UnknownCommand, "{name}");
    }
}

#[test]
fn errors_carry_the_tag_where_there_is_one() {
    let error = |input: &[u8]| Request::parse(input, &Limits::default()).unwrap_err();
    for untagged in [&b""[..], b"a", b" NOOP", b"+ NOOP", b"a* NOOP", b"\r\n", b"{5} NOOP"] {
        assert_eq!(error(untagged), ParseError { tag: None, kind: ErrorKind::NoTag }, "{untagged:?}");
    }
    let long = "x".repeat(Limits::default().tag + 1) + " NOOP";
    assert_eq!(error(long.as_bytes()).tag, None);
    for (input, kind) in [
        (&b"t1 XYZZY"[..], ErrorKind::UnknownCommand),
        (b"t1 UIDFETCH 1 FLAGS", ErrorKind::UnknownCommand),
        (b"t1 ", ErrorKind::Expected { what: "a command", at: 3 }),
        (b"t1  NOOP", ErrorKind::Expected { what: "a command", at: 3 }),
        (b"t1 UID XYZZY 1", ErrorKind::Unknown { what: "command after UID", at: 12 }),
        (b"t1 UID", ErrorKind::Expected { what: "a space", at: 6 }),
    ] {
        let error = error(input);
        assert_eq!((error.tag.unwrap().as_str(), error.kind), ("t1", kind));
    }
}

#[test]
fn a_command_that_is_too_long_is_refused_before_it_is_read() {
    let limits = Limits { command: 20, ..Limits::default() };
    let error = Request::parse(b"t1 LOGIN a 12345678901", &limits).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLong { what: "a command", limit: 20 });
    assert!(error.is_limit() && error.tag.is_some());
}

#[test]
fn errors_do_not_repeat_what_was_sent() {
    for input in
        ["t LOGIN hunter2 hunter2 hunter2", "t LOGIN hunter2 \"hunter2", "t AUTHENTICATE PLAIN hunter2!", "t hunter2"]
    {
        let error = Request::parse(input.as_bytes(), &Limits::default()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

proptest! {
    #[test]
    fn never_panics(input in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Request::parse(&input, &Limits::default());
    }

    #[test]
    fn never_panics_on_what_looks_like_commands(
        words in prop::collection::vec(
            prop_oneof![
                prop::sample::select(WORDS).prop_map(str::to_owned),
                prop::sample::select(&["(", ")", " ", "\"", "[", "]", "<", ">", "{3}\r\n", "~{1+}", "\\", ",", ":", "."][..])
                    .prop_map(str::to_owned),
                "[ -~]{0,4}",
            ],
            0..24,
        ),
        glue in any::<bool>(),
    ) {
        let input = format!("t {}", words.join(if glue { "" } else { " " }));
        let _ = Request::parse(input.as_bytes(), &Limits::default());
        let _ = append::parse_head(input.as_bytes(), &Limits::default());
    }
}

const WORDS: &[&str] = &[
    "UID",
    "FETCH",
    "SEARCH",
    "STORE",
    "LIST",
    "STATUS",
    "APPEND",
    "CREATE",
    "ID",
    "LOGIN",
    "AUTHENTICATE",
    "ENABLE",
    "RETURN",
    "CHARSET",
    "OR",
    "NOT",
    "BODY",
    "BODY.PEEK",
    "HEADER.FIELDS",
    "BINARY",
    "FLAGS",
    "+FLAGS",
    "1:*",
    "INBOX",
    "SUBJECT",
    "ALL",
    "HEADER",
    "USE",
    "RECURSIVEMATCH",
    "SUBSCRIBED",
    "1-Feb-1994",
    "NIL",
    "$",
    "MIME",
    "TEXT",
    "COPY",
];
