use super::*;
use crate::command::testing::{fails, parse};
use crate::command::Command;
use crate::limits::Limits;
use time::macros::date;
use SearchKey::*;

fn read(text: &str) -> Search {
    match parse(text) {
        Command::Search(search) => search,
        other => panic!("{text}: {other:?}"),
    }
}

fn key(text: &str) -> SearchKey {
    read(&format!("SEARCH {text}")).key
}

fn smith() -> Vec<u8> {
    b"Smith".to_vec()
}

#[test]
fn examples_of_the_rfcs() {
    let search = read("SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"");
    assert_eq!(search.returns, Some(SearchReturn { min: true, count: true, ..SearchReturn::default() }));
    let not = Not(Box::new(From(smith())));
    assert_eq!(search.key, And(vec![SearchKey::Flag(crate::Flag::Flagged), Since(date!(1994 - 02 - 01)), not]));
    let search = read("SEARCH TEXT \"string not in mailbox\"");
    assert_eq!((search.uid, search.charset, search.returns), (false, None, None));
    let search = read("SEARCH CHARSET UTF-8 TEXT {12}\r\n\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}");
    assert_eq!(search.charset.as_deref(), Some("UTF-8"));
    assert_eq!(search.key, Text("\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}".into()));
    let search = read("UID SEARCH RETURN (SAVE) UID 1:3 SINCE 1-Feb-1994");
    assert!(search.uid && search.returns.is_some_and(|returns| returns.save && !returns.all));
    assert_eq!(read("SEARCH return () charset \"utf-8\" 1").returns.map(|returns| returns.all), Some(true));
    let Or(left, right) = key("OR $ (1,3000:3021 TEXT {8}\r\nCharlie!)") else { panic!() };
    assert!(
        matches!(*left, Sequence(SequenceSet { saved: true, .. })) && matches!(*right, And(both) if both.len() == 2)
    );
}

#[test]
fn every_key_without_argument() {
    use crate::Flag as F;
    let flags = [
        ("ANSWERED", F::Answered),
        ("DELETED", F::Deleted),
        ("DRAFT", F::Draft),
        ("FLAGGED", F::Flagged),
        ("SEEN", F::Seen),
    ];
    for (name, flag) in flags {
        assert_eq!(key(name), SearchKey::Flag(flag.clone()));
        assert_eq!(key(&format!("un{}", name.to_lowercase())), NotFlag(flag));
    }
    for (name, want) in [("ALL", All), ("NEW", New), ("OLD", Old), ("RECENT", Recent)] {
        assert_eq!(key(name), want);
    }
}

#[test]
fn every_key_with_argument() {
    let day = date!(2026 - 11 - 07);
    for (name, want) in [
        ("BEFORE", Before(day)),
        ("ON", On(day)),
        ("SINCE", Since(day)),
        ("SENTBEFORE", SentBefore(day)),
        ("SENTON", SentOn(day)),
        ("SENTSINCE", SentSince(day)),
    ] {
        assert_eq!(key(&format!("{name} 7-Nov-2026")), want);
        assert_eq!(key(&format!("{} \"07-nov-2026\"", name.to_lowercase())), want);
    }
    for (name, want) in [
        ("BCC", Bcc(smith())),
        ("CC", Cc(smith())),
        ("FROM", From(smith())),
        ("TO", To(smith())),
        ("SUBJECT", Subject(smith())),
        ("BODY", Body(smith())),
        ("TEXT", Text(smith())),
        ("HEADER X-Who", Header { name: b"X-Who".to_vec(), value: smith() }),
    ] {
        for value in ["Smith", "\"Smith\"", "{5}\r\nSmith", "{5+}\r\nSmith"] {
            assert_eq!(key(&format!("{name} {value}")), want);
        }
    }
    assert_eq!(key("HEADER To \"\""), Header { name: b"To".to_vec(), value: vec![] });
    assert_eq!((key("LARGER 5000000000"), key("SMALLER 0")), (Larger(5_000_000_000), Smaller(0)));
    assert_eq!(key("KEYWORD $Junk"), SearchKey::Flag(crate::Flag::Keyword("$Junk".into())));
    assert_eq!(key("UNKEYWORD work"), NotFlag(crate::Flag::Keyword("work".into())));
    assert!(matches!(key("UID 3,5:*"), Uid(set) if set.ranges.len() == 2));
    assert!(matches!(key("*:4,7"), Sequence(set) if set.ranges.len() == 2));
}

#[test]
fn keys_nest() {
    assert_eq!(key("(ALL)"), All);
    assert_eq!(key("((ALL NEW) OLD)"), And(vec![And(vec![All, New]), Old]));
    assert_eq!(key("NOT (OR NEW OLD)"), Not(Box::new(Or(Box::new(New), Box::new(Old)))));
    assert_eq!(key("OR NOT NEW OLD RECENT"), And(vec![Or(Box::new(Not(Box::new(New))), Box::new(Old)), Recent]));
}

#[test]
fn what_is_no_search() {
    for bad in [
        "SEARCH",
        "SEARCH ",
        "SEARCH XYZZY",
        "SEARCH ()",
        "SEARCH (ALL",
        "SEARCH ALL)",
        "SEARCH (ALL )",
        "SEARCH ALL  NEW",
        "SEARCH OR ALL",
        "SEARCH NOT",
        "SEARCH FROM",
        "SEARCH FROM (a)",
        "SEARCH HEADER a",
        "SEARCH SINCE yesterday",
        "SEARCH LARGER -1",
        "SEARCH LARGER x",
        "SEARCH KEYWORD \\Seen",
        "SEARCH KEYWORD \"a\"",
        "SEARCH UID",
        "SEARCH CHARSET UTF-8",
        "SEARCH CHARSET UTF-8 ",
        "SEARCH ALL CHARSET UTF-8",
        "SEARCH RETURN ALL",
        "SEARCH RETURN (ALL)",
        "SEARCH RETURN (ALL) ",
        "SEARCH RETURN (XYZZY) ALL",
        "SEARCH CHARSET UTF-8 RETURN () ALL",
        "SEARCH MODSEQ 5",
        "SEARCH SAVEDSINCE 1-Feb-1994",
    ] {
        fails(bad);
    }
}

#[test]
fn depth_is_limited() {
    let limit = Limits::default().search_depth;
    for (open, inner, close) in [("(", "ALL", ")"), ("NOT ", "ALL", ""), ("OR ALL ", "ALL", ""), ("OR ", "ALL", " ALL")]
    {
        let nested = |depth: usize| format!("SEARCH {}{inner}{}", open.repeat(depth), close.repeat(depth));
        parse(&nested(limit));
        assert_eq!(fails(&nested(limit + 1)), ErrorKind::TooDeep { what: "Search keys", limit });
        fails(&nested(100_000));
    }
}

#[test]
fn no_limit_lets_the_stack_overflow() {
    let limits = Limits { search_depth: usize::MAX, search_keys: usize::MAX, ..Limits::default() };
    let request = format!("t SEARCH {}ALL", "NOT ".repeat(200_000));
    let error = crate::Request::parse(request.as_bytes(), &limits).unwrap_err();
    assert!(error.is_limit());
}

#[test]
fn keys_are_counted() {
    let limit = Limits::default().search_keys;
    let many = |count: usize| format!("SEARCH {}", vec!["ALL"; count].join(" "));
    parse(&many(limit));
    assert_eq!(fails(&many(limit + 1)), ErrorKind::TooMany { what: "search keys", limit });
}
