//! A delivery for tests: takes mail for `example.org`, except for `nobody@`; `later@` and `refuses@` do not take what they said
//! they would; `forgotten@` is not answered for; a body with the line `break the sink` fails.

use dovetail_sdk::delivery::{Answer, DeliveryFailure, DeliveryProvider, Envelope, RecipientRequest, Verdict};
use dovetail_sdk::store::{Body, BodyProvider, BodySink, BodySinkProvider, StoreErrorCode, StoreFailure};
use dovetail_sdk::Bytes;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

#[derive(Clone, Default)]
pub struct Mailboxes(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    delivered: Vec<(Envelope, String)>,
    sealed: Vec<Vec<u8>>,
    open_sinks: usize,
    largest_piece: usize,
    /// Who delivers waits for this, and says that it does.
    gate: Option<Arc<Gate>>,
}

/// A delivery that takes its time.
#[derive(Default)]
pub struct Gate {
    pub reached: Notify,
    pub open: Notify,
}

impl Mailboxes {
    pub fn is_empty(&self) -> bool {
        self.state().delivered.is_empty()
    }

    /// What came last.
    pub fn last(&self) -> (Envelope, String) {
        self.state().delivered.last().cloned().unwrap()
    }

    /// Messages that are being written.
    pub fn open_sinks(&self) -> usize {
        self.state().open_sinks
    }

    pub fn largest_piece(&self) -> usize {
        self.state().largest_piece
    }

    /// From here on deliveries wait.
    pub fn gate(&self) -> Arc<Gate> {
        let gate = Arc::<Gate>::default();
        self.state().gate = Some(gate.clone());
        gate
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl DeliveryProvider for Mailboxes {
    async fn recipient(&self, request: RecipientRequest) -> Result<Answer, DeliveryFailure> {
        assert_eq!(request.account, None);
        Ok(match request.recipient.split_once('@') {
            Some(("nobody", _)) => answer(Verdict::Reject, 550, "5.1.1", "No such user"),
            Some((_, "example.org")) | None => answer(Verdict::Accept, 250, "2.1.5", "Recipient ok"),
            Some(_) => answer(Verdict::Reject, 550, "5.7.1", "Relaying denied"),
        })
    }

    async fn begin(&self, _: u64) -> Result<BodySink, DeliveryFailure> {
        self.state().open_sinks += 1;
        Ok(BodySink::new(Sink { bytes: Mutex::default(), mailboxes: self.clone() }))
    }

    async fn deliver(&self, envelope: Envelope, body: Body) -> Result<Vec<Answer>, DeliveryFailure> {
        let gate = self.state().gate.clone();
        if let Some(gate) = gate {
            gate.reached.notify_one();
            gate.open.notified().await;
        }
        let answered = envelope.recipients.iter().filter(|recipient| !recipient.starts_with("forgotten@"));
        let answers = answered.map(|recipient| match recipient.split_once('@') {
            Some(("later", _)) => answer(Verdict::Defer, 452, "4.2.2", "Mailbox is full"),
            Some(("refuses", _)) => answer(Verdict::Reject, 550, "5.7.0", "Not wanted"),
            _ => answer(Verdict::Accept, 250, "2.0.0", "Delivered"),
        });
        let answers = answers.collect();
        let mut state = self.state();
        let message = &state.sealed[usize::try_from(body.id().unwrap()).unwrap()];
        let message = String::from_utf8(message.clone()).unwrap();
        state.delivered.push((envelope, message));
        Ok(answers)
    }
}

fn answer(verdict: Verdict, code: u16, enhanced: &str, text: &str) -> Answer {
    Answer { verdict, code, enhanced: enhanced.to_owned(), text: text.to_owned() }
}

struct Sink {
    bytes: Mutex<Vec<u8>>,
    mailboxes: Mailboxes,
}

impl BodySinkProvider for Sink {
    async fn write(&self, bytes: Bytes) -> Result<(), StoreFailure> {
        if bytes.windows(14).any(|window| window == b"break the sink") {
            return Err(StoreFailure { code: StoreErrorCode::Full, message: "broken (on purpose)".to_owned() });
        }
        self.bytes.lock().unwrap().extend_from_slice(&bytes);
        let mut state = self.mailboxes.state();
        state.largest_piece = state.largest_piece.max(bytes.len());
        Ok(())
    }

    async fn seal(&self) -> Result<Body, StoreFailure> {
        let bytes = std::mem::take(&mut *self.bytes.lock().unwrap());
        let mut state = self.mailboxes.state();
        let (id, size) = (state.sealed.len() as u64, bytes.len() as u64);
        state.sealed.push(bytes);
        Ok(Body::new(Sealed { id, size }))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.mailboxes.state().open_sinks -= 1;
    }
}

struct Sealed {
    id: u64,
    size: u64,
}

impl BodyProvider for Sealed {
    fn id(&self) -> Result<u64, StoreFailure> {
        Ok(self.id)
    }
    fn size(&self) -> Result<u64, StoreFailure> {
        Ok(self.size)
    }
}
