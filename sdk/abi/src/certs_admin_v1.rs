//! `dovetail.certs.admin/1`: what the host asks of a certificate store beside certificates.
//!
//! The host gives the store a judge, `dovetail.certs.judge/1`: the TLS provider that runs checks each pair before the store
//! serves it. And the host has a choice explained, for whoever wonders which certificate a client gets.

use crate::{
    certs_v1::{CertsFailure, Identity},
    wire_enum, wire_struct,
};

wire_enum! {
    /// Why a client gets an identity set.
    pub enum ChoiceReason: unknown Default {
        /// It asks for a name that is in the certificate.
        Exact = 1,
        /// Its name fits a wildcard of the certificate.
        Wildcard = 2,
        /// The listener names it.
        Listener = 3,
        /// It is the default.
        Default = 4,
    }
}

wire_struct! {
    /// What a certificate says, as far as it matters to whoever looks.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PairFacts => PairFactsAbi {
        /// The name that the pair is stored under.
        pub name: String,
        /// The kind of key, such as `ECDSA P-256`.
        pub key: String,
        /// The names that it is for.
        pub names: Vec<String>,
        /// Who issued it; `self-signed` if it did itself.
        pub issuer: String,
        /// The first moment of its validity, by RFC 3339.
        pub not_before: String,
        /// The last moment of its validity, by RFC 3339.
        pub not_after: String,
        /// `valid`, `expired` or `not yet valid`.
        pub state: String,
        /// SHA-256 of the certificate.
        pub sha256: String,
    }
}

wire_struct! {
    /// Which identity set a client gets, and why.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Choice => ChoiceAbi {
        /// The identity set, as `resolve` gives it.
        pub set: u64,
        /// The name that a listener's `certificate` gives it.
        pub certificate: String,
        /// Why it is this one.
        pub reason: ChoiceReason,
        /// The name in the certificate that fits, for `Exact` and `Wildcard`.
        pub fits: Option<String>,
        /// Its pairs; the TLS provider picks by what the client offers.
        pub pairs: Vec<PairFacts>,
        /// What is wrong with further pairs of the identity set, or with files that would be served in its place.
        pub problems: Vec<String>,
        /// Other identity sets whose certificates have the same name, and come after this one.
        pub others: Vec<String>,
    }
}

crate::interface! {
    /// Who checks a pair before it is served.
    pub interface CertsJudge, provider CertsJudgeProvider, table CertsJudgeVt = "dovetail.certs.judge/1" {
        /// Nothing, if the pair can be served; else why not. A failure: nobody can tell now, ask again.
        later fn check(identity: Identity) -> Result<Option<String>, CertsFailure>;
    }
}

crate::interface! {
    /// A certificate store as the host sees it. A store may do without.
    pub interface CertsAdmin, provider CertsAdminProvider, table CertsAdminVt = "dovetail.certs.admin/1" {
        /// From now on this one checks each pair before it is served; those that are served are checked at once. Called
        /// again when another TLS provider runs.
        now fn judged_by(judge: CertsJudge) -> Result<(), CertsFailure>;
        /// What `resolve` would choose, and why.
        now fn explain(certificate: Option<String>, server_name: Option<String>) -> Result<Option<Choice>, CertsFailure>;
    }
}
