//! Messages that are too large to be held in memory: what a client gets of them is the same.

use super::{client::Imap, server};
use crate::harness::{Server, PASSWORD, USER};
use crate::mail::assert_same;
use data_encoding::BASE64;

#[test]
fn sections_and_partials_of_a_large_message() {
    let (_server, mut imap, large) = with_a_large_message();
    let whole = &large.whole;
    let size = whole.len();
    assert_eq!(imap.command("FETCH 1 RFC822.SIZE").ok().texts(), [format!("* 1 FETCH (RFC822.SIZE {size})")]);
    assert_same(&literal(&mut imap, "BODY.PEEK[]", "BODY[]"), whole, "the whole");
    assert_same(&literal(&mut imap, "BODY.PEEK[1]", "BODY[1]"), large.text.as_bytes(), "the text");
    assert_same(&literal(&mut imap, "BODY.PEEK[2]", "BODY[2]"), large.encoded.as_bytes(), "the encoded part");
    assert_same(&literal(&mut imap, "BODY.PEEK[HEADER]", "BODY[HEADER]"), large.header.as_bytes(), "the header");
    let fields = literal(&mut imap, "BODY.PEEK[HEADER.FIELDS (Subject)]", "BODY[HEADER.FIELDS (Subject)]");
    assert_eq!(fields, b"Subject: large\r\n\r\n");
    for (first, length) in [(0, 1), (0, 300_000), (1_000, 600_000), (size - 5, 100), (size, 1), (0, size + 1)] {
        let part = &whole[first..(first + length).min(size)];
        let item = format!("BODY.PEEK[]<{first}.{length}>");
        assert_same(&literal(&mut imap, &item, &format!("BODY[]<{first}>")), part, &item);
    }
    // Small and large items in one response, and a small message between.
    imap.append("INBOX", "", b"Subject: small\r\n\r\nx").ok();
    imap.command("COPY 1 INBOX").ok();
    let answer = imap.command("FETCH 1:3 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[] FLAGS)").ok();
    assert_eq!(answer.untagged.len(), 3);
    for (at, (response, want)) in
        answer.untagged.iter().zip([&whole[..], b"Subject: small\r\n\r\nx", whole]).enumerate()
    {
        let n = at + 1;
        let text = format!("* {n} FETCH (UID {n} BODY[HEADER.FIELDS (SUBJECT)] {{}} BODY[] {{}} FLAGS (\\Recent))");
        assert_eq!(response.text, text);
        assert_same(&response.literals[1], want, &text);
    }
}

#[test]
fn encodings_of_a_large_part_are_undone() {
    let (_server, mut imap, large) = with_a_large_message();
    let octets = &large.octets;
    let size = octets.len();
    let answer = imap.command("FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2])").ok();
    assert_eq!(answer.texts(), [format!("* 1 FETCH (BINARY.SIZE[1] {} BINARY.SIZE[2] {size})", large.text.len())]);
    assert_same(&literal(&mut imap, "BINARY.PEEK[1]", "BINARY[1]"), large.text.as_bytes(), "the text");
    assert_same(&literal(&mut imap, "BINARY.PEEK[2]", "BINARY[2] ~"), octets, "the decoded part");
    for (first, length) in [(0, 10), (1, 299_999), (100_000, 200_000), (size - 3, 50), (size, 1), (size + 7, 7)] {
        let part = &octets[first.min(size)..(first + length).min(size)];
        let answer = imap.command(&format!("FETCH 1 BINARY.PEEK[2]<{first}.{length}>")).ok();
        assert!(answer.untagged[0].text.starts_with(&format!("* 1 FETCH (BINARY[2]<{first}> ")), "{answer:?}");
        assert_same(&answer.untagged[0].literals[0], part, &format!("from {first}"));
    }
}

#[test]
fn words_are_found_in_a_large_message() {
    let (_server, mut imap, _) = with_a_large_message();
    for (key, found) in [
        ("BODY \"line 49999 of\"", "* SEARCH 1"),
        ("TEXT \"line 0 of\"", "* SEARCH 1"),
        ("BODY \"line 50000 of\"", "* SEARCH"),
        ("TEXT \"subject: large\"", "* SEARCH 1"),
        ("BODY \"subject: large\"", "* SEARCH"),
        ("HEADER X-Filler fill", "* SEARCH 1"),
        ("LARGER 1000000", "* SEARCH 1"),
    ] {
        assert_eq!(imap.command(&format!("SEARCH {key}")).ok().texts(), [found], "{key}");
    }
}

/// A message of about two megabytes: text, and octets of every value in base64.
struct Large {
    whole: Vec<u8>,
    header: String,
    text: String,
    octets: Vec<u8>,
    encoded: String,
}

fn large() -> Large {
    let text: String = (0..50_000).map(|n| format!("line {n} of many\r\n")).collect();
    let octets: Vec<u8> = (0..600_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let lines = octets.chunks(57).map(|chunk| BASE64.encode(chunk)).collect::<Vec<_>>();
    let encoded = lines.join("\r\n");
    let filler = "X-Filler: fill\r\n".repeat(20_000);
    let header = format!("Subject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n{filler}\r\n");
    let whole = format!(
        "{header}--b\r\n\r\n{text}\r\n--b\r\nContent-Type: application/octet-stream\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n--b--\r\n"
    );
    Large { whole: whole.into_bytes(), header, text, octets, encoded }
}

fn with_a_large_message() -> (Server, Imap, Large) {
    let server = server::start();
    let mut imap = Imap::login(server.address("imap"), USER, PASSWORD);
    let large = large();
    imap.append("INBOX", "", &large.whole).ok();
    imap.command("SELECT INBOX").ok();
    (server, imap, large)
}

/// Fetches one item of the first message that comes as a literal under this name.
#[track_caller]
fn literal(imap: &mut Imap, item: &str, name: &str) -> Vec<u8> {
    let mut answer = imap.command(&format!("FETCH 1 {item}")).ok();
    let response = answer.untagged.remove(0);
    let space = if name.ends_with('~') { "" } else { " " };
    assert_eq!(response.text, format!("* 1 FETCH ({name}{space}{{}})"));
    response.literals.into_iter().next().unwrap()
}
