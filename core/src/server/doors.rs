//! Bound addresses, each with a task that accepts for the listener that has the address at that moment.
//!
//! An address that a reload keeps is never closed: its task only gets another listener, so no client is refused. An
//! address with port 0 stands for a port of the system's choice and belongs to its listener's name.

use crate::{
    config::{ListenerConfig, Problems},
    net::listener::{accept_loop, bind_all},
    session::Listener,
};
use arc_swap::ArcSwap;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, task::AbortHandle};

/// All doors of a server.
#[derive(Default)]
pub struct Doors(Mutex<Vec<Door>>);

struct Door {
    key: Key,
    local: SocketAddr,
    listener: Arc<ArcSwap<Listener>>,
    accepting: AbortHandle,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What makes an address in a config the same as in another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    address: SocketAddr,
    /// For port 0: the listener, and the how manieth such address of it.
    any_port: Option<(String, usize)>,
}

/// A socket that is bound and not served yet; dropping it gives the address back.
pub struct Fresh {
    key: Key,
    local: SocketAddr,
    socket: TcpListener,
}

impl Doors {
    /// Binds what these listeners want and what is not open yet.
    ///
    /// # Errors
    /// All addresses that cannot be bound; nothing has changed then.
    pub fn bind(&self, listeners: &[ListenerConfig]) -> Result<Vec<Fresh>, Problems> {
        let mut fresh = Vec::new();
        let mut problems = Problems::default();
        for listener in listeners {
            for key in keys(listener) {
                let open = self.lock().iter().any(|door| door.key == key);
                if open {
                    continue;
                }
                let bound = bind_all(&format!("listener `{}`", listener.name), &[key.address]);
                match bound.map(|sockets| sockets.into_iter().next()) {
                    Ok(Some(socket)) => {
                        let local = socket.local_addr().unwrap_or(key.address);
                        fresh.push(Fresh { key, local, socket });
                    }
                    Ok(None) => {}
                    Err(message) => problems.0.push(listener.place.diagnostic(message, self.overlap(key.address))),
                }
            }
        }
        if problems.has_errors() {
            return Err(problems);
        }
        Ok(fresh)
    }

    /// What to do where this server itself has the port, at a narrower or wider address.
    fn overlap(&self, wanted: SocketAddr) -> String {
        let doors = self.lock();
        let own = doors.iter().find(|door| {
            door.local.port() == wanted.port()
                && door.local.is_ipv4() == wanted.is_ipv4()
                && (door.local.ip().is_unspecified() || wanted.ip().is_unspecified())
        });
        own.map_or_else(String::new, |door| {
            format!("this server has {} open: remove it by one reload and add {wanted} by the next", door.local)
        })
    }

    /// The addresses that a listener has, or will have with these sockets.
    pub fn addresses(&self, listener: &ListenerConfig, fresh: &[Fresh]) -> Vec<SocketAddr> {
        let doors = self.lock();
        let local = |key: &Key| {
            let open = doors.iter().find(|door| door.key == *key).map(|door| door.local);
            open.or_else(|| fresh.iter().find(|fresh| fresh.key == *key).map(|fresh| fresh.local))
        };
        keys(listener).iter().filter_map(local).collect()
    }

    /// From now on exactly these listeners are served: at their open addresses, and at the fresh ones. Other addresses are
    /// closed.
    pub fn switch(&self, listeners: &[Arc<Listener>], mut fresh: Vec<Fresh>) {
        let mut doors = self.lock();
        let mut kept = Vec::new();
        for listener in listeners {
            for key in keys(&listener.config) {
                if let Some(at) = doors.iter().position(|door| door.key == key) {
                    let door = doors.swap_remove(at);
                    door.listener.store(listener.clone());
                    kept.push(door);
                } else if let Some(at) = fresh.iter().position(|fresh| fresh.key == key) {
                    kept.push(open(fresh.swap_remove(at), listener.clone()));
                }
            }
        }
        *doors = kept;
    }

    /// Closes all.
    pub fn close(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Door>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keys(listener: &ListenerConfig) -> Vec<Key> {
    let of = |(at, &address): (usize, &SocketAddr)| Key {
        address,
        any_port: (address.port() == 0).then(|| (listener.name.clone(), at)),
    };
    listener.options.bind.iter().enumerate().map(of).collect()
}

fn open(fresh: Fresh, listener: Arc<Listener>) -> Door {
    let Fresh { key, local, socket } = fresh;
    let name = listener.config.name.clone();
    let listener = Arc::new(ArcSwap::new(listener));
    let current = listener.clone();
    let accepting = tokio::spawn(async move {
        accept_loop(socket, &name, |stream, peer| {
            if let Some(session) = current.load_full().admit(stream, peer) {
                tokio::spawn(session);
            }
        })
        .await;
    });
    Door { key, local, listener, accepting: accepting.abort_handle() }
}
