//! What is advertised, and when (RFC 9051 sections 6.1.1 and 7.2.2). Nothing is named here that isn't whole.

/// Where a session stands, as far as capabilities go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody has logged in. Before TLS on a port that has it, no password is taken.
    Before {
        /// STARTTLS is offered.
        start_tls: bool,
        /// Passwords are taken.
        passwords: bool,
    },
    /// Somebody has logged in.
    After,
}

/// The list, without the word CAPABILITY.
pub fn list(stage: Stage) -> String {
    let mut words = vec!["IMAP4rev1", "IMAP4rev2", "ID"];
    match stage {
        Stage::Before { start_tls, passwords } => {
            if start_tls {
                words.push("STARTTLS");
            }
            if passwords {
                words.extend(["LITERAL+", "SASL-IR", "ENABLE", "AUTH=PLAIN"]);
            } else {
                words.push("LOGINDISABLED");
            }
        }
        Stage::After => words.extend(AFTER),
    }
    words.join(" ")
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

    #[test]
    fn before_tls_nothing_invites_a_password() {
        let list = list(Stage::Before { start_tls: true, passwords: false });
        assert_eq!(list, "IMAP4rev1 IMAP4rev2 ID STARTTLS LOGINDISABLED");
    }

    #[test]
    fn under_tls_plain_is_offered() {
        let list = list(Stage::Before { start_tls: false, passwords: true });
        assert_eq!(list, "IMAP4rev1 IMAP4rev2 ID LITERAL+ SASL-IR ENABLE AUTH=PLAIN");
    }
}
