//! A message that comes in.
//!
//! It grows in memory up to the configured size and then goes on in a file. After a failure nothing more is taken, and what
//! came so far is gone.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use dovetail_sdk::spool::{SpoolErrorCode, SpoolFailure, SpoolWriterProvider, Spooled};
use dovetail_sdk::{task, Bytes};
use tokio::sync::Mutex;

use crate::files::Files;
use crate::header::HeaderEnd;
use crate::ledger::{Octets, Ticket};
use crate::sealed::{Message, Source};

/// The writer of one message.
pub struct Writer {
    files: Arc<Files>,
    memory: usize,
    /// Calls come one after the other; a second one waits.
    state: Mutex<State>,
}

enum State {
    Open(Box<Open>),
    /// Sealed or failed.
    Over,
}

struct Open {
    ticket: Ticket,
    octets: Option<Octets>,
    header: HeaderEnd,
    length: u64,
    content: Content,
}

enum Content {
    Memory(Vec<u8>),
    File(Arc<File>),
}

impl Writer {
    /// Nothing has come.
    pub fn new(ticket: Ticket, files: Arc<Files>, memory: usize) -> Self {
        let open = Open {
            ticket,
            octets: None,
            header: HeaderEnd::default(),
            length: 0,
            content: Content::Memory(Vec::new()),
        };
        Writer { files, memory, state: Mutex::new(State::Open(Box::new(open))) }
    }
}

impl SpoolWriterProvider for Writer {
    async fn write(&self, piece: Bytes) -> Result<(), SpoolFailure> {
        let mut state = self.state.lock().await;
        // Only a piece that was taken whole gives the state back: a call that is dropped in the middle ends the message.
        let State::Open(mut open) = std::mem::replace(&mut *state, State::Over) else {
            return Err(over());
        };
        let octets = &mut open.octets;
        open.ticket.take_more(octets, piece.len() as u64)?;
        open.header.feed(&piece);
        let begins = open.length;
        open.length += piece.len() as u64;
        open.content = match open.content {
            Content::Memory(mut memory) if memory.len() + piece.len() <= self.memory => {
                memory.extend_from_slice(&piece);
                Content::Memory(memory)
            }
            Content::Memory(memory) => {
                let files = self.files.clone();
                Content::File(
                    blocking(move || {
                        let file = files.create()?;
                        file.write_all_at(&memory, 0)?;
                        file.write_all_at(&piece, begins)?;
                        Ok(Arc::new(file))
                    })
                    .await?,
                )
            }
            Content::File(file) => {
                Content::File(blocking(move || file.write_all_at(&piece, begins).map(|()| file)).await?)
            }
        };
        *state = State::Open(open);
        Ok(())
    }

    async fn seal(&self) -> Result<Spooled, SpoolFailure> {
        let mut state = self.state.lock().await;
        let State::Open(open) = std::mem::replace(&mut *state, State::Over) else {
            return Err(over());
        };
        let Open { ticket, octets, header, length, content } = *open;
        let source = match content {
            Content::Memory(memory) => Source::Memory { content: memory, _octets: octets },
            Content::File(file) => Source::File { content: file, _octets: octets },
        };
        Ok(Spooled::new(Message::new(Arc::new(ticket), source, length, header.length())))
    }
}

/// Runs file work beside the runtime's threads.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, SpoolFailure> {
    match task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(file_failure(&error)),
        Err(error) => Err(SpoolFailure { code: SpoolErrorCode::Failed, message: error.to_string() }),
    }
}

fn file_failure(error: &io::Error) -> SpoolFailure {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    SpoolFailure {
        code: if full { SpoolErrorCode::Full } else { SpoolErrorCode::Failed },
        message: format!("a file of the spool: {error}"),
    }
}

fn over() -> SpoolFailure {
    SpoolFailure { code: SpoolErrorCode::Failed, message: "the message was sealed, or a write of it failed".to_owned() }
}
