//! IMAP: whole commands, where literals begin, search keys.

use dovetail_imap_grammar::command::append::parse_head;
use dovetail_imap_grammar::command::{AppendState, FetchItem, SearchKey};
use dovetail_imap_grammar::{encode, literal, Bound, Command, Flag, Limits, Mailbox, Request, SequenceSet, TextMode};

/// One command without its last CRLF. It is read the same in either case of its name; an error is a line that can be
/// sent; what was read is within the limits and says again what it said.
pub fn imap_command(input: &[u8]) -> bool {
    let limits = Limits::default();
    let read = Request::parse(input, &limits);
    let mut other_case = input.to_vec();
    let mut words = other_case.split_mut(|&octet| octet == b' ');
    if let Some(name) = words.nth(1) {
        for octet in name {
            *octet = if octet.is_ascii_lowercase() { octet.to_ascii_uppercase() } else { octet.to_ascii_lowercase() };
        }
    }
    assert_eq!(read, Request::parse(&other_case, &limits), "the case of the command's name makes a difference");
    let head = parse_head(input, &limits);
    match read {
        Ok(request) => {
            assert!(request.tag.as_str().len() <= limits.tag);
            match (&request.command, head) {
                (Command::Append(whole), Ok(AppendState::Message(head))) => assert_eq!(*whole, head),
                (Command::Append(_), head) => panic!("APPEND is {head:?} before its message"),
                (_, head) => assert_eq!(head, Ok(AppendState::Other)),
            }
            check(&request.command, &limits);
            true
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.len() < 200 && text.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{text}");
            assert!(!matches!(head, Ok(AppendState::Message(_))), "{head:?}");
            false
        }
    }
}

fn check(command: &Command, limits: &Limits) {
    match command {
        Command::Select(select) => name(&select.mailbox),
        Command::Delete(mailbox) => name(mailbox),
        Command::Copy(transfer) => {
            name(&transfer.mailbox);
            set(&transfer.set);
        }
        Command::Store(store) => assert!(store.flags.len() <= limits.flags),
        Command::Fetch(fetch) => {
            assert!((1..=limits.fetch_items.max(5)).contains(&fetch.items.len()));
            fetch.items.iter().for_each(item);
            set(&fetch.set);
        }
        Command::Search(search) => {
            assert!(depth(&search.key) <= limits.search_depth);
        }
        _ => {}
    }
}

/// A name that decodes is written as something that decodes to it.
fn name(mailbox: &Mailbox) {
    for mode in [TextMode::Utf7, TextMode::Utf8] {
        let Ok(name) = mailbox.decode(mode) else {
            continue;
        };
        let mut wire = b"t SELECT ".to_vec();
        encode::mailbox(&mut wire, &name, mode);
        let again = Request::parse(&wire, &Limits::default()).map(|request| request.command);
        // Quotes and escapes may make it too long.
        if let Ok(Command::Select(again)) = again {
            assert_eq!(again.mailbox.decode(mode), Ok(name));
        }
    }
}

/// Ranges come out sorted, apart, and with all ends in them.
fn set(set: &SequenceSet) {
    let plain = set.uids(1000);
    assert!(plain.as_slice().windows(2).all(|pair| pair[0].1 < u32::MAX && pair[0].1 + 1 < pair[1].0));
    for bound in set.ranges.iter().flat_map(|range| [range.first, range.last]) {
        match bound {
            Bound::Number(number) => assert!(plain.contains(number.get())),
            Bound::Largest => assert!(plain.contains(1000)),
        }
    }
    assert!(set.saved || !plain.is_empty());
}

/// The name that a response repeats asks for the same.
fn item(item: &FetchItem) {
    let mut wire = b"t FETCH 1 ".to_vec();
    encode::fetch_name(&mut wire, item);
    if matches!(item, FetchItem::Body { partial: None, .. } | FetchItem::Binary { partial: None, .. }) {
        let read = Request::parse(&wire, &Limits::default()).map(|request| request.command);
        let Ok(Command::Fetch(fetch)) = read else {
            panic!("{item:?} became {read:?}");
        };
        let mut again = b"t FETCH 1 ".to_vec();
        fetch.items.iter().for_each(|item| encode::fetch_name(&mut again, item));
        assert_eq!(again, wire);
    }
}

fn depth(key: &SearchKey) -> usize {
    match key {
        SearchKey::Not(inner) => 1 + depth(inner),
        SearchKey::Or(left, right) => 1 + depth(left).max(depth(right)),
        // Parentheses around one key vanish, those around several may be the outermost.
        SearchKey::And(keys) => keys.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A stream of commands, cut into lines and literals like in a session. What stands in a literal never makes a
/// difference to what is read as a command. Taken if all of it are whole commands.
pub fn imap_literal(input: &[u8]) -> bool {
    let mut rest = input;
    let mut whole = true;
    while !rest.is_empty() {
        let (mut command, mut blank) = (Vec::new(), Vec::new());
        loop {
            let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
                return false;
            };
            let line = &rest[..end];
            rest = &rest[end + 2..];
            command.extend_from_slice(line);
            blank.extend_from_slice(line);
            let Ok(mark) = literal::at_end(line) else {
                assert!(line.ends_with(b"+}"), "only who doesn't wait is cut off");
                return false;
            };
            let Some(mark) = mark else {
                break;
            };
            assert!(line.ends_with(if mark.synchronizing { b"}" } else { b"+}" }));
            assert_eq!(quotes(line), 0, "a literal in quotes");
            let size = usize::try_from(mark.size).unwrap_or(usize::MAX);
            let Some(octets) = rest.get(..size) else {
                return false;
            };
            let message = matches!(parse_head(&command, &Limits::default()), Ok(AppendState::Message(_)));
            rest = &rest[size..];
            if message {
                whole &= rest.starts_with(b"\r\n");
                rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
                command.clear();
                break;
            }
            for (text, octets) in [(&mut command, octets), (&mut blank, &vec![b'x'; size][..])] {
                text.extend_from_slice(b"\r\n");
                text.extend_from_slice(octets);
            }
        }
        if command.is_empty() {
            continue;
        }
        let read = Request::parse(&command, &Limits::default());
        if read.is_ok() {
            let blank = Request::parse(&blank, &Limits::default());
            assert!(blank.is_ok(), "the octets of a literal were read as grammar: {blank:?}");
        }
        whole &= read.is_ok();
    }
    whole && !input.is_empty()
}

/// Quotes that are open at the end, read from the left like the grammar does.
fn quotes(line: &[u8]) -> usize {
    let mut octets = line.iter();
    let mut open = 0;
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => open = 1 - open,
            b'\\' if open == 1 => {
                octets.next();
            }
            _ => {}
        }
    }
    open
}

/// What follows `SEARCH `. A tree that was read is written as one that reads the same.
pub fn imap_search(input: &[u8]) -> bool {
    let limits = Limits::default();
    let request = [b"t SEARCH ", input].concat();
    let Ok(Request { command: Command::Search(search), .. }) = Request::parse(&request, &limits) else {
        return false;
    };
    let mut again = b"t SEARCH ".to_vec();
    write(&mut again, &search.key);
    // Parentheses of ours add levels, so the limits have to be wider.
    let mut wide = limits;
    wide.search_depth *= 4;
    wide.command *= 8;
    wide.search_keys *= 4;
    match Request::parse(&again, &wide).map(|request| request.command) {
        Ok(Command::Search(same)) => assert_eq!(same.key, search.key),
        other => panic!("{} became {other:?}", again.escape_ascii()),
    }
    true
}

fn write(out: &mut Vec<u8>, key: &SearchKey) {
    let mut word = |word: &str| out.extend_from_slice(word.as_bytes());
    match key {
        SearchKey::All => word("ALL"),
        SearchKey::New => word("NEW"),
        SearchKey::Old => word("OLD"),
        SearchKey::Recent => word("RECENT"),
        SearchKey::Flag(Flag::Keyword(name)) => word(&format!("KEYWORD {name}")),
        SearchKey::NotFlag(Flag::Keyword(name)) => word(&format!("UNKEYWORD {name}")),
        SearchKey::Flag(flag) => word(&flag.to_string()[1..]),
        SearchKey::NotFlag(flag) => word(&format!("UN{}", &flag.to_string()[1..])),
        SearchKey::Larger(octets) => word(&format!("LARGER {octets}")),
        SearchKey::Smaller(octets) => word(&format!("SMALLER {octets}")),
        SearchKey::Before(day) => word(&format!("BEFORE {}", date(day.day(), day.month() as u8, day.year()))),
        SearchKey::On(day) => word(&format!("ON {}", date(day.day(), day.month() as u8, day.year()))),
        SearchKey::Since(day) => word(&format!("SINCE {}", date(day.day(), day.month() as u8, day.year()))),
        SearchKey::SentBefore(day) => word(&format!("SENTBEFORE {}", date(day.day(), day.month() as u8, day.year()))),
        SearchKey::SentOn(day) => word(&format!("SENTON {}", date(day.day(), day.month() as u8, day.year()))),
        SearchKey::SentSince(day) => word(&format!("SENTSINCE {}", date(day.day(), day.month() as u8, day.year()))),
        SearchKey::Sequence(set) => word(&numbers(set)),
        SearchKey::Uid(set) => word(&format!("UID {}", numbers(set))),
        SearchKey::Not(inner) => {
            word("NOT ");
            write(out, inner);
        }
        SearchKey::Or(left, right) => {
            word("OR ");
            write(out, left);
            out.push(b' ');
            write(out, right);
        }
        SearchKey::And(keys) => {
            for (place, key) in keys.iter().enumerate() {
                out.push(if place == 0 { b'(' } else { b' ' });
                write(out, key);
            }
            out.push(b')');
        }
        SearchKey::Bcc(value) => text(out, &[b"BCC", value]),
        SearchKey::Cc(value) => text(out, &[b"CC", value]),
        SearchKey::From(value) => text(out, &[b"FROM", value]),
        SearchKey::To(value) => text(out, &[b"TO", value]),
        SearchKey::Subject(value) => text(out, &[b"SUBJECT", value]),
        SearchKey::Body(value) => text(out, &[b"BODY", value]),
        SearchKey::Text(value) => text(out, &[b"TEXT", value]),
        SearchKey::Header { name, value } => text(out, &[b"HEADER", name, value]),
        other => panic!("a key that this target knows nothing of: {other:?}"),
    }
}

/// A name and its arguments.
fn text(out: &mut Vec<u8>, words: &[&[u8]]) {
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        encode::astring(out, word, TextMode::Utf7);
    }
}

fn date(day: u8, month: u8, year: i32) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    format!("{day}-{}-{year:04}", MONTHS[usize::from(month) - 1])
}

fn numbers(set: &SequenceSet) -> String {
    let bound = |bound| match bound {
        Bound::Number(number) => number.to_string(),
        Bound::Largest => "*".to_owned(),
    };
    let ranges = set.ranges.iter().map(|range| format!("{}:{}", bound(range.first), bound(range.last)));
    let saved = set.saved.then(|| "$".to_owned());
    ranges.chain(saved).collect::<Vec<_>>().join(",")
}
