//! What a connector keeps of earlier connections, to resume them (RFC 8446 §2.2).
//!
//! **What it is for.** One connector has one policy, so whatever server it trusted once it would trust again, until the server's
//! certificate ends. Sessions are kept by server name.
//!
//! **Bounds.** [`MAX_SERVERS`] servers; one more drops the one that came longest ago. The newest session of each is kept: a
//! server gives another with each resumption. A session of TLS 1.3 is used once (RFC 8446 §C.4).

use super::{conversation, tickets::lasts};
use openssl::{
    ssl::{SslRef, SslSession, SslVersion},
    x509::X509,
};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// Of so many servers a session is kept.
const MAX_SERVERS: usize = 256;

/// See the module.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<VecDeque<Kept>>);

struct Kept {
    server_name: String,
    session: SslSession,
    /// The server's leaf certificate.
    leaf: X509,
}

impl Sessions {
    /// Keeps the session of a connection.
    pub(crate) fn keep(&self, ssl: &SslRef, session: SslSession) {
        let name = conversation::of(ssl).and_then(|conversation| conversation.server_name.clone());
        let (Some(server_name), Some(leaf)) = (name, ssl.peer_certificate()) else {
            return;
        };
        // A panic while the lock was held leaves the list whole: each change is one call.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| other.server_name != server_name);
        if kept.len() >= MAX_SERVERS {
            kept.pop_front();
        }
        kept.push_back(Kept { server_name, session, leaf });
    }

    /// Keeps the session of a connection of TLS 1.2 that was resumed: the server may have renewed its ticket, of which OpenSSL
    /// does not tell.
    pub(crate) fn keep_renewed(&self, ssl: &SslRef) {
        if let Some(session) = ssl.session().filter(|_| ssl.session_reused()) {
            if session.protocol_version() != SslVersion::TLS1_3 {
                self.keep(ssl, session.to_owned());
            }
        }
    }

    /// A session to resume with a server.
    pub(crate) fn take(&self, server_name: &str) -> Option<SslSession> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|kept| kept.server_name == server_name)?;
        let found = kept.remove(place)?;
        if !lasts(found.leaf.not_after()) {
            return None;
        }
        let session = found.session.clone();
        if found.session.protocol_version() != SslVersion::TLS1_3 {
            kept.push_back(found);
        }
        Some(session)
    }
}
