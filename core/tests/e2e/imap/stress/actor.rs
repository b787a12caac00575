//! One session: what it does, and what it believes.

use super::super::client::{Answer, Imap};
use super::model::Model;
use super::view::View;
use crate::durable::random::Random;

/// A session.
pub struct Actor {
    /// How many commands it gave.
    pub steps: u64,
    imap: Imap,
    random: Random,
    view: View,
    keyword: String,
    /// The UIDs of messages that it stored and has not deleted.
    own: Vec<u32>,
}

impl Actor {
    /// A session that has logged in.
    pub fn new(number: usize, imap: Imap, random: Random) -> Actor {
        let keyword = format!("$s{number:02}");
        Actor { steps: 0, imap, random, view: View::default(), keyword, own: Vec::new() }
    }

    /// Opens the mailbox anew.
    pub fn select(&mut self) {
        self.view = View::default();
        let answer = self.imap.command("SELECT INBOX").ok();
        self.view.take(&answer, true);
    }

    /// Does something.
    pub fn step(&mut self, model: &Model) {
        self.steps += 1;
        match self.random.range(0, 16) {
            0 => self.ask("NOOP", true),
            1 | 2 => self.append(model),
            3 => self.ask("FETCH 1:* (UID FLAGS)", false),
            4 => self.fetch_some(),
            5..=8 => self.keyword(model),
            9 => self.search(),
            10 => self.mark_deleted(model),
            11 => self.expunge(model),
            12 => self.take_away(model),
            13 => self.idle(),
            14 => self.seen(),
            _ if self.random.one_in(8) => self.select(),
            _ => self.ask("UID FETCH 1:* (FLAGS)", true),
        }
    }

    /// Hears all that is still to be told, and asks for what it never asked.
    pub fn settle(&mut self) {
        self.ask("NOOP", true);
        if self.view.messages().iter().any(|message| message.uid.is_none()) {
            self.ask("FETCH 1:* (UID)", false);
        }
    }

    /// What this session believes must be so. Flags that it never heard of it believes nothing about.
    pub fn compare(&self, truth: &View) {
        let uids = |view: &View| view.messages().iter().map(|message| message.uid).collect::<Vec<_>>();
        assert_eq!(uids(&self.view), uids(truth), "{}", self.keyword);
        for (mine, real) in self.view.messages().iter().zip(truth.messages()) {
            assert!(mine.flags.is_none() || mine.flags == real.flags, "{}: {mine:?} is {real:?}", self.keyword);
        }
    }

    /// Removes what is marked.
    pub fn expunge(&mut self, _: &Model) {
        self.ask("EXPUNGE", true);
    }

    fn ask(&mut self, command: &str, expunges: bool) {
        self.hear(command, expunges);
    }

    /// A command whose answer must be OK, unless messages have gone meanwhile or there is none.
    fn hear(&mut self, command: &str, expunges: bool) -> Answer {
        let empty = self.view.len() == 0;
        let answer = self.imap.command(command);
        let fine = answer.status.starts_with("OK") || answer.status.contains("[EXPUNGEISSUED]");
        assert!(fine || (empty && answer.status.starts_with("BAD")), "{command}: {answer:?}");
        self.view.take(&answer, expunges);
        answer
    }

    fn append(&mut self, model: &Model) {
        if self.view.len() > 200 {
            return;
        }
        let lines = self.random.range(0, 40) as usize;
        let message = format!("Subject: of {}\r\n\r\n{}", self.keyword, "text\r\n".repeat(lines));
        let answer = self.imap.append("INBOX", "", message.as_bytes()).ok();
        self.view.take(&answer, true);
        let uid = code(&answer.status, "APPENDUID").nth(1).unwrap().parse().unwrap();
        model.appended(uid);
        self.own.push(uid);
    }

    /// A few neighbours.
    fn some(&mut self) -> Option<String> {
        let count = self.view.len() as u64;
        if count == 0 {
            return None;
        }
        let first = 1 + self.random.range(0, count);
        let last = (first + self.random.range(0, 5)).min(count);
        Some(format!("{first}:{last}"))
    }

    fn fetch_some(&mut self) {
        let Some(set) = self.some() else { return };
        let answer = self.hear(&format!("FETCH {set} (UID BODY.PEEK[] FLAGS)"), false);
        for response in answer.untagged.iter().filter(|response| !response.literals.is_empty()) {
            let message = &response.literals[0];
            assert!(message.starts_with(b"Subject: of $s") && message.len() < 400, "{response:?}");
        }
    }

    fn search(&mut self) {
        let command = format!("SEARCH KEYWORD {}", self.keyword);
        let count = self.view.len();
        let answer = self.hear(&command, false);
        let found = answer.texts().into_iter().find_map(|text| text.strip_prefix("* SEARCH")).unwrap().to_owned();
        for number in found.split_whitespace() {
            let number: usize = number.parse().unwrap();
            assert!((1..=count).contains(&number), "{number} of {count}");
            // Nobody else sets this keyword, so what this session believes of it is so.
            let known = self.view.get_mut(number).and_then(|message| message.flags.clone());
            assert!(known.is_none_or(|flags| flags.contains(&self.keyword)), "{number}");
        }
    }

    /// Sets or clears this session's keyword, by number or UID, silently or not.
    fn keyword(&mut self, model: &Model) {
        let Some(set) = self.some() else { return };
        // Who changes a message must know which it is.
        self.ask(&format!("FETCH {set} (UID)"), false);
        let (first, last) = set.split_once(':').unwrap();
        let numbers: Vec<usize> = (first.parse::<usize>().unwrap()..=last.parse().unwrap()).collect();
        let uids: Vec<Option<u32>> =
            numbers.iter().map(|number| self.view.get_mut(*number).and_then(|message| message.uid)).collect();
        let (add, silent) = (self.random.one_in(2), self.random.one_in(2));
        let sign = if add { '+' } else { '-' };
        let suffix = if silent { ".SILENT" } else { "" };
        let by_uid = self.random.one_in(3) && uids.iter().all(Option::is_some);
        let change = format!("{sign}FLAGS{suffix} ({})", self.keyword);
        let command = match by_uid {
            true => {
                let list: Vec<String> = uids.iter().flatten().map(u32::to_string).collect();
                format!("UID STORE {} {change}", list.join(","))
            }
            false => format!("STORE {set} {change}"),
        };
        let keyword = self.keyword.clone();
        // The model first: what another session hears of this change it must find there.
        for uid in uids.iter().flatten() {
            model.note(*uid, |fate| match add {
                true => drop(fate.keywords.insert(keyword.clone())),
                false => drop(fate.keywords.remove(&keyword)),
            });
        }
        // With SILENT the client works it out by itself, before it hears what others did.
        if silent {
            for number in numbers {
                if let Some(flags) = self.view.get_mut(number).and_then(|message| message.flags.as_mut()) {
                    match add {
                        true => drop(flags.insert(keyword.clone())),
                        false => drop(flags.remove(&keyword)),
                    }
                }
            }
        }
        self.hear(&command, by_uid);
    }

    /// `\Seen` is anybody's.
    fn seen(&mut self) {
        let Some(set) = self.some() else { return };
        let sign = if self.random.one_in(2) { '+' } else { '-' };
        self.ask(&format!("STORE {set} {sign}FLAGS (\\Seen)"), false);
    }

    fn own(&mut self) -> Option<u32> {
        let count = self.own.len() as u64;
        (count > 0).then(|| self.own.swap_remove(self.random.range(0, count) as usize))
    }

    fn mark_deleted(&mut self, model: &Model) {
        let Some(uid) = self.own() else { return };
        // Somebody's EXPUNGE may follow at once.
        model.note(uid, |fate| fate.deleted = true);
        self.ask(&format!("UID STORE {uid} +FLAGS (\\Deleted)"), true);
    }

    /// Copies or moves an own message, or removes it by UID.
    fn take_away(&mut self, model: &Model) {
        let Some(uid) = self.own() else { return };
        match self.random.range(0, 3) {
            0 => {
                let answer = self.hear(&format!("UID COPY {uid} other"), true);
                assert!(answer.status.contains("COPYUID"), "{answer:?}");
                model.copied(1);
                self.own.push(uid);
            }
            1 => {
                model.note(uid, |fate| fate.gone = true);
                let answer = self.hear(&format!("UID MOVE {uid} other"), true);
                assert!(answer.texts().iter().any(|text| text.contains("COPYUID")), "{answer:?}");
                model.copied(1);
            }
            _ => {
                model.note(uid, |fate| fate.gone = true);
                self.ask(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"), true);
                self.ask(&format!("UID EXPUNGE {uid}"), true);
            }
        }
        // The client that did this without hearing of flags knows them no more; the next FETCH tells.
    }

    fn idle(&mut self) {
        let tag = self.imap.send("IDLE");
        loop {
            let response = self.imap.response();
            if response.text.starts_with('+') {
                break;
            }
            self.view.hear(&response, true);
        }
        self.imap.raw(b"DONE\r\n");
        let answer = self.imap.answer(&tag).ok();
        self.view.take(&answer, true);
    }
}

/// The words of a response code.
fn code<'a>(status: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let from = status.find(name).map_or("", |at| &status[at + name.len()..]);
    from.split(']').next().unwrap_or_default().split_whitespace()
}
