//! The pieces of work. Each is written once and given what it works on: a plugin, or the same code compiled in.

mod message;
mod pending;
mod tls;
mod ways;

use crate::error::Error;
use pending::Waker;
use ways::{acceptor, protocol};

/// What is counted, as WORK/WAY.
pub const LISTED: &[&str] = &[
    "handshake/direct",
    "handshake/through",
    "handshake-resumed/direct",
    "handshake-resumed/through",
    "tls-64k/direct",
    "tls-64k/through",
    "message/direct",
    "message/through",
    "message-in-tls/direct",
    "message-in-tls/through",
    "pending-reads/direct",
    "pending-reads/through",
    "pending-reads-in-tls/direct",
    "pending-reads-in-tls/through",
];

/// So many pending reads are one piece of work.
pub const READS: u32 = 1000;

/// Does a piece of work so many times.
///
/// # Errors
/// If there is no such work, a plugin is missing, or the work does not come out as it should.
pub fn run(name: &str, count: u32) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(dispatch(name, count))
}

async fn dispatch(name: &str, count: u32) -> Result<(), Error> {
    let reads = count.saturating_mul(READS);
    match name {
        "handshake/direct" => tls::handshakes(acceptor::direct()?, count).await,
        "handshake/through" => tls::handshakes(acceptor::through().await?, count).await,
        "handshake-resumed/direct" => tls::resumed(acceptor::direct()?, count).await,
        "handshake-resumed/through" => tls::resumed(acceptor::through().await?, count).await,
        "tls-64k/direct" => tls::bulk(acceptor::direct()?, count).await,
        "tls-64k/through" => tls::bulk(acceptor::through().await?, count).await,
        "message/direct" => message::plain(protocol::direct()?, count).await,
        "message/through" => message::plain(protocol::through().await?, count).await,
        "message-in-tls/direct" => message::in_tls(acceptor::direct()?, protocol::direct()?, count).await,
        "message-in-tls/through" => {
            message::in_tls(acceptor::through().await?, protocol::through().await?, count).await
        }
        "pending-reads/direct" => pending::plain(protocol::direct()?, Waker::Same, reads).await,
        "pending-reads/through" => pending::plain(protocol::through().await?, Waker::Same, reads).await,
        "pending-reads-by-turns/through" => pending::plain(protocol::through().await?, Waker::ByTurns, reads).await,
        "pending-reads-in-tls/direct" => pending::in_tls(acceptor::direct()?, protocol::direct()?, reads).await,
        "pending-reads-in-tls/through" => {
            pending::in_tls(acceptor::through().await?, protocol::through().await?, reads).await
        }
        _ => Err(Error::Unexpected { expected: "a name of `boundary list`".into(), got: name.to_owned() }),
    }
}
