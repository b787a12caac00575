//! What a case works with: instances of the provider, a certificate store, a ring of ticket keys, an authority.

use super::{
    authority::{Authority, Key, Leaf},
    case::Failed,
    certs::TestCerts,
    subject::{Instance, Subject},
};
use crate::{bound, TestSlot, TestTickets};
use dovetail_sdk::{
    abi::{
        fault_v1::{HostFault, HostFaultProvider, PanicReport},
        kernel_v1::Bound,
    },
    certs::{Certs, Identity},
    tls::{ClientPolicy, ServerPolicy, Tls, TlsAcceptor, TlsConnector, TlsVersion},
    CallFailure,
};
use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

/// The name of the server in most cases.
pub(super) const NAME: &str = "mail.example.org";

/// See the module. Clones are the same.
#[derive(Clone)]
pub(super) struct Lab(Rc<Inner>);

struct Inner {
    server: Arc<dyn Subject>,
    client: Arc<dyn Subject>,
    certs: TestCerts,
    slot: TestSlot<Certs>,
    tickets: TestTickets,
    authority: Authority,
    serving: Tls,
    connecting: Tls,
    instances: RefCell<Vec<Instance>>,
    panics: Panics,
}

impl Lab {
    /// Starts the instances. The store has one certificate, for [`NAME`], and no default.
    pub(super) async fn open(server: Arc<dyn Subject>, client: Arc<dyn Subject>) -> Result<Self, Failed> {
        let authority = Authority::new();
        let certs = TestCerts::default();
        certs.put(NAME, vec![authority.issue(&Leaf::server(NAME))]);
        let slot = TestSlot::empty();
        slot.put(certs.service());
        let tickets = TestTickets::new();
        let panics = Panics::default();
        let services = || vec![slot.bound(), tickets.bound(), panics.bound()];
        let first = server.start(services()).await.map_err(not_started)?;
        let serving = first.tls.clone();
        let mut instances = vec![first];
        let connecting = if Arc::ptr_eq(&server, &client) {
            serving.clone()
        } else {
            let second = client.start(services()).await.map_err(not_started)?;
            let tls = second.tls.clone();
            instances.push(second);
            tls
        };
        let instances = RefCell::new(instances);
        Ok(Lab(Rc::new(Inner {
            server,
            client,
            certs,
            slot,
            tickets,
            authority,
            serving,
            connecting,
            instances,
            panics,
        })))
    }

    /// A lab of the same providers and the same authority whose ring of ticket keys is another.
    pub(super) async fn open_beside(lab: &Lab) -> Result<Self, Failed> {
        let other = Lab::open(lab.0.server.clone(), lab.0.client.clone()).await?;
        other.certs().put(NAME, vec![lab.issue(&Leaf::server(NAME))]);
        Ok(other)
    }

    /// One instance more of the serving provider, with the same services.
    pub(super) async fn another(&self) -> Result<Tls, Failed> {
        self.start(&self.0.server).await
    }

    /// One instance more of the provider that is the client in cases with two.
    pub(super) async fn another_of_the_client(&self) -> Result<Tls, Failed> {
        self.start(&self.0.client).await
    }

    async fn start(&self, subject: &Arc<dyn Subject>) -> Result<Tls, Failed> {
        let services = vec![self.0.slot.bound(), self.0.tickets.bound(), self.0.panics.bound()];
        let instance = subject.start(services).await.map_err(not_started)?;
        let tls = instance.tls.clone();
        self.0.instances.borrow_mut().push(instance);
        Ok(tls)
    }

    pub(super) fn tls(&self) -> &Tls {
        &self.0.serving
    }

    pub(super) fn certs(&self) -> &TestCerts {
        &self.0.certs
    }

    /// Where the certificate store stands.
    pub(super) fn slot(&self) -> &TestSlot<Certs> {
        &self.0.slot
    }

    pub(super) fn tickets(&self) -> &TestTickets {
        &self.0.tickets
    }

    /// The authority of the servers' certificates.
    pub(super) fn authority(&self) -> &Authority {
        &self.0.authority
    }

    /// A certificate of that authority.
    pub(super) fn issue(&self, leaf: &Leaf) -> Identity {
        self.0.authority.issue(leaf)
    }

    /// Serves [`NAME`] with an RSA key. In TLS 1.2 the groups that a client offers are the curves of the certificates that it
    /// takes, too (RFC 8422 §5.1): a client with a single group may have to refuse a P-256 key.
    pub(super) fn serve_rsa(&self) {
        self.0.certs.put(NAME, vec![self.issue(&Leaf::server(NAME).key(Key::Rsa))]);
    }

    pub(super) fn acceptor(&self, policy: ServerPolicy) -> Result<TlsAcceptor, Failed> {
        acceptor(&self.0.serving, policy)
    }

    pub(super) fn connector(&self, policy: ClientPolicy) -> Result<TlsConnector, Failed> {
        self.0.connecting.connector(policy).map_err(|error| Failed(format!("a good client policy is refused: {error}")))
    }

    /// What connects to servers of [`Lab::authority`].
    pub(super) fn client_policy(&self) -> ClientPolicy {
        ClientPolicy::trusting(vec![self.0.authority.der.clone()])
    }

    /// The panics in all instances.
    pub(super) fn panics(&self) -> Vec<String> {
        self.0.panics.all()
    }
}

/// An acceptor for a policy that can be fulfilled.
pub(super) fn acceptor(tls: &Tls, policy: ServerPolicy) -> Result<TlsAcceptor, Failed> {
    tls.acceptor(policy).map_err(|error| Failed(format!("a good server policy is refused: {error}")))
}

/// TLS 1.2 and 1.3, no client certificates, tickets.
pub(super) fn policy() -> ServerPolicy {
    ServerPolicy::of(LISTENER)
}

/// The same with one version.
pub(super) fn only(version: TlsVersion) -> ServerPolicy {
    ServerPolicy { min_version: version, max_version: version, ..policy() }
}

fn not_started(error: String) -> Failed {
    Failed(format!("the provider does not start: {error}"))
}

/// The listener's name in the policies.
pub(super) const LISTENER: &str = "conformance";

/// The panics that were contained in the provider: the suite allows none.
#[derive(Clone, Default)]
struct Panics(Arc<Mutex<Vec<String>>>);

impl Panics {
    fn bound(&self) -> Bound {
        bound(HostFault::new(self.clone()))
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl HostFaultProvider for Panics {
    fn panicked(&self, report: PanicReport) -> Result<(), CallFailure> {
        let text = format!("{} ({})", report.message, report.place);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        Ok(())
    }
}
