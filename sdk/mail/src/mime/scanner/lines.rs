//! Reading line by line where lines matter, and by leaps where they don't.

use memchr::{memchr, memchr_iter};

use super::{Scanner, MAX_LINE};

impl Scanner {
    /// Reads in a header, up to the next line end.
    pub(super) fn header_line<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let end = memchr(b'\n', piece);
        let chunk = piece.get(..end.map_or(piece.len(), |at| at + 1)).unwrap_or(piece);
        let rest = self.take(piece, chunk.len());
        self.keep_header(chunk);
        if end.is_none() {
            self.keep(chunk);
            return rest;
        }
        let done = if self.head.is_empty() {
            self.end_of_header_line(chunk)
        } else {
            self.keep(chunk);
            let line = std::mem::take(&mut self.head);
            self.end_of_header_line(&line)
        };
        if !done {
            self.begin_line();
        }
        rest
    }

    /// Whether the line was the last one of the header.
    fn end_of_header_line(&mut self, line: &[u8]) -> bool {
        match line {
            b"\n" | b"\r\n" => {
                self.header.truncate(self.header_line);
                self.end_header(self.read);
                true
            }
            [b'-', b'-', ..] if self.boundaries > 0 && line.len() <= MAX_LINE => self.delimiter(line),
            _ => false,
        }
    }

    /// Reads in a body at the begin of a line, to see whether it is a boundary.
    pub(super) fn body_line<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        if self.head.len() < 2 && piece.first() != Some(&b'-') {
            self.leave_line_begin();
            return piece;
        }
        let room = MAX_LINE.saturating_sub(self.head.len());
        let window = piece.get(..room).unwrap_or(piece);
        let Some(end) = memchr(b'\n', window) else {
            if window.len() == room {
                self.leave_line_begin();
            } else {
                self.keep(window);
            }
            return self.take(piece, window.len());
        };
        let chunk = window.get(..=end).unwrap_or(window);
        let rest = self.take(piece, chunk.len());
        let found = if self.head.is_empty() {
            self.delimiter(chunk)
        } else {
            self.keep(chunk);
            let line = std::mem::take(&mut self.head);
            self.delimiter(&line)
        };
        if !found {
            self.begin_line();
        }
        rest
    }

    /// Reads in a body to the next line that may be a boundary.
    pub(super) fn body<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let length = match (self.finder.find(piece), piece) {
            (Some(at), _) => at + 1,
            // The two hyphens may be in the next piece.
            (None, [.., b'\n']) => piece.len(),
            (None, [.., b'\n', b'-']) => piece.len() - 1,
            (None, _) => return self.take(piece, piece.len()),
        };
        let rest = self.take(piece, length);
        self.begin_line();
        rest
    }

    pub(super) fn begin_line(&mut self) {
        self.line = self.read;
        self.header_line = self.header.len();
        self.head.clear();
        self.inside_line = false;
    }

    fn leave_line_begin(&mut self) {
        self.head.clear();
        self.inside_line = true;
    }

    fn keep_header(&mut self, text: &[u8]) {
        let max = self.limits.header_octets;
        let text = text.get(..max.saturating_sub(self.header.len())).unwrap_or(text);
        let length = self.header.len() + text.len();
        if length > self.header.capacity() {
            // The limit is one of memory, so growing must not double it.
            self.header.reserve_exact((2 * length).min(max.max(length)) - self.header.len());
        }
        self.header.extend_from_slice(text);
    }

    fn keep(&mut self, text: &[u8]) {
        // One octet more than a line may have shows that it has more.
        let room = (MAX_LINE + 1).saturating_sub(self.head.len());
        self.head.extend_from_slice(text.get(..room).unwrap_or(text));
    }

    /// Goes `length` octets on and returns the rest.
    pub(super) fn take<'a>(&mut self, piece: &'a [u8], length: usize) -> &'a [u8] {
        let (taken, rest) = piece.split_at_checked(length).unwrap_or((piece, &[]));
        self.read.at += taken.len() as u64;
        self.read.lines += match taken {
            // A line of a header: its only line end is the last octet.
            _ if self.in_header => u64::from(taken.ends_with(b"\n")),
            _ => memchr_iter(b'\n', taken).count() as u64,
        };
        let [a, b, c] = self.read.tail;
        self.read.tail = match *taken {
            [] => [a, b, c],
            [x] => [b, c, x],
            [x, y] => [c, x, y],
            [.., x, y, z] => [x, y, z],
        };
        rest
    }
}
