//! The listeners of the config in force, as instances may ask for them: `dovetail.host.listeners/1`.
//!
//! They belong to the process: an instance outlives reloads that change a listener and nothing else.

use crate::config::{Config, ListenerConfig, TlsMode};
use dovetail_abi::{
    listeners_v1::{HostListenersProvider, ListenerInfo, ListenerTls},
    CallFailure,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The listeners as an instance gets them.
pub struct Listeners;

impl HostListenersProvider for Listeners {
    fn listeners(&self) -> Result<Vec<ListenerInfo>, CallFailure> {
        Ok(in_force().clone())
    }
}

/// A config is in force from now on.
pub fn announce(config: &Config) {
    *in_force() = config.listeners.iter().map(info).collect();
}

/// Those of this instance that speak TLS from the first octet.
pub fn with_implicit_tls(protocol: &str) -> Vec<String> {
    let are_meant = |listener: &&ListenerInfo| listener.protocol == protocol && listener.tls == ListenerTls::Implicit;
    in_force().iter().filter(are_meant).map(|listener| listener.name.clone()).collect()
}

static IN_FORCE: Mutex<Vec<ListenerInfo>> = Mutex::new(Vec::new());

fn in_force() -> MutexGuard<'static, Vec<ListenerInfo>> {
    // It is replaced whole.
    IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn info(listener: &ListenerConfig) -> ListenerInfo {
    let options = &listener.options;
    ListenerInfo {
        name: listener.name.clone(),
        protocol: options.protocol.clone(),
        tls: match options.tls {
            TlsMode::Off => ListenerTls::Off,
            TlsMode::Explicit => ListenerTls::Explicit,
            TlsMode::Implicit => ListenerTls::Implicit,
        },
        certificate: options.certificate.clone(),
    }
}
