//! Clients that come while an instance is quarantined: they are told to try later, in the words that the protocol gave
//! beforehand (`try_later` of its traits), within TLS where the listener speaks TLS from the first octet.
//!
//! **Bounds.** As many at a time as a full listener turns away; others are closed without a word, as are those with whom the
//! handshake fails or takes longer than [`LIMIT`].

use super::serve::Listener;
use crate::{config::TlsMode, net::socket::Socket, session::table::Octets};
use dovetail_abi::Stream;
use std::{io, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// To be told takes no longer.
const LIMIT: Duration = Duration::from_secs(10);

impl Listener {
    /// Whether it takes no new sessions for now.
    pub(super) fn rests(&self) -> bool {
        let by_tls = self.config.options.tls == TlsMode::Implicit
            && self.tls_account.as_ref().is_some_and(|account| account.is_quarantined());
        self.account.is_quarantined() || by_tls
    }

    /// Tells a client to try later, if there is room for that.
    pub(super) fn put_off(self: Arc<Self>, tcp: TcpStream) {
        let Ok(room) = self.turning_away.clone().try_acquire_owned() else { return };
        tokio::spawn(async move {
            let socket = Socket::new(tcp, LIMIT, Box::new(room), Arc::new(Octets::of(&self.account)));
            // A client that does not listen is put off all the same.
            let _ = tokio::time::timeout(LIMIT, self.say_try_later(Stream::new(socket))).await;
        });
    }

    async fn say_try_later(&self, plain: Stream) -> io::Result<()> {
        let mut stream = match self.config.options.tls {
            TlsMode::Implicit => self.handshake(plain).await.map_err(io::Error::other)?.stream,
            _ => plain,
        };
        stream.write_all(&self.traits.try_later).await?;
        stream.shutdown().await
    }
}
