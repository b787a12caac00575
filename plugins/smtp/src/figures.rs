//! What the instance counts for `/metrics`.

use dovetail_sdk::metrics::{counter, Counter};

use crate::reply::Reply;

/// The counters; cheap to use.
#[derive(Debug)]
pub struct Figures {
    accepted: Counter,
    deferred: Counter,
    too_large: Counter,
    no_room: Counter,
    circling: Counter,
    content: Counter,
    refused: Counter,
    broken: Counter,
    discarded: Counter,
    policy_refused: Counter,
    policy_deferred: Counter,
    octets: Counter,
}

impl Default for Figures {
    /// Asks the host for them.
    fn default() -> Self {
        let messages = |outcome: &str, reason: &str| {
            let help = "Messages at the end of their data, by what became of them and why";
            counter("smtp_messages_total", help, &[("outcome", outcome), ("reason", reason)])
        };
        Figures {
            accepted: messages("accepted", "none"),
            deferred: messages("deferred", "temporary"),
            no_room: messages("deferred", "no_room"),
            too_large: messages("refused", "too_large"),
            circling: messages("refused", "circling"),
            content: messages("refused", "content"),
            refused: messages("refused", "recipient"),
            broken: messages("discarded", "connection_lost"),
            discarded: messages("discarded", "policy"),
            policy_refused: messages("refused", "policy"),
            policy_deferred: messages("deferred", "policy"),
            octets: counter("smtp_octets_in_total", "Octets of accepted messages", &[]),
        }
    }
}

impl Figures {
    /// A message was answered.
    pub fn message(&self, reply: &Reply, size: u64) {
        let status = reply.enhanced();
        let figure = match (reply.code() / 100, status) {
            (2, _) => {
                self.octets.add(size);
                &self.accepted
            }
            (4, Some((3, 1))) => &self.no_room,
            (4, _) => &self.deferred,
            (_, Some((3, 4))) => &self.too_large,
            (_, Some((4, 6))) => &self.circling,
            (_, Some((6, _))) => &self.content,
            _ => &self.refused,
        };
        figure.inc();
    }

    /// A message was taken and thrown away, since a policy said so.
    pub fn discarded(&self) {
        self.discarded.inc();
    }

    /// A policy did not let a message pass.
    pub fn refused_by_policy(&self, reply: &Reply) {
        match reply.is_refusal() {
            true => self.policy_refused.inc(),
            false => self.policy_deferred.inc(),
        }
    }

    /// The connection ended before the message did.
    pub fn lost(&self) {
        self.broken.inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_testkit::TestHost;

    #[test]
    fn a_message_counts_by_its_answer() {
        let host = TestHost::new();
        host.enter(|| {
            let figures = Figures::default();
            figures.message(&Reply::ok(0, 0, "Delivered"), 100);
            figures.message(&crate::data::too_big(5), 7);
            figures.message(&Reply::defer(452, 3, 1, "No room"), 7);
            figures.message(&Reply::refuse(550, 1, 1, "Unknown"), 7);
            figures.lost();
        });
        for (labels, count) in [
            ("outcome=\"accepted\",reason=\"none\"", 1),
            ("outcome=\"refused\",reason=\"too_large\"", 1),
            ("outcome=\"deferred\",reason=\"no_room\"", 1),
            ("outcome=\"refused\",reason=\"recipient\"", 1),
            ("outcome=\"refused\",reason=\"circling\"", 0),
            ("outcome=\"discarded\",reason=\"connection_lost\"", 1),
        ] {
            assert_eq!(host.metric(&format!("smtp_messages_total{{{labels}}}")), Some(count), "{labels}");
        }
        assert_eq!(host.metric("smtp_octets_in_total"), Some(100));
    }
}
