//! Local delivery (`dovetail.delivery/1`): who may be written to, and the message into their inboxes.
//!
//! Every recipient is resolved by the directory, at RCPT and again at the end of the message. The body is stored once; each
//! account gets it once, however many of its addresses were named, under the delivery's id. Appends to several accounts run
//! side by side, so that the store can commit them together.
//!
//! **How it fails.** Each recipient has an answer of its own; it is accepted only if all accounts behind it have the message
//! durably. A directory or store that is away means "try later". Peers get a generic text, the log gets the cause.
//!
//! **Bounds.** A message reaches at most `max_accounts` accounts; recipients beyond it are put off to another transaction.
//! Nothing is sent elsewhere: addresses at foreign domains are refused. RFC 5321, RFC 3463.

mod answers;
mod figures;
mod join;
mod junk;
mod message;
mod recipient;

use dovetail_sdk::{
    delivery::{Answer, Delivery, DeliveryFailure, DeliveryProvider, Envelope, RecipientRequest},
    directory::Directory,
    export_plugin,
    store::{Body, BodySink, Store},
    Context, Plugin, Problems, Service, StartFailure,
};
use figures::Figures;

/// The plugin's config section.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// How many accounts one message may reach: 1 to 10000.
    max_accounts: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config { max_accounts: 1000 }
    }
}

/// Delivery into one store for the accounts of one directory.
struct LocalDelivery {
    directory: Service<Directory>,
    store: Service<Store>,
    max_accounts: usize,
    figures: Figures,
}

impl Plugin for LocalDelivery {
    type Config = Config;

    fn validate(config: &Config, _about: &dovetail_sdk::About, problems: &mut Problems) {
        if !(1..=MAX_ACCOUNTS).contains(&config.max_accounts) {
            problems.error(
                format!("`max_accounts` is {}; it must be 1 to {MAX_ACCOUNTS}", config.max_accounts),
                "leave it out for 1000",
            );
        }
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        Ok(LocalDelivery {
            directory: context.service()?,
            store: context.service()?,
            max_accounts: config.max_accounts,
            figures: Figures::new(),
        })
    }
}

impl DeliveryProvider for LocalDelivery {
    async fn recipient(&self, request: RecipientRequest) -> Result<Answer, DeliveryFailure> {
        self.check_recipient(request).await
    }

    async fn begin(&self, size: u64) -> Result<BodySink, DeliveryFailure> {
        self.store.ready().await?.begin_body(size).await.map_err(answers::store_failed)
    }

    async fn deliver(&self, envelope: Envelope, body: Body) -> Result<Vec<Answer>, DeliveryFailure> {
        self.deliver_message(envelope, body).await
    }
}

export_plugin! {
    plugin: LocalDelivery,
    id: "delivery",
    summary: "Puts accepted messages into the inboxes of local accounts",
    provides: [Delivery],
    requires: [Directory, Store],
}

/// Each account costs one append that is under way.
const MAX_ACCOUNTS: usize = 10_000;

#[cfg(test)]
mod fakes;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{FakeDirectory, FakeStore};
    use dovetail_testkit::{host::bound, TestHost};

    #[tokio::test]
    async fn a_started_plugin_answers_through_its_interface() {
        let host = TestHost::new();
        let services = [
            bound(Directory::new(FakeDirectory::new([("a@x.org", &["a@x.org"][..])]))),
            bound(Store::new(FakeStore::default())),
        ];
        let started = host.start::<LocalDelivery>("()", services).await.unwrap();
        let delivery: Delivery = started.query();
        let body = delivery.begin(10).await.unwrap().seal().await.unwrap();
        let envelope = Envelope {
            id: "delivery-1".into(),
            sender: String::new(),
            recipients: vec!["a@x.org".into()],
            account: None,
            junk: false,
        };
        let answers = delivery.deliver(envelope, body).await.unwrap();
        assert_eq!(answers.iter().map(|answer| answer.code).collect::<Vec<_>>(), [250]);
        assert!(host.logged("delivery-1") && host.panics().is_empty());
        assert_eq!(host.metric("delivery_appends_total{outcome=\"delivered\"}"), Some(1));
        assert_eq!(host.metric("delivery_recipients_total{outcome=\"delivered\"}"), Some(1));
    }

    #[tokio::test]
    async fn sections() {
        let host = TestHost::new();
        for (section, words) in [("(max_accounts: 0)", "1 to 10000"), ("(max_acounts: 1)", "max_acounts")] {
            let found = host.check::<LocalDelivery>(section).unwrap_err();
            assert!(found[0].message.contains(words), "{section}: {found:?}");
        }
        assert_eq!(host.check::<LocalDelivery>("(max_accounts: 50)"), Ok(vec![]));
    }
}
