//! The structure of hostile messages, and its stored form.

use crate::pieces::cut;
use dovetail_mail::mime::{
    addresses, decode_words, fields, fold_case, locate, part_at, select, sent_day, Decoder, Encoding, Finder, Kind,
    Limits, Pick, Scanner, Section, Summary, TextReader, MAX_ADDRESSES,
};

/// First octet: how the rest is cut. Rest: the message. Taken if it has parts.
pub fn mime(input: &[u8]) -> bool {
    let [pattern, message @ ..] = input else {
        return false;
    };
    let pieces = cut(message, *pattern);
    for limits in [Limits::default(), Limits { header_octets: 64, parts: 3, depth: 2, params: 1 }] {
        let summary = scan(&[message], &limits);
        assert_eq!(scan(&pieces, &limits), summary, "cut into {pieces:?}");
        assert_eq!(summary.size(), message.len() as u64);
        assert!(summary.parts().len() <= limits.parts);
        assert_eq!(Summary::decode(&summary.encode()).as_ref(), Ok(&summary));
        tree(&summary, 0, limits.depth);
        for part in summary.parts() {
            let body = &message[part.body.start as usize..part.body.end as usize];
            let ends = body.iter().filter(|&&octet| octet == b'\n').count();
            let unfinished = !body.is_empty() && !body.ends_with(b"\n");
            assert_eq!(part.lines, ends as u64 + u64::from(unfinished), "{part:?}");
        }
    }
    let summary = scan(&pieces, &Limits::default());
    for part in summary.parts() {
        header(&message[part.header.start as usize..part.header.end as usize]);
        let body = &message[part.body.start as usize..part.body.end as usize];
        let encoding = Encoding::of(part).unwrap_or(Encoding::QuotedPrintable);
        assert_eq!(decode(encoding, &cut(body, *pattern)), decode(encoding, &[body]));
        if part.is_text() {
            let text = read(TextReader::new(part), &[body]);
            assert_eq!(read(TextReader::new(part), &cut(body, *pattern)), text);
            let needle: String = text.chars().skip(text.len() / 4).take(5).collect();
            let mut finder = Finder::new(&needle);
            text.split_inclusive('\n').for_each(|line| {
                finder.push(line);
            });
            assert_eq!(finder.found(), text.contains(&fold_case(&needle)));
        }
    }
    summary.parts().len() > 1
}

/// A stored summary. Taken if it is one; then it must be safe to use.
pub fn mime_summary(input: &[u8]) -> bool {
    let Ok(summary) = Summary::decode(input) else {
        return false;
    };
    assert_eq!(Summary::decode(&summary.encode()).as_ref(), Ok(&summary));
    tree(&summary, 0, 128);
    for path in [&[][..], &[1], &[2], &[1, 1], &[1, 2, 1], &[u32::MAX]] {
        for section in [Section::Whole, Section::Header, Section::Text, Section::Mime] {
            let range = locate(&summary, path, section).unwrap_or_default();
            assert!(range.start <= range.end && range.end <= summary.size());
        }
        assert!(part_at(&summary, path).is_none_or(|index| index < summary.parts().len()));
    }
    true
}

fn scan(pieces: &[&[u8]], limits: &Limits) -> Summary {
    let mut scanner = Scanner::new(limits);
    pieces.iter().for_each(|piece| scanner.push(piece));
    scanner.finish()
}

/// Parts nest, in order, not too deep, and have the children that their kind asks for.
fn tree(summary: &Summary, index: usize, depth: usize) {
    assert!(depth > 0, "nested too deep");
    let part = &summary.parts()[index];
    assert!(part.header.start <= part.header.end && part.header.end == part.body.start);
    assert!(part.body.start <= part.body.end && part.body.end <= summary.size());
    assert!(!part.media_type.is_empty() && !part.subtype.is_empty());
    let mut from = part.body.start;
    let mut count = 0;
    for (child, inner) in summary.children(index) {
        assert!(from <= inner.header.start && inner.body.end <= part.body.end);
        assert_eq!(inner.envelope.is_some(), part.kind == Kind::Message);
        tree(summary, child, depth - 1);
        from = inner.body.end;
        count += 1;
    }
    match part.kind {
        Kind::Leaf => assert_eq!(count, 0),
        Kind::Multipart => assert!(count > 0),
        Kind::Message => assert_eq!(count, 1),
    }
}

fn header(header: &[u8]) {
    let mut rest = header;
    for field in fields(header) {
        rest = rest.strip_prefix(field.raw).expect("fields stand one behind the other");
        assert!(addresses(field.value).len() <= MAX_ADDRESSES);
        decode_words(field.value);
        sent_day(field.value);
        let only = select(header, Pick::Only, &[field.name]);
        let except = select(header, Pick::Except, &[field.name]);
        assert!(only.len() + except.len() <= header.len() + 2);
    }
}

fn decode(encoding: Encoding, pieces: &[&[u8]]) -> Vec<u8> {
    let mut decoder = Decoder::new(encoding);
    let mut octets = pieces.iter().flat_map(|piece| decoder.push(piece)).collect::<Vec<_>>();
    octets.extend(decoder.finish());
    octets
}

fn read(mut reader: TextReader, pieces: &[&[u8]]) -> String {
    let mut text: String = pieces.iter().map(|piece| reader.push(piece)).collect();
    text.push_str(&reader.finish());
    text
}
