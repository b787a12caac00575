//! What a session offers to log in with: one rule for all protocols.
//!
//! * Nothing, where no password may be taken: before TLS, unless the operator marked a loopback listener as insecure.
//! * PLAIN and what else says the password, whichever the protocol takes.
//! * SCRAM-SHA-256 where the directory says that every account has keys for it; -PLUS too where the TLS connection has a value
//!   to bind to (RFC 9266).
//!
//! * EXTERNAL where TLS has verified a certificate of the client, and the directory finds accounts by certificates.
//!
//! A client takes the best of them, and gives up if it doesn't work: so nothing is offered that only some accounts can use. A
//! directory that cannot be asked now leaves what says the password: it will be asked again when somebody logs in.

use dovetail_sdk::directory::{Directory, LoginMethods};
use dovetail_sdk::protocol::Session;
use dovetail_sdk::Service;

use crate::sasl::Mechanism;

/// The mechanisms of a session, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer(Vec<Mechanism>);

impl Offer {
    /// Of nothing.
    pub fn nothing() -> Self {
        Offer::default()
    }

    /// What a session offers now; `passwords` are the mechanisms by which its protocol takes passwords.
    pub fn of(session: &Session, directory: &Service<Directory>, passwords: &[Mechanism]) -> Self {
        if !session.may_take_password() {
            return Offer::nothing();
        }
        let methods = directory.get().ok().and_then(|directory| directory.login_methods().ok()).unwrap_or_default();
        let binds = session.tls().is_some_and(|facts| facts.exporter.is_some());
        let certified = session.tls().is_some_and(|facts| !facts.peer_chain.is_empty());
        Offer::by(LoginMethods { certificates: methods.certificates && certified, ..methods }, binds, passwords)
    }

    /// By what the directory says and this client can use, and whether the connection has a value to bind to.
    pub fn by(methods: LoginMethods, binds: bool, passwords: &[Mechanism]) -> Self {
        let offered = |mechanism: &Mechanism| match mechanism {
            Mechanism::External => methods.certificates,
            Mechanism::ScramSha256Plus => methods.scram_sha_256 && binds,
            Mechanism::ScramSha256 => methods.scram_sha_256,
            password => passwords.contains(password),
        };
        Offer(Mechanism::ALL.into_iter().filter(offered).collect())
    }

    /// Whether it is offered.
    pub fn contains(&self, mechanism: Mechanism) -> bool {
        self.0.contains(&mechanism)
    }

    /// The one of this name, in either case, if it is offered.
    pub fn find(&self, name: &str) -> Option<Mechanism> {
        Mechanism::from_name(name).filter(|mechanism| self.contains(*mechanism))
    }

    /// Whether nothing is offered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, best first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().map(|mechanism| mechanism.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(methods: LoginMethods, binds: bool) -> String {
        Offer::by(methods, binds, &[Mechanism::Plain]).names().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_every_account_can_use_best_first() {
        let scram = LoginMethods { scram_sha_256: true, ..LoginMethods::default() };
        assert_eq!(names(LoginMethods::default(), true), "PLAIN");
        assert_eq!(names(scram, false), "SCRAM-SHA-256 PLAIN");
        assert_eq!(names(scram, true), "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN");
    }

    #[test]
    fn a_certificate_goes_before_all_else() {
        let methods = LoginMethods { certificates: true, scram_sha_256: true };
        assert_eq!(names(methods, false), "EXTERNAL SCRAM-SHA-256 PLAIN");
    }

    #[test]
    fn only_what_is_offered_is_found() {
        let offer = Offer::by(LoginMethods::default(), false, &[Mechanism::Plain]);
        assert_eq!(offer.find("plain"), Some(Mechanism::Plain));
        assert_eq!(offer.find("LOGIN"), None);
        assert_eq!(offer.find("SCRAM-SHA-256"), None);
        assert_eq!(offer.find("CRAM-MD5"), None);
        assert!(Offer::nothing().is_empty() && !offer.is_empty());
    }
}
