//! A PEM scanner (RFC 7468) that sees every block, whatever its label, and says where one is broken.
//!
//! Takes what editors, mail programs and Windows make of PEM files: a byte order mark, UTF-16, CR or CRLF, text
//! around the blocks, blocks glued together, no line breaks, old RFC 1421 headers. Fails on a block without its
//! end, an end that doesn't fit, and text that is no base64, each with the line. Bounds: the input's size
//! ([`crate::input::MAX_INPUT`]) and [`MAX_BLOCKS`].

use std::borrow::Cow;

use data_encoding::BASE64;
use zeroize::{Zeroize, Zeroizing};

/// The most blocks in one file. A chain has three or four.
pub const MAX_BLOCKS: usize = 256;

/// One `-----BEGIN ...-----` to `-----END ...-----`.
pub struct Block {
    /// The text between `BEGIN ` and the hyphens.
    pub label: String,
    /// RFC 1421 headers before the base64: old encrypted keys have them.
    pub headers: Vec<(String, String)>,
    /// What the base64 says.
    pub der: Zeroizing<Vec<u8>>,
    /// The line of `BEGIN`, from 1.
    pub line: usize,
}

/// What is wrong with a PEM file.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PemError {
    /// No matching END.
    #[error("the \"{label}\" block that begins in line {line} has no END: the file is cut off")]
    Truncated {
        /// The block's label.
        label: String,
        /// Where it begins.
        line: usize,
    },
    /// An END with another label.
    #[error("the \"{label}\" block that begins in line {line} ends as \"{found}\"")]
    WrongEnd {
        /// The block's label.
        label: String,
        /// What the END says.
        found: String,
        /// Where the block begins.
        line: usize,
    },
    /// Characters that aren't base64, or too few of them.
    #[error("the \"{label}\" block that begins in line {line} is damaged: not valid base64")]
    BadBase64 {
        /// The block's label.
        label: String,
        /// Where it begins.
        line: usize,
    },
    /// A BEGIN whose line isn't one.
    #[error("line {line} begins a PEM block but isn't finished")]
    BadBegin {
        /// Where.
        line: usize,
    },
    /// More than [`MAX_BLOCKS`].
    #[error("more than {MAX_BLOCKS} PEM blocks in one file")]
    TooMany,
    /// A UTF-16 file that doesn't decode.
    #[error("the file looks like UTF-16 text but isn't")]
    BadUtf16,
}

/// Whether there is any PEM block to look for. What looks like UTF-16 and isn't can't be anything else that is known here.
pub fn looks_like_pem(bytes: &[u8]) -> bool {
    text(bytes).map_or(true, |text| find(&text, BEGIN).is_some())
}

/// Every block in the file, in order. None at all is not an error here.
pub fn scan(bytes: &[u8]) -> Result<Vec<Block>, PemError> {
    let text = text(bytes)?;
    let mut blocks = Vec::new();
    let mut at = 0;
    let (mut line, mut counted) = (1, 0);
    while let Some(found) = find(&text[at..], BEGIN) {
        if blocks.len() == MAX_BLOCKS {
            return Err(PemError::TooMany);
        }
        let begin = at + found;
        line += line_ends(&text[counted..begin]);
        counted = begin;
        let label_at = begin + BEGIN.len();
        let label = label_end(&text[label_at..])
            .and_then(|len| std::str::from_utf8(&text[label_at..label_at + len]).ok())
            .ok_or(PemError::BadBegin { line })?
            .to_owned();
        let body_at = label_at + label.len() + HYPHENS.len();
        let rest = &text[body_at..];
        let body_len = match (find(rest, END), find(rest, BEGIN)) {
            (Some(end), next) if next.is_none_or(|next| end < next) => end,
            _ => return Err(PemError::Truncated { label, line }),
        };
        let end_label_at = body_at + body_len + END.len();
        let end_label = label_end(&text[end_label_at..])
            .map(|len| &text[end_label_at..end_label_at + len])
            .ok_or_else(|| PemError::Truncated { label: label.clone(), line })?;
        if end_label != label.as_bytes() {
            return Err(PemError::WrongEnd { label, found: String::from_utf8_lossy(end_label).into_owned(), line });
        }
        at = end_label_at + end_label.len() + HYPHENS.len();
        let (headers, base64) = headers(&rest[..body_len]);
        let Some(der) = decode(base64) else {
            return Err(PemError::BadBase64 { label, line });
        };
        blocks.push(Block { label, headers, der, line });
    }
    Ok(blocks)
}

/// Writes one block, in lines of 64 characters.
pub fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let mut base64 = BASE64.encode(der);
    let mut out = String::with_capacity(base64.len() + base64.len() / 64 + 2 * label.len() + 40);
    out.push_str("-----BEGIN ");
    out.push_str(label);
    out.push_str("-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    base64.zeroize();
    Zeroizing::new(out)
}

/// The file as ASCII-compatible bytes: UTF-16 is turned into UTF-8, everything else stays.
fn text(bytes: &[u8]) -> Result<Cow<'_, [u8]>, PemError> {
    let (big, rest) = match bytes {
        [0xFF, 0xFE, rest @ ..] => (false, rest),
        [0xFE, 0xFF, rest @ ..] => (true, rest),
        // Windows' `certutil` and PowerShell write UTF-16 with a mark; without one only a block's first line tells.
        _ => match unmarked_utf16(bytes) {
            Some(big) => (big, bytes),
            None => return Ok(Cow::Borrowed(bytes)),
        },
    };
    let units = rest.chunks_exact(2).map(|pair| match big {
        true => u16::from_be_bytes([pair[0], pair[1]]),
        false => u16::from_le_bytes([pair[0], pair[1]]),
    });
    char::decode_utf16(units)
        .collect::<Result<String, _>>()
        .map(|text| Cow::Owned(text.into_bytes()))
        .map_err(|_| PemError::BadUtf16)
}

/// Whether the file is UTF-16 without a mark, and then whether the first byte of each two is the high one.
fn unmarked_utf16(bytes: &[u8]) -> Option<bool> {
    // Text in any other encoding has none in the blocks' lines, and nearly always none at all.
    if !bytes.contains(&0) || find(bytes, BEGIN).is_some() {
        return None;
    }
    let is_aligned = |at: usize| at.is_multiple_of(2);
    let wide = |big: bool| -> Vec<u8> { BEGIN.iter().flat_map(|&b| if big { [0, b] } else { [b, 0] }).collect() };
    [false, true].into_iter().find(|&big| find(bytes, &wide(big)).is_some_and(is_aligned))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    // Blocks begin with hyphens; skipping to one first keeps this linear in practice.
    let mut at = 0;
    while let Some(next) = haystack[at..].iter().position(|&b| b == needle[0]) {
        if haystack[at + next..].starts_with(needle) {
            return Some(at + next);
        }
        at += next + 1;
    }
    None
}

/// The length of a label: up to the closing hyphens, on the same line, not longer than any label in use.
fn label_end(text: &[u8]) -> Option<usize> {
    let window = &text[..text.len().min(MAX_LABEL + HYPHENS.len())];
    let len = find(window, HYPHENS)?;
    (len > 0 && window[..len].iter().all(|b| (0x20..0x7F).contains(b))).then_some(len)
}

/// CR, LF and CRLF each end one line.
fn line_ends(text: &[u8]) -> usize {
    let ends = |(i, &byte): (usize, &u8)| byte == b'\n' || (byte == b'\r' && text.get(i + 1) != Some(&b'\n'));
    text.iter().enumerate().filter(|item| ends(*item)).count()
}

/// Splits RFC 1421 headers (up to an empty line) from the base64.
fn headers(body: &[u8]) -> (Vec<(String, String)>, &[u8]) {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = body;
    loop {
        let end = rest.iter().position(|b| matches!(b, b'\r' | b'\n'));
        let line = &rest[..end.unwrap_or(rest.len())];
        let trimmed = line.trim_ascii();
        if let Some(colon) = trimmed.iter().position(|&b| b == b':') {
            let text = |part: &[u8]| String::from_utf8_lossy(part.trim_ascii()).into_owned();
            found.push((text(&trimmed[..colon]), text(&trimmed[colon + 1..])));
        } else if !trimmed.is_empty() && (found.is_empty() || line[0] != b' ') {
            // Neither a header nor a header's continuation: the base64 begins.
            return (found, rest);
        }
        match end {
            Some(end) if end + 1 < rest.len() => rest = &rest[end + 1..],
            _ => return (found, &[]),
        }
    }
}

fn decode(base64: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let base64 = without_checksum(base64);
    let packed: Zeroizing<Vec<u8>> =
        Zeroizing::new(base64.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect());
    let der = BASE64.decode(&packed).ok().map(Zeroizing::new)?;
    (!der.is_empty()).then_some(der)
}

/// OpenPGP puts a checksum on a last line of its own: `=` and four characters (RFC 4880 section 6.1).
fn without_checksum(base64: &[u8]) -> &[u8] {
    let trimmed = base64.trim_ascii_end();
    match trimmed.len().checked_sub(6).and_then(|at| trimmed.split_at_checked(at)) {
        Some((before, [b'\n' | b'\r', b'=', checksum @ ..])) if !checksum.contains(&b'=') => before,
        _ => base64,
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const HYPHENS: &[u8] = b"-----";
const MAX_LABEL: usize = 64;

#[cfg(test)]
mod tests;
