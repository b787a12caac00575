//! MAIL (RFC 5321 section 4.1.1.2): begins a mail and says who it is from.
//!
//! Parameters: SIZE (RFC 1870), BODY=7BIT|8BITMIME (RFC 6152), AUTH (RFC 4954 section 5: read, believed from nobody).

use dovetail_mail::address::{AddressError, ReversePath};
use dovetail_sdk::policy::Stage;

use super::strip_keyword;
use crate::answer::try_later;
use crate::conversation::Conversation;
use crate::data::too_big;
use crate::params::{self, Param};
use crate::policy::Fate;
use crate::reply::Reply;
use crate::state::{Rules, State, Transaction};

/// `MAIL FROM:<path> [parameters]`.
#[derive(Debug, PartialEq, Eq)]
pub struct Mail {
    sender: ReversePath,
    size: Option<u64>,
}

impl Mail {
    /// Reads path and parameters.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        let path = strip_keyword(args, "FROM:")
            .ok_or_else(|| Reply::refuse(501, 5, 4, "Syntax: MAIL FROM:<address> [parameters]"))?;
        let (sender, rest) = ReversePath::parse_prefix(path).map_err(bad_sender)?;
        let mut mail = Mail { sender, size: None };
        for param in params::parse(rest)? {
            mail.take(param)?;
        }
        Ok(mail)
    }

    fn take(&mut self, param: Param<'_>) -> Result<(), Reply> {
        let value = param.value.unwrap_or_default();
        if param.is("SIZE") {
            self.size = Some(size(value)?);
            Ok(())
        } else if param.is("BODY") {
            let known = ["7BIT", "8BITMIME"].iter().any(|body| value.eq_ignore_ascii_case(body));
            known.then_some(()).ok_or_else(|| Reply::refuse(501, 5, 4, "BODY must be 7BIT or 8BITMIME"))
        } else if param.is("AUTH") {
            let ok = !value.is_empty() && is_xtext(value);
            ok.then_some(()).ok_or_else(|| Reply::refuse(501, 5, 4, "AUTH must be <> or an address in xtext"))
        } else {
            Err(Reply::refuse(555, 5, 4, "Parameter not recognized or not implemented"))
        }
    }

    /// Begins a mail, if it may begin and the client may send as its sender.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> Reply {
        if let Err(refusal) = self.check(&conversation.state, &conversation.rules) {
            return refusal;
        }
        if let Err(refusal) = self.check_sender(conversation).await {
            return refusal;
        }
        let mut transaction = self.begin(conversation.next_id(), conversation.fate());
        match conversation.ask(Stage::Mail, Some(&transaction), |_| {}).await.fate() {
            Ok(fate) => {
                transaction.fate = transaction.fate.and(fate);
                conversation.state.transaction = Some(transaction);
                Reply::ok(1, 0, "Sender ok")
            }
            Err(refusal) => refusal,
        }
    }

    /// Users send as themselves (RFC 6409 section 6.1). `<>` is what their programs send receipts with.
    async fn check_sender(&self, conversation: &Conversation<'_>) -> Result<(), Reply> {
        let (Some(account), Some(address)) = (&conversation.state.account, self.sender.address()) else {
            return Ok(());
        };
        let directory = conversation.services.directory.ready().await.map_err(|_| try_later())?;
        match directory.may_send_as(account.clone(), address.to_string()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Reply::refuse(550, 7, 1, "The sender address is not one of yours")),
            Err(failure) => {
                tracing::error!(%failure, "sender not checked: the client was told to try later; look for the cause in the directory's lines");
                Err(try_later())
            }
        }
    }

    /// Whether a mail may begin now, apart from who its sender is.
    fn check(&self, state: &State, rules: &Rules) -> Result<(), Reply> {
        if state.hello.is_none() {
            return Err(Reply::refuse(503, 5, 1, "Say EHLO or HELO first"));
        }
        rules.check_access(state)?;
        if state.transaction.is_some() {
            return Err(Reply::refuse(503, 5, 1, "A mail has been begun already; RSET forgets it"));
        }
        if self.size.is_some_and(|size| size > rules.max_message_size) {
            return Err(too_big(rules.max_message_size));
        }
        Ok(())
    }

    fn begin(self, id: String, fate: Fate) -> Transaction {
        Transaction { id, sender: self.sender, size: self.size, recipients: Vec::new(), discarded: Vec::new(), fate }
    }
}

/// One to twenty digits; what doesn't fit 64 bits is larger than any limit.
fn size(value: &str) -> Result<u64, Reply> {
    let digits = (1..=20).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return Err(Reply::refuse(501, 5, 4, "SIZE must be a number of octets"));
    }
    Ok(value.parse().unwrap_or(u64::MAX))
}

/// RFC 3461 section 4: `+` begins two upper-case hex digits.
fn is_xtext(value: &str) -> bool {
    let mut pieces = value.split('+');
    pieces.next();
    let hex = |b: &u8| matches!(b, b'0'..=b'9' | b'A'..=b'F');
    pieces.all(|piece| piece.as_bytes().get(..2).is_some_and(|pair| pair.iter().all(hex)))
}

fn bad_sender(error: AddressError) -> Reply {
    match error {
        AddressError::NonAscii => Reply::refuse(553, 6, 7, error.to_string()),
        _ => Reply::refuse(501, 1, 7, format!("Bad sender address: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;
    use crate::state::testing::{greeted, in_mail, logged_in, rules};
    use crate::state::Tls;
    use crate::testing::submission;

    fn parse(args: &str) -> Result<Mail, Reply> {
        Mail::parse(args.as_bytes())
    }

    fn code(args: &str) -> u16 {
        parse(args).unwrap_err().code()
    }

    #[test]
    fn reads_path_and_parameters() {
        let ann = ReversePath::Address("ann@b.org".parse().unwrap());
        assert_eq!(parse("FROM:<>"), Ok(Mail { sender: ReversePath::Null, size: None }));
        assert_eq!(parse("from:<ann@b.org> SIZE=42 BODY=8bitmime"), Ok(Mail { sender: ann.clone(), size: Some(42) }));
        assert_eq!(parse("FROM: <ann@b.org> body=7BIT AUTH=<>"), Ok(Mail { sender: ann.clone(), size: None }));
        assert_eq!(parse("FROM:<ann@b.org> AUTH=e+3Dmc2@b.org"), Ok(Mail { sender: ann, size: None }));
        assert_eq!(parse("FROM:<> SIZE=99999999999999999999").unwrap().size, Some(u64::MAX));
    }

    #[test]
    fn refuses_bad_syntax() {
        for (args, want) in [
            ("", 501),
            ("TO:<a@b.org>", 501),
            ("FROM:a@b.org", 501),
            ("FROM:<a>", 501),
            ("FROM:<a@b.org>SIZE=1", 501),
            ("FROM:<j\u{fc}rgen@b.org>", 553),
            ("FROM:<> SIZE", 501),
            ("FROM:<> SIZE=-1", 501),
            ("FROM:<> SIZE=1 SIZE=2", 501),
            ("FROM:<> SIZE=123456789012345678901", 501),
            ("FROM:<> BODY=BINARYMIME", 501),
            ("FROM:<> BODY", 501),
            ("FROM:<> AUTH", 501),
            ("FROM:<> AUTH=a+zz", 501),
            ("FROM:<> AUTH=a+2", 501),
            ("FROM:<> SMTPUTF8", 555),
            ("FROM:<> RET=FULL", 555),
        ] {
            assert_eq!(code(args), want, "{args:?}");
        }
    }

    #[test]
    fn begins_only_in_the_right_place() {
        let mail = || parse("FROM:<>").unwrap();
        let mx = rules(Role::Mx, Tls::Offered);
        assert_eq!(mail().check(&State::default(), &mx).unwrap_err().code(), 503);
        assert_eq!(mail().check(&in_mail(&[]), &mx).unwrap_err().code(), 503);
        assert_eq!(mail().check(&greeted(), &mx), Ok(()));
        let submission = rules(Role::Submission, Tls::Active);
        assert_eq!(mail().check(&greeted(), &submission).unwrap_err().code(), 530);
        assert_eq!(mail().check(&logged_in(), &submission), Ok(()));
    }

    #[test]
    fn announced_size_is_held_against_the_limit() {
        let mx = rules(Role::Mx, Tls::Off);
        assert_eq!(parse("FROM:<> SIZE=1000").unwrap().check(&greeted(), &mx), Ok(()));
        assert_eq!(parse("FROM:<> SIZE=1001").unwrap().check(&greeted(), &mx).unwrap_err(), too_big(1000));
    }

    #[test]
    fn begin_opens_an_empty_transaction() {
        let fate = Fate { junk: true, discard: false };
        let begun = parse("FROM:<> SIZE=7").unwrap().begin("s1.1".to_owned(), fate);
        assert_eq!((begun.sender, begun.size, begun.fate), (ReversePath::Null, Some(7), fate));
    }

    #[tokio::test]
    async fn users_send_as_themselves_only() {
        let login = "C: EHLO c\nS: 220 mx.example ESMTP Dovetail\nS: 250-mx.example greets c\nS: 250-PIPELINING\nS: 250-8BITMIME\n\
                     S: 250-ENHANCEDSTATUSCODES\nS: 250-SIZE 52428800\nS: 250 AUTH PLAIN LOGIN\n";
        let script = r"
            C: MAIL FROM:<ann@example.org>
            S: 530 5.7.0 Authentication required
            C: AUTH PLAIN AGFubkBleGFtcGxlLm9yZwBzZWNyZXQ=
            S: 235 2.7.0 Logged in
            C: MAIL FROM:<bob@example.org>
            S: 550 5.7.1 The sender address is not one of yours
            C: MAIL FROM:<broken@example.org>
            S: 451 4.3.0 Temporary failure, try again later
            C: MAIL FROM:<ann@example.org>
            S: 250 2.1.0 Sender ok
            C: RSET
            C: MAIL FROM:<>
            S: 250 2.0.0 Forgotten
            S: 250 2.1.0 Sender ok
        ";
        submission().talk(&format!("{login}{script}")).await.unwrap();
    }
}
