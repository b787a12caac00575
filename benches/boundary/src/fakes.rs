//! What stands behind the plugins: services that answer at once, the same for both ways.

use crate::{error::Error, host::HOSTNAME};
use dovetail_abi::{
    protocol_v1::{AuthReport, SessionControl, SessionControlProvider, SessionInfo, SessionStart},
    CallFailure, Secret, Stream,
};
use dovetail_sdk::{
    certs::{CertsFailure, CertsProvider, Identity},
    delivery::{Answer, DeliveryFailure, DeliveryProvider, Envelope, RecipientRequest, Verdict},
    directory::{
        AuthOutcome, CertificateAttempt, CertificateOutcome, DirectoryFailure, DirectoryProvider, LoginMethods,
        PasswordAttempt, Proven, Resolution, ScramKeys, ScramRequest,
    },
    store::{Body, BodyProvider, BodySink, BodySinkProvider, StoreFailure},
    tls::{TlsConnection, TlsError, TlsErrorCode, TlsFacts},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use std::sync::atomic::{AtomicU64, Ordering};

/// One P-256 identity for every name.
pub struct Certs(Identity);

impl Certs {
    /// A new identity, and the authority that a client must trust for it (X.509 DER).
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn new() -> Result<(Certs, Vec<u8>), Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key)?.der().to_vec();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let leaf = CertificateParams::new(vec![HOSTNAME.to_owned()])?.signed_by(&key, &issuer)?;
        let identity =
            Identity { name: HOSTNAME.into(), chain: vec![leaf.der().to_vec()], key: Secret::new(key.serialize_der()) };
        Ok((Certs(identity), authority))
    }
}

impl CertsProvider for Certs {
    fn resolve(&self, _: Option<String>, _: Option<String>) -> Result<Option<u64>, CertsFailure> {
        Ok(Some(1))
    }
    fn load(&self, _: u64) -> Result<Vec<Identity>, CertsFailure> {
        Ok(vec![self.0.clone()])
    }
    async fn changed(&self, _: u64) -> Result<u64, CertsFailure> {
        std::future::pending().await
    }
}

/// Nobody logs in to a server of role `Mx`.
pub struct Directory;

impl DirectoryProvider for Directory {
    async fn authenticate(&self, _: PasswordAttempt) -> Result<AuthOutcome, DirectoryFailure> {
        Err(CallFailure::Unavailable.into())
    }
    async fn authenticate_certificate(&self, _: CertificateAttempt) -> Result<CertificateOutcome, DirectoryFailure> {
        Err(CallFailure::Unavailable.into())
    }
    fn login_methods(&self) -> Result<LoginMethods, DirectoryFailure> {
        Ok(LoginMethods::default())
    }

    async fn scram_keys(&self, _: ScramRequest) -> Result<ScramKeys, DirectoryFailure> {
        Err(DirectoryFailure::new("not asked here"))
    }

    async fn authorize(&self, _: Proven) -> Result<AuthOutcome, DirectoryFailure> {
        Err(DirectoryFailure::new("not asked here"))
    }

    async fn resolve(&self, _: String) -> Result<Resolution, DirectoryFailure> {
        Err(CallFailure::Unavailable.into())
    }
    async fn may_send_as(&self, _: String, _: String) -> Result<bool, DirectoryFailure> {
        Err(CallFailure::Unavailable.into())
    }
}

/// Takes everything and keeps nothing.
pub struct Delivery;

impl DeliveryProvider for Delivery {
    async fn recipient(&self, _: RecipientRequest) -> Result<Answer, DeliveryFailure> {
        Ok(accepted())
    }
    async fn begin(&self, _: u64) -> Result<BodySink, DeliveryFailure> {
        Ok(BodySink::new(Sink(AtomicU64::new(0))))
    }
    async fn deliver(&self, envelope: Envelope, _: Body) -> Result<Vec<Answer>, DeliveryFailure> {
        Ok(envelope.recipients.iter().map(|_| accepted()).collect())
    }
}

fn accepted() -> Answer {
    Answer { verdict: Verdict::Accept, code: 250, enhanced: "2.1.5".into(), text: "Ok".into() }
}

struct Sink(AtomicU64);

impl BodySinkProvider for Sink {
    async fn write(&self, bytes: dovetail_sdk::Bytes) -> Result<(), StoreFailure> {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }
    async fn seal(&self) -> Result<Body, StoreFailure> {
        Ok(Body::new(Sealed(self.0.load(Ordering::Relaxed))))
    }
}

struct Sealed(u64);

impl BodyProvider for Sealed {
    fn id(&self) -> Result<u64, StoreFailure> {
        Ok(1)
    }
    fn size(&self) -> Result<u64, StoreFailure> {
        Ok(self.0)
    }
}

/// Core's side of a session that neither upgrades, nor logs in, nor drains.
struct Control;

impl SessionControlProvider for Control {
    async fn start_tls(&self, _: Stream) -> Result<TlsConnection, TlsError> {
        Err(TlsError { code: TlsErrorCode::BadPolicy, message: "not offered".into() })
    }
    async fn authenticated(&self, _: AuthReport) -> Result<(), CallFailure> {
        Ok(())
    }
    async fn draining(&self) -> Result<(), CallFailure> {
        std::future::pending().await
    }
}

/// A session as core hands it to a protocol.
pub fn session(stream: Stream, tls: Option<TlsFacts>) -> SessionStart {
    let info = SessionInfo {
        id: "0boundary00".into(),
        listener: "smtp".into(),
        peer: ([192, 0, 2, 7], 40_000).into(),
        local: ([192, 0, 2, 1], 25).into(),
        hostname: HOSTNAME.into(),
        tls,
        explicit_tls: false,
        require_tls: false,
        insecure_auth: false,
    };
    SessionStart { info, stream, control: SessionControl::new(Control) }
}
