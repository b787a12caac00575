//! A world to hold conversations in: a directory with one user, a delivery that remembers, a client that reads a script.
//!
//! Scripts: `C: line` sends a line, `C! text` sends text as it is (with `\r`, `\n`, `\0`), consecutive ones in one write;
//! `S: line` wants exactly that line; `S.` wants the end of the connection; `D!` makes the server drain.

use std::sync::{Arc, Mutex};

use dovetail_sdk::abi::protocol_v1::{SessionControl, SessionControlProvider, SessionStart};
use dovetail_sdk::delivery::{
    Answer, Delivery, DeliveryFailure, DeliveryProvider, Envelope, RecipientRequest, Verdict,
};
use dovetail_sdk::directory::{
    AuthOutcome, AuthStatus, CertificateAttempt, CertificateOutcome, Directory, DirectoryFailure, DirectoryProvider,
    LoginMethods, PasswordAttempt, Proven, Resolution, ScramKeys, ScramRequest,
};
use dovetail_sdk::policy::{Policy, Question};
use dovetail_sdk::protocol::{AuthReport, Session, SessionFailure, SessionInfo, TlsFacts};
use dovetail_sdk::store::{Body, BodyProvider, BodySink, BodySinkProvider, StoreErrorCode, StoreFailure};
use dovetail_sdk::tls::{TlsConnection, TlsError};
use dovetail_sdk::{CallFailure, Service, Stream};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, WriteHalf};
use tokio::sync::Notify;

use crate::config::{Config, PolicyStep, Role};
use crate::conversation::{Conversation, Services};
use crate::figures::Figures;

pub mod policies;

/// What a conversation is held in.
pub struct World {
    pub config: Config,
    pub tls: bool,
    /// The certificate that the client has shown, if any, and TLS has verified.
    pub certificate: &'static str,
    pub explicit_tls: bool,
    pub require_tls: bool,
    pub insecure_auth: bool,
    /// As the operator lists them, and the policies themselves.
    pub policies: Vec<(PolicyStep, Policy)>,
    pub seen: Arc<Seen>,
}

/// What came of it.
#[derive(Default)]
pub struct Seen {
    pub messages: Mutex<Vec<(Envelope, Vec<u8>)>>,
    pub reports: Mutex<Vec<AuthReport>>,
    pub questions: Mutex<Vec<Question>>,
    pub drain: Notify,
    /// Sinks that are open: a message that is being written.
    pub open_sinks: Mutex<i32>,
}

pub fn mx() -> World {
    World {
        config: Config::default(),
        tls: false,
        certificate: "",
        explicit_tls: true,
        require_tls: false,
        insecure_auth: false,
        policies: Vec::new(),
        seen: Arc::default(),
    }
}

pub fn submission() -> World {
    World { config: Config { role: Role::Submission, ..Config::default() }, tls: true, ..mx() }
}

impl World {
    /// Holds a conversation to the end of the script. Then the client goes, and the server must end too.
    pub async fn talk(&self, script: &str) -> Result<(), SessionFailure> {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (served, ()) = tokio::join!(self.serve(near), self.client(far, script));
        served
    }

    /// Messages that were delivered, without our trace.
    pub fn delivered(&self) -> Vec<String> {
        let messages = self.seen.messages.lock().unwrap();
        messages.iter().map(|(_, message)| without_trace(message)).collect()
    }

    /// Directory and delivery.
    pub fn services(&self) -> (Directory, Delivery) {
        (Directory::new(Users), Delivery::new(Mailboxes(self.seen.clone())))
    }

    pub async fn serve(&self, near: DuplexStream) -> Result<(), SessionFailure> {
        let (directory, delivery) = self.services();
        let services = Services {
            directory: Service::fixed(directory),
            delivery: Service::fixed(delivery),
            policies: self.policies(),
            figures: Figures::default(),
        };
        let info = SessionInfo {
            id: "s1".to_owned(),
            listener: "test".to_owned(),
            peer: ([192, 0, 2, 1], 1234).into(),
            local: ([127, 0, 0, 1], 25).into(),
            hostname: "mx.example".to_owned(),
            tls: self.tls.then(|| facts(self.certificate)),
            explicit_tls: self.explicit_tls,
            require_tls: self.require_tls,
            insecure_auth: self.insecure_auth,
        };
        let control = SessionControl::new(Control(self.seen.clone()));
        let session = Session::new(SessionStart { info, stream: Stream::new(near), control });
        Conversation::new(session, &self.config, &services).run().await
    }

    /// Follows a script.
    pub async fn client(&self, far: DuplexStream, script: &str) {
        let (read, mut write) = tokio::io::split(far);
        let mut read = BufReader::new(read);
        let mut sending = Vec::new();
        for step in script.lines().map(str::trim_start).filter(|step| !step.is_empty()) {
            let (kind, text) = step.split_at(2);
            let text = text.strip_prefix(' ').unwrap_or(text);
            match kind {
                "C:" => sending.extend_from_slice(format!("{text}\r\n").as_bytes()),
                "C!" => sending.extend_from_slice(unescape(text).as_bytes()),
                "S:" => {
                    send(&mut write, &mut sending).await;
                    assert_eq!(line(&mut read).await.as_deref(), Some(text), "in this script:\n{script}");
                }
                "S." => {
                    send(&mut write, &mut sending).await;
                    assert_eq!(line(&mut read).await, None, "in this script:\n{script}");
                }
                "D!" => self.seen.drain.notify_one(),
                other => panic!("what is {other:?}?"),
            }
        }
        send(&mut write, &mut sending).await;
    }
}

/// Everything behind the two trace fields, the second of which is folded.
fn without_trace(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message).into_owned();
    let (trace, rest) = text.split_once(" +0000\r\n").expect("a trace with a date");
    assert!(trace.starts_with("Return-Path: <") && trace.contains("\r\nReceived: from "), "{trace}");
    rest.to_owned()
}

async fn send(write: &mut WriteHalf<DuplexStream>, sending: &mut Vec<u8>) {
    // A server that has closed takes no more; the script's next line finds out.
    let _ = write.write_all(sending).await;
    sending.clear();
}

async fn line(read: &mut (impl AsyncBufReadExt + Unpin)) -> Option<String> {
    let mut line = String::new();
    read.read_line(&mut line).await.unwrap();
    if line.is_empty() {
        return None;
    }
    Some(line.strip_suffix("\r\n").expect("a whole line").to_owned())
}

fn unescape(text: &str) -> String {
    text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0")
}

fn facts(certificate: &str) -> TlsFacts {
    TlsFacts {
        version: "TLSv1.3".to_owned(),
        cipher: "TLS_AES_128_GCM_SHA256".to_owned(),
        group: None,
        server_name: None,
        alpn: None,
        peer_chain: Some(certificate.as_bytes().to_vec()).filter(|chain| !chain.is_empty()).into_iter().collect(),
        resumed: false,
        exporter: None,
    }
}

struct Control(Arc<Seen>);

impl SessionControlProvider for Control {
    async fn start_tls(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        Ok(TlsConnection { stream, facts: facts("") })
    }
    async fn authenticated(&self, report: AuthReport) -> Result<(), CallFailure> {
        self.0.reports.lock().unwrap().push(report);
        Ok(())
    }
    async fn draining(&self) -> Result<(), CallFailure> {
        self.0.drain.notified().await;
        Ok(())
    }
}

/// `ann@example.org` with the password `secret`; for `broken@example.org` the directory fails.
struct Users;

impl DirectoryProvider for Users {
    async fn authenticate(&self, attempt: PasswordAttempt) -> Result<AuthOutcome, DirectoryFailure> {
        if attempt.authentication_id == "broken@example.org" {
            return Err(DirectoryFailure { message: "broken".to_owned() });
        }
        let good = attempt.authentication_id == "ann@example.org"
            && attempt.authorization_id.is_empty()
            && attempt.password.expose() == b"secret";
        Ok(match good {
            true => AuthOutcome { status: AuthStatus::Accepted, account: Some(attempt.authentication_id) },
            false => AuthOutcome { status: AuthStatus::Rejected, account: None },
        })
    }
    /// A chain of `ann` is hers; one of `bob` is nobody's, and one of `broken` cannot be checked.
    async fn authenticate_certificate(
        &self,
        attempt: CertificateAttempt,
    ) -> Result<CertificateOutcome, DirectoryFailure> {
        let leaf = attempt.chain.first().map(Vec::as_slice).unwrap_or_default();
        if leaf == b"broken" {
            return Err(DirectoryFailure { message: "broken".to_owned() });
        }
        let outcome = match leaf == b"ann" && attempt.authorization_id.is_empty() {
            true => AuthOutcome { status: AuthStatus::Accepted, account: Some("ann@example.org".to_owned()) },
            false => AuthOutcome { status: AuthStatus::Rejected, account: None },
        };
        let certificate = String::from_utf8_lossy(leaf).into_owned();
        Ok(CertificateOutcome { outcome, certificate, reason: "by its name".to_owned() })
    }
    fn login_methods(&self) -> Result<LoginMethods, DirectoryFailure> {
        Ok(LoginMethods { certificates: true, ..LoginMethods::default() })
    }

    async fn scram_keys(&self, _: ScramRequest) -> Result<ScramKeys, DirectoryFailure> {
        Err(DirectoryFailure::new("there are no SCRAM keys here"))
    }

    async fn authorize(&self, _: Proven) -> Result<AuthOutcome, DirectoryFailure> {
        Err(DirectoryFailure::new("there are no SCRAM keys here"))
    }

    async fn resolve(&self, _: String) -> Result<Resolution, DirectoryFailure> {
        Err(DirectoryFailure { message: "SMTP leaves this to the delivery".to_owned() })
    }
    async fn may_send_as(&self, account: String, address: String) -> Result<bool, DirectoryFailure> {
        match address.as_str() {
            "broken@example.org" => Err(DirectoryFailure { message: "broken".to_owned() }),
            _ => Ok(account == address),
        }
    }
}

/// Takes mail for `example.org`, except for `nobody@`; `later@` defers and `refuses@` rejects what they said they'd take;
/// `broken@` fails; a body with the line `break the sink` fails.
struct Mailboxes(Arc<Seen>);

impl DeliveryProvider for Mailboxes {
    async fn recipient(&self, request: RecipientRequest) -> Result<Answer, DeliveryFailure> {
        Ok(match request.recipient.as_str() {
            "nobody@example.org" => answer(Verdict::Reject, 550, "5.1.1", "No such user"),
            "broken@example.org" => return Err(CallFailure::Unavailable.into()),
            "postmaster" => answer(Verdict::Accept, 250, "2.1.5", "Recipient ok"),
            local if local.ends_with("@example.org") => answer(Verdict::Accept, 250, "2.1.5", "Recipient ok"),
            _ => answer(Verdict::Reject, 550, "5.7.1", "Relaying denied"),
        })
    }

    async fn begin(&self, _: u64) -> Result<BodySink, DeliveryFailure> {
        *self.0.open_sinks.lock().unwrap() += 1;
        Ok(BodySink::new(Sink { bytes: Mutex::default(), seen: self.0.clone() }))
    }

    async fn deliver(&self, envelope: Envelope, body: Body) -> Result<Vec<Answer>, DeliveryFailure> {
        let answers = envelope.recipients.iter().map(|recipient| match recipient.as_str() {
            "later@example.org" => answer(Verdict::Defer, 452, "4.2.2", "Mailbox is full"),
            "refuses@example.org" => answer(Verdict::Reject, 550, "5.7.0", "Not wanted"),
            _ => answer(Verdict::Accept, 250, "2.0.0", "Ok"),
        });
        let answers: Vec<Answer> = answers.collect();
        assert_eq!(body.id(), Ok(7));
        self.0.messages.lock().unwrap().last_mut().expect("a sealed body").0 = envelope;
        Ok(answers)
    }
}

fn answer(verdict: Verdict, code: u16, enhanced: &str, text: &str) -> Answer {
    Answer { verdict, code, enhanced: enhanced.to_owned(), text: text.to_owned() }
}

struct Sink {
    bytes: Mutex<Vec<u8>>,
    seen: Arc<Seen>,
}

impl BodySinkProvider for Sink {
    async fn write(&self, bytes: dovetail_sdk::Bytes) -> Result<(), StoreFailure> {
        if bytes.windows(14).any(|window| window == b"break the sink") {
            return Err(StoreFailure { code: StoreErrorCode::Full, message: "broken".to_owned() });
        }
        self.bytes.lock().unwrap().extend_from_slice(&bytes);
        Ok(())
    }

    async fn seal(&self) -> Result<Body, StoreFailure> {
        let bytes = std::mem::take(&mut *self.bytes.lock().unwrap());
        let size = bytes.len() as u64;
        let envelope =
            Envelope { id: String::new(), sender: String::new(), recipients: vec![], account: None, junk: false };
        self.seen.messages.lock().unwrap().push((envelope, bytes));
        Ok(Body::new(Sealed(size)))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        *self.seen.open_sinks.lock().unwrap() -= 1;
    }
}

struct Sealed(u64);

impl BodyProvider for Sealed {
    fn id(&self) -> Result<u64, StoreFailure> {
        Ok(7)
    }
    fn size(&self) -> Result<u64, StoreFailure> {
        Ok(self.0)
    }
}
