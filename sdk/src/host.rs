//! The host as seen by the running code: found through the current scope, never through statics.

use crate::glue::interface_use;
use dovetail_abi::{
    console_v1::{HostConsole, SecretNotice},
    fault_v1::HostFault,
    handle::{Interface, TypedSlot},
    kernel_v1::{Bound, InterfaceUse, StartFailure},
    log_v1::{HostLog, Level},
    metrics_v1::HostMetrics,
    net_v1::HostNet,
    scope::{self, Scope},
    task_v1::HostTask,
    time_v1::HostTime,
    wire::Wire,
    CallFailure, Secret,
};
use std::sync::{
    atomic::{AtomicU32, Ordering},
    Arc,
};

/// The host's services for one instance.
pub struct Host {
    pub(crate) log: HostLog,
    level: AtomicU32,
    pub(crate) time: HostTime,
    pub(crate) task: HostTask,
    pub(crate) net: HostNet,
    pub(crate) fault: HostFault,
    pub(crate) console: HostConsole,
    pub(crate) metrics: HostMetrics,
}

/// What the SDK puts into a scope.
pub(crate) struct Place {
    pub(crate) host: Arc<Host>,
    pub(crate) session: Option<Arc<str>>,
}

impl Host {
    /// What every plugin requires of the host.
    pub fn requires() -> Vec<InterfaceUse> {
        vec![
            interface_use::<HostLog>(),
            interface_use::<HostTime>(),
            interface_use::<HostTask>(),
            interface_use::<HostNet>(),
            interface_use::<HostFault>(),
            interface_use::<HostConsole>(),
            interface_use::<HostMetrics>(),
        ]
    }

    /// Picks the host's services out of those that an instance is started with.
    pub fn new(services: &[Bound]) -> Result<Arc<Self>, StartFailure> {
        fn pick<I: Interface>(services: &[Bound]) -> Result<I, StartFailure> {
            let bound = services.iter().find(|bound| bound.id == I::ID);
            let bound = bound.ok_or_else(|| StartFailure::new(format!("the host offers no {}", I::ID)))?;
            TypedSlot::new(bound.slot.clone()).get().map_err(StartFailure::from)
        }
        let log: HostLog = pick(services)?;
        let level = AtomicU32::new(log.level()?.into_abi());
        Ok(Arc::new(Host {
            log,
            level,
            time: pick(services)?,
            task: pick(services)?,
            net: pick(services)?,
            fault: pick(services)?,
            console: pick(services)?,
            metrics: pick(services)?,
        }))
    }

    /// What the host keeps of the instance's records.
    pub(crate) fn level(&self) -> Level {
        Level::from_abi(self.level.load(Ordering::Relaxed))
    }

    /// Asks for the level again.
    pub(crate) fn read_level(&self) -> Result<(), CallFailure> {
        self.level.store(self.log.level()?.into_abi(), Ordering::Relaxed);
        Ok(())
    }

    /// The scope of an instance, or of one of its sessions.
    pub fn scope(self: &Arc<Self>, session: Option<&str>) -> Scope {
        Arc::new(Place { host: self.clone(), session: session.map(Arc::from) })
    }
}

/// Looks at the current place.
pub(crate) fn with_place<R>(look: impl FnOnce(&Place) -> R) -> Option<R> {
    scope::with(|scope| scope.and_then(|scope| scope.downcast_ref::<Place>()).map(look))
}

/// The host of the running code.
pub(crate) fn current() -> Option<Arc<Host>> {
    with_place(|place| place.host.clone())
}

/// Shows a line to the person at the first start, such as a new certificate's fingerprint.
pub fn notice(text: impl Into<String>) {
    if let Some(host) = current() {
        // A host without a console has nobody to tell.
        let _ = host.console.notice(text.into());
    }
}

/// Shows a secret once on the terminal, or puts it into a new file of the data directory (mode 0600) where there is none.
///
/// # Errors
/// The secret reached nobody; the message says why.
pub fn secret_notice(
    label: impl Into<String>,
    secret: Secret,
    file_name: impl Into<String>,
) -> Result<(), StartFailure> {
    let host = current().ok_or_else(|| StartFailure::new("no host to show a secret"))?;
    host.console
        .secret(SecretNotice { label: label.into(), secret, file_name: file_name.into() })
        .map_err(|failure| StartFailure::new(failure.message))
}
