//! What one session has been told of its mailbox, and the rules that every response must keep (RFC 9051 sections 7.4.1,
//! 7.5.1 and 7.5.2, RFC 2180).

use super::super::client::{Answer, Imap, Response};
use std::collections::BTreeSet;

/// Flags as a set of words; `\Recent` is each session's own and left out.
pub type Flags = BTreeSet<String>;

/// A message as far as the session knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Its UID.
    pub uid: Option<u32>,
    /// Its flags.
    pub flags: Option<Flags>,
}

/// The mailbox by message numbers.
#[derive(Clone, Debug, Default)]
pub struct View {
    messages: Vec<Message>,
}

impl View {
    /// What a session that has just come sees.
    pub fn fresh(imap: &mut Imap, mailbox: &str) -> View {
        let mut view = View::default();
        view.take(&imap.command(&format!("SELECT {mailbox}")).ok(), true);
        view.take(&imap.command("FETCH 1:* (UID FLAGS)"), false);
        imap.command("UNSELECT").ok();
        view
    }

    /// The messages.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// The message with a number.
    pub fn get_mut(&mut self, number: usize) -> Option<&mut Message> {
        self.messages.get_mut(number.checked_sub(1)?)
    }

    /// Takes over what the server says. Without `expunges`, none may be among it.
    #[track_caller]
    pub fn take(&mut self, answer: &Answer, expunges: bool) {
        answer.untagged.iter().for_each(|response| self.hear(response, expunges));
    }

    /// The same for one response.
    #[track_caller]
    pub fn hear(&mut self, response: &Response, expunges: bool) {
        let text = response.text.as_str();
        let rest = text.strip_prefix("* ").unwrap_or_else(|| panic!("not untagged: {text}"));
        let Some((number, what)) = rest.split_once(' ') else { return };
        let Ok(number) = number.parse::<usize>() else { return };
        let (word, data) = what.split_once(' ').unwrap_or((what, ""));
        match word {
            "EXISTS" => {
                assert!(number >= self.messages.len(), "EXISTS {number} after {}", self.messages.len());
                self.messages.resize(number, Message::default());
            }
            "EXPUNGE" => {
                assert!(expunges, "EXPUNGE while numbers are in use");
                assert!((1..=self.messages.len()).contains(&number), "EXPUNGE {number} of {}", self.messages.len());
                self.messages.remove(number - 1);
            }
            "FETCH" => self.fetched(number, data),
            "RECENT" => assert!(number <= self.messages.len()),
            _ => panic!("unknown response: {text}"),
        }
    }

    fn fetched(&mut self, number: usize, data: &str) {
        assert!((1..=self.messages.len()).contains(&number), "FETCH {number} of {}", self.messages.len());
        if let Some(uid) = after(data, "UID ") {
            let uid: u32 = uid.split([' ', ')']).next().unwrap().parse().unwrap();
            let known = &mut self.messages[number - 1].uid;
            assert!(known.is_none_or(|known| known == uid), "message {number} was {known:?} and is {uid}");
            *known = Some(uid);
            let below = self.messages[..number - 1].iter().rev().find_map(|message| message.uid);
            let above = self.messages[number..].iter().find_map(|message| message.uid);
            assert!(below.is_none_or(|below| below < uid) && above.is_none_or(|above| uid < above), "UIDs ascend");
        }
        if let Some(flags) = after(data, "FLAGS (") {
            let flags = flags.split(')').next().unwrap().split_whitespace();
            self.messages[number - 1].flags =
                Some(flags.filter(|flag| *flag != "\\Recent").map(str::to_owned).collect());
        }
    }
}

fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.find(mark).map(|at| &text[at + mark.len()..])
}
