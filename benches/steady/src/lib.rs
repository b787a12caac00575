//! A steady load of mail sessions on a server whose plugins are being swapped, each of which checks what it is told.
//!
//! Half of the connections are held from the first moment to the last; the others come, look and go, over and over. Half of each
//! speak IMAP, half submit messages after AUTH; half of each do TLS from the first octet, half after STARTTLS. The caller says
//! when a swap begins and which builds serve afterwards ([`Load::swapping`], [`Load::swapped`]); a session that was opened
//! between two swaps must meet the builds of that time, and go on with them. At the end every message that was accepted is
//! fetched ([`Load::finish`]).
//!
//! **How it fails.** What goes wrong is counted in the [`Outcome`] with the first [`MAX_NOTES`] cases in words; only a load that
//! cannot begin is an error. **Bounds.** One thread a connection; nothing is waited for longer than [`PATIENCE`].

mod fetch;
mod imap;
mod smtp;
mod tally;
mod wire;
mod worker;

pub use tally::{Builds, Kind, Outcome, Seen, MAX_NOTES};

use rustls::{
    pki_types::{pem::PemObject, CertificateDer, InvalidDnsNameError, ServerName},
    ClientConfig, RootCertStore,
};
use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};
use tally::Tally;

/// Nothing is waited for longer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where the load goes, and how much there is of it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Submission with STARTTLS.
    pub submission: SocketAddr,
    /// Submission inside TLS.
    pub submissions: SocketAddr,
    /// IMAP with STARTTLS.
    pub imap: SocketAddr,
    /// IMAP inside TLS.
    pub imaps: SocketAddr,
    /// The name that the server's certificate must have.
    pub name: String,
    /// Certificates that are trusted, as PEM files.
    pub trusted: Vec<PathBuf>,
    /// The accounts that send to themselves: address and password.
    pub accounts: Vec<(String, String)>,
    /// How many connections there are at a time.
    pub connections: usize,
    /// A session does something so often; those that come and go stay for so long.
    pub pause: Duration,
}

/// Why a load cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A certificate cannot be used.
    #[error("the certificate {path} cannot be trusted: {why}")]
    Certificate {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The server's name is none.
    #[error("{0:?} is no name of a server")]
    Name(String, #[source] InvalidDnsNameError),
    /// TLS cannot be done.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
    /// There is no account.
    #[error("the plan has no account; give it one")]
    NoAccount,
    /// Sessions did not come about in time.
    #[error("{what} within {} s: {notes}", PATIENCE.as_secs())]
    Late {
        /// What did not happen.
        what: &'static str,
        /// What went wrong meanwhile.
        notes: String,
    },
}

/// What every connection needs.
#[derive(Debug)]
struct Common {
    plan: Plan,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    tally: Tally,
}

/// A load that goes on.
#[derive(Debug)]
pub struct Load {
    common: Arc<Common>,
    workers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Begins, and returns when all held sessions have been opened and some of the others, with these builds.
    ///
    /// # Errors
    /// If it cannot begin.
    pub fn start(plan: Plan, builds: Builds) -> Result<Load, Error> {
        if plan.accounts.is_empty() {
            return Err(Error::NoAccount);
        }
        let mut roots = RootCertStore::empty();
        for path in &plan.trusted {
            let shown = path.display().to_string();
            let certificate = CertificateDer::from_pem_file(path);
            let certificate =
                certificate.map_err(|why| Error::Certificate { path: shown.clone(), why: why.to_string() })?;
            roots.add(certificate).map_err(|why| Error::Certificate { path: shown, why: why.to_string() })?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(plan.name.clone()).map_err(|error| Error::Name(plan.name.clone(), error))?;
        let tally = Tally::new(builds);
        let common = Arc::new(Common { plan, config: Arc::new(config), name, tally });
        let mut load = Load { common: common.clone(), workers: Vec::new() };
        for index in 0..common.plan.connections {
            let common = common.clone();
            let worker = thread::Builder::new().name(format!("steady-{index}"));
            load.workers.push(worker.spawn(move || worker::run(&common, index))?);
        }
        let held = (0..common.plan.connections).filter(|index| worker::is_held(*index)).count();
        if !common.tally.wait_for_held(held) {
            return Err(load.late("not all sessions could be opened"));
        }
        load.new_sessions()?;
        Ok(load)
    }

    /// A swap begins: which build a session that is opened from now on meets is open.
    pub fn swapping(&self) {
        self.common.tally.swapping();
    }

    /// A swap has ended: sessions that are opened from now on meet these builds.
    pub fn swapped(&self, builds: Builds) {
        self.common.tally.swapped(builds);
    }

    /// Waits until sessions of both protocols, with both ways to TLS, have been opened since the last swap.
    ///
    /// # Errors
    /// If they were not.
    pub fn new_sessions(&self) -> Result<(), Error> {
        match self.common.tally.wait_for_new() {
            true => Ok(()),
            false => Err(self.late("no new sessions came about")),
        }
    }

    /// Compares what the server says of its open sessions with what they must have met.
    pub fn compare(&self, seen: &[Seen]) {
        self.common.tally.compare(seen);
    }

    /// Ends the load: held sessions are asked once more, then every message is fetched.
    pub fn finish(mut self) -> Outcome {
        self.stop();
        fetch::all(&self.common);
        self.common.tally.outcome()
    }

    fn stop(&mut self) {
        self.common.tally.stop();
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                self.common.tally.dropped("a connection's thread panicked".to_owned());
            }
        }
    }

    fn late(&self, what: &'static str) -> Error {
        Error::Late { what, notes: self.common.tally.notes().join("; ") }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop();
    }
}
