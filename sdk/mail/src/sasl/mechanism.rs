//! The mechanisms by name.

/// How a client proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// RFC 4422 appendix A: the certificate that TLS has verified, and nothing secret.
    External,
    /// RFC 7677, bound to the TLS connection by RFC 9266.
    ScramSha256Plus,
    /// RFC 7677: the password is proved and never said.
    ScramSha256,
    /// RFC 4616: identity and password in one response.
    Plain,
    /// The same in two responses; obsolete, never a standard, and what many clients still use first.
    Login,
}

impl Mechanism {
    /// All of them, best first, as a server lists them.
    pub const ALL: [Mechanism; 5] =
        [Mechanism::External, Mechanism::ScramSha256Plus, Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login];

    /// Name in the registry of SASL mechanisms.
    pub const fn name(self) -> &'static str {
        match self {
            Mechanism::External => "EXTERNAL",
            Mechanism::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
        }
    }

    /// Finds a mechanism by its name, in either case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name().eq_ignore_ascii_case(name))
    }
}
