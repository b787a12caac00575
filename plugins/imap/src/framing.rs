//! Reads a command: a line, and as long as it ends in a literal's mark, the literal and another line (RFC 9051 section
//! 4.3, RFC 7888).
//!
//! The command is put together as it came, literals inlined, and read by the grammar as a whole. Only the message of APPEND
//! is not: that command comes as [`Input::Append`] with the message still on the stream.
//!
//! How it fails: a command beyond the limit is refused without being kept. Where the client waits for `+` it sends
//! nothing more, so the conversation goes on; else what it sends anyway is thrown away up to [`MAX_DISCARD`], and beyond it
//! the connection ends.

use std::io;

use dovetail_imap_grammar::command::append::{self, AppendHead, AppendState};
use dovetail_imap_grammar::literal::{self, LiteralError, LiteralMark};
use dovetail_imap_grammar::{Limits, ParseError};
use dovetail_sdk::line::{BadLine, Line, LineStream};

/// What a client sent.
#[derive(Debug)]
pub enum Input {
    /// A whole command, without its last CRLF.
    Command(Vec<u8>),
    /// An APPEND up to the mark of its message, which has not been asked for yet.
    Append(AppendHead),
    /// An APPEND that makes no sense. Its message was not asked for, or has been thrown away.
    NotUnderstood(ParseError),
    /// A line that may not be interpreted.
    Bad(BadLine),
    /// A literal is announced where none can be: what follows cannot be told from commands. End the connection.
    Misplaced(LiteralError),
    /// A command with a literal that is too large, or too long in all; refuse it. What is known of it is here.
    TooLarge(Vec<u8>),
    /// The same, and the rest of it was too much to throw away: end the connection.
    Flood,
    /// The client is gone.
    End,
}

/// Reads the rest of a command that begins with `line`.
pub async fn rest_of_command(stream: &mut LineStream, line: Vec<u8>, limits: &Limits) -> io::Result<Input> {
    let max = limits.command;
    let mut command = line;
    let mut line_start = 0;
    loop {
        let mark = match literal::at_end(command.get(line_start..).unwrap_or_default()) {
            Ok(Some(mark)) => mark,
            Ok(None) => return Ok(Input::Command(command)),
            Err(error) => return Ok(Input::Misplaced(error)),
        };
        match append::parse_head(&command, limits) {
            Ok(AppendState::Message(head)) => return Ok(Input::Append(head)),
            Ok(AppendState::Unfinished | AppendState::Other) => {}
            Err(error) => {
                return Ok(match refuse(stream, command, mark).await? {
                    Input::TooLarge(_) => Input::NotUnderstood(error),
                    other => other,
                })
            }
        }
        let room = max.saturating_sub(command.len()) as u64;
        if mark.size.saturating_add(2) > room {
            return refuse(stream, command, mark).await;
        }
        if mark.synchronizing {
            stream.queue(b"+ Go on\r\n");
        }
        command.extend_from_slice(b"\r\n");
        // Not larger than `max`, so it fits.
        if !read_exactly(stream, usize::try_from(mark.size).unwrap_or(0), &mut command).await? {
            return Ok(Input::End);
        }
        line_start = command.len();
        match stream.read_line(max.saturating_sub(command.len()).max(1)).await? {
            Line::Good(line) => command.extend_from_slice(&line),
            Line::Bad(bad) => return Ok(Input::Bad(bad)),
            Line::End => return Ok(Input::End),
        }
    }
}

/// Gets rid of a literal that is not wanted, and of the rest of its command.
pub async fn refuse(stream: &mut LineStream, command: Vec<u8>, mark: LiteralMark) -> io::Result<Input> {
    if mark.synchronizing {
        return Ok(Input::TooLarge(command));
    }
    if !discard(stream, mark.size).await? {
        return Ok(Input::Flood);
    }
    // The line behind it, and with it perhaps more literals, belongs to the refused command.
    loop {
        match stream.read_line(MAX_DISCARDED_LINE).await? {
            Line::Good(line) => match literal::at_end(&line) {
                Ok(Some(mark)) if !mark.synchronizing => {
                    if !discard(stream, mark.size).await? {
                        return Ok(Input::Flood);
                    }
                }
                Ok(_) => return Ok(Input::TooLarge(command)),
                Err(_) => return Ok(Input::Flood),
            },
            Line::Bad(_) => return Ok(Input::Flood),
            Line::End => return Ok(Input::End),
        }
    }
}

/// Appends so many octets to `out`; `false` if the stream ends before.
async fn read_exactly(stream: &mut LineStream, count: usize, out: &mut Vec<u8>) -> io::Result<bool> {
    let mut left = count;
    while left > 0 {
        if stream.buffered().is_empty() && !stream.fill().await? {
            return Ok(false);
        }
        let take = stream.buffered().len().min(left);
        out.extend_from_slice(stream.buffered().get(..take).unwrap_or_default());
        stream.consume(take);
        left -= take;
    }
    Ok(true)
}

/// Throws away so many octets; `false` if they are too many, or the stream ends before.
pub async fn discard(stream: &mut LineStream, count: u64) -> io::Result<bool> {
    if count > MAX_DISCARD {
        return Ok(false);
    }
    let mut left = count;
    while left > 0 {
        if stream.buffered().is_empty() && !stream.fill().await? {
            return Ok(false);
        }
        let take = stream.buffered().len().min(usize::try_from(left).unwrap_or(usize::MAX));
        stream.consume(take);
        left -= take as u64;
    }
    Ok(true)
}

/// So much of a refused command is read and thrown away.
const MAX_DISCARD: u64 = 64 * 1024 * 1024;
/// The same for its lines.
const MAX_DISCARDED_LINE: usize = 64 * 1024;

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
