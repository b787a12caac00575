use super::*;
use proptest::prelude::*;

fn address(text: &str) -> Result<Address, AddressError> {
    text.parse()
}

#[test]
fn domain_is_folded_and_local_part_is_not() {
    let ann = address("Ann.B@Example.ORG").unwrap();
    assert_eq!(ann.local().as_str(), "Ann.B");
    assert_eq!(ann.domain().unwrap().as_str(), "example.org");
    assert_eq!(ann.to_string(), "Ann.B@example.org");
}

#[test]
fn quoted_forms_are_equivalent() {
    assert_eq!(address("\"ann\"@example.org"), address("ann@example.org"));
    assert_eq!(address("\"\\a\\n\\n\"@example.org"), address("ann@example.org"));
    let odd = address("\"a b\\\"c\\\\>@\"@example.org").unwrap();
    assert_eq!(odd.local().as_str(), "a b\"c\\>@");
    assert_eq!(odd.to_string(), "\"a b\\\"c\\\\>@\"@example.org");
    assert_eq!(address("\"\"@example.org").unwrap().to_string(), "\"\"@example.org");
    assert_eq!(address("\"a..b\"@example.org").unwrap().to_string(), "\"a..b\"@example.org");
}

#[test]
fn literals() {
    assert_eq!(address("a@[192.0.2.1]").unwrap().to_string(), "a@[192.0.2.1]");
    assert_eq!(address("a@[ipv6:2001:DB8::1]").unwrap().to_string(), "a@[IPv6:2001:db8::1]");
    assert_eq!(address("a@[192.0.2.1]").unwrap().domain(), None);
    for bad in [
        "a@[]",
        "a@[1.2.3]",
        "a@[1.2.3.256]",
        "a@[2001:db8::1]",
        "a@[IPv6:1.2.3.4]",
        "a@[1.2.3.4",
        "a@[X:y]",
        "a@[IPv6:::%lo]",
    ] {
        assert_eq!(address(bad), Err(AddressError::BadLiteral), "{bad:?}");
    }
}

#[test]
fn bad_addresses_say_why() {
    let long_label = format!("a@{}.org", "x".repeat(64));
    let long_domain = format!("a@{}org", "x.".repeat(127));
    let long_local = format!("{}@b.org", "x".repeat(65));
    let long_quoted = format!("\"{}\"@b.org", "x".repeat(63));
    let long_all = format!("{}@{}org", "x".repeat(64), "xxx.".repeat(47));
    for (text, want) in [
        ("", AddressError::BadLocalPart),
        ("@example.org", AddressError::BadLocalPart),
        (".ann@example.org", AddressError::BadLocalPart),
        ("ann.@example.org", AddressError::BadLocalPart),
        ("a..b@example.org", AddressError::BadLocalPart),
        ("ann", AddressError::NoAt),
        ("a b@example.org", AddressError::NoAt),
        ("\"ann@example.org", AddressError::BadQuotedString),
        ("\"a\u{7}\"@example.org", AddressError::BadQuotedString),
        ("\"a\\", AddressError::BadQuotedString),
        ("ann@", AddressError::BadDomain),
        ("ann@.org", AddressError::BadDomain),
        ("ann@example.", AddressError::BadDomain),
        ("ann@a..b", AddressError::BadDomain),
        ("ann@-a.org", AddressError::BadDomain),
        ("ann@a-.org", AddressError::BadDomain),
        ("ann@a_b.org", AddressError::Trailing),
        ("ann@example.org ", AddressError::Trailing),
        ("jürgen@example.org", AddressError::NonAscii),
        ("\"jürgen\"@example.org", AddressError::NonAscii),
        ("ann@bücher.example", AddressError::NonAscii),
        (&long_label, AddressError::TooLong),
        (&long_domain, AddressError::TooLong),
        (&long_local, AddressError::TooLong),
        (&long_quoted, AddressError::TooLong),
        (&long_all, AddressError::TooLong),
    ] {
        assert_eq!(address(text), Err(want), "{text:?}");
    }
}

#[test]
fn lengths_at_the_limit_pass() {
    assert!(address(&format!("{}@b.org", "x".repeat(64))).is_ok());
    assert!(address(&format!("\"{}\"@b.org", "x".repeat(62))).is_ok());
    let longest = format!("{}@{}xx", "x".repeat(64), "xxx.".repeat(46) + "xxx");
    assert_eq!(longest.len(), 254);
    assert!(address(&longest).is_ok());
    assert!(format!("{}com", "x.".repeat(126)).parse::<Domain>().is_ok());
}

#[test]
fn parts_that_fit_alone_may_not_fit_together() {
    let local: LocalPart = "x".repeat(64).parse().unwrap();
    let host: Host = format!("{}com", "x.".repeat(126)).parse().unwrap();
    assert_eq!(Address::new(local.clone(), host), Err(AddressError::TooLong));
    assert!(Address::new(local, "b.org".parse().unwrap()).is_ok());
}

#[test]
fn domains_stand_alone() {
    assert_eq!("Example.ORG".parse::<Domain>().unwrap().as_str(), "example.org");
    assert_eq!("a b".parse::<Domain>(), Err(AddressError::BadDomain));
    assert_eq!("".parse::<Domain>(), Err(AddressError::BadDomain));
}

#[test]
fn reverse_paths() {
    let ann = ReversePath::Address(address("ann@b.org").unwrap());
    for (text, want, rest) in [
        ("<>", &ReversePath::Null, ""),
        ("<> SIZE=1", &ReversePath::Null, " SIZE=1"),
        ("<ann@b.org>", &ann, ""),
        ("<ann@b.org> BODY=8BITMIME", &ann, " BODY=8BITMIME"),
        ("<@x.org:ann@b.org>", &ann, ""),
        ("<@x.org,@y.org:ann@b.org>", &ann, ""),
    ] {
        assert_eq!(ReversePath::parse_prefix(text.as_bytes()), Ok((want.clone(), rest.as_bytes())), "{text:?}");
    }
    for (text, want) in [
        ("", AddressError::NoBrackets),
        ("ann@b.org", AddressError::NoBrackets),
        ("<ann@b.org", AddressError::NoBrackets),
        ("<ann@b.org SIZE=1", AddressError::NoBrackets),
        ("<ann>", AddressError::NoAt),
        ("<postmaster>", AddressError::NoAt),
        ("<ann@b_c.org>", AddressError::BadDomain),
        ("<ann@b\u{fc}.org>", AddressError::NonAscii),
        ("<@x.org ann@b.org>", AddressError::BadDomain),
        ("<@x.org,ann@b.org>", AddressError::BadDomain),
        ("<@:ann@b.org>", AddressError::BadDomain),
        ("<\u{fc}>", AddressError::NonAscii),
    ] {
        assert_eq!(ReversePath::parse_prefix(text.as_bytes()), Err(want), "{text:?}");
    }
}

#[test]
fn forward_paths() {
    let bob = ForwardPath::Address(address("\"b>\"@c.org").unwrap());
    assert_eq!(ForwardPath::parse_prefix(b"<\"b>\"@c.org> X=1"), Ok((bob, &b" X=1"[..])));
    assert_eq!(ForwardPath::parse_prefix(b"<PostMaster>"), Ok((ForwardPath::Postmaster, &b""[..])));
    assert_eq!(ForwardPath::parse_prefix(b"<>"), Err(AddressError::BadLocalPart));
    assert_eq!(ForwardPath::parse_prefix(b"<postmaster"), Err(AddressError::NoAt));
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same(local in "[ -~]{0,30}", domain in "[a-zA-Z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\\.[a-z0-9]{1,10}){0,4}") {
        let quoted = format!("\"{}\"@{domain}", local.replace('\\', "\\\\").replace('"', "\\\""));
        prop_assume!(quoted.len() <= 62);
        let parsed = address(&quoted).unwrap();
        prop_assert_eq!(parsed.local().as_str(), local);
        prop_assert_eq!(address(&parsed.to_string()), Ok(parsed));
    }

    #[test]
    fn nothing_makes_the_parsers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = ForwardPath::parse_prefix(&bytes);
        if let Ok((ReversePath::Address(address), rest)) = ReversePath::parse_prefix(&bytes) {
            prop_assert!(address.to_string().len() <= MAX_ADDRESS);
            prop_assert!(bytes.ends_with(rest));
        }
    }

    #[test]
    fn close_misses_do_not_panic(text in "[<>@\"\\\\a.:,\\[\\] ü]{0,24}") {
        let _ = text.parse::<Address>();
        let _ = ReversePath::parse_prefix(text.as_bytes());
        let _ = ForwardPath::parse_prefix(text.as_bytes());
    }
}
