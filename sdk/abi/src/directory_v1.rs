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
        /// Says where an address goes, aliases followed.
        later fn resolve(address: String) -> Result<Resolution, DirectoryFailure>;
        /// Whether an account may use an address as the sender of a message.
        later fn may_send_as(account: String, address: String) -> Result<bool, DirectoryFailure>;
    }
}
