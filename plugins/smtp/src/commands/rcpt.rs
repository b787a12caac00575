//! RCPT (RFC 5321 section 4.1.1.3): one recipient of the mail.

use dovetail_mail::address::{AddressError, ForwardPath};

use dovetail_sdk::delivery::{Answer, RecipientRequest, Verdict};
use dovetail_sdk::policy::{Question, Stage};

use super::strip_keyword;
use crate::answer::{self, try_later};
use crate::conversation::Conversation;
use crate::params;
use crate::reply::Reply;
use crate::state::{Rules, State};

/// `RCPT TO:<path>`.
#[derive(Debug, PartialEq, Eq)]
pub struct Rcpt {
    recipient: ForwardPath,
}

impl Rcpt {
    /// Reads the path; no extension of ours has parameters here.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        let path = strip_keyword(args, "TO:").ok_or_else(|| Reply::refuse(501, 5, 4, "Syntax: RCPT TO:<address>"))?;
        let (recipient, rest) = ForwardPath::parse_prefix(path).map_err(bad_recipient)?;
        if !params::parse(rest)?.is_empty() {
            return Err(Reply::refuse(555, 5, 4, "Parameter not recognized or not implemented"));
        }
        Ok(Rcpt { recipient })
    }

    /// Adds the recipient, if the delivery will take mail for it: local ones only, or whatever it allows the account.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> Reply {
        if let Err(refusal) = self.check(&conversation.state, &conversation.rules) {
            return refusal;
        }
        let Some(transaction) = &conversation.state.transaction else {
            return need_mail();
        };
        let recipient = match &self.recipient {
            ForwardPath::Postmaster => "postmaster".to_owned(),
            ForwardPath::Address(address) => address.to_string(),
        };
        if transaction.recipients.contains(&recipient) || transaction.discarded.contains(&recipient) {
            return Reply::ok(1, 5, "Recipient ok, named before");
        }
        let request = RecipientRequest {
            recipient: recipient.clone(),
            sender: transaction.sender_text(),
            account: conversation.state.account.clone(),
            size: transaction.size.unwrap_or_default(),
        };
        let Ok(delivery) = conversation.services.delivery.ready().await else {
            return try_later();
        };
        match delivery.recipient(request).await {
            Ok(answer) if answer.verdict == Verdict::Accept => self.accept(conversation, recipient, &answer).await,
            Ok(answer) => {
                tracing::info!(recipient, code = answer.code, answer = answer.text, "recipient refused");
                answer::reply(&answer)
            }
            Err(failure) => {
                tracing::error!(%failure, recipient, "recipient not checked: the client was told to try later; look for the cause in the directory's lines");
                answer::reply(&failure.answer)
            }
        }
    }

    /// Adds a recipient that the delivery takes, if policies have nothing against it.
    async fn accept(&self, conversation: &mut Conversation<'_>, recipient: String, answer: &Answer) -> Reply {
        let about = |question: &mut Question| question.recipient = Some(recipient.clone());
        let asked = conversation.ask(Stage::Recipient, conversation.state.transaction.as_ref(), about).await;
        let fate = match asked.fate() {
            Ok(fate) => fate,
            Err(refusal) => return refusal,
        };
        if let Some(transaction) = &mut conversation.state.transaction {
            transaction.fate.junk |= fate.junk;
            match fate.discard {
                true => transaction.discarded.push(recipient),
                false => transaction.recipients.push(recipient),
            }
        }
        answer::reply(answer)
    }

    /// Whether a recipient may be named now, apart from who it is.
    fn check(&self, state: &State, rules: &Rules) -> Result<(), Reply> {
        let Some(transaction) = &state.transaction else {
            return Err(need_mail());
        };
        if transaction.accepted() >= rules.max_recipients {
            return Err(Reply::defer(452, 5, 3, "Too many recipients; send the rest in another mail"));
        }
        Ok(())
    }
}

fn need_mail() -> Reply {
    Reply::refuse(503, 5, 1, "Say MAIL first")
}

fn bad_recipient(error: AddressError) -> Reply {
    match error {
        AddressError::NonAscii => Reply::refuse(553, 6, 7, error.to_string()),
        _ => Reply::refuse(501, 1, 3, format!("Bad recipient address: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;
    use crate::state::testing::{greeted, in_mail, rules};
    use crate::state::Tls;
    use crate::testing::mx;

    #[test]
    fn reads_a_path() {
        let bob = Rcpt::parse(b"to:<Bob@B.org>").unwrap();
        assert_eq!(bob.recipient.to_string(), "<Bob@b.org>");
        assert_eq!(Rcpt::parse(b"TO:<Postmaster>").unwrap().recipient, ForwardPath::Postmaster);
        assert_eq!(
            Rcpt::parse(b"TO:<@x.org:bob@b.org>").unwrap().recipient,
            Rcpt::parse(b"TO: <bob@b.org>").unwrap().recipient
        );
    }

    #[test]
    fn refuses_bad_syntax() {
        for (args, want) in [
            (&b""[..], 501),
            (b"FROM:<a@b.org>", 501),
            (b"TO:<>", 501),
            (b"TO:bob@b.org", 501),
            (b"TO:<bob@b.org> NOTIFY=NEVER", 555),
            (b"TO:<bob@b.org>x", 501),
            (b"TO:<b\xc3\xbc@b.org>", 553),
        ] {
            assert_eq!(Rcpt::parse(args).unwrap_err().code(), want, "{args:?}");
        }
    }

    #[test]
    fn needs_a_mail_and_room() {
        let rcpt = Rcpt::parse(b"TO:<bob@b.org>").unwrap();
        let rules = rules(Role::Mx, Tls::Off);
        assert_eq!(rcpt.check(&greeted(), &rules).unwrap_err().code(), 503);
        assert_eq!(rcpt.check(&in_mail(&["a@b.org", "b@b.org"]), &rules), Ok(()));
        assert_eq!(rcpt.check(&in_mail(&["a@b.org", "b@b.org", "c@b.org"]), &rules).unwrap_err().code(), 452);
    }

    #[tokio::test]
    async fn the_delivery_decides_and_nobody_is_named_twice() {
        let world = mx();
        let script = r"
            S: 220 mx.example ESMTP Dovetail
            C: HELO c
            C: MAIL FROM:<x@remote.example>
            C: RCPT TO:<bob@example.org>
            C: RCPT TO:<bob@Example.Org>
            C: RCPT TO:<nobody@example.org>
            C: RCPT TO:<bob@elsewhere.example>
            C: RCPT TO:<broken@example.org>
            C: RCPT TO:<Postmaster>
            S: 250 mx.example
            S: 250 2.1.0 Sender ok
            S: 250 2.1.5 Recipient ok
            S: 250 2.1.5 Recipient ok, named before
            S: 550 5.1.1 No such user
            S: 550 5.7.1 Relaying denied
            S: 451 4.3.0 Temporary failure, try again later
            S: 250 2.1.5 Recipient ok
            C: DATA
            S: 354 Go ahead; end with CRLF.CRLF
            C: .
            S: 250 2.0.0 Delivered as s1.1
        ";
        world.talk(script).await.unwrap();
        assert_eq!(world.seen.messages.lock().unwrap()[0].0.recipients, ["bob@example.org", "postmaster"]);
    }
}
