//! What the tests' users of a counter speak: a line with a number is added, and the sum is said.

use dovetail_sdk::{
    line::Line,
    protocol::{ProtocolTraits, Session, SessionFailure},
    CallFailure,
};

/// What core must know.
pub fn traits() -> ProtocolTraits {
    ProtocolTraits { alpn: Vec::new(), try_later: b"later\r\n".to_vec() }
}

/// Serves a session with a counter.
///
/// # Errors
/// If the connection fails.
pub async fn serve(
    mut session: Session,
    add: impl Fn(u64) -> Result<u64, CallFailure> + Send,
) -> Result<(), SessionFailure> {
    while let Line::Good(line) = session.stream.read_line(100).await? {
        let said = match String::from_utf8_lossy(&line).parse() {
            Ok(by) => add(by).map_or_else(|failure| failure.to_string(), |sum| sum.to_string()),
            Err(_) => "say a number".to_owned(),
        };
        session.stream.queue(format!("{said}\r\n").as_bytes());
    }
    session.stream.close().await?;
    Ok(())
}
