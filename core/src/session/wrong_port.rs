//! Clients that speak TLS where text is expected, and text where TLS is: what the log says of their sessions.

use crate::{config::ListenerConfig, plugin::listeners::with_implicit_tls};
use dovetail_abi::{
    protocol_v1::SessionFailure,
    tls_v1::{TlsError, TlsErrorCode},
};

/// Why a handshake of implicit TLS failed: plain text, or anything else.
pub fn or_other(error: &TlsError) -> SessionFailure {
    SessionFailure::new(match error.code {
        TlsErrorCode::PlaintextOnTlsPort => {
            format!(
                "plain text on a port that speaks TLS from the first byte: {} (the client should use implicit TLS, or another port)",
                error.message
            )
        }
        _ => format!("TLS: {}", error.message),
    })
}

/// A ClientHello came first of all on a listener where TLS is begun by a command.
pub fn tls_on_a_plain_one(listener: &ListenerConfig) -> SessionFailure {
    SessionFailure::new(said(&with_implicit_tls(&listener.options.protocol)))
}

fn said(others: &[String]) -> String {
    let names = others.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    let or_port = match names.as_str() {
        "" => String::new(),
        _ => format!(", or the port of {names}, with TLS from the first byte"),
    };
    format!("TLS on a port that begins in plain text (the client should use STARTTLS{or_port})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_is_one_that_can_be_followed() {
        let some = ["pop3s", "inside"].map(str::to_owned);
        for (others, advice) in [
            (&[][..], "STARTTLS)"),
            (&some[..1], "STARTTLS, or the port of `pop3s`, with TLS from the first byte)"),
            (&some, "STARTTLS, or the port of `pop3s` or `inside`, with TLS from the first byte)"),
        ] {
            assert_eq!(
                said(others),
                format!("TLS on a port that begins in plain text (the client should use {advice}")
            );
        }
    }
}
