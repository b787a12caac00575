//! What is known of a mailbox, and what must hold at each look at it, whoever else looks or deletes at the same time.

use super::{
    letters::{Ledger, Letter},
    peers::Pop,
};
use crate::harness::Server;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    net::SocketAddr,
    sync::Mutex,
};

/// Where a message is: UIDVALIDITY and UID.
type Place = (u32, u32);

/// One account's mailbox, seen by POP3.
pub struct Mailbox {
    pub account: &'static str,
    known: Mutex<Known>,
}

#[derive(Clone, Default)]
struct Known {
    /// Letters that were seen, by place.
    letters: BTreeMap<Place, String>,
    places: HashMap<String, Place>,
    /// Places that somebody wanted to delete.
    marked: BTreeSet<Place>,
    /// Places that the server said it deleted.
    deleted: BTreeSet<Place>,
}

impl Mailbox {
    pub fn new(account: &'static str) -> Mailbox {
        Mailbox { account, known: Mutex::default() }
    }

    /// Looks at the mailbox, reads what is new, and deletes what `unwanted` says by id.
    pub fn visit(
        &self,
        address: SocketAddr,
        ledger: &Ledger,
        mut unwanted: impl FnMut(&str) -> bool,
    ) -> io::Result<()> {
        let before = self.known.lock().unwrap().clone();
        let mut pop = Pop::log_in(address, self.account)?;
        let list: BTreeMap<Place, usize> =
            pop.list()?.into_iter().map(|(number, unique)| (self.place(&unique), number)).collect();
        self.check_listing(&before, &list);
        let mut gone = Vec::new();
        for (&place, &number) in &list {
            let seen = self.known.lock().unwrap().letters.get(&place).cloned();
            let id = match seen {
                Some(id) => id,
                None => match pop.read(number)? {
                    Some(received) => self.add(place, &received, ledger),
                    None => {
                        assert!(self.known.lock().unwrap().marked.contains(&place), "{place:?} was deleted by nobody");
                        continue;
                    }
                },
            };
            if unwanted(&id) {
                self.known.lock().unwrap().marked.insert(place);
                let answer = pop.ask(&format!("DELE {number}"))?;
                assert!(answer.starts_with("+OK"), "{answer}");
                gone.push(place);
            }
        }
        let answer = pop.ask("QUIT")?;
        if answer.starts_with("+OK") {
            self.known.lock().unwrap().deleted.extend(gone);
        }
        Ok(())
    }

    /// Looks once more, when nothing is under way: all that was acknowledged was seen.
    #[track_caller]
    pub fn check(&self, server: &Server, ledger: &Ledger) {
        self.visit(server.address("pop3"), ledger, |_| false).unwrap();
        let known = self.known.lock().unwrap();
        for id in ledger.acknowledged(self.account) {
            assert!(known.places.contains_key(&id), "{id} for {} is lost\n{}", self.account, server.log());
        }
    }

    /// Reads everything that is there again, byte for byte.
    pub fn read_again(&self, server: &Server) {
        let mut pop = Pop::log_in(server.address("pop3"), self.account).unwrap();
        for (number, unique) in pop.list().unwrap() {
            let received = pop.read(number).unwrap().unwrap();
            let id = self.known.lock().unwrap().letters[&self.place(&unique)].clone();
            assert_eq!(Letter::check(&received), Ok(id), "{unique} of {}", self.account);
        }
    }

    /// How often this letter is there, or was.
    pub fn has(&self, id: &str) -> bool {
        self.known.lock().unwrap().places.contains_key(id)
    }

    /// How many messages were seen, and how many of them are not deleted.
    pub fn counts(&self) -> (usize, usize) {
        let known = self.known.lock().unwrap();
        (known.letters.len(), known.letters.len() - known.deleted.len())
    }

    fn check_listing(&self, before: &Known, list: &BTreeMap<Place, usize>) {
        let marked = self.known.lock().unwrap().marked.clone();
        let account = self.account;
        for (place, id) in &before.letters {
            assert!(list.contains_key(place) || marked.contains(place), "{id} at {place:?} of {account} has gone");
        }
        let newest = before.letters.keys().next_back().copied().unwrap_or_default();
        for place in list.keys() {
            assert!(!before.deleted.contains(place), "{place:?} of {account} was deleted and is back");
            let new = !before.letters.contains_key(place);
            assert!(!new || *place > newest, "{place:?} of {account} is new, but {newest:?} was there before");
        }
    }

    fn add(&self, place: Place, received: &[u8], ledger: &Ledger) -> String {
        let account = self.account;
        let id = Letter::check(received).unwrap_or_else(|fault| panic!("{place:?} of {account}: {fault}"));
        assert!(ledger.knows(&id, account), "{id} is not for {account}");
        let mut known = self.known.lock().unwrap();
        let other = known.places.insert(id.clone(), place).filter(|other| *other != place);
        assert_eq!(other, None, "{id} is there twice: also at {place:?} of {account}");
        let other = known.letters.insert(place, id.clone()).filter(|other| *other != id);
        assert_eq!(other, None, "{place:?} of {account} is another letter now: {id}");
        id
    }

    fn place(&self, unique: &str) -> Place {
        let numbers = unique.split_once('.').map(|(validity, uid)| (validity.parse(), uid.parse()));
        match numbers {
            Some((Ok(validity), Ok(uid))) => (validity, uid),
            _ => panic!("{unique} of {} is no place", self.account),
        }
    }
}
