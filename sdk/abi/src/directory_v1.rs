//! `dovetail.directory/1`: who is this, and where does this address go.

use crate::{wire_enum, wire_struct, CallFailure, Secret};
use std::net::IpAddr;

wire_struct! {
    /// What a client proves itself with by name and password (SASL PLAIN, LOGIN; USER and PASS).
    #[derive(Debug, Clone)]
    pub struct PasswordAttempt => PasswordAttemptAbi {
        /// The name whose password it is (authentication identity).
        pub authentication_id: String,
        /// The name to act as (authorization identity), empty for the same.
        pub authorization_id: String,
        /// The password.
        pub password: Secret,
        /// Where the client is.
        pub peer: IpAddr,
        /// The protocol, such as `smtp`, for messages and policies.
        pub service: String,
    }
}

wire_enum! {
    /// How an attempt ended.
    pub enum AuthStatus: unknown Rejected {
        /// The client is who it says.
        Accepted = 1,
        /// Wrong name, wrong password or not allowed: the client is not told which.
        Rejected = 2,
        /// The account exists and may not log in.
        Disabled = 3,
    }
}

wire_struct! {
    /// The answer to an attempt.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AuthOutcome => AuthOutcomeAbi {
        /// How it ended.
        pub status: AuthStatus,
        /// The account, if accepted: its canonical address, which names its partition in the store.
        pub account: Option<String>,
    }
}

wire_struct! {
    /// With what, besides a password in the clear, every account that may log in can prove itself. Sessions offer nothing
    /// else, since a client takes the best that it is offered.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct LoginMethods => LoginMethodsAbi {
        /// With SCRAM-SHA-256: the directory has keys of each.
        pub scram_sha_256: bool,
        /// By certificate: the directory finds accounts by them. Not of every account; a session offers EXTERNAL to nobody but a
        /// client whose certificate was verified.
        pub certificates: bool,
    }
}

wire_struct! {
    /// Whose SCRAM keys are asked for.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ScramRequest => ScramRequestAbi {
        /// The name, as the client said it.
        pub authentication_id: String,
        /// Where the client is.
        pub peer: IpAddr,
        /// The protocol, such as `smtp`, for messages and policies.
        pub service: String,
    }
}

wire_struct! {
    /// What SCRAM-SHA-256 (RFC 5802, 7677) keeps of a password. Whoever has it can guess passwords, and pass for the server.
    #[derive(Debug, Clone)]
    pub struct ScramKeys => ScramKeysAbi {
        /// The salt; the client is told.
        pub salt: Vec<u8>,
        /// The number of iterations; the client is told.
        pub iterations: u32,
        /// `StoredKey`, 32 octets.
        pub stored_key: Secret,
        /// `ServerKey`, 32 octets.
        pub server_key: Secret,
    }
}

wire_struct! {
    /// Somebody who has proved who they are by the keys that the directory gave.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Proven => ProvenAbi {
        /// The name whose keys they were, as the client said it.
        pub authentication_id: String,
        /// The name to act as (authorization identity), empty for the same.
        pub authorization_id: String,
        /// Where the client is.
        pub peer: IpAddr,
        /// The protocol, such as `smtp`, for messages and policies.
        pub service: String,
    }
}

wire_struct! {
    /// A client that has proved by TLS that its certificate is its own, and wants to log in with it (SASL EXTERNAL, RFC 4422
    /// appendix A).
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CertificateAttempt => CertificateAttemptAbi {
        /// Its certificate and those that it showed above it, X.509 DER, verified against the listener's trust anchors.
        pub chain: Vec<Vec<u8>>,
        /// The name to act as (authorization identity), empty for whoever the certificate stands for.
        pub authorization_id: String,
        /// Where the client is.
        pub peer: IpAddr,
        /// The protocol, such as `smtp`, for messages and policies.
        pub service: String,
    }
}

wire_struct! {
    /// The answer to it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CertificateOutcome => CertificateOutcomeAbi {
        /// Whether the client may log in, and as whom.
        pub outcome: AuthOutcome,
        /// Which certificate it was, by its fingerprints.
        pub certificate: String,
        /// By what it was found to be the account's, or why it is not. For the log: the client is not told.
        pub reason: String,
    }
}

wire_enum! {
    /// Where an address belongs.
    pub enum AddressKind: unknown Unknown {
        /// To accounts here.
        Local = 1,
        /// To a domain of ours, but to nobody in it.
        Unknown = 2,
        /// To a domain that is not ours.
        Remote = 3,
    }
}

wire_struct! {
    /// Where an address goes.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Resolution => ResolutionAbi {
        /// Where it belongs.
        pub kind: AddressKind,
        /// The accounts that get its mail, if it is local.
        pub accounts: Vec<String>,
    }
}

wire_struct! {
    /// The directory cannot answer now; the peer is told to try later.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct DirectoryFailure => DirectoryFailureAbi {
        /// What happened, for the log.
        pub message: String,
    }
}

impl DirectoryFailure {
    /// Says what happened.
    pub fn new(message: impl std::fmt::Display) -> Self {
        DirectoryFailure { message: message.to_string() }
    }
}

impl From<CallFailure> for DirectoryFailure {
    fn from(failure: CallFailure) -> Self {
        DirectoryFailure { message: failure.to_string() }
    }
}

crate::interface! {
    /// The accounts and addresses of this server.
    pub interface Directory, provider DirectoryProvider, table DirectoryVt = "dovetail.directory/1" {
        /// Checks a password. Takes about the same time whether or not the name exists.
        later fn authenticate(attempt: PasswordAttempt) -> Result<AuthOutcome, DirectoryFailure>;
        /// With what sessions can let clients prove themselves. Asked at every greeting and login: answers from what is known,
        /// without waiting for anything.
        now fn login_methods() -> Result<LoginMethods, DirectoryFailure>;
        /// The SCRAM keys of a name. A name that does not exist or has none gets keys too, that nothing fits and that are the same
        /// each time, also after a restart: otherwise everybody could ask which names exist.
        later fn scram_keys(request: ScramRequest) -> Result<ScramKeys, DirectoryFailure>;
        /// Whether somebody who has proved who they are may log in, and act as whom they want to act as.
        later fn authorize(proven: Proven) -> Result<AuthOutcome, DirectoryFailure>;
        /// The account that a certificate stands for, if it is one and no other, and whether it may log in.
        later fn authenticate_certificate(attempt: CertificateAttempt) -> Result<CertificateOutcome, DirectoryFailure>;
        /// Says where an address goes, aliases followed.
        later fn resolve(address: String) -> Result<Resolution, DirectoryFailure>;
        /// Whether an account may use an address as the sender of a message.
        later fn may_send_as(account: String, address: String) -> Result<bool, DirectoryFailure>;
    }
}
