//! Reading lines and writing answers.
//!
//! * Input is bounded: a line longer than its limit is an error, and its rest is thrown away without being kept.
//! * Bare CR, bare LF and NUL in a line are errors: only CRLF ends a line (RFC 5321 section 2.3.8).
//! * Output is queued and leaves in one write before the next wait for input, so the answers to pipelined commands share
//!   a packet.
//! * The plain stream can be taken back for TLS only while no input is buffered.
//! * While it waits for input a session holds no buffer.

use dovetail_abi::Stream;
use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    task::{ready, Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So much is read at a time.
const READ_SIZE: usize = 16 * 1024;
/// So much output is queued before it is written without being asked.
const WRITE_SIZE: usize = 64 * 1024;
/// Answers of so many octets are written although more commands wait: a peer that never reads must not fill our memory.
const MAX_QUEUED: usize = 32 * 1024;
/// Less than this is copied into the queue instead of written at once: a copy costs less than a write of its own, and what
/// follows leaves with it.
const WORTH_GATHERING: usize = 32 * 1024;
/// So many slices go into one write.
const MAX_SLICES: usize = 64;

/// What was wrong with a line. The session can go on after each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadLine {
    /// Longer than the limit; it was thrown away to its end.
    #[error("the line is too long")]
    TooLong,
    /// A CR without LF, or an LF without CR.
    #[error("the line has a bare CR or LF")]
    BareNewline,
    /// A NUL octet.
    #[error("the line has a NUL octet")]
    Nul,
}

/// A line as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The line without its CRLF.
    Good(Vec<u8>),
    /// A line that may not be interpreted.
    Bad(BadLine),
    /// The peer closed the connection (or cut it in the middle of a line).
    End,
}

/// A stream read by lines, with queued output.
pub struct LineStream {
    stream: Option<Stream>,
    input: Vec<u8>,
    start: usize,
    output: Vec<u8>,
    /// How much of the output is written. It and the next are kept here, not in a future, so that a future that is dropped
    /// half-way takes nothing with it.
    sent: usize,
    flushing: bool,
    /// A vectored write is under way. If its future is dropped half-way nobody knows what the peer has got.
    gathering: bool,
    /// The rest of a line that was too long is being thrown away.
    discarding: bool,
}

impl std::fmt::Debug for LineStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LineStream({} bytes in, {} out)", self.buffered().len(), self.output.len())
    }
}

impl LineStream {
    /// Reads from and writes to `stream`.
    pub fn new(stream: Stream) -> Self {
        LineStream {
            stream: Some(stream),
            input: Vec::new(),
            start: 0,
            output: Vec::new(),
            sent: 0,
            flushing: false,
            gathering: false,
            discarding: false,
        }
    }

    /// Input that has come and is not consumed.
    pub fn buffered(&self) -> &[u8] {
        &self.input[self.start..]
    }

    /// Marks so many buffered octets as used.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.input.len());
        if self.start == self.input.len() {
            self.input.clear();
            self.start = 0;
        }
    }

    /// Waits for more input; queued output is written first. Gives `false` at the end of the stream.
    ///
    /// # Errors
    /// As the stream gives them; an end of TLS without close_notify is `UnexpectedEof`.
    pub async fn fill(&mut self) -> io::Result<bool> {
        self.flush().await?;
        poll_fn(|cx| self.poll_fill(cx)).await
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        // On the stack, for this poll only: a waiting session holds no buffer.
        let mut room = [std::mem::MaybeUninit::<u8>::uninit(); READ_SIZE];
        let mut buf = ReadBuf::uninit(&mut room);
        if Pin::new(stream).poll_read(cx, &mut buf)?.is_pending() {
            if self.start == self.input.len() {
                self.input = Vec::new();
                self.start = 0;
            }
            if self.output.is_empty() {
                self.output = Vec::new();
            }
            return Poll::Pending;
        }
        if self.start > 0 {
            self.input.drain(..self.start);
            self.start = 0;
        }
        self.input.extend_from_slice(buf.filled());
        Poll::Ready(Ok(!buf.filled().is_empty()))
    }

    /// Reads a line of at most `max` octets, CRLF not counted. May be dropped and called again (in `select!`): nothing is
    /// lost, and nothing is read twice.
    ///
    /// # Errors
    /// As the stream gives them.
    pub async fn read_line(&mut self, max: usize) -> io::Result<Line> {
        let mut looked = 0;
        loop {
            let buffered = self.buffered();
            if let Some(at) = buffered[looked..].iter().position(|&b| b == b'\n') {
                let end = looked + at;
                let whole = !std::mem::take(&mut self.discarding);
                let buffered = &self.input[self.start..];
                let line = if whole { judge(&buffered[..=end], max) } else { Line::Bad(BadLine::TooLong) };
                self.consume(end + 1);
                return Ok(line);
            }
            looked = buffered.len();
            if looked > max + 1 {
                // Keep the last octet: it may be the CR before the LF.
                self.consume(looked - 1);
                looked = 1;
                self.discarding = true;
            }
            if !self.fill().await? {
                return Ok(Line::End);
            }
        }
    }

    /// Queues output. It is written by [`LineStream::flush`], or before the next wait for input.
    pub fn queue(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    /// How many octets are queued.
    pub fn queued(&self) -> usize {
        self.output.len() - self.sent
    }

    /// Queues output and writes it out when a good deal has gathered; for bulk data.
    ///
    /// # Errors
    /// As the stream gives them.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.queue(bytes);
        if self.output.len() >= WRITE_SIZE {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes what is queued and then these slices, from where they are: for bulk data that would only be copied for the
    /// queue's sake. Not to be dropped half-way: the stream can only be closed then.
    ///
    /// # Errors
    /// As the stream gives them.
    pub async fn write_slices(&mut self, slices: &[&[u8]]) -> io::Result<()> {
        if slices.iter().map(|slice| slice.len()).sum::<usize>() + self.queued() < WORTH_GATHERING {
            slices.iter().for_each(|slice| self.queue(slice));
            return Ok(());
        }
        self.usable()?;
        self.gathering = true;
        let queued = std::mem::take(&mut self.output);
        let first = queued.get(std::mem::take(&mut self.sent)..).unwrap_or_default();
        let mut all = std::iter::once(first).chain(slices.iter().copied()).filter(|slice| !slice.is_empty());
        let mut waiting: VecDeque<&[u8]> = all.by_ref().take(MAX_SLICES).collect();
        while !waiting.is_empty() {
            let parts: Vec<IoSlice<'_>> = waiting.iter().map(|slice| IoSlice::new(slice)).collect();
            let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            let mut count = poll_fn(|cx| Pin::new(&mut *stream).poll_write_vectored(cx, &parts)).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            while let Some(slice) = waiting.front_mut() {
                if count < slice.len() {
                    *slice = slice.get(count..).unwrap_or_default();
                    break;
                }
                count -= slice.len();
                waiting.pop_front();
                waiting.extend(all.next());
            }
        }
        self.gathering = false;
        // What the stream itself holds back leaves with the next flush.
        self.flushing = true;
        Ok(())
    }

    fn usable(&self) -> io::Result<()> {
        match self.gathering {
            true => Err(io::Error::new(io::ErrorKind::BrokenPipe, "an earlier write was given up half-way")),
            false => Ok(()),
        }
    }

    /// Writes what is queued. May be dropped and called again: nothing is written twice.
    ///
    /// # Errors
    /// As the stream gives them.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Writes the answers to what has come, once no whole line is left to answer. To be done before the wait for a line, not in
    /// it: the wait can be cut short, a write must not be.
    ///
    /// # Errors
    /// As the stream gives them.
    pub async fn flush_unless_pipelined(&mut self) -> io::Result<()> {
        if self.buffered().contains(&b'\n') && self.queued() < MAX_QUEUED {
            return Ok(());
        }
        self.flush().await
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.output.is_empty() && !self.flushing {
            return Poll::Ready(Ok(()));
        }
        self.usable()?;
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        self.flushing = true;
        while self.sent < self.output.len() {
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, &self.output[self.sent..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += count;
        }
        self.sent = 0;
        if self.output.capacity() > WRITE_SIZE {
            self.output = Vec::new();
        } else {
            self.output.clear();
        }
        ready!(Pin::new(stream).poll_flush(cx))?;
        self.flushing = false;
        Poll::Ready(Ok(()))
    }

    /// Writes what is queued and closes our side: close_notify under TLS, FIN below.
    ///
    /// # Errors
    /// As the stream gives them.
    pub async fn close(&mut self) -> io::Result<()> {
        self.flush().await?;
        match self.stream.as_mut() {
            Some(stream) => poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx)).await,
            None => Ok(()),
        }
    }

    /// Gives the stream back, if no input is buffered and no output queued.
    pub(crate) fn take_stream(&mut self) -> Option<Stream> {
        if self.buffered().is_empty() && self.output.is_empty() {
            self.stream.take()
        } else {
            None
        }
    }

    /// Whether more input is there without waiting: buffered here. The answers to what is buffered are worth waiting for.
    pub fn has_pipelined(&self) -> bool {
        !self.buffered().is_empty()
    }

    /// Polls for input once without waiting; gives `true` if there is some, or the stream has ended.
    ///
    /// # Errors
    /// As the stream gives them.
    pub async fn try_fill(&mut self) -> io::Result<bool> {
        poll_fn(|cx| match self.poll_fill(cx) {
            Poll::Ready(filled) => Poll::Ready(filled.map(|_| true)),
            Poll::Pending => Poll::Ready(Ok(false)),
        })
        .await
    }
}

/// Whether this is how connections end when nobody is to blame: the peer went away or fell silent.
pub fn is_departure(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | TimedOut | UnexpectedEof)
}

/// Judges a line that ends in LF.
fn judge(line: &[u8], max: usize) -> Line {
    // First of all, and with room for CRLF whether it is there or not, as for a line that comes in pieces and is thrown
    // away before its end is seen: the verdict must not depend on the packets.
    if line.len() > max + 2 {
        return Line::Bad(BadLine::TooLong);
    }
    let Some(content) = line.strip_suffix(b"\r\n") else {
        return Line::Bad(BadLine::BareNewline);
    };
    if content.contains(&b'\r') {
        return Line::Bad(BadLine::BareNewline);
    }
    if content.contains(&0) {
        return Line::Bad(BadLine::Nul);
    }
    Line::Good(content.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn pair() -> (LineStream, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(1 << 20);
        (LineStream::new(Stream::new(near)), far)
    }

    async fn lines(input: &[u8], max: usize) -> Vec<Line> {
        let (mut stream, mut far) = pair();
        far.write_all(input).await.unwrap();
        drop(far);
        let mut got = Vec::new();
        loop {
            match stream.read_line(max).await.unwrap() {
                Line::End => return got,
                line => got.push(line),
            }
        }
    }

    #[tokio::test]
    async fn lines_are_judged_one_by_one() {
        let got = lines(b"NOOP\r\na\nb\r\nx\ry\r\nn\0l\r\n\r\ncut", 10).await;
        let expected = [
            Line::Good(b"NOOP".to_vec()),
            Line::Bad(BadLine::BareNewline),
            Line::Good(b"b".to_vec()),
            Line::Bad(BadLine::BareNewline),
            Line::Bad(BadLine::Nul),
            Line::Good(Vec::new()),
        ];
        assert_eq!(got, expected);
    }

    #[tokio::test]
    async fn a_long_line_is_thrown_away_to_its_end() {
        let mut input = vec![b'x'; 100_000];
        input.extend_from_slice(b"\r\nNOOP\r\n");
        assert_eq!(lines(&input, 512).await, [Line::Bad(BadLine::TooLong), Line::Good(b"NOOP".to_vec())]);
        let exactly = lines(b"12345\r\n123456\r\n", 5).await;
        assert_eq!(exactly, [Line::Good(b"12345".to_vec()), Line::Bad(BadLine::TooLong)]);
    }

    #[tokio::test]
    async fn packets_do_not_change_what_is_wrong_with_a_line() {
        for (line, wrong) in [(&b"12345\n"[..], BadLine::BareNewline), (b"123456\n", BadLine::TooLong)] {
            assert_eq!(lines(line, 4).await, [Line::Bad(wrong)], "in one packet: {line:?}");
            let (mut stream, mut far) = pair();
            let octets = async {
                for octet in line.chunks(1) {
                    far.write_all(octet).await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            let (got, ()) = tokio::join!(stream.read_line(4), octets);
            assert_eq!(got.unwrap(), Line::Bad(wrong), "octet by octet: {line:?}");
        }
    }

    #[tokio::test]
    async fn the_stream_is_given_back_only_when_nothing_is_buffered() {
        let (mut stream, mut far) = pair();
        far.write_all(b"STARTTLS\r\nNOOP\r\n").await.unwrap();
        assert_eq!(stream.read_line(100).await.unwrap(), Line::Good(b"STARTTLS".to_vec()));
        assert!(stream.take_stream().is_none());
        assert_eq!(stream.read_line(100).await.unwrap(), Line::Good(b"NOOP".to_vec()));
        assert!(stream.take_stream().is_some());
    }

    #[tokio::test]
    async fn queued_answers_leave_before_the_next_wait() {
        let (mut stream, mut far) = pair();
        stream.queue(b"one");
        stream.queue(b"two");
        let reader = tokio::spawn(async move {
            let mut got = [0; 6];
            far.read_exact(&mut got).await.unwrap();
            got
        });
        assert!(!stream.fill().await.unwrap());
        assert_eq!(&reader.await.unwrap(), b"onetwo");
    }

    #[tokio::test]
    async fn a_dropped_flush_or_read_is_gone_on_with() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut stream = LineStream::new(Stream::new(near));
        stream.queue(b"0123456789");
        let now = std::time::Duration::ZERO;
        assert!(tokio::time::timeout(now, stream.flush()).await.is_err());
        let reader = tokio::spawn(async move {
            let mut got = [0; 10];
            far.read_exact(&mut got).await.unwrap();
            (got, far)
        });
        stream.flush().await.unwrap();
        let (got, mut far) = reader.await.unwrap();
        assert_eq!(&got, b"0123456789");

        // A line that is too long, cut short in the middle: its rest is no line of its own.
        let writer = tokio::spawn(async move {
            far.write_all(b"xxxxxxxxxxxxNOOP\r\n").await.unwrap();
            far
        });
        let mut line = None;
        while line.is_none() {
            line = tokio::select! {
                biased;
                line = stream.read_line(3) => Some(line.unwrap()),
                () = tokio::task::yield_now() => None,
            };
        }
        assert_eq!(line, Some(Line::Bad(BadLine::TooLong)));
        drop(writer.await.unwrap());
        assert_eq!(stream.read_line(3).await.unwrap(), Line::End);
    }

    #[tokio::test]
    async fn slices_leave_in_their_order_behind_what_is_queued() {
        let (near, mut far) = tokio::io::duplex(1000);
        let mut stream = LineStream::new(Stream::new(near));
        let reader = tokio::spawn(async move {
            let mut got = Vec::new();
            far.read_to_end(&mut got).await.unwrap();
            got
        });
        let pieces: Vec<Vec<u8>> = (0..100_u8).map(|n| vec![n; usize::from(n) * 17]).collect();
        let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        stream.queue(b"first");
        stream.write_slices(&slices).await.unwrap();
        stream.write_slices(&[b"few", b""]).await.unwrap();
        stream.queue(b"last");
        stream.close().await.unwrap();
        drop(stream);
        let expected = [b"first".as_slice(), &pieces.concat(), b"few", b"last"].concat();
        assert_eq!(reader.await.unwrap(), expected);
    }

    #[tokio::test]
    async fn a_vectored_write_that_was_given_up_ends_the_stream() {
        let (near, _far) = tokio::io::duplex(10);
        let mut stream = LineStream::new(Stream::new(near));
        let now = std::time::Duration::ZERO;
        assert!(tokio::time::timeout(now, stream.write_slices(&[&[7; 90_000]])).await.is_err());
        stream.queue(b"more");
        assert_eq!(stream.flush().await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn a_waiting_session_holds_no_input_buffer() {
        let (mut stream, mut far) = pair();
        far.write_all(b"NOOP\r\n").await.unwrap();
        stream.read_line(100).await.unwrap();
        assert!(!stream.try_fill().await.unwrap());
        assert_eq!(stream.input.capacity(), 0);
    }
}
