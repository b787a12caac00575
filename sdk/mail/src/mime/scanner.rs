//! One pass over a message as it comes in, in pieces of any size.

mod lines;

use memchr::memmem;

use super::content;
use super::limits::Limits;
use super::summary::{Kind, Part, Summary};

/// Finds the structure of a message (RFC 2045, 2046) while its octets go by.
///
/// It keeps the header that it is in, up to the limit, and the summary so far, never a body. The summary is the same
/// however the message is cut. Nothing fails: a multipart without a usable or used boundary and a part beyond the limits
/// is a text/plain leaf, the end of the message ends whatever is open.
pub struct Scanner {
    limits: Limits,
    parts: Vec<Part>,
    /// The parts that the next octet is in, the message itself first.
    open: Vec<Open>,
    /// How many of `open` have a boundary that may still come.
    boundaries: usize,
    in_header: bool,
    /// Everything that was read.
    read: Mark,
    /// What was read when the line began that is being read.
    line: Mark,
    /// What is kept of a line that began in an earlier piece.
    head: Vec<u8>,
    /// The line is known to be no boundary; of no meaning in a header.
    inside_line: bool,
    header: Vec<u8>,
    /// The length of `header` when the line began.
    header_line: usize,
    finder: memmem::Finder<'static>,
    /// What values may still be kept, in octets.
    budget: usize,
}

struct Open {
    part: usize,
    /// Line ends before its body.
    lines_before: u64,
    /// What a multipart's boundary lines hold behind the two hyphens.
    boundary: Option<Vec<u8>>,
}

/// A place in the message.
#[derive(Clone, Copy, Default)]
struct Mark {
    at: u64,
    lines: u64,
    /// The last three octets.
    tail: [u8; 3],
}

/// Where the open parts end.
struct End {
    at: u64,
    lines: u64,
    /// Lines that the line ends don't tell of: one less for the line end that belongs to a boundary, or one more for a
    /// last line without an end.
    surplus: i64,
}

impl Scanner {
    /// A scanner at the begin of a message.
    pub fn new(limits: &Limits) -> Self {
        let limits = Limits {
            parts: limits.parts.clamp(1, MAX_PARTS),
            depth: limits.depth.min(MAX_DEPTH),
            params: limits.params.min(MAX_ITEMS),
            ..*limits
        };
        let mut scanner = Scanner {
            limits,
            parts: Vec::new(),
            open: Vec::new(),
            boundaries: 0,
            in_header: true,
            read: Mark::default(),
            line: Mark::default(),
            head: Vec::new(),
            inside_line: false,
            header: Vec::new(),
            header_line: 0,
            finder: memmem::Finder::new(b"\n--"),
            budget: limits.header_octets,
        };
        scanner.begin_part();
        scanner
    }

    /// Takes the next octets of the message.
    pub fn push(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            piece = match (self.in_header, self.boundaries, self.inside_line) {
                (true, _, _) => self.header_line(piece),
                (false, 0, _) => self.take(piece, piece.len()),
                (false, _, true) => self.body(piece),
                (false, _, false) => self.body_line(piece),
            };
        }
    }

    /// Ends the message.
    pub fn finish(mut self) -> Summary {
        if !self.head.is_empty() && self.head.len() <= MAX_LINE {
            let line = std::mem::take(&mut self.head);
            self.delimiter(&line);
        }
        while self.in_header {
            self.end_header(self.read);
        }
        let unfinished = self.read.tail[2] != b'\n';
        let end = End { at: self.read.at, lines: self.read.lines, surplus: i64::from(unfinished) };
        self.close(0, &end);
        Summary { size: self.read.at, parts: self.parts }
    }

    /// Octets kept of the message, the summary aside.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.header.capacity() + self.head.capacity()
    }

    /// Acts on `line` if it is a boundary line of an open multipart (RFC 2046 section 5.1.1), the inmost one first.
    fn delimiter(&mut self, line: &[u8]) -> bool {
        let Some(text) = line.trim_ascii_end().strip_prefix(b"--") else {
            return false;
        };
        let last = text.strip_suffix(b"--");
        let found = self.open.iter().enumerate().rev().find_map(|(level, open)| {
            let boundary = open.boundary.as_deref()?;
            let more = text == boundary;
            (more || last == Some(boundary)).then_some((level, more))
        });
        let Some((level, more)) = found else {
            return false;
        };
        let start = self.line;
        self.header.truncate(self.header_line);
        while self.in_header {
            self.end_header(start);
        }
        self.close(level + 1, &End::before_boundary(&start));
        if more && self.parts.len() < self.limits.parts {
            self.begin_part();
        } else {
            self.drop_boundary(level);
            self.begin_line();
        }
        true
    }

    /// Begins a part, with its header, at what is read next.
    fn begin_part(&mut self) {
        self.begin_part_at(self.read.at);
    }

    fn begin_part_at(&mut self, at: u64) {
        self.open.push(Open { part: self.parts.len(), lines_before: 0, boundary: None });
        self.parts.push(Part { header: at..at, body: at..at, ..Part::default() });
        self.in_header = true;
        self.header.clear();
        self.begin_line();
    }

    /// Ends the header of the inmost part at `end` and sees what its body is.
    fn end_header(&mut self, end: Mark) {
        self.in_header = false;
        self.begin_line();
        let depth = self.open.len();
        let (is_message, in_digest) = match self.open.iter().rev().nth(1).and_then(|open| self.parts.get(open.part)) {
            None => (true, false),
            Some(parent) => (parent.kind == Kind::Message, parent.subtype == "digest"),
        };
        let more = depth < self.limits.depth && self.parts.len() < self.limits.parts;
        let Some((open, part)) =
            self.open.last_mut().and_then(|open| self.parts.get_mut(open.part).map(|part| (open, part)))
        else {
            return;
        };
        part.header.end = end.at;
        part.body = end.at..end.at;
        open.lines_before = end.lines;
        let mut reader = content::Reader { limits: &self.limits, budget: &mut self.budget };
        reader.describe(part, &self.header, is_message, in_digest);
        match part.kind {
            Kind::Leaf => {}
            Kind::Multipart => match content::boundary(part).filter(|_| more) {
                Some(boundary) => {
                    open.boundary = Some(boundary);
                    self.boundaries += 1;
                }
                None => content::degrade(part),
            },
            Kind::Message if more => self.begin_part_at(end.at),
            Kind::Message => content::degrade(part),
        }
    }

    /// Ends all open parts from `level` on.
    ///
    /// The line end before a boundary may be of the header of a part that has no body. The outmost part keeps it; those
    /// inside end with the outmost one's body.
    fn close(&mut self, level: usize, end: &End) {
        let outmost = self.open.get(level).and_then(|open| self.parts.get(open.part));
        let Some(cap) = outmost.map(|part| part.body.start.max(end.at)) else { return };
        while self.open.len() > level {
            self.drop_boundary(self.open.len() - 1);
            let Some(open) = self.open.pop() else { return };
            let inside = self.parts.len() - open.part - 1;
            let Some(part) = self.parts.get_mut(open.part) else { return };
            part.inside = u32::try_from(inside).unwrap_or(u32::MAX);
            if self.open.len() > level {
                part.header = part.header.start.min(cap)..part.header.end.min(cap);
                part.body.start = part.body.start.min(cap);
            }
            part.body.end = part.body.start.max(end.at);
            if part.size() > 0 {
                part.lines = (end.lines - open.lines_before).saturating_add_signed(end.surplus);
            }
            if part.kind == Kind::Multipart && inside == 0 {
                content::degrade(part);
            }
        }
    }

    fn drop_boundary(&mut self, level: usize) {
        if self.open.get_mut(level).and_then(|open| open.boundary.take()).is_some() {
            self.boundaries -= 1;
        }
    }
}

impl End {
    /// The end of a body before the boundary line that begins at `line`: the line end before it is not of the body.
    fn before_boundary(line: &Mark) -> End {
        let (length, last) = match line.tail {
            [last, b'\r', b'\n'] => (2, last),
            [_, last, _] => (1, last),
        };
        End { at: line.at.saturating_sub(length), lines: line.lines, surplus: if last == b'\n' { -1 } else { 0 } }
    }
}

/// The longest line that can be a boundary; RFC 2046 allows 70 octets and white space behind.
pub(super) const MAX_LINE: usize = 512;
/// However the limits are: what the encoded form may have.
pub(super) const MAX_PARTS: usize = 10_000;
/// However the limits are: what the encoded form may have.
pub(super) const MAX_DEPTH: usize = 128;
/// However the limits are: parameters or languages of one field in the encoded form.
pub(super) const MAX_ITEMS: usize = 10_000;
