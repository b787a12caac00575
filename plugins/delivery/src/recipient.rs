//! Whether a recipient would be taken (the answer to RCPT TO).

use crate::{answers, LocalDelivery};
use dovetail_sdk::{
    delivery::{Answer, DeliveryFailure, RecipientRequest},
    directory::AddressKind,
};

impl LocalDelivery {
    pub(crate) async fn check_recipient(&self, request: RecipientRequest) -> Result<Answer, DeliveryFailure> {
        let directory = self.directory.ready().await?;
        let resolution = directory.resolve(request.recipient).await.map_err(answers::directory_failed)?;
        Ok(match resolution.kind {
            AddressKind::Local if resolution.accounts.is_empty() => answers::unknown(),
            AddressKind::Local if resolution.accounts.len() > self.max_accounts => answers::too_wide(),
            AddressKind::Local => answers::recipient_accepted(),
            AddressKind::Remote => answers::not_here(request.account.is_some()),
            _ => answers::unknown(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::fakes::{delivery, FakeDirectory, FakeStore};
    use dovetail_sdk::delivery::{RecipientRequest, Verdict};

    fn request(recipient: &str, account: Option<&str>) -> RecipientRequest {
        RecipientRequest {
            recipient: recipient.into(),
            sender: String::new(),
            account: account.map(str::to_owned),
            size: 0,
        }
    }

    #[tokio::test]
    async fn answers_to_recipients() {
        let directory = FakeDirectory::new([
            ("a@x.org", &["a@x.org"][..]),
            ("all@x.org", &["a@x.org", "b@x.org", "c@x.org", "d@x.org"]),
            ("none@x.org", &[]),
        ]);
        let delivery = delivery(directory, FakeStore::default());
        for (recipient, account, code, enhanced, words) in [
            ("a@x.org", None, 250, "2.1.5", "accepted"),
            ("nobody@x.org", None, 550, "5.1.1", "No such"),
            ("none@x.org", None, 550, "5.1.1", "No such"),
            ("all@x.org", None, 550, "5.3.5", "too many"),
            ("a@elsewhere.example", None, 550, "5.7.1", "Relaying denied"),
            ("a@elsewhere.example", Some("a@x.org"), 550, "5.7.1", "does not send"),
        ] {
            let answer = delivery.check_recipient(request(recipient, account)).await.unwrap();
            assert_eq!((answer.code, answer.enhanced.as_str()), (code, enhanced), "{recipient}");
            assert!(answer.text.contains(words), "{recipient}: {answer:?}");
        }
    }

    #[tokio::test]
    async fn a_directory_that_fails_means_later() {
        let delivery = delivery(FakeDirectory::failing(), FakeStore::default());
        let failure = delivery.check_recipient(request("a@x.org", None)).await.unwrap_err();
        assert_eq!((failure.answer.verdict, failure.answer.code), (Verdict::Defer, 451));
        assert_eq!(failure.message, "the directory is on fire");
        assert!(!failure.answer.text.contains("fire"));
    }
}
