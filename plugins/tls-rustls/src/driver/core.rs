//! rustls' states, one after the other, over buffers that are ours.

use super::room::Outgoing;
use rustls::{
    server::UnbufferedServerConnection,
    unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic},
    Error,
};
use std::io;
use tokio::io::ReadBuf;

/// A full record has so many octets.
const RECORD: usize = 16 << 10;
/// More than encryption adds to a record: its head, the content type and the tag.
const OVERHEAD: usize = 64;

/// A connection without its transport.
pub(super) struct Core {
    pub(super) tls: UnbufferedServerConnection,
    /// What was encrypted and has not left yet.
    pub(super) outgoing: Outgoing,
    /// How the peer's side ended.
    pub(super) ended: Ended,
    /// What was decrypted and is not read yet, from `taken` on.
    plain: Vec<u8>,
    taken: usize,
}

/// How the peer's side ended.
pub(super) enum Ended {
    /// Not yet.
    Not,
    /// By close_notify.
    Closed,
    /// By what it broke.
    Failed(Error),
}

/// What is to be done as soon as it can.
pub(super) enum Act<'a> {
    /// These octets are sent.
    Encrypt(&'a [u8]),
    /// The last word is said.
    Close,
}

impl Core {
    pub(super) fn new(tls: UnbufferedServerConnection) -> Self {
        Core { tls, outgoing: Outgoing::default(), ended: Ended::Not, plain: Vec::new(), taken: 0 }
    }

    /// Gives what was decrypted before.
    pub(super) fn read(&mut self, into: &mut ReadBuf<'_>) {
        let rest = self.plain.get(self.taken..).unwrap_or_default();
        let part = rest.get(..into.remaining()).unwrap_or(rest);
        into.put_slice(part);
        self.taken += part.len();
        if self.taken == self.plain.len() {
            self.plain = Vec::new();
            self.taken = 0;
        }
    }

    /// Takes records from the front of `input`, and does `act` as soon as that can be; gives how many octets are done with.
    /// The input begins with what was left of the one before.
    ///
    /// # Errors
    /// If `act` cannot be done. What the peer broke is found in [`Core::ended`].
    pub(super) fn advance(
        &mut self,
        input: &mut [u8],
        mut act: Option<Act<'_>>,
        mut into: Option<&mut ReadBuf<'_>>,
    ) -> io::Result<usize> {
        let mut used = 0;
        loop {
            // After a failure nothing is left but its alert: rustls takes it ill to meet the same record again.
            if matches!(self.ended, Ended::Failed(_)) && !self.tls.wants_write() {
                break;
            }
            let rest = input.get_mut(used..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state } = self.tls.process_tls_records(rest);
            let mut is_done = false;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        let mut rest = record.payload;
                        // In order: nothing passes what waits.
                        if let Some(into) = into.as_deref_mut().filter(|_| self.plain.is_empty()) {
                            let (fits, more) = rest.split_at(into.remaining().min(rest.len()));
                            into.put_slice(fits);
                            rest = more;
                        }
                        self.plain.extend_from_slice(rest);
                        discard += record.discard;
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => self.outgoing.put(0, |room| match data.encode(room) {
                    Ok(len) => Ok(len),
                    Err(EncodeError::InsufficientSize(short)) => Err(short.required_size),
                    Err(EncodeError::AlreadyEncoded) => Ok(0),
                }),
                // It is in `outgoing`, which is sent in order.
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    if let Some(act) = act.take() {
                        self.outgoing.write(&mut traffic, &act)?;
                    }
                    is_done = true;
                }
                Ok(ConnectionState::PeerClosed) => self.end(Ended::Closed),
                Err(error) => {
                    is_done = matches!(self.ended, Ended::Failed(_));
                    self.ended = Ended::Failed(error);
                    // What there is to say of it is next; the input stays as it is until then.
                    discard = 0;
                }
                // Closed by both, or more input is needed. (Early data is never accepted.)
                Ok(_) => is_done = true,
            }
            used += discard;
            if is_done {
                break;
            }
        }
        match (act, &self.ended) {
            (Some(_), _) => Err(over()),
            (None, Ended::Not) => Ok(used),
            // Whatever comes after the end is nothing.
            (None, _) => Ok(input.len()),
        }
    }

    /// Whether no buffer is held.
    #[cfg(test)]
    pub(super) fn is_bare(&self) -> bool {
        self.plain.capacity() == 0 && self.outgoing.is_bare()
    }

    fn end(&mut self, how: Ended) {
        if matches!(self.ended, Ended::Not) {
            self.ended = how;
        }
    }
}

impl Outgoing {
    fn write<D>(&mut self, traffic: &mut WriteTraffic<'_, D>, act: &Act<'_>) -> io::Result<()> {
        let mut exhausted = false;
        let mut settle = |written: Result<usize, EncryptError>| match written {
            Ok(len) => Ok(len),
            Err(EncryptError::InsufficientSize(short)) => Err(short.required_size),
            Err(EncryptError::EncryptExhausted) => {
                exhausted = true;
                Ok(0)
            }
        };
        match act {
            Act::Encrypt(octets) => {
                let room = octets.len() + (octets.len() / RECORD + 1) * OVERHEAD;
                self.put(room, |room| settle(traffic.encrypt(octets, room)));
            }
            Act::Close => self.put(OVERHEAD, |room| settle(traffic.queue_close_notify(room))),
        }
        if exhausted {
            return Err(io::Error::other("this connection has sent as much as its keys may encrypt"));
        }
        Ok(())
    }
}

/// Nothing can be sent any more.
pub(super) fn over() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the TLS connection has ended")
}
