//! A session that waits for a silent client, polled over and over: what a wake-up in vain costs.
//!
//! One poll goes from core into the protocol, from there to core's word that the server drains, and to the stream: core's
//! own, or TLS's and through it core's.

use super::{
    tls::{self, PIPE},
    ways::{acceptor::Accept, protocol::Serve},
};
use crate::{error::Error, fakes};
use dovetail_sdk::Stream;
use std::{
    future::Future,
    pin::{pin, Pin},
    sync::Arc,
    task::{Context, Poll, Wake},
};
use tokio::io::{duplex, AsyncRead, AsyncReadExt};
use tokio_rustls::TlsConnector;

/// Who polls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Waker {
    /// One task, as in a server.
    Same,
    /// Two tasks by turns. A plugin keeps the last waker only, so each poll must allocate: proof that it is counted.
    ByTurns,
}

/// A session over a plain connection.
pub async fn plain(serve: impl Serve, waker: Waker, reads: u32) -> Result<(), Error> {
    let (near, far) = duplex(PIPE);
    wait(serve(fakes::session(Stream::new(far), None)), near, waker, reads).await
}

/// A session over a TLS connection.
pub async fn in_tls((accept, client): (impl Accept, TlsConnector), serve: impl Serve, reads: u32) -> Result<(), Error> {
    let (client, stream, facts) = tls::connect(&accept, &client).await?;
    wait(serve(fakes::session(stream, Some(facts))), client, Waker::Same, reads).await
}

async fn wait(served: impl Future, mut client: impl AsyncRead + Unpin, waker: Waker, reads: u32) -> Result<(), Error> {
    let mut served = pin!(served);
    let tasks = [Arc::new(Idle).into(), Arc::new(Idle).into()];
    poll(served.as_mut(), &tasks[0])?;
    let mut greeting = [0; 256];
    let len = client.read(&mut greeting).await?;
    if !greeting[..len].starts_with(b"220 ") {
        let got = String::from_utf8_lossy(&greeting[..len]).into_owned();
        return Err(Error::Unexpected { expected: "a greeting".into(), got });
    }
    for turn in 0..reads {
        let turn = if waker == Waker::ByTurns { turn as usize % tasks.len() } else { 0 };
        poll(served.as_mut(), &tasks[turn])?;
    }
    Ok(())
}

fn poll(served: Pin<&mut impl Future>, waker: &std::task::Waker) -> Result<(), Error> {
    match served.poll(&mut Context::from_waker(waker)) {
        Poll::Pending => Ok(()),
        Poll::Ready(_) => Err(Error::Unexpected { expected: "a session that waits".into(), got: "its end".into() }),
    }
}

/// A task that is woken by nobody.
struct Idle;

impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}
