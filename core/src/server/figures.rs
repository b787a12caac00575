//! The addresses at which `/metrics` and `/healthz` are shown; like listeners they come and go with a reload.

use super::Server;
use crate::{
    control::Status,
    net::listener::bind_all,
    telemetry::http::{self, Health},
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};
use tokio::{net::TcpListener, task::JoinSet};

/// See the module.
#[derive(Default)]
pub struct Figures(Mutex<Vec<Shown>>);

struct Shown {
    address: SocketAddr,
    /// Ends when it is dropped.
    _serving: JoinSet<()>,
}

/// A socket that is bound and not served yet, by its address in the config.
pub type Fresh = (SocketAddr, TcpListener);

impl Figures {
    /// Binds what is wanted and not open yet.
    ///
    /// # Errors
    /// One sentence that names the address and the cure.
    pub fn bind(&self, wanted: &[SocketAddr]) -> Result<Vec<Fresh>, String> {
        let mut open: Vec<SocketAddr> = self.lock().iter().map(|shown| shown.address).collect();
        let mut fresh = Vec::new();
        for &address in wanted {
            match open.iter().position(|&other| other == address) {
                Some(at) => drop(open.swap_remove(at)),
                None => fresh.extend(bind_all("metrics", &[address])?.into_iter().map(|socket| (address, socket))),
            }
        }
        Ok(fresh)
    }

    /// From now on figures are shown at these addresses and no others.
    pub fn switch(&self, wanted: &[SocketAddr], mut fresh: Vec<Fresh>, server: &Weak<Server>) {
        let mut shown = self.lock();
        let mut kept = Vec::new();
        for &address in wanted {
            if let Some(at) = shown.iter().position(|shown| shown.address == address) {
                kept.push(shown.swap_remove(at));
            } else if let Some(at) = fresh.iter().position(|(other, _)| *other == address) {
                kept.push(show(fresh.swap_remove(at), server));
            }
        }
        *shown = kept;
    }

    /// Closes all.
    pub fn close(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn show((address, socket): Fresh, server: &Weak<Server>) -> Shown {
    if let Ok(address) = socket.local_addr() {
        tracing::info!(%address, "metrics are shown");
    }
    // A request must not keep a server that stops.
    let server = server.clone();
    let ask = move || {
        let server = server.upgrade()?;
        let stopping = server.is_stopping();
        Some(Health { ready: !stopping, status: Status::of(&server) })
    };
    let mut serving = JoinSet::new();
    serving.spawn(http::serve(socket, Arc::new(ask)));
    Shown { address, _serving: serving }
}
