//! An uninterrupted stream of TLS handshakes on a server whose certificates change, and who was shown which.
//!
//! Every handshake is a full one: it completes only if the server signs with the key of the certificate that it shows. What it
//! shows is written down, not judged: the test knows which certificates there were.

use crate::harness::DEADLINE;
use rustls::{
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        Resumption,
    },
    crypto::{aws_lc_rs, verify_tls12_signature, verify_tls13_signature, CryptoProvider},
    pki_types::{CertificateDer, ServerName, UnixTime},
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, Stream,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    net::{SocketAddr, TcpStream},
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Arc, Condvar, Mutex,
    },
    thread::{spawn, JoinHandle},
    time::{Duration, Instant},
};

/// The first certificate of a chain.
pub type Leaf = Vec<u8>;

/// Handshakes that go on.
pub struct Handshakes {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<Vec<Leaf>>>,
}

/// What came of them.
pub struct Tally {
    /// How many were complete.
    pub complete: u64,
    /// What became of the others.
    pub failures: Vec<String>,
    /// What each client was shown, in its order; one that is shown again and again is written down once.
    pub shown: Vec<Vec<Leaf>>,
}

impl Tally {
    /// Every certificate that was shown.
    pub fn leaves(&self) -> BTreeSet<&Leaf> {
        self.shown.iter().flatten().collect()
    }
}

struct Shared {
    address: SocketAddr,
    names: Vec<String>,
    stop: AtomicBool,
    complete: AtomicU64,
    failures: Mutex<Vec<String>>,
    /// All that were shown so far, and to which clients.
    leaves: Mutex<BTreeMap<Leaf, BTreeSet<usize>>>,
    news: Condvar,
}

impl Handshakes {
    /// Begins with so many clients, one after the other asking for these names. The listener speaks TLS from the first byte and
    /// greets.
    pub fn start(address: SocketAddr, clients: usize, names: &[&str]) -> Handshakes {
        let shared = Arc::new(Shared {
            address,
            names: names.iter().map(|&name| name.to_owned()).collect(),
            stop: AtomicBool::new(false),
            complete: AtomicU64::new(0),
            failures: Mutex::default(),
            leaves: Mutex::default(),
            news: Condvar::new(),
        });
        let workers = (0..clients).map(|client| {
            let shared = shared.clone();
            spawn(move || shared.run(client))
        });
        Handshakes { workers: workers.collect(), shared }
    }

    /// Waits until each client has been shown this certificate.
    #[track_caller]
    pub fn wait_until_shown(&self, leaf: &[u8]) {
        let until = Instant::now() + DEADLINE;
        let mut leaves = self.shared.leaves.lock().unwrap();
        while leaves.get(leaf).is_none_or(|clients| clients.len() < self.workers.len()) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the certificate is not shown: {:?}", self.shared.failures.lock().unwrap());
            leaves = self.shared.news.wait_timeout(leaves, left).unwrap().0;
        }
    }

    /// Waits until so many handshakes were complete, for as long as there are any.
    #[track_caller]
    pub fn wait_for(&self, count: u64) {
        let mut seen = self.shared.complete.load(Ordering::Relaxed);
        let mut until = Instant::now() + DEADLINE;
        let mut leaves = self.shared.leaves.lock().unwrap();
        while seen < count {
            leaves = self.shared.news.wait_timeout(leaves, CHECK).unwrap().0;
            let now = self.shared.complete.load(Ordering::Relaxed);
            if now != seen {
                (seen, until) = (now, Instant::now() + DEADLINE);
            }
            let failures = self.shared.failures.lock().unwrap();
            assert!(Instant::now() < until, "no handshakes any more, {seen} were complete: {failures:?}");
        }
    }

    /// Ends.
    pub fn end(self) -> Tally {
        self.shared.stop.store(true, Ordering::Relaxed);
        let shown = self.workers.into_iter().map(|worker| worker.join().unwrap()).collect();
        let failures = self.shared.failures.lock().unwrap().clone();
        Tally { complete: self.shared.complete.load(Ordering::Relaxed), failures, shown }
    }
}

impl Shared {
    fn run(&self, client: usize) -> Vec<Leaf> {
        let config = Arc::new(config());
        let mut shown: Vec<Leaf> = Vec::new();
        for turn in client.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let name = &self.names[turn % self.names.len()];
            match handshake(self.address, name, &config) {
                Ok(leaf) => {
                    if shown.last() != Some(&leaf) {
                        self.leaves.lock().unwrap().entry(leaf.clone()).or_default().insert(client);
                        shown.push(leaf);
                        self.news.notify_all();
                    }
                    self.complete.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    let mut failures = self.failures.lock().unwrap();
                    if failures.len() < MAX_FAILURES {
                        failures.push(format!("{name}: {error}"));
                    }
                }
            }
        }
        shown
    }
}

/// The certificate that a listener with implicit TLS shows to whoever asks for `name`; the handshake must end well.
#[track_caller]
pub fn shown(address: SocketAddr, name: &str) -> Leaf {
    handshake(address, name, &Arc::new(config())).unwrap_or_else(|error| panic!("handshake for {name}: {error}"))
}

/// Connects, shakes hands, and reads the first byte of the greeting; what it was shown.
fn handshake(address: SocketAddr, name: &str, config: &Arc<ClientConfig>) -> io::Result<Leaf> {
    let mut tcp = TcpStream::connect(address)?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(DEADLINE))?;
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let mut tls = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
    // The client is done before the server has read its last message: only the greeting says that both are.
    Stream::new(&mut tls, &mut tcp).read_exact(&mut [0])?;
    let leaf = tls.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.to_vec());
    tls.send_close_notify();
    // The server may have nothing more to say or to hear.
    let _ = tls.write_tls(&mut tcp);
    leaf.ok_or_else(|| io::Error::other("no certificate"))
}

fn config() -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(AnyCertificate(provider.clone()));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config
}

/// Takes any certificate, but no signature that isn't by its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// How often handshakes are counted while many are waited for.
const CHECK: Duration = Duration::from_millis(50);
/// As many are told.
const MAX_FAILURES: usize = 20;
