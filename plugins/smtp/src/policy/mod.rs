//! Policies (`dovetail.policy/1`): others decide about connections, names, logins, senders, recipients and messages.
//!
//! * [`chain`] asks them, one after the other, and turns what they say into what happens.
//! * [`question`] tells them all that is known.
//! * [`fate`] is what a mail has before it: junk, or being thrown away.
//! * [`words`] makes a reply of a refusal, and [`header`] the changes of a message's header.
//! * [`figures`] counts.
//!
//! **Rules.** The first refusal ends a chain, and so does a discard: nothing more is asked about what will be thrown away.
//! Junk goes on. What is decided before MAIL holds for all mails of the session: what CONNECT brought for good, what HELO or
//! AUTH brought until the next one (RFC 3207 section 4.2 makes STARTTLS forget both). Recipients of a mail that will be thrown
//! away are still checked by the delivery, so that the server never looks like a relay. At the end of a message there is one
//! reply for all recipients (RFC 5321 section 4.1.1.4).
//!
//! **How it fails.** A policy that fails, panics, takes too long, is gone, or says what cannot be done, is followed by what
//! the operator set as its `on_error`. Its name is looked up at each question: one that was replaced under a session is asked
//! at the next stage. Whether a message is kept back for policies to read is decided at DATA; one that wants to read messages
//! from then on gets the next.

mod chain;
mod fate;
mod figures;
pub(crate) mod header;
mod question;
#[cfg(test)]
mod tests;
mod words;

pub use chain::{Chain, Outcome, Step};
pub use fate::Fate;
pub use question::question;
pub use words::Words;
