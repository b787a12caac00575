//! A world to hold conversations in: a directory with one user, a store with one mailbox, a client that reads a script.
//!
//! Scripts: `C: line` sends a line, `C! text` sends text as it is (with `\r`, `\n`, `\0`), consecutive ones in one write;
//! `S: line` wants exactly that line; `S.` wants the end of the connection; `D!` makes the server drain, `R!` the store
//! restart, `O!` INBOX be another one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use dovetail_sdk::abi::protocol_v1::{SessionControl, SessionControlProvider, SessionStart};
use dovetail_sdk::directory::{
    AuthOutcome, AuthStatus, CertificateAttempt, CertificateOutcome, Directory, DirectoryFailure, DirectoryProvider,
    LoginMethods, PasswordAttempt, Proven, Resolution, ScramKeys, ScramRequest,
};
use dovetail_sdk::protocol::{AuthReport, Session, SessionFailure, SessionInfo, TlsFacts};
use dovetail_sdk::store::{
    Append, Appended, BodyReader, BodyReaderProvider, BodySink, Copied, Expunged, FlagChange, FlagsChanged, Mailbox,
    MailboxEntry, MailboxProvider, MailboxState, MessageColumns, Pieces, Slice, Store, StoreErrorCode, StoreFailure,
    StoreProvider, UidRange, Usage,
};
use dovetail_sdk::tls::{TlsConnection, TlsError};
use dovetail_sdk::{CallFailure, Service, Stream};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, WriteHalf};
use tokio::sync::Notify;

use crate::config::Config;
use crate::conversation::{Conversation, Services};
use crate::figures::Figures;

/// What a conversation is held in.
pub struct World {
    pub config: Config,
    pub tls: bool,
    /// The certificate that the client has shown, if any, and TLS has verified.
    pub certificate: &'static str,
    pub seen: Arc<Seen>,
}

/// The mailbox, and what came of the conversation.
#[derive(Default)]
pub struct Seen {
    /// UID and bytes.
    pub messages: Mutex<Vec<(u32, Vec<u8>)>>,
    pub reports: Mutex<Vec<AuthReport>>,
    pub drain: Notify,
    /// Makes expunge fail.
    pub broken: Mutex<bool>,
    /// How often the store was restarted.
    pub restarts: AtomicU32,
    /// What is added to the mailbox's UIDVALIDITY.
    pub other: AtomicU32,
}

impl Seen {
    /// The store is restarted: handles from before say so.
    pub fn restart(&self) {
        self.restarts.fetch_add(1, Ordering::SeqCst);
    }

    /// How often it was, for a handle; and whether one from then is still good.
    fn now(&self) -> u32 {
        self.restarts.load(Ordering::SeqCst)
    }

    fn check(&self, then: u32) -> Result<(), StoreFailure> {
        match then == self.now() {
            true => Ok(()),
            false => Err(failure(StoreErrorCode::Stopped)),
        }
    }
}

/// A world under TLS, with these messages at UIDs 10, 20 ...
pub fn world(messages: &[&[u8]]) -> World {
    let seen = Seen::default();
    *seen.messages.lock().unwrap() = (1..).map(|n| n * 10).zip(messages.iter().map(|m| m.to_vec())).collect();
    World { config: Config::default(), tls: true, certificate: "", seen: Arc::new(seen) }
}

/// The script's beginning up to the login's answer.
pub const LOGIN: &str = "S: +OK Dovetail POP3 ready\nC: USER ann\nS: +OK Now the password\nC: PASS secret\n";

impl World {
    /// Holds a conversation to the end of the script. Then the client goes, and the server must end too.
    pub async fn talk(&self, script: &str) -> Result<(), SessionFailure> {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (served, ()) = tokio::join!(self.serve(near), self.client(far, script));
        served
    }

    /// Sends all of `input` and returns all that the server says until it ends.
    pub async fn answers(&self, input: &[u8]) -> Vec<u8> {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (mut read, mut write) = tokio::io::split(far);
        let mut got = Vec::new();
        let client = async {
            let send = async {
                write.write_all(input).await.unwrap();
            };
            let (_, read) = tokio::join!(send, read.read_to_end(&mut got));
            read.unwrap();
        };
        // The session ends with QUIT in the input.
        let (served, ()) = tokio::join!(self.serve(near), client);
        served.unwrap();
        got
    }

    pub async fn serve(&self, near: DuplexStream) -> Result<(), SessionFailure> {
        let services = Services {
            directory: Service::fixed(Directory::new(Users)),
            store: Service::fixed(Store::new(FakeStore(self.seen.clone()))),
            figures: Figures::new(),
        };
        let info = SessionInfo {
            id: "s1".to_owned(),
            listener: "test".to_owned(),
            peer: ([192, 0, 2, 1], 1234).into(),
            local: ([127, 0, 0, 1], 110).into(),
            hostname: "pop.example".to_owned(),
            tls: self.tls.then(|| facts(self.certificate)),
            explicit_tls: true,
            require_tls: false,
            insecure_auth: false,
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
                "R!" => self.seen.restart(),
                "O!" => self.seen.other.store(1, Ordering::SeqCst),
                other => panic!("what is {other:?}?"),
            }
        }
        send(&mut write, &mut sending).await;
    }
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

/// `ann` with the password `secret`, whose account is `ann@example.org`; for `broken` the directory fails; `empty` has an
/// account that the store doesn't know.
struct Users;

impl DirectoryProvider for Users {
    async fn authenticate(&self, attempt: PasswordAttempt) -> Result<AuthOutcome, DirectoryFailure> {
        let name = attempt.authentication_id.as_str();
        if name == "broken" {
            return Err(DirectoryFailure { message: "broken".to_owned() });
        }
        let good = attempt.authorization_id.is_empty() && attempt.password.expose() == b"secret";
        Ok(match good && (name == "ann" || name == "empty") {
            true => AuthOutcome { status: AuthStatus::Accepted, account: Some(format!("{name}@example.org")) },
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
        Err(DirectoryFailure { message: "not asked by POP3".to_owned() })
    }
    async fn may_send_as(&self, _: String, _: String) -> Result<bool, DirectoryFailure> {
        Err(DirectoryFailure { message: "not asked by POP3".to_owned() })
    }
}

/// Has one mailbox, ann's INBOX.
struct FakeStore(Arc<Seen>);

fn failure(code: StoreErrorCode) -> StoreFailure {
    StoreFailure { code, message: "no".to_owned() }
}

impl StoreProvider for FakeStore {
    async fn open(&self, account: String, mailbox: String) -> Result<Mailbox, StoreFailure> {
        match (account.as_str(), mailbox.as_str()) {
            ("ann@example.org", "INBOX") => Ok(Mailbox::new(Inbox(self.0.clone(), self.0.now()))),
            _ => Err(failure(StoreErrorCode::NotFound)),
        }
    }

    async fn begin_body(&self, _: u64) -> Result<BodySink, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn append(&self, _: String, _: Vec<Append>) -> Result<Vec<Appended>, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn mailboxes(&self, _: String) -> Result<Vec<MailboxEntry>, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn status(&self, _: String, _: String) -> Result<MailboxEntry, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn create_mailbox(&self, _: String, _: String, _: u32) -> Result<(), StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn delete_mailbox(&self, _: String, _: String) -> Result<(), StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn rename_mailbox(&self, _: String, _: String, _: String) -> Result<(), StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn subscribe(&self, _: String, _: String, _: bool) -> Result<(), StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn usage(&self, _: String) -> Result<Usage, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
}

/// Reads five octets at a time, so that pieces show; behind one that ends with `!!` the store is restarted. A message that begins with `short!` claims an octet more than it has.
struct Inbox(Arc<Seen>, u32);

impl MailboxProvider for Inbox {
    fn state(&self) -> Result<MailboxState, StoreFailure> {
        self.0.check(self.1)?;
        Ok(MailboxState {
            id: 1,
            uid_validity: 7 + self.0.other.load(Ordering::SeqCst),
            uid_next: 99,
            highest_modseq: 1,
            last_expunge: 0,
            messages: u32::try_from(self.0.messages.lock().unwrap().len()).unwrap(),
            unseen: 0,
            keywords: vec![],
            gone: false,
        })
    }

    fn uids(&self) -> Result<Vec<u32>, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }

    fn rows(&self, uids: Vec<UidRange>, since: u64, _: u32) -> Result<MessageColumns, StoreFailure> {
        assert!(uids.is_empty() && since == 0, "POP3 asks for everything");
        let mut columns = MessageColumns::default();
        for (uid, message) in self.0.messages.lock().unwrap().iter() {
            columns.uids.push(*uid);
            columns.sizes.push(message.len() as u64 + u64::from(message.starts_with(b"short!")));
        }
        Ok(columns)
    }

    async fn read(&self, uid: u32, offset: u64, _: u64) -> Result<BodyReader, StoreFailure> {
        self.0.check(self.1)?;
        let messages = self.0.messages.lock().unwrap();
        let message = messages.iter().find(|(have, _)| *have == uid);
        let (_, message) = message.ok_or_else(|| failure(StoreErrorCode::NotFound))?;
        if message.starts_with(b"unreadable") {
            return Err(failure(StoreErrorCode::Temporary));
        }
        let rest = message.get(usize::try_from(offset).unwrap()..).unwrap().to_vec();
        Ok(BodyReader::new(Few(Mutex::new(rest), self.0.clone(), self.1)))
    }

    async fn expunge(&self, uids: Vec<UidRange>, only_deleted: bool) -> Result<Expunged, StoreFailure> {
        assert!(!only_deleted, "POP3 sets no flags");
        self.0.check(self.1)?;
        if *self.0.broken.lock().unwrap() {
            return Err(failure(StoreErrorCode::Temporary));
        }
        let named = |uid: u32| uids.iter().any(|range| (range.first..=range.last).contains(&uid));
        self.0.messages.lock().unwrap().retain(|(uid, _)| !named(*uid));
        Ok(Expunged { uids, modseq: 2 })
    }

    async fn changed(&self, _: u64) -> Result<u64, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    fn recent(&self, _: bool) -> Result<u32, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn read_slices(&self, _: Vec<Slice>) -> Result<Pieces, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn summaries(&self, _: Vec<u32>) -> Result<Pieces, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn change_flags(&self, _: FlagChange) -> Result<FlagsChanged, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
    async fn copy(&self, _: Vec<UidRange>, _: String, _: bool) -> Result<Copied, StoreFailure> {
        Err(failure(StoreErrorCode::Invalid))
    }
}

struct Few(Mutex<Vec<u8>>, Arc<Seen>, u32);

impl BodyReaderProvider for Few {
    async fn next(&self, _: u32) -> Result<dovetail_sdk::Bytes, StoreFailure> {
        self.1.check(self.2)?;
        let mut left = self.0.lock().unwrap();
        let count = left.len().min(5);
        let piece = left.drain(..count).collect::<Vec<u8>>();
        // What is piped through: the store is restarted behind it.
        if piece.ends_with(b"!!") {
            self.1.restart();
        }
        Ok(piece.into())
    }
}
