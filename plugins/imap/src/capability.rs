//! What is advertised, and when (RFC 9051 sections 6.1.1 and 7.2.2). Nothing is named here that isn't whole.

use dovetail_mail::login::Offer;

/// Where a session stands, as far as capabilities go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody has logged in. Before TLS on a port that has it, no password is taken.
    Before {
        /// STARTTLS is offered.
        start_tls: bool,
        /// By what a user can log in.
        offer: Offer,
    },
    /// Somebody has logged in.
    After,
}

/// The list, without the word CAPABILITY.
pub fn list(stage: &Stage) -> String {
    let mut words = vec!["IMAP4rev1", "IMAP4rev2", "ID"];
    match stage {
        Stage::Before { start_tls, offer } => {
            if *start_tls {
                words.push("STARTTLS");
            }
            if offer.is_empty() {
                words.push("LOGINDISABLED");
                return words.join(" ");
            }
            words.extend(["LITERAL+", "SASL-IR", "ENABLE"]);
            offer.names().fold(words.join(" "), |list, name| list + " AUTH=" + name)
        }
        Stage::After => {
            words.extend(AFTER);
            words.join(" ")
        }
    }
}

const AFTER: [&str; 17] = [
    "LITERAL+",
    "ENABLE",
    "IDLE",
    "NAMESPACE",
    "UIDPLUS",
    "UNSELECT",
    "CHILDREN",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "STATUS=SIZE",
    "ESEARCH",
    "SEARCHRES",
    "MOVE",
    "BINARY",
    "SASL-IR",
];

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_mail::sasl::Mechanism;
    use dovetail_sdk::directory::LoginMethods;

    #[test]
    fn before_tls_nothing_invites_a_password() {
        let list = list(&Stage::Before { start_tls: true, offer: Offer::nothing() });
        assert_eq!(list, "IMAP4rev1 IMAP4rev2 ID STARTTLS LOGINDISABLED");
    }

    #[test]
    fn under_tls_logins_are_offered() {
        let offer =
            Offer::by(LoginMethods { scram_sha_256: true, ..LoginMethods::default() }, false, &[Mechanism::Plain]);
        let list = list(&Stage::Before { start_tls: false, offer });
        assert_eq!(list, "IMAP4rev1 IMAP4rev2 ID LITERAL+ SASL-IR ENABLE AUTH=SCRAM-SHA-256 AUTH=PLAIN");
    }
}
