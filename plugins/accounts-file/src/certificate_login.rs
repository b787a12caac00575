//! Logins by certificate (SASL EXTERNAL, RFC 4422 appendix A): whose it is, and whether they may log in.
//!
//! That the client has the certificate's key, and that a trust anchor of the listener vouches for it, TLS has proved before.
//! Here only the account is found ([`crate::mapping`]). As with a password, it may act as itself alone and must be enabled.

use crate::{
    book::Book,
    certificate,
    directory::admit,
    mapping::{self, By},
};
use dovetail_sdk::directory::{AuthOutcome, AuthStatus, CertificateAttempt, CertificateOutcome};

/// Judges an attempt.
pub fn judge(book: &Book, rules: &[By], attempt: &CertificateAttempt) -> CertificateOutcome {
    let refused = |certificate: String, reason: String| CertificateOutcome {
        outcome: AuthOutcome { status: AuthStatus::Rejected, account: None },
        certificate,
        reason,
    };
    let shown = match certificate::of_chain(&attempt.chain) {
        Ok(shown) => shown,
        Err(error) => return refused(String::new(), error.to_string()),
    };
    let certificate = format!("{} (its key {})", shown.fingerprint, shown.key);
    let (name, by) = match mapping::account_of(book, &shown, rules) {
        Ok(found) => found,
        Err(unmapped) => return refused(certificate, unmapped.to_string()),
    };
    let outcome = match book.account(&name) {
        Some(account) => admit(&name, account, &attempt.authorization_id),
        None => AuthOutcome { status: AuthStatus::Rejected, account: None },
    };
    let reason = match outcome.status {
        AuthStatus::Accepted => format!("by {by}"),
        AuthStatus::Disabled => format!("it is {name}'s by {by}, which is disabled"),
        _ => format!("it is {name}'s by {by}, who may not act as somebody else"),
    };
    CertificateOutcome { outcome, certificate, reason }
}

#[cfg(test)]
#[path = "certificate_login_tests.rs"]
mod tests;
