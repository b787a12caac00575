//! What the tried instance gets instead of a server: faults are collected, the services of others stand empty, a session's other
//! side is gone.

use crate::plugin::{host::InstanceHost, slot::Place, wiring};
use dovetail_abi::{
    fault_v1::{HostFault, HostFaultProvider, PanicReport},
    handle::Interface,
    kernel_v1::{Bound, Description, Need},
    protocol_v1::{AuthReport, SessionControl, SessionControlProvider, SessionInfo, SessionStart},
    tls_v1::{TlsConnection, TlsError, TlsErrorCode},
    CallFailure, Stream,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

/// The panics of the tried instance, until they are taken.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<PanicReport>>>);

impl Faults {
    /// What was told since the last time, as one sentence.
    pub fn take(&self) -> Option<String> {
        let taken = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let told: Vec<String> = taken.iter().map(|panic| format!("{:?} at {}", panic.message, panic.place)).collect();
        (!told.is_empty())
            .then(|| format!("it panicked: {}; contained, a server would go on without this call", told.join(", ")))
    }
}

impl HostFaultProvider for Faults {
    fn panicked(&self, report: PanicReport) -> Result<(), CallFailure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(report);
        Ok(())
    }
}

/// All services that an instance is started with.
///
/// # Errors
/// If the host does not offer one of them.
pub fn services(
    description: &Description,
    needs: &[Need],
    host: &InstanceHost,
    faults: &Faults,
) -> Result<Vec<Bound>, String> {
    let mut services = Vec::new();
    for required in &description.requires {
        let id = required.id.to_string();
        let place = Place::default();
        if id == HostFault::ID {
            place.fill(HostFault::new(faults.clone()).erase());
        } else if wiring::is_host_interface(&id) {
            place.fill(host.query(&id).ok_or_else(|| format!("this server offers no {id}"))?);
        }
        services.push(Bound { id, provider: String::new(), slot: place.slot() });
    }
    for need in needs {
        let provider = need.provider.clone().unwrap_or_default();
        services.push(Bound { id: need.id.clone(), provider, slot: Place::default().slot() });
    }
    Ok(services)
}

/// A session whose client has left already.
pub fn session_without_a_client() -> SessionStart {
    let (ours, client) = tokio::io::duplex(64 * 1024);
    drop(client);
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    SessionStart {
        info: SessionInfo {
            id: "verify".into(),
            listener: "verify".into(),
            peer: nowhere,
            local: nowhere,
            hostname: "verify.invalid".into(),
            tls: None,
            explicit_tls: false,
            require_tls: false,
            insecure_auth: false,
        },
        stream: Stream::new(ours),
        control: SessionControl::new(Control),
    }
}

struct Control;

impl SessionControlProvider for Control {
    async fn start_tls(&self, _: Stream) -> Result<TlsConnection, TlsError> {
        Err(TlsError { code: TlsErrorCode::Io, message: "the client has left".into() })
    }
    async fn authenticated(&self, _: AuthReport) -> Result<(), CallFailure> {
        Ok(())
    }
    async fn draining(&self) -> Result<(), CallFailure> {
        std::future::pending().await
    }
}
