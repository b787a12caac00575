//! Changes of a message's header (RFC 5322 section 2.2), safe against whatever a policy puts into a name or a value.
//!
//! A field that is added is folded to lines of at most 78 octets where it has spaces (section 2.1.1), and unfolds to the value
//! as it was given. Fields that are added stand on top of the message as it came, below this server's own `Return-Path` and
//! `Received`: RFC 5321 section 4.4 puts those at the very beginning.
//!
//! **Refused** are names that are none, values with line ends, other control characters or octets beyond ASCII (RFC 2047
//! encodes them), what makes a line of more than 998 octets, changes of `Received` (RFC 5321 section 4.4: it must not be
//! changed or deleted, and is how circles are found) and a second `Return-Path`.
//!
//! **Bounds.** [`MAX_EDITS`], [`MAX_VALUE`]; a header of [`MAX_HEADER`] octets.

use std::borrow::Cow;
use std::collections::VecDeque;

use dovetail_sdk::policy::{HeaderAction, HeaderEdit};
use memchr::memchr;

/// Changes of one verdict.
pub const MAX_EDITS: usize = 100;
/// Octets of a value.
pub const MAX_VALUE: usize = 16 * 1024;
/// A larger header is not changed.
pub const MAX_HEADER: u64 = 1024 * 1024;

/// Why a header is not changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// A name is empty, too long or has other characters than RFC 5322 section 3.6.8 allows.
    #[error("{0:?} is no name of a header field")]
    Name(String),
    /// Such a field is this server's own.
    #[error("the field {0} may not be {1} by policies")]
    Own(String, &'static str),
    /// A value has a line end, another control character, or an octet beyond ASCII.
    #[error("the value of {0} is not printable ASCII in one line; encode it as in RFC 2047")]
    Value(String),
    /// A value is too long, or cannot be folded.
    #[error("the value of {0} is longer than {MAX_VALUE} octets, or has a word that does not fit into a line")]
    TooLong(String),
    /// Too many at once.
    #[error("{0} changes of the header at once; {MAX_EDITS} are allowed")]
    TooMany(usize),
}

/// Makes the changes, in their order.
///
/// # Errors
/// If one of them cannot be made; then none is.
pub fn apply(header: &[u8], edits: &[HeaderEdit]) -> Result<Vec<u8>, EditError> {
    if edits.len() > MAX_EDITS {
        return Err(EditError::TooMany(edits.len()));
    }
    let mut fields: VecDeque<Cow<'_, [u8]>> = fields(header).map(Cow::Borrowed).collect();
    // A first line that continues nothing would continue what is put on top. It is no header, so its message has none.
    let headless = fields.front().is_some_and(|first| begins_with_space(first));
    if headless && edits.iter().any(|edit| edit.action == HeaderAction::Add) {
        fields.push_front(Cow::Borrowed(b"\r\n"));
    }
    for edit in edits {
        check_name(&edit.name)?;
        match edit.action {
            HeaderAction::Remove => {
                if edit.name.eq_ignore_ascii_case(RECEIVED) {
                    return Err(EditError::Own(edit.name.clone(), "removed"));
                }
                fields.retain(|field| !is_named(field, edit.name.as_bytes()));
            }
            _ => {
                if [RECEIVED, RETURN_PATH].iter().any(|own| edit.name.eq_ignore_ascii_case(own)) {
                    return Err(EditError::Own(edit.name.clone(), "added"));
                }
                fields.push_front(Cow::Owned(fold(&edit.name, &edit.value)?.into_bytes()));
            }
        }
    }
    Ok(fields.iter().flat_map(|field| field.iter().copied()).collect())
}

/// The fields, each with its continuation lines; the empty line at the end is one of its own, and so is a line that is no field.
fn fields(mut header: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let mut end = line(header)?;
        while begins_with_space(header.get(end..)?) {
            end += line(header.get(end..)?)?;
        }
        let (field, rest) = header.split_at_checked(end)?;
        header = rest;
        Some(field)
    })
}

/// The length of the first line with its end; none if nothing is left.
fn line(text: &[u8]) -> Option<usize> {
    (!text.is_empty()).then(|| memchr(b'\n', text).map_or(text.len(), |at| at + 1))
}

fn begins_with_space(text: &[u8]) -> bool {
    matches!(text.first(), Some(b' ' | b'\t'))
}

/// Spaces in front of the colon are obsolete, and readers pass over them (RFC 5322 section 4.5).
fn is_named(field: &[u8], name: &[u8]) -> bool {
    let Some(colon) = memchr(b':', field) else { return false };
    field.get(..colon).is_some_and(|found| found.trim_ascii_end().eq_ignore_ascii_case(name))
}

fn check_name(name: &str) -> Result<(), EditError> {
    let good = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|b| matches!(b, b'!'..=b'~') && b != b':');
    good.then_some(()).ok_or_else(|| EditError::Name(name.to_owned()))
}

/// A field with its line end. Lines break in front of spaces, of which none is lost.
fn fold(name: &str, value: &str) -> Result<String, EditError> {
    let value = value.trim_matches([' ', '\t']);
    if value.len() > MAX_VALUE {
        return Err(EditError::TooLong(name.to_owned()));
    }
    if !value.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t')) {
        return Err(EditError::Value(name.to_owned()));
    }
    let mut field = format!("{name}:");
    let mut length = field.len();
    let mut rest = value;
    let mut first = true;
    while !rest.is_empty() {
        let word_at = rest.find(|c| !is_space(c)).unwrap_or(0);
        let word_end = rest.get(word_at..).and_then(|word| word.find(is_space)).map_or(rest.len(), |at| word_at + at);
        let (piece, behind) = rest.split_at(word_end);
        let space = if first { " " } else { "" };
        let added = space.len() + piece.len();
        // The first word stays beside the name if a line may be so long at all.
        let fits = length + added <= if first { MAX_LINE } else { WANTED_LINE };
        if !fits {
            field.push_str("\r\n");
            length = 0;
        }
        if added > MAX_LINE {
            return Err(EditError::TooLong(name.to_owned()));
        }
        field.push_str(space);
        field.push_str(piece);
        length += added;
        rest = behind;
        first = false;
    }
    field.push_str("\r\n");
    Ok(field)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

const RECEIVED: &str = "Received";
const RETURN_PATH: &str = "Return-Path";
/// A name with its colon fits into a line that is wanted.
const MAX_NAME: usize = 77;
/// RFC 5322 section 2.1.1, without the line end.
const WANTED_LINE: usize = 78;
const MAX_LINE: usize = 998;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn add(name: &str, value: &str) -> HeaderEdit {
        HeaderEdit { action: HeaderAction::Add, name: name.to_owned(), value: value.to_owned() }
    }

    fn remove(name: &str) -> HeaderEdit {
        HeaderEdit { action: HeaderAction::Remove, name: name.to_owned(), value: String::new() }
    }

    fn edited(header: &str, edits: &[HeaderEdit]) -> String {
        String::from_utf8(apply(header.as_bytes(), edits).unwrap()).unwrap()
    }

    #[test]
    fn fields_are_added_on_top_and_removed_by_name() {
        let header = "A: 1\r\nb: 2\r\n\tmore\r\n B: still b\r\nno field\r\nB : 3\r\nC: 4\r\n\r\n";
        assert_eq!(edited(header, &[]), header);
        assert_eq!(edited(header, &[remove("B")]), "A: 1\r\nno field\r\nC: 4\r\n\r\n");
        assert_eq!(edited("A: 1\r\n\r\n", &[add("X", "1"), add("Y", "2")]), "Y: 2\r\nX: 1\r\nA: 1\r\n\r\n");
        // In their order: what was added may be removed again.
        assert_eq!(edited("A: 1\r\n\r\n", &[add("X", "1"), remove("x"), remove("a"), add("A", "")]), "A:\r\n\r\n");
        assert_eq!(edited("", &[add("X", "1")]), "X: 1\r\n");
        assert_eq!(edited("\r\n", &[add("X", "1")]), "X: 1\r\n\r\n");
    }

    #[test]
    fn what_continues_nothing_does_not_continue_what_is_added() {
        assert_eq!(edited(" x: 1\r\nA: 1\r\n\r\n", &[add("X", "1")]), "X: 1\r\n\r\n x: 1\r\nA: 1\r\n\r\n");
        assert_eq!(edited(" x: 1\r\nA: 1\r\n\r\n", &[remove("A")]), " x: 1\r\n\r\n");
        assert_eq!(edited("A: 1\r\n x\r\n\r\n", &[remove("A"), add("X", "1")]), "X: 1\r\n\r\n");
    }

    #[test]
    fn long_values_are_folded_at_their_spaces() {
        let value = format!("{} {}\t{}", "a".repeat(60), "b".repeat(60), "c".repeat(60));
        let folded = fold("X-Long", &value).unwrap();
        assert_eq!(folded, format!("X-Long: {}\r\n {}\r\n\t{}\r\n", "a".repeat(60), "b".repeat(60), "c".repeat(60)));
        // A first word that is too long for the name's line stands in the next.
        let folded = fold("X", &"a".repeat(997)).unwrap();
        assert_eq!(folded, format!("X:\r\n {}\r\n", "a".repeat(997)));
        assert_eq!(fold("X", " \t a  b \t").unwrap(), "X: a  b\r\n");
        assert_eq!(fold("X", &"a".repeat(998)), Err(EditError::TooLong("X".into())));
        assert_eq!(fold("X", &format!("a{}b", " ".repeat(998))), Err(EditError::TooLong("X".into())));
        assert_eq!(fold("X", &"a ".repeat(MAX_VALUE)), Err(EditError::TooLong("X".into())));
    }

    #[test]
    fn what_would_be_another_field_is_refused() {
        for value in ["a\r\nBcc: evil", "a\nb", "a\rb", "a\0b", "a\x7f", "gr\u{fc}n"] {
            assert_eq!(apply(b"", &[add("X", value)]), Err(EditError::Value("X".into())), "{value:?}");
        }
        for name in ["", "a b", "a:", "a\r\n", "\u{fc}", &"x".repeat(78)] {
            assert_eq!(apply(b"", &[add(name, "x")]), Err(EditError::Name(name.into())), "{name:?}");
            assert_eq!(apply(b"", &[remove(name)]), Err(EditError::Name(name.into())), "{name:?}");
        }
        let many = vec![add("X", "1"); MAX_EDITS + 1];
        assert_eq!(apply(b"", &many), Err(EditError::TooMany(MAX_EDITS + 1)));
    }

    #[test]
    fn the_servers_own_fields_are_left_alone() {
        for edit in [add("received", "x"), add("Return-Path", "<>"), remove("Received")] {
            assert!(matches!(apply(b"", std::slice::from_ref(&edit)), Err(EditError::Own(..))), "{edit:?}");
        }
        assert_eq!(edited("Return-Path: <x>\r\n\r\n", &[remove("return-path")]), "\r\n");
    }

    fn unfold(field: &str) -> String {
        field.replace("\r\n ", " ").replace("\r\n\t", "\t")
    }

    proptest! {
        #[test]
        fn folding_loses_nothing_and_makes_one_field(name in "[!-9;-~]{1,77}", value in "[ \t!-~]{0,400}") {
            let folded = fold(&name, &value).unwrap();
            let lines: Vec<&str> = folded.strip_suffix("\r\n").unwrap().split("\r\n").collect();
            prop_assert!(lines.iter().all(|line| line.len() <= MAX_LINE));
            prop_assert!(lines.iter().all(|line| !line.trim_matches([' ', '\t']).is_empty()));
            prop_assert!(lines[1..].iter().all(|line| line.starts_with([' ', '\t'])));
            prop_assert_eq!(fields(folded.as_bytes()).count(), 1);
            let unfolded = unfold(folded.strip_suffix("\r\n").unwrap());
            prop_assert_eq!(unfolded.strip_prefix(&format!("{name}:")).unwrap().trim_matches([' ', '\t']), value.trim_matches([' ', '\t']));
        }

        #[test]
        fn never_panics_and_keeps_all_that_is_not_named(
            header in "([AB]{1,2} ?:[a \r\n\t]{0,9}(\r\n)?){0,8}(\r\n)?",
            edits in proptest::collection::vec(("[ABX:\r ]{0,2}", "[a\r\n ]{0,5}", any::<bool>()), 0..5),
        ) {
            let edits: Vec<HeaderEdit> = edits.iter().map(|(name, value, adds)| if *adds { add(name, value) } else { remove(name) }).collect();
            if let Ok(after) = apply(header.as_bytes(), &edits) {
                prop_assert_eq!(apply(header.as_bytes(), &[]).unwrap(), header.as_bytes());
                if edits.iter().all(|edit| edit.action == HeaderAction::Add) {
                    prop_assert!(after.ends_with(header.as_bytes()));
                }
                if let Some(edit) = edits.last().filter(|edit| edit.action == HeaderAction::Remove) {
                    prop_assert!(fields(&after).all(|field| !is_named(field, edit.name.as_bytes())));
                }
            }
        }
    }
}
