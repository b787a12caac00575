//! `dovetail.host.console/1`: the few things a person at the first start must see.

use crate::{wire_struct, CallFailure, Secret};

wire_struct! {
    /// A secret that is shown once.
    #[derive(Debug, Clone)]
    pub struct SecretNotice => SecretNoticeAbi {
        /// What the secret is for, such as "the password of you@localhost".
        pub label: String,
        /// The secret.
        pub secret: Secret,
        /// The file in the data directory that takes it where nobody sits at a terminal, such as `first-password`.
        pub file_name: String,
    }
}

wire_struct! {
    /// Why a secret could not be handed over.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ConsoleFailure => ConsoleFailureAbi {
        /// What happened.
        pub message: String,
    }
}

impl From<CallFailure> for ConsoleFailure {
    fn from(failure: CallFailure) -> Self {
        ConsoleFailure { message: failure.to_string() }
    }
}

crate::interface! {
    /// The person at the start.
    pub interface HostConsole, provider HostConsoleProvider, table HostConsoleVt = "dovetail.host.console/1" {
        /// Shows a line, such as a new certificate's fingerprint; it goes to the log too.
        now fn notice(text: String) -> Result<(), CallFailure>;
        /// Shows a secret once on the terminal; without a terminal it goes into a new file, mode 0600. Never into the log.
        now fn secret(notice: SecretNotice) -> Result<(), ConsoleFailure>;
    }
}
