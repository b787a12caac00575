//! What a session knows about its client, and the rules it is served by. No I/O here, so commands are tested on it.

use dovetail_mail::address::ReversePath;

use crate::config::Role;
use crate::policy::Fate;
use crate::reply::Reply;

/// What the client has said so far. `STARTTLS` makes the server forget all of it (RFC 3207 section 4.2).
#[derive(Debug, Default)]
pub struct State {
    /// What the client called itself.
    pub hello: Option<Hello>,
    /// Account that is logged in.
    pub account: Option<String>,
    /// The mail that is being handed over.
    pub transaction: Option<Transaction>,
    /// What policies have said about mails of a client of that name ...
    pub hello_fate: Fate,
    /// ... and of that account.
    pub login_fate: Fate,
}

/// A greeting by the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// A domain or address literal, as sent.
    pub name: String,
    /// EHLO rather than HELO.
    pub extended: bool,
}

/// One mail: from MAIL to the end of its data (RFC 5321 section 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Names it in the log, in its Received field and for the delivery.
    pub id: String,
    /// From `MAIL FROM`.
    pub sender: ReversePath,
    /// What the client says about the message's size.
    pub size: Option<u64>,
    /// Accepted recipients, none of them twice.
    pub recipients: Vec<String>,
    /// Recipients that were accepted, and whose mail is thrown away; none of them twice.
    pub discarded: Vec<String>,
    /// What policies have said about it.
    pub fate: Fate,
}

impl Transaction {
    /// The sender's address; empty for `<>`.
    pub fn sender_text(&self) -> String {
        self.sender.address().map(ToString::to_string).unwrap_or_default()
    }

    /// How many recipients were accepted.
    pub fn accepted(&self) -> usize {
        self.recipients.len() + self.discarded.len()
    }

    /// Whether nobody is to have the message.
    pub fn is_discarded(&self) -> bool {
        self.fate.discard || self.recipients.is_empty()
    }
}

/// What holds for one session: configuration and what the listener and the connection make of it.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Mail for us, or mail from our users.
    pub role: Role,
    /// Our name in greetings.
    pub hostname: String,
    /// Largest message, in octets.
    pub max_message_size: u64,
    /// Most recipients of one message.
    pub max_recipients: usize,
    /// TLS now, later or never.
    pub tls: Tls,
    /// Nothing but a greeting and STARTTLS before TLS is on.
    pub require_tls: bool,
    /// Passwords may cross this connection although TLS is off.
    pub plaintext_auth: bool,
}

/// Where a session stands with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not to be had on this listener.
    Off,
    /// To be had with STARTTLS.
    Offered,
    /// On.
    Active,
}

impl Rules {
    /// Refuses a command before TLS where the listener demands it (RFC 3207 section 4). Asked once for every command, before it
    /// runs.
    pub fn check_tls(&self) -> Result<(), Reply> {
        if self.require_tls && self.tls != Tls::Active {
            return Err(Reply::refuse(530, 7, 0, "Must issue a STARTTLS command first"));
        }
        Ok(())
    }

    /// Refuses a mail command that comes before login, where users are served (RFC 4954 section 6).
    pub fn check_access(&self, state: &State) -> Result<(), Reply> {
        if self.role == Role::Submission && state.account.is_none() {
            return Err(Reply::refuse(530, 7, 0, "Authentication required"));
        }
        Ok(())
    }
}

/// Refuses arguments of a command that has none.
pub fn no_arguments(args: &[u8]) -> Result<(), Reply> {
    if args.is_empty() {
        Ok(())
    } else {
        Err(Reply::refuse(501, 5, 4, "The command takes no arguments"))
    }
}

#[cfg(test)]
pub mod testing {
    //! States and rules to test commands with.

    use super::*;

    pub fn rules(role: Role, tls: Tls) -> Rules {
        Rules {
            role,
            hostname: "mx.example".to_owned(),
            max_message_size: 1000,
            max_recipients: 3,
            tls,
            require_tls: false,
            plaintext_auth: false,
        }
    }

    pub fn greeted() -> State {
        State { hello: Some(Hello { name: "client.example".to_owned(), extended: true }), ..State::default() }
    }

    pub fn logged_in() -> State {
        State { account: Some("ann".to_owned()), ..greeted() }
    }

    pub fn in_mail(recipients: &[&str]) -> State {
        let recipients = recipients.iter().map(|&r| r.to_owned()).collect();
        let transaction = Transaction {
            id: "s1.1".to_owned(),
            sender: ReversePath::Null,
            size: None,
            recipients,
            discarded: Vec::new(),
            fate: Fate::default(),
        };
        State { transaction: Some(transaction), ..greeted() }
    }
}
