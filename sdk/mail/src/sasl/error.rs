//! How an exchange fails.

/// Why an exchange ended without credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// The client sent `*`.
    #[error("the client cancelled the authentication")]
    Cancelled,
    /// Not base64, or not the padded, canonical form of it.
    #[error("the response is not base64 (RFC 4648 section 4, with padding)")]
    NotBase64,
    /// Longer than a limit.
    #[error("the response is too long")]
    TooLong,
    /// Base64 of something that the mechanism doesn't say.
    #[error("the response does not follow the mechanism's syntax")]
    Malformed,
    /// Everything is said as it should be, and it is not so.
    #[error("{0}")]
    NotProven(NotProven),
    /// The directory's keys are none.
    #[error("the directory's SCRAM keys are not of 32 octets, or have no salt or iterations")]
    Keys,
    /// More responses than the mechanism has.
    #[error("the exchange is over")]
    Over,
}

/// What is not as the client says. This counts as a failed login, and the client is not told which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotProven {
    /// A wrong proof: a wrong password, or a name that does not exist.
    #[error("the proof is wrong")]
    Proof,
    /// Not the nonce of this exchange: an older one is played again.
    #[error("the nonce is not that of this exchange")]
    Nonce,
    /// Not bound, or not to this TLS connection: somebody may stand in between.
    #[error("it is not bound to this TLS connection")]
    Binding,
    /// Bound by something that is not offered.
    #[error("it is bound by something else than tls-exporter")]
    BindingType,
    /// The client was not shown that it could bind: somebody stands in between.
    #[error("the client was not shown that -PLUS is offered")]
    Downgrade,
}
